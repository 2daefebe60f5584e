//! Sums and products of all steps up to each.

use super::reduce::Arithmetic;
use super::shape::around;
use crate::Tensor;
use crate::kernels::cumulative::scan;

/// At each step of `axis`, which is counted with the batch as axis 0, the sum of the steps up to
/// it: without the step itself if `exclusive`, of the steps from it on if `reverse`. Sums of f32
/// are taken in f64, those of integers wrap.
///
/// ```
/// let mut scratch = [0; 3];
/// let y: &mut [[i32; 3]] = tf_layers::ops::cumsum(&[[1, 2, 3]], 1, false, false, &mut scratch);
/// assert_eq!(y, [[1, 3, 6]]);
/// let y: &mut [[i32; 3]] = tf_layers::ops::cumsum(&[[1, 2, 3]], 1, true, true, &mut scratch);
/// assert_eq!(y, [[5, 3, 0]]);
/// ```
pub fn cumsum<'y, X: Tensor<Number: Arithmetic>>(
    x: &[X],
    axis: usize,
    exclusive: bool,
    reverse: bool,
    y: &'y mut [X::Number],
) -> &'y mut [X] {
    let around = around(&X::SHAPE, axis);
    let y = &mut X::batch_mut(y)[..x.len()];
    let join = |sum, x| X::Number::plus(sum, X::Number::widen(x));
    let (options, start) = ([exclusive, reverse], X::Number::ZERO);
    scan(X::flat(x), around, options, X::flat_mut(y), start, join, X::Number::narrow);
    y
}

/// As [`cumsum`], the product.
pub fn cumprod<'y, X: Tensor<Number: Arithmetic>>(
    x: &[X],
    axis: usize,
    exclusive: bool,
    reverse: bool,
    y: &'y mut [X::Number],
) -> &'y mut [X] {
    let around = around(&X::SHAPE, axis);
    let y = &mut X::batch_mut(y)[..x.len()];
    let (options, start) = ([exclusive, reverse], X::Number::ONE);
    scan(X::flat(x), around, options, X::flat_mut(y), start, X::Number::times, |product| product);
    y
}
