//! The same numbers in another shape or order. None of these computes anything.

use super::samples;
use crate::kernels::strided::{self, Walk, broadcast, steps};
use crate::{Shape, Tensor};

/// The batch as one of tensors of another shape, without copying. The number of samples may
/// change.
pub fn reshape<X: Tensor, Y: Tensor<Number = X::Number>>(x: &[X]) -> &[Y] {
    let y = Y::batch(X::flat(x));
    assert_eq!(y.len() * Y::LEN, x.len() * X::LEN, "the numbers of both shapes");
    y
}

/// As [`reshape`], to write to.
pub fn reshape_mut<X: Tensor, Y: Tensor<Number = X::Number>>(x: &mut [X]) -> &mut [Y] {
    assert_eq!(x.len() * X::LEN % Y::LEN, 0, "the numbers of both shapes");
    Y::batch_mut(X::flat_mut(x))
}

/// The same batch in another place.
pub fn copy<'y, X: Tensor>(x: &[X], y: &'y mut [X::Number]) -> &'y mut [X] {
    let y = &mut X::batch_mut(y)[..x.len()];
    y.copy_from_slice(x);
    y
}

/// Axis i of the result is axis `axes[i]` of `x`. The batch is axis 0, and stays there.
///
/// ```
/// let mut scratch = [0; 6];
/// let y: &mut [[[i32; 2]; 3]] =
///     tf_layers::ops::transpose(&[[[1, 2, 3], [4, 5, 6]]], [0, 2, 1], &mut scratch);
/// assert_eq!(y, [[[1, 4], [2, 5], [3, 6]]]);
/// ```
pub fn transpose<'y, X: Tensor, Y: Tensor<Number = X::Number>, const R: usize>(
    x: &[X],
    axes: [usize; R],
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    const { assert!(R == X::RANK + 1 && R == Y::RANK + 1, "an axis for each dimension") };
    assert_eq!(axes[0], 0, "the batch stays the first axis");
    let (dims, steps) = (X::SHAPE, steps(X::SHAPE.dims()));
    let mut walk = Walk::new([0]);
    walk.push(x.len(), [X::LEN as isize]);
    for (&axis, &dim) in axes[1..].iter().zip(Y::SHAPE.dims()) {
        assert_eq!(dim, dims.dims()[axis - 1], "dimension {axis}");
        walk.push(dim, [steps[axis - 1]]);
    }
    write(x, &walk, x.len(), y)
}

/// From `begin` on, every so many steps, as many as `Y` has; a negative step goes backwards. One
/// of each for every dimension of a sample.
///
/// ```
/// let mut scratch = [0; 2];
/// let y: &mut [[i32; 2]] = tf_layers::ops::slice(&[[1, 2, 3, 4]], [3], [-2], &mut scratch);
/// assert_eq!(y, [[4, 2]]);
/// ```
pub fn slice<'y, X: Tensor, Y: Tensor<Number = X::Number>, const R: usize>(
    x: &[X],
    begin: [usize; R],
    by: [isize; R],
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    const { assert!(R == X::RANK && R == Y::RANK, "a begin and a step for each dimension") };
    let (dims, steps) = (X::SHAPE, steps(X::SHAPE.dims()));
    let start = begin.iter().zip(steps).map(|(begin, step)| *begin as isize * step).sum();
    let mut walk = Walk::new([start]);
    walk.push(x.len(), [X::LEN as isize]);
    for axis in 0..R {
        let len = Y::SHAPE.dims()[axis];
        let last = begin[axis] as isize + (len as isize - 1) * by[axis];
        assert!(
            (0..dims.dims()[axis] as isize).contains(&last),
            "the slice ends in dimension {axis}"
        );
        walk.push(len, [steps[axis] * by[axis]]);
    }
    write(x, &walk, x.len(), y)
}

/// `value` before and after each dimension of a sample, `[before, after]` times.
pub fn pad<'y, X: Tensor, Y: Tensor<Number = X::Number>, const R: usize>(
    x: &[X],
    borders: [[usize; 2]; R],
    value: X::Number,
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    const { assert!(R == X::RANK && R == Y::RANK, "a border for each dimension") };
    let (dims, x_steps, y_steps) = (X::SHAPE, steps(X::SHAPE.dims()), steps(Y::SHAPE.dims()));
    let y = &mut Y::batch_mut(y)[..x.len()];
    let (from, to) = (X::flat(x), Y::flat_mut(y));
    let start = borders.iter().zip(y_steps).map(|([before, _], step)| *before as isize * step);
    let mut walk = Walk::new([0, start.sum()]);
    walk.push(x.len(), [X::LEN as isize, Y::LEN as isize]);
    for axis in 0..R {
        let [before, after] = borders[axis];
        let dim = dims.dims()[axis];
        assert_eq!(Y::SHAPE.dims()[axis], before + dim + after, "dimension {axis}");
        walk.push(dim, [x_steps[axis], y_steps[axis]]);
    }
    to.fill(value);
    let (len, [_, step]) = walk.run();
    for [x_at, y_at] in walk.starts() {
        let to = to[y_at..].iter_mut().step_by(step.unsigned_abs().max(1));
        to.zip(&from[x_at..x_at + len]).for_each(|(to, from)| *to = *from);
    }
    y
}

/// The parts one after the other along `axis`, which is counted with the batch as axis 0. There are
/// as many samples as in the parts that are not a batch of one.
///
/// ```
/// use tf_layers::ops;
///
/// let (a, b, constant) = ([[1, 2], [3, 4]], [[5], [6]], [[7]]);
/// let mut scratch = [0; 8];
/// let parts = [ops::flat(&a), ops::flat(&b), ops::flat(&constant)];
/// let y: &mut [[i32; 4]] = ops::concatenate(&parts, 1, &mut scratch);
/// assert_eq!(y, [[1, 2, 5, 7], [3, 4, 6, 7]]);
/// ```
pub fn concatenate<'y, Y: Tensor>(
    parts: &[Flat<'_, Y::Number>],
    axis: usize,
    y: &'y mut [Y::Number],
) -> &'y mut [Y] {
    let [len, inner] = around(&Y::SHAPE, axis);
    let samples = samples(parts.iter().map(|part| part.samples));
    let y = &mut Y::batch_mut(y)[..samples];
    let to = Y::flat_mut(y);
    let mut begin = 0;
    for part in parts {
        assert!([1, samples].contains(&part.samples), "the samples of a part");
        let width = part.len * len * inner / Y::LEN;
        assert_eq!(width * Y::LEN, part.len * len * inner, "the numbers of a part");
        let rows = part.numbers.chunks_exact(width.max(1)).cycle();
        for (to, part) in to.chunks_exact_mut(len * inner).zip(rows) {
            to[begin..begin + width].copy_from_slice(part);
        }
        begin += width;
    }
    assert_eq!(begin, len * inner, "the numbers of all parts");
    y
}

/// A batch of any shape, as [`concatenate`] takes it.
pub fn flat<X: Tensor>(x: &[X]) -> Flat<'_, X::Number> {
    Flat { numbers: X::flat(x), samples: x.len(), len: X::LEN }
}

/// The numbers of a batch of `samples` tensors of `len` numbers each.
#[derive(Clone, Copy, Debug)]
pub struct Flat<'x, N> {
    numbers: &'x [N],
    samples: usize,
    len: usize,
}

/// Each sample broadcast to the shape of `Y`; a batch of one becomes one of `samples`.
///
/// ```
/// let mut scratch = [0; 6];
/// let y: &mut [[i32; 2]] = tf_layers::ops::broadcast_to(&[7], 3, &mut scratch);
/// assert_eq!(y, [[7, 7], [7, 7], [7, 7]]);
/// ```
pub fn broadcast_to<'y, X: Tensor, Y: Tensor<Number = X::Number>>(
    x: &[X],
    samples: usize,
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    let walk = broadcast(samples, Y::SHAPE.dims(), [(x.len(), X::SHAPE.dims())]);
    write(x, &walk, samples, y)
}

/// Each sample repeated along its dimensions, as often as fills those of `Y`.
///
/// ```
/// let mut scratch = [0; 4];
/// let y: &mut [[i32; 4]] = tf_layers::ops::tile(&[[1, 2]], &mut scratch);
/// assert_eq!(y, [[1, 2, 1, 2]]);
/// ```
pub fn tile<'y, X: Tensor, Y: Tensor<Number = X::Number>>(
    x: &[X],
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    const { assert!(X::RANK == Y::RANK, "as many dimensions") };
    let steps = steps(X::SHAPE.dims());
    let mut walk = Walk::new([0]);
    walk.push(x.len(), [X::LEN as isize]);
    for ((&dim, &len), step) in X::SHAPE.dims().iter().zip(Y::SHAPE.dims()).zip(steps) {
        assert_eq!(len % dim, 0, "whole repetitions");
        walk.push(len / dim, [0]);
        walk.push(dim, [step]);
    }
    write(x, &walk, x.len(), y)
}

/// The parts of `x` at `indices` along `axis`, which is counted with the batch as axis 0.
pub fn gather<'y, X: Tensor, Y: Tensor<Number = X::Number>>(
    x: &[X],
    axis: usize,
    indices: &[usize],
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    let [len, inner] = around(&X::SHAPE, axis);
    assert_eq!(Y::LEN * len, X::LEN * indices.len(), "the numbers of y");
    let y = &mut Y::batch_mut(y)[..x.len()];
    let blocks = Y::flat_mut(y).chunks_exact_mut((indices.len() * inner).max(1));
    for (x, y) in X::flat(x).chunks_exact(len * inner).zip(blocks) {
        for (y, index) in y.chunks_exact_mut(inner).zip(indices) {
            y.copy_from_slice(&x[index * inner..][..inner]);
        }
    }
    y
}

/// The length of an axis, and how many numbers there are for each place on it.
///
/// # Panics
/// If it is the axis of the batch, or none.
pub(crate) fn around(shape: &Shape, axis: usize) -> [usize; 2] {
    assert!((1..=shape.rank()).contains(&axis), "axis {axis} of a sample");
    [shape.dims()[axis - 1], shape.dims()[axis..].iter().product()]
}

/// Writes what the walk over `x` meets.
fn write<'y, X: Tensor, Y: Tensor<Number = X::Number>>(
    x: &[X],
    walk: &Walk<1>,
    samples: usize,
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    let y = &mut Y::batch_mut(y)[..samples];
    strided::copy(X::flat(x), walk, Y::flat_mut(y));
    y
}
