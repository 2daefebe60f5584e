//! Numbers become the numbers of the ranges that they lie in.

use crate::{Number, Tensor};

use super::map;

/// How many of the ascending `boundaries` are at or below each number; all for NaN.
///
/// ```
/// let mut scratch = [0; 4];
/// let y: &mut [[i32; 4]] =
///     tf_layers::ops::bucketize(&[[-1.0_f32, 0.0, 0.5, 2.0]], &[0.0, 1.0], &mut scratch);
/// assert_eq!(y, [[0, 1, 1, 2]]);
/// ```
pub fn bucketize<'y, X, Y>(x: &[X], boundaries: &[f32], y: &'y mut [i32]) -> &'y mut [Y]
where
    X: Tensor<Number: Bounded>,
    Y: Tensor<Number = i32>,
{
    map(x, y, |x| boundaries.partition_point(|&boundary| !x.is_below(boundary)) as i32)
}

/// A type of numbers that lie in ranges: f32, f64, i32 or i64.
pub trait Bounded: Number {
    /// Whether it is less than the boundary.
    fn is_below(self, boundary: f32) -> bool;
}

macro_rules! bounded {
    ($($number:ty: $wide:ty),*) => {$(
        impl Bounded for $number {
            fn is_below(self, boundary: f32) -> bool {
                (self as $wide) < boundary as $wide
            }
        }
    )*};
}

// TensorFlow compares integers as f32.
bounded!(f32: f32, f64: f64, i32: f32, i64: f32);
