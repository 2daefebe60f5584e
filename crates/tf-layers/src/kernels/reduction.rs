//! Reductions over some of the dimensions, in an accumulator that may be wider than the numbers.

use fearless_simd::Level;

use super::dispatch::wide;
use super::panels::LANES;
use super::strided::Walk;

/// How numbers `T` become one, by way of accumulators `A`.
pub(crate) struct Fold<A, Lift, Join> {
    /// The accumulator of no numbers.
    pub(crate) start: A,
    /// The accumulator of one number.
    pub(crate) lift: Lift,
    /// The accumulator of two of them together.
    pub(crate) join: Join,
}

impl<A: Copy, Lift, Join> Fold<A, Lift, Join> {
    /// Writes `finish` of the accumulator of the numbers that `reduced` meets, for each start that
    /// `kept` meets.
    pub(crate) fn apply<T: Copy>(
        &self,
        x: &[T],
        kept: &Walk<1>,
        reduced: &Walk<1>,
        y: &mut [T],
        finish: impl Fn(A) -> T,
    ) where
        Lift: Fn(T) -> A,
        Join: Fn(A, A) -> A,
    {
        wide(
            Level::new(),
            #[inline(always)]
            || {
                let (len, [step]) = kept.run();
                for (y, [at]) in y.chunks_exact_mut(len.max(1)).zip(kept.starts()) {
                    if step == 1 {
                        for (block, y) in y.chunks_mut(LANES).enumerate() {
                            let sums =
                                self.side_by_side(&x[at + block * LANES..], y.len(), reduced);
                            y.iter_mut().zip(sums).for_each(|(y, sum)| *y = finish(sum));
                        }
                    } else {
                        for (i, y) in y.iter_mut().enumerate() {
                            *y = finish(self.in_a_row(&x[at + i * step.unsigned_abs()..], reduced));
                        }
                    }
                }
            },
        );
    }

    /// The accumulators of `count` columns that are neighbours, 16 at most.
    #[inline(always)]
    fn side_by_side<T: Copy>(&self, x: &[T], count: usize, reduced: &Walk<1>) -> [A; LANES]
    where
        Lift: Fn(T) -> A,
        Join: Fn(A, A) -> A,
    {
        let mut sums = [self.start; LANES];
        let (len, [step]) = reduced.run();
        for [at] in reduced.starts() {
            for i in 0..len {
                let x = &x[at + i * step.unsigned_abs()..];
                match x.first_chunk::<LANES>() {
                    Some(x) if count == LANES => self.add(&mut sums, x),
                    _ => self.add(&mut sums[..count], &x[..count]),
                }
            }
        }
        sums
    }

    /// The accumulator of numbers of which runs are neighbours: 16 of them, joined at the end.
    #[inline(always)]
    fn in_a_row<T: Copy>(&self, x: &[T], reduced: &Walk<1>) -> A
    where
        Lift: Fn(T) -> A,
        Join: Fn(A, A) -> A,
    {
        let mut sums = [self.start; LANES];
        let (len, [step]) = reduced.run();
        for [at] in reduced.starts() {
            if step == 1 {
                let (chunks, rest) = x[at..at + len].as_chunks::<LANES>();
                for chunk in chunks {
                    self.add(&mut sums, chunk);
                }
                self.add(&mut sums[..rest.len()], rest);
            } else {
                for i in 0..len {
                    let x = x[at + i * step.unsigned_abs()];
                    let sum = &mut sums[i % LANES];
                    *sum = (self.join)(*sum, (self.lift)(x));
                }
            }
        }
        sums.into_iter().fold(self.start, &self.join)
    }

    #[inline(always)]
    fn add<T: Copy>(&self, sums: &mut [A], x: &[T])
    where
        Lift: Fn(T) -> A,
        Join: Fn(A, A) -> A,
    {
        for (sum, x) in sums.iter_mut().zip(x) {
            *sum = (self.join)(*sum, (self.lift)(*x));
        }
    }
}

/// The place of the first number that is before all others; NaN comes after all numbers.
///
/// `before(a, b)` says whether a comes before b. x is blocks of `len` rows of `inner` numbers; each
/// column of a block gives one place.
pub(crate) fn first<T: Copy + PartialOrd, I>(
    x: &[T],
    [len, inner]: [usize; 2],
    y: &mut [I],
    before: impl Fn(T, T) -> bool,
    place: impl Fn(usize) -> I,
) {
    for (x, y) in x.chunks_exact(len * inner).zip(y.chunks_exact_mut(inner)) {
        for (column, y) in y.iter_mut().enumerate() {
            let mut best = (0, x[column]);
            for (i, &x) in x[column..].iter().step_by(inner).enumerate() {
                let is_nan = |x: T| x.partial_cmp(&x).is_none();
                if before(x, best.1) || is_nan(best.1) && !is_nan(x) {
                    best = (i, x);
                }
            }
            *y = place(best.0);
        }
    }
}
