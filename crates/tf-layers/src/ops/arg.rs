//! Where along an axis the largest or the smallest number is.

use crate::kernels::reduction::first;
use crate::{Number, Tensor};

use super::shape::around;

/// The place of the largest number along `axis`, which is counted with the batch as axis 0; of the
/// first of several. NaN is skipped, as in TensorFlow.
///
/// `Y` has the dimensions that are left, with or without the one of length 1.
pub fn arg_max<'y, X, Y>(x: &[X], axis: usize, y: &'y mut [Y::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: PartialOrd>,
    Y: Tensor<Number: Place>,
{
    arg(x, axis, y, |a, b| a > b)
}

/// As [`arg_max`], of the smallest number.
pub fn arg_min<'y, X, Y>(x: &[X], axis: usize, y: &'y mut [Y::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: PartialOrd>,
    Y: Tensor<Number: Place>,
{
    arg(x, axis, y, |a, b| a < b)
}

fn arg<'y, X, Y>(
    x: &[X],
    axis: usize,
    y: &'y mut [Y::Number],
    before: impl Fn(X::Number, X::Number) -> bool,
) -> &'y mut [Y]
where
    X: Tensor<Number: PartialOrd>,
    Y: Tensor<Number: Place>,
{
    let around = around(&X::SHAPE, axis);
    assert_eq!(Y::LEN * around[0], X::LEN, "the numbers that the reduction leaves");
    let y = &mut Y::batch_mut(y)[..x.len()];
    first(X::flat(x), around, Y::flat_mut(y), before, Y::Number::of);
    y
}

/// A type of places: i32 or i64.
pub trait Place: Number {
    /// The place, as such a number.
    fn of(place: usize) -> Self;
}

impl Place for i32 {
    fn of(place: usize) -> Self {
        place as Self
    }
}

impl Place for i64 {
    fn of(place: usize) -> Self {
        place as Self
    }
}
