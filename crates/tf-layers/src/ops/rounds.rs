//! What the rounds of a loop read of sequences, and write to its result.

use crate::Tensor;

/// The numbers of a buffer as the rows of so many samples.
///
/// ```
/// let mut scratch = [0; 8];
/// let y: &mut [[i32; 3]] = tf_layers::ops::rows(&mut scratch, 2);
/// assert_eq!(y, [[0; 3]; 2]);
/// ```
pub fn rows<Y: Tensor>(y: &mut [Y::Number], samples: usize) -> &mut [Y] {
    &mut Y::batch_mut(y)[..samples]
}

/// Item `round` of the sequence of every sample.
///
/// ```
/// let mut scratch = [[0; 2]; 2];
/// let sequences = [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, 12]]];
/// let y = tf_layers::ops::item(&sequences, 1, &mut scratch);
/// assert_eq!(y, [[3, 4], [9, 10]]);
/// ```
pub fn item<'y, T: Tensor, const ROUNDS: usize>(
    x: &[[T; ROUNDS]],
    round: usize,
    y: &'y mut [T],
) -> &'y mut [T] {
    let y = &mut y[..x.len()];
    for (y, x) in y.iter_mut().zip(x) {
        *y = x[round];
    }
    y
}

/// Writes each sample to its row of `y`, from the number `start` on.
///
/// ```
/// let mut y = [[0; 5]; 2];
/// tf_layers::ops::put(&[[1, 2], [3, 4]], 1, &mut y);
/// assert_eq!(y, [[0, 1, 2, 0, 0], [0, 3, 4, 0, 0]]);
/// ```
pub fn put<X: Tensor, const LEN: usize>(x: &[X], start: usize, y: &mut [[X::Number; LEN]]) {
    for (x, y) in x.iter().zip(y) {
        y[start..start + X::LEN].copy_from_slice(X::flat(std::slice::from_ref(x)));
    }
}
