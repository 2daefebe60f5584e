//! Reductions: many numbers become one, over some axes.

use crate::kernels::reduction::Fold;
use crate::kernels::strided::{Walk, steps};
use crate::{Number, Tensor};

/// The sum over `axes`, which are counted with the batch as axis 0. Sums of f32 are taken in f64,
/// those of integers wrap.
///
/// `Y` has the dimensions that are left, with or without those of length 1.
pub fn reduce_sum<'y, X, Y>(x: &[X], axes: &[usize], y: &'y mut [X::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: Arithmetic>,
    Y: Tensor<Number = X::Number>,
{
    let fold = Fold { start: X::Number::ZERO, lift: X::Number::widen, join: X::Number::plus };
    reduce(x, axes, y, &fold, |sum, _| X::Number::narrow(sum))
}

/// As [`reduce_sum`], divided by how many numbers there are; integers are truncated.
pub fn reduce_mean<'y, X, Y>(x: &[X], axes: &[usize], y: &'y mut [X::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: Arithmetic>,
    Y: Tensor<Number = X::Number>,
{
    let fold = Fold { start: X::Number::ZERO, lift: X::Number::widen, join: X::Number::plus };
    reduce(x, axes, y, &fold, |sum, count| X::Number::narrow(X::Number::divided(sum, count)))
}

/// The largest number over `axes`; NaN if there is one among them, as in TensorFlow.
pub fn reduce_max<'y, X, Y>(x: &[X], axes: &[usize], y: &'y mut [X::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: Arithmetic>,
    Y: Tensor<Number = X::Number>,
{
    let fold = Fold { start: X::Number::LEAST, lift: |x| x, join: X::Number::larger };
    reduce(x, axes, y, &fold, |max, _| max)
}

/// The smallest number over `axes`; NaN if there is one among them, as in TensorFlow.
pub fn reduce_min<'y, X, Y>(x: &[X], axes: &[usize], y: &'y mut [X::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: Arithmetic>,
    Y: Tensor<Number = X::Number>,
{
    let fold = Fold { start: X::Number::GREATEST, lift: |x| x, join: X::Number::smaller };
    reduce(x, axes, y, &fold, |min, _| min)
}

/// The product over `axes`.
pub fn reduce_prod<'y, X, Y>(x: &[X], axes: &[usize], y: &'y mut [X::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: Arithmetic>,
    Y: Tensor<Number = X::Number>,
{
    let fold = Fold { start: X::Number::ONE, lift: |x| x, join: X::Number::times };
    reduce(x, axes, y, &fold, |product, _| product)
}

/// Whether something over `axes` is true.
pub fn reduce_any<'y, X, Y>(x: &[X], axes: &[usize], y: &'y mut [X::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: Logical>,
    Y: Tensor<Number = X::Number>,
{
    let fold = Fold { start: false, lift: X::Number::is_true, join: |a, b| a | b };
    reduce(x, axes, y, &fold, |any, _| any.into())
}

/// Whether everything over `axes` is true.
pub fn reduce_all<'y, X, Y>(x: &[X], axes: &[usize], y: &'y mut [X::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: Logical>,
    Y: Tensor<Number = X::Number>,
{
    let fold = Fold { start: true, lift: X::Number::is_true, join: |a, b| a & b };
    reduce(x, axes, y, &fold, |all, _| all.into())
}

/// Walks over the axes that are kept, and for each of their places over those that are not.
fn reduce<'y, X: Tensor, Y: Tensor<Number = X::Number>, A: Copy>(
    x: &[X],
    axes: &[usize],
    y: &'y mut [X::Number],
    fold: &Fold<A, impl Fn(X::Number) -> A, impl Fn(A, A) -> A>,
    finish: impl Fn(A, usize) -> X::Number,
) -> &'y mut [Y] {
    let (mut kept, mut reduced) = (Walk::new([0]), Walk::new([0]));
    kept.push(x.len(), [X::LEN as isize]);
    let (mut len, mut count) = (1, 1);
    for (axis, (&dim, step)) in X::SHAPE.dims().iter().zip(steps(X::SHAPE.dims())).enumerate() {
        if axes.contains(&(axis + 1)) {
            reduced.push(dim, [step]);
            count *= dim;
        } else {
            kept.push(dim, [step]);
            len *= dim;
        }
    }
    assert_eq!(Y::LEN, len, "the numbers that the reduction leaves");
    let y = &mut Y::batch_mut(y)[..x.len()];
    fold.apply(X::flat(x), &kept, &reduced, Y::flat_mut(y), |sum| finish(sum, count));
    y
}

/// A type of numbers that can be added and compared: f32, f64, i32 or i64.
pub trait Arithmetic: Number + PartialOrd {
    /// What sums are taken in.
    type Sum: Copy;
    /// The sum of no numbers.
    const ZERO: Self::Sum;
    /// The product of no numbers.
    const ONE: Self;
    /// Not larger than any number.
    const LEAST: Self;
    /// Not smaller than any number.
    const GREATEST: Self;

    /// The number as a sum.
    fn widen(self) -> Self::Sum;
    /// The sum of two sums.
    fn plus(a: Self::Sum, b: Self::Sum) -> Self::Sum;
    /// The mean of `count` numbers that have this sum.
    fn divided(sum: Self::Sum, count: usize) -> Self::Sum;
    /// The sum as a number.
    fn narrow(sum: Self::Sum) -> Self;
    /// The product.
    fn times(self, other: Self) -> Self;

    /// The larger one; NaN if one is NaN.
    fn larger(self, other: Self) -> Self {
        if self >= other || is_nan(self) { self } else { other }
    }

    /// The smaller one; NaN if one is NaN.
    fn smaller(self, other: Self) -> Self {
        if self <= other || is_nan(self) { self } else { other }
    }
}

fn is_nan<T: PartialOrd>(x: T) -> bool {
    x.partial_cmp(&x).is_none()
}

macro_rules! floats {
    ($($float:ty)*) => {$(
        impl Arithmetic for $float {
            type Sum = f64;
            const ZERO: f64 = 0.0;
            const ONE: Self = 1.0;
            const LEAST: Self = Self::NEG_INFINITY;
            const GREATEST: Self = Self::INFINITY;

            fn widen(self) -> f64 {
                self.into()
            }

            fn plus(a: f64, b: f64) -> f64 {
                a + b
            }

            fn divided(sum: f64, count: usize) -> f64 {
                sum / count as f64
            }

            fn narrow(sum: f64) -> Self {
                sum as Self
            }

            fn times(self, other: Self) -> Self {
                self * other
            }
        }
    )*};
}

floats!(f32 f64);

macro_rules! integers {
    ($($integer:ty)*) => {$(
        impl Arithmetic for $integer {
            type Sum = Self;
            const ZERO: Self = 0;
            const ONE: Self = 1;
            const LEAST: Self = Self::MIN;
            const GREATEST: Self = Self::MAX;

            fn widen(self) -> Self {
                self
            }

            fn plus(a: Self, b: Self) -> Self {
                a.wrapping_add(b)
            }

            fn divided(sum: Self, count: usize) -> Self {
                sum / count as Self
            }

            fn narrow(sum: Self) -> Self {
                sum
            }

            fn times(self, other: Self) -> Self {
                self.wrapping_mul(other)
            }
        }
    )*};
}

integers!(i32 i64 u8);

/// A type of truth values: bool, or u8 of 0 and 1.
pub trait Logical: Number + From<bool> {
    /// Whether it is true.
    fn is_true(self) -> bool;
}

impl Logical for bool {
    fn is_true(self) -> bool {
        self
    }
}

impl Logical for u8 {
    fn is_true(self) -> bool {
        self != 0
    }
}
