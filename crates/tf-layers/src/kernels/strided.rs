//! Walks over tensors that are read in another order than they are stored in: broadcast,
//! transposed, sliced.

use fearless_simd::Level;

use super::dispatch::dispatch;
use super::transposition::transpose;
use crate::Number;

/// The most dimensions of a sample.
const MAX_RANK: usize = 8;

/// The most loops of a walk: the batch, and two for each dimension, when tensors are repeated.
const MAX_LOOPS: usize = 1 + 2 * MAX_RANK;

/// A nest of loops over `K` tensors at once, with as few loops as will do.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Walk<const K: usize> {
    dims: [usize; MAX_LOOPS],
    /// How far each tensor moves at each step of a loop.
    steps: [[isize; K]; MAX_LOOPS],
    rank: usize,
    start: [isize; K],
}

impl<const K: usize> Walk<K> {
    /// A single step, at `start` of each tensor.
    pub(crate) fn new(start: [isize; K]) -> Self {
        Self { dims: [1; MAX_LOOPS], steps: [[0; K]; MAX_LOOPS], rank: 0, start }
    }

    /// Adds a loop inside the others, or makes the innermost one longer where that is the same.
    pub(crate) fn push(&mut self, len: usize, steps: [isize; K]) {
        if len == 1 {
            return;
        }
        if let Some(outer) = self.rank.checked_sub(1) {
            let joins = |k: usize| self.steps[outer][k] == steps[k] * len as isize;
            if (0..K).all(joins) {
                self.dims[outer] *= len;
                self.steps[outer] = steps;
                return;
            }
        }
        self.dims[self.rank] = len;
        self.steps[self.rank] = steps;
        self.rank += 1;
    }

    /// The innermost loop: its length, and how far each tensor moves.
    pub(crate) fn run(&self) -> (usize, [isize; K]) {
        match self.rank.checked_sub(1) {
            Some(inner) => (self.dims[inner], self.steps[inner]),
            None => (1, [0; K]),
        }
    }

    /// Where each tensor is at the start of each innermost loop.
    pub(crate) fn starts(&self) -> Starts<K> {
        let outer = self.rank.saturating_sub(1);
        let left = if self.dims[..self.rank].contains(&0) {
            0
        } else {
            self.dims[..outer].iter().product()
        };
        Starts { walk: *self, index: [0; MAX_LOOPS], at: self.start, left }
    }
}

impl Walk<1> {
    /// If the innermost loops are columns of matrices, which are neighbours: the walk over the
    /// columns, of which the innermost loop is a matrix.
    fn columns(&self) -> Option<Self> {
        let outer = self.rank.checked_sub(2)?;
        let are_columns = self.steps[outer] == [1] && self.run().1[0] > 1;
        are_columns.then_some(Self { rank: outer + 1, ..*self })
    }
}

/// The iterator of [`Walk::starts`]: an odometer.
pub(crate) struct Starts<const K: usize> {
    walk: Walk<K>,
    index: [usize; MAX_LOOPS],
    at: [isize; K],
    left: usize,
}

impl<const K: usize> Iterator for Starts<K> {
    type Item = [usize; K];

    fn next(&mut self) -> Option<[usize; K]> {
        self.left = self.left.checked_sub(1)?;
        let at = self.at.map(isize::cast_unsigned);
        for axis in (0..self.walk.rank.saturating_sub(1)).rev() {
            let (dim, steps) = (self.walk.dims[axis], self.walk.steps[axis]);
            self.index[axis] += 1;
            let turns = self.index[axis] == dim;
            let moved = if turns { 1 - dim as isize } else { 1 };
            self.at.iter_mut().zip(steps).for_each(|(at, step)| *at += step * moved);
            if !turns {
                break;
            }
            self.index[axis] = 0;
        }
        Some(at)
    }
}

/// Copies what the walk meets to `y`, in order.
pub(crate) fn copy<T: Number>(x: &[T], walk: &Walk<1>, y: &mut [T]) {
    let (len, [step]) = walk.run();
    if let Some(columns) = walk.columns()
        && let (Some(x), Some(y)) = (T::floats(x), T::floats_mut(y))
    {
        let (count, _) = columns.run();
        return dispatch!(Level::new(), simd => {
            for (y, [at]) in y.chunks_exact_mut((len * count).max(1)).zip(columns.starts()) {
                transpose(simd, &x[at..], step.unsigned_abs(), [len, count], y, len);
            }
        });
    }
    for (y, [at]) in y.chunks_exact_mut(len.max(1)).zip(walk.starts()) {
        match step {
            1 => y.copy_from_slice(&x[at..at + len]),
            0 => y.fill(x[at]),
            _ => {
                for (i, y) in y.iter_mut().enumerate() {
                    *y = x[at.wrapping_add_signed(i as isize * step)];
                }
            }
        }
    }
}

/// The steps of a dense tensor of these dimensions, the innermost last.
pub(crate) fn steps(dims: &[usize]) -> [isize; MAX_RANK] {
    let mut steps = [0; MAX_RANK];
    let mut step = 1;
    for (to, dim) in steps[..dims.len()].iter_mut().zip(dims).rev() {
        *to = step;
        step *= *dim as isize;
    }
    steps
}

/// A walk over a batch of `samples` tensors of shape `dims`, with `K` tensors broadcast to it:
/// each a number of samples, and a shape.
///
/// # Panics
/// If a tensor can't be broadcast.
pub(crate) fn broadcast<const K: usize>(
    samples: usize,
    dims: &[usize],
    tensors: [(usize, &[usize]); K],
) -> Walk<K> {
    let mut walk = Walk::new([0; K]);
    walk.push(
        samples,
        tensors.map(|(own, shape)| {
            assert!(own == samples || own == 1, "{own} samples where {samples} are expected");
            if own == 1 { 0 } else { shape.iter().product::<usize>() as isize }
        }),
    );
    let all = tensors.map(|(_, shape)| (shape, steps(shape)));
    let rank = all.iter().fold(dims.len(), |rank, (shape, _)| rank.max(shape.len()));
    for back in (1..=rank).rev() {
        // Missing dimensions, before the first, are of length 1.
        let from = |dims: &[usize]| dims.len().checked_sub(back).map_or(1, |axis| dims[axis]);
        let len = from(dims);
        walk.push(
            len,
            all.map(|(shape, steps)| {
                let own = from(shape);
                assert!(own == len || own == 1, "shape {shape:?} doesn't broadcast to {dims:?}");
                if own == 1 { 0 } else { steps[shape.len() - back] }
            }),
        );
    }
    walk
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dense_tensors_are_one_run() {
        let walk = broadcast(3, &[4, 5], [(3, &[4, 5]), (3, &[4, 5])]);
        assert_eq!(walk.run(), (60, [1, 1]));
        assert_eq!(walk.starts().collect::<Vec<_>>(), [[0, 0]]);
    }

    #[test]
    fn a_row_stands_for_all_rows() {
        let walk = broadcast(2, &[2, 3], [(2, &[2, 3]), (1, &[3]), (2, &[2, 1]), (1, &[])]);
        assert_eq!(walk.run(), (3, [1, 1, 0, 0]));
        assert_eq!(
            walk.starts().collect::<Vec<_>>(),
            [[0, 0, 0, 0], [3, 0, 1, 0], [6, 0, 2, 0], [9, 0, 3, 0]]
        );
    }

    #[test]
    fn an_empty_batch_has_no_runs() {
        assert_eq!(broadcast(0, &[2, 3], [(0, &[2, 3]), (1, &[3])]).starts().count(), 0);
    }
}
