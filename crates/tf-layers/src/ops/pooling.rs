//! Pooling over steps and over images, channels last.

use fearless_simd::Level;

use crate::kernels::axis::Axis;
use crate::kernels::pooling;
use crate::{Tensor, Window};

/// The largest number of each channel under each window; padding is never the largest.
pub fn max_pooling1d<'y, const C: usize, const STEPS: usize, const STEPS_OUT: usize>(
    x: &[[[f32; C]; STEPS]],
    size: usize,
    window: Window<1>,
    y: &'y mut [f32],
) -> &'y mut [[[f32; C]; STEPS_OUT]] {
    let axes = [Axis::ONE, Axis::ONE, window.axis(0, size, STEPS, STEPS_OUT)];
    let y: &mut [[[f32; C]; STEPS_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
    pooling::max(Level::new(), Tensor::flat(x), axes, C, Tensor::flat_mut(y));
    y
}

/// The largest number of each channel under each window; padding is never the largest.
pub fn max_pooling2d<
    'y,
    const C: usize,
    const H: usize,
    const W: usize,
    const H_OUT: usize,
    const W_OUT: usize,
>(
    x: &[[[[f32; C]; W]; H]],
    sizes: [usize; 2],
    window: Window<2>,
    y: &'y mut [f32],
) -> &'y mut [[[[f32; C]; W_OUT]; H_OUT]] {
    let axes = [Axis::ONE, window.axis(0, sizes[0], H, H_OUT), window.axis(1, sizes[1], W, W_OUT)];
    let y: &mut [[[[f32; C]; W_OUT]; H_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
    pooling::max(Level::new(), Tensor::flat(x), axes, C, Tensor::flat_mut(y));
    y
}

/// The mean of each channel under each window, without the padding, as TensorFlow counts.
pub fn average_pooling1d<'y, const C: usize, const STEPS: usize, const STEPS_OUT: usize>(
    x: &[[[f32; C]; STEPS]],
    size: usize,
    window: Window<1>,
    y: &'y mut [f32],
) -> &'y mut [[[f32; C]; STEPS_OUT]] {
    let axes = [Axis::ONE, Axis::ONE, window.axis(0, size, STEPS, STEPS_OUT)];
    let y: &mut [[[f32; C]; STEPS_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
    pooling::average(Level::new(), Tensor::flat(x), axes, C, Tensor::flat_mut(y));
    y
}

/// The mean of each channel under each window, without the padding, as TensorFlow counts.
pub fn average_pooling2d<
    'y,
    const C: usize,
    const H: usize,
    const W: usize,
    const H_OUT: usize,
    const W_OUT: usize,
>(
    x: &[[[[f32; C]; W]; H]],
    sizes: [usize; 2],
    window: Window<2>,
    y: &'y mut [f32],
) -> &'y mut [[[[f32; C]; W_OUT]; H_OUT]] {
    let axes = [Axis::ONE, window.axis(0, sizes[0], H, H_OUT), window.axis(1, sizes[1], W, W_OUT)];
    let y: &mut [[[[f32; C]; W_OUT]; H_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
    pooling::average(Level::new(), Tensor::flat(x), axes, C, Tensor::flat_mut(y));
    y
}
