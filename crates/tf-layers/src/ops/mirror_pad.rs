//! Borders that are the tensor itself, mirrored.

use crate::Tensor;
use crate::kernels::mirror::{Bordered, pad};

/// Before and after each dimension of a sample, `[before, after]` steps of it, mirrored at the
/// outermost step: that stands there once.
///
/// ```
/// let mut scratch = [0; 6];
/// let y: &mut [[i32; 6]] = tf_layers::ops::pad_reflect(&[[1, 2, 3]], [[2, 1]], &mut scratch);
/// assert_eq!(y, [[3, 2, 1, 2, 3, 2]]);
/// ```
pub fn pad_reflect<'y, X: Tensor, Y: Tensor<Number = X::Number>, const R: usize>(
    x: &[X],
    borders: [[usize; 2]; R],
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    mirrored(x, borders, 1, y)
}

/// As [`pad_reflect`], mirrored beside the outermost step: that stands there twice.
///
/// ```
/// let mut scratch = [0; 6];
/// let y: &mut [[i32; 6]] = tf_layers::ops::pad_symmetric(&[[1, 2, 3]], [[2, 1]], &mut scratch);
/// assert_eq!(y, [[2, 1, 1, 2, 3, 3]]);
/// ```
pub fn pad_symmetric<'y, X: Tensor, Y: Tensor<Number = X::Number>, const R: usize>(
    x: &[X],
    borders: [[usize; 2]; R],
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    mirrored(x, borders, 0, y)
}

fn mirrored<'y, X: Tensor, Y: Tensor<Number = X::Number>, const R: usize>(
    x: &[X],
    borders: [[usize; 2]; R],
    skipped: usize,
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    const { assert!(R == X::RANK && R == Y::RANK, "a border for each dimension") };
    let mut axes = [Bordered::default(); R];
    for (axis, bordered) in axes.iter_mut().enumerate() {
        let ([before, after], len) = (borders[axis], X::SHAPE.dims()[axis]);
        assert_eq!(Y::SHAPE.dims()[axis], before + len + after, "dimension {axis}");
        assert!(before.max(after) + skipped <= len, "the steps to mirror in dimension {axis}");
        *bordered = Bordered { before, len, after };
    }
    let y = &mut Y::batch_mut(y)[..x.len()];
    let samples = X::flat(x).chunks_exact(X::LEN.max(1));
    for (x, y) in samples.zip(Y::flat_mut(y).chunks_exact_mut(Y::LEN.max(1))) {
        pad(x, &axes, skipped, y);
    }
    y
}
