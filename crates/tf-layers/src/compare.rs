//! How far predictions are from those of TensorFlow, as one number.

use crate::{Number, Tensor};

/// The largest error of `predicted`: `max |x − e| / max(max |e|, 1e-6)` over its numbers `x` and
/// those of `expected`, `e`; the maximum of `|e|` is over the finite ones.
///
/// It is infinite if one has a NaN or an infinity where the other has not, or if their lengths
/// differ. Integers and booleans are equal, error 0, or else the error is infinite.
///
/// ```
/// use tf_layers::compare::largest_error;
///
/// assert!((largest_error(&[[1.0, 2.5]], &[[1.0, 2.0]]) - 0.25_f32).abs() < 1e-6);
/// assert_eq!(largest_error(&[1, 2], &[1, 3]), f32::INFINITY);
/// ```
pub fn largest_error<T: Tensor<Number: Compared>>(predicted: &[T], expected: &[T]) -> f32 {
    if predicted.len() != expected.len() {
        return f32::INFINITY;
    }
    Compared::error(T::flat(predicted), T::flat(expected))
}

/// A number of predictions: a float or one to compare exactly.
pub trait Compared: Number {
    /// The [`largest_error`] of as many numbers as expected.
    fn error(predicted: &[Self], expected: &[Self]) -> f32;
}

macro_rules! floats {
    ($($float:ty)*) => {$(
        impl Compared for $float {
            fn error(predicted: &[Self], expected: &[Self]) -> f32 {
                let (mut largest, mut scale) = (0.0, 1e-6);
                for (&x, &e) in predicted.iter().zip(expected) {
                    let (x, e) = (f64::from(x), f64::from(e));
                    if e.is_finite() {
                        scale = e.abs().max(scale);
                    }
                    if x != e && !(x.is_nan() && e.is_nan()) {
                        let distance = (x - e).abs();
                        largest = if distance.is_nan() { f64::INFINITY } else { distance.max(largest) };
                    }
                }
                (largest / scale) as f32
            }
        }
    )*};
}

floats!(f32 f64);

macro_rules! exact {
    ($($number:ty)*) => {$(
        impl Compared for $number {
            fn error(predicted: &[Self], expected: &[Self]) -> f32 {
                if predicted == expected { 0.0 } else { f32::INFINITY }
            }
        }
    )*};
}

exact!(i32 i64 u8 bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn divides_by_the_largest_expected_number() {
        assert_eq!(largest_error(&[1.0, -4.5, 0.0], &[1.0, -4.0, 0.25_f32]), 0.125);
        assert_eq!(largest_error(&[1e-6], &[0.0_f64]), 1.0);
        assert_eq!(largest_error::<[f32; 3]>(&[], &[]), 0.0);
        assert_eq!(largest_error(&[f32::MAX], &[f32::MIN]), 2.0);
        assert_eq!(largest_error(&[f64::MAX], &[f64::MIN]), f32::INFINITY);
    }

    #[test]
    fn wants_nan_and_infinities_in_the_same_places() {
        const INF: f32 = f32::INFINITY;
        assert_eq!(largest_error(&[f32::NAN, INF, -INF, 2.5], &[f32::NAN, INF, -INF, 2.0]), 0.25);
        for other in [f32::NAN, INF, -INF, 0.0] {
            for expected in [f32::NAN, INF, -INF, 1.0] {
                if other.to_bits() != expected.to_bits() && !(other == 0.0 && expected == 1.0) {
                    assert_eq!(largest_error(&[other, 0.0], &[expected, 0.0]), INF);
                    assert_eq!(largest_error(&[0.0, other], &[0.0, expected]), INF);
                }
            }
        }
    }

    #[test]
    fn wants_the_same_length_and_the_same_integers() {
        assert_eq!(largest_error(&[0.0], &[0.0, 0.0_f32]), f32::INFINITY);
        assert_eq!(largest_error(&[[1_i64, 2]], &[[1, 2]]), 0.0);
        assert_eq!(largest_error(&[i64::MAX], &[i64::MAX - 1]), f32::INFINITY);
        assert_eq!(largest_error(&[true], &[false]), f32::INFINITY);
    }
}
