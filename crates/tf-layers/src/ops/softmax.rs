//! Softmax along an axis, and its logarithm.

use fearless_simd::Level;

use crate::Tensor;
use crate::kernels::softmax as kernel;

use super::shape::around;

/// eˣ / Σeˣ along `axis`, which is counted with the batch as axis 0.
pub fn softmax<'y, X: Tensor<Number = f32>>(x: &[X], axis: usize, y: &'y mut [f32]) -> &'y mut [X] {
    let y = &mut X::batch_mut(y)[..x.len()];
    y.copy_from_slice(x);
    softmax_mut(y, axis)
}

/// As [`softmax`], in place.
pub fn softmax_mut<X: Tensor<Number = f32>>(x: &mut [X], axis: usize) -> &mut [X] {
    kernel::softmax(Level::new(), X::flat_mut(x), around(&X::SHAPE, axis));
    x
}

/// x − ln Σeˣ along `axis`, which is counted with the batch as axis 0.
pub fn log_softmax<'y, X: Tensor<Number = f32>>(
    x: &[X],
    axis: usize,
    y: &'y mut [f32],
) -> &'y mut [X] {
    let y = &mut X::batch_mut(y)[..x.len()];
    y.copy_from_slice(x);
    log_softmax_mut(y, axis)
}

/// As [`log_softmax`], in place.
pub fn log_softmax_mut<X: Tensor<Number = f32>>(x: &mut [X], axis: usize) -> &mut [X] {
    kernel::log_softmax(Level::new(), X::flat_mut(x), around(&X::SHAPE, axis));
    x
}
