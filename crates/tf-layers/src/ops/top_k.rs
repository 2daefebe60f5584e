//! The largest numbers, and where they stand.

use std::cmp::Ordering;

use crate::kernels::top_k::first;
use crate::{Number, Tensor};

use super::Place;

/// The largest numbers along the last axis, the largest first, as many as the last dimension of
/// `Y`. NaN comes last.
///
/// ```
/// let mut scratch = [0.0; 2];
/// let y: &mut [[f32; 2]] = tf_layers::ops::top_k_values(&[[1.0_f32, 4.0, 2.0]], &mut scratch);
/// assert_eq!(y, [[4.0, 2.0]]);
/// ```
pub fn top_k_values<'y, X, Y>(x: &[X], y: &'y mut [X::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: PartialOrd>,
    Y: Tensor<Number = X::Number>,
{
    let descending = |a: &X::Number, b: &X::Number| descending(*a, *b);
    rows(x, y, |x, y| first(x.iter().copied(), y, descending))
}

/// Where along the last axis the numbers of [`top_k_values`] stand; of equals, the first comes
/// first.
///
/// ```
/// let mut scratch = [0; 2];
/// let y: &mut [[i32; 2]] = tf_layers::ops::top_k_indices(&[[1.0_f32, 4.0, 2.0]], &mut scratch);
/// assert_eq!(y, [[1, 2]]);
/// ```
pub fn top_k_indices<'y, X, Y>(x: &[X], y: &'y mut [Y::Number]) -> &'y mut [Y]
where
    X: Tensor<Number: PartialOrd>,
    Y: Tensor<Number = i32>,
{
    rows(x, y, |x, y| {
        let order = |a: &i32, b: &i32| {
            descending(x[a.cast_unsigned() as usize], x[b.cast_unsigned() as usize])
        };
        first((0..x.len()).map(Place::of), y, order);
    })
}

/// Calls `row` for each row of `x` and `y`.
fn rows<'y, X: Tensor, Y: Tensor>(
    x: &[X],
    y: &'y mut [Y::Number],
    row: impl Fn(&[X::Number], &mut [Y::Number]),
) -> &'y mut [Y] {
    const {
        assert!(X::RANK > 0 && X::RANK == Y::RANK, "as many dimensions");
        assert!(X::SHAPE.without_last().is(&Y::SHAPE.without_last()), "the other dimensions");
    };
    let y = &mut Y::batch_mut(y)[..x.len()];
    let (from, to) = (X::SHAPE.last().max(1), Y::SHAPE.last().max(1));
    for (x, y) in X::flat(x).chunks_exact(from).zip(Y::flat_mut(y).chunks_exact_mut(to)) {
        row(x, y);
    }
    y
}

/// The larger number first; NaN after all numbers.
fn descending<T: Number + PartialOrd>(a: T, b: T) -> Ordering {
    let is_nan = |x: T| x.partial_cmp(&x).is_none();
    b.partial_cmp(&a).unwrap_or_else(|| is_nan(a).cmp(&is_nan(b)))
}
