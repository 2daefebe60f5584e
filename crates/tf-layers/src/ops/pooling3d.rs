//! Pooling over volumes, channels last.

use fearless_simd::Level;

use crate::kernels::axis::Axis;
use crate::kernels::pooling;
use crate::{Tensor, Volume, Window};

/// The largest number of each channel under each window; padding is never the largest.
pub fn max_pooling3d<
    'y,
    const C: usize,
    const D: usize,
    const H: usize,
    const W: usize,
    const D_OUT: usize,
    const H_OUT: usize,
    const W_OUT: usize,
>(
    x: &[Volume<D, H, W, C>],
    sizes: [usize; 3],
    window: Window<3>,
    y: &'y mut [f32],
) -> &'y mut [Volume<D_OUT, H_OUT, W_OUT, C>] {
    let axes = axes(window, sizes, [D, H, W], [D_OUT, H_OUT, W_OUT]);
    let y: &mut [Volume<D_OUT, H_OUT, W_OUT, C>] = &mut Tensor::batch_mut(y)[..x.len()];
    pooling::max(Level::new(), Tensor::flat(x), axes, C, Tensor::flat_mut(y));
    y
}

/// The mean of each channel under each window, without the padding, as TensorFlow counts.
pub fn average_pooling3d<
    'y,
    const C: usize,
    const D: usize,
    const H: usize,
    const W: usize,
    const D_OUT: usize,
    const H_OUT: usize,
    const W_OUT: usize,
>(
    x: &[Volume<D, H, W, C>],
    sizes: [usize; 3],
    window: Window<3>,
    y: &'y mut [f32],
) -> &'y mut [Volume<D_OUT, H_OUT, W_OUT, C>] {
    let axes = axes(window, sizes, [D, H, W], [D_OUT, H_OUT, W_OUT]);
    let y: &mut [Volume<D_OUT, H_OUT, W_OUT, C>] = &mut Tensor::batch_mut(y)[..x.len()];
    pooling::average(Level::new(), Tensor::flat(x), axes, C, Tensor::flat_mut(y));
    y
}

fn axes(
    window: Window<3>,
    sizes: [usize; 3],
    steps: [usize; 3],
    steps_out: [usize; 3],
) -> [Axis; 3] {
    std::array::from_fn(|axis| window.axis(axis, sizes[axis], steps[axis], steps_out[axis]))
}
