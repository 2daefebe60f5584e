//! softmax x = eˣ / Σeˣ and its logarithm, in place; the largest x is subtracted first, so that
//! nothing overflows.
//!
//! Rows are summed in the lanes of a register, whose sums are added at the end; of columns,
//! as many are summed side by side.

use fearless_simd::{Level, Simd};

use super::dispatch::dispatch;
use crate::math::real::{Real, Register};
use crate::math::single::{exp, log};

/// The softmax of each column of blocks of `len` rows of `inner` numbers.
pub(crate) fn softmax(level: Level, y: &mut [f32], sizes: [usize; 2]) {
    dispatch!(level, simd => blocks(simd, y, sizes, false));
}

/// The logarithm of the softmax: x − max − ln Σe^(x − max).
pub(crate) fn log_softmax(level: Level, y: &mut [f32], sizes: [usize; 2]) {
    dispatch!(level, simd => blocks(simd, y, sizes, true));
}

#[inline(always)]
fn blocks<S: Simd>(simd: S, y: &mut [f32], [len, inner]: [usize; 2], logarithm: bool) {
    for block in y.chunks_exact_mut(len * inner) {
        if inner == 1 {
            row(simd, block, logarithm);
        } else {
            for first in (0..inner).step_by(Register::<S>::LEN) {
                let count = Register::<S>::LEN.min(inner - first);
                columns(simd, &mut block[first..], inner, count, logarithm);
            }
        }
    }
}

/// A single row, in as many lanes as a register has.
#[inline(always)]
fn row<S: Simd>(simd: S, row: &mut [f32], logarithm: bool) {
    let mut max = Register::splat(simd, f32::NEG_INFINITY);
    for x in row.chunks(Register::<S>::LEN) {
        max = larger(load(simd, x), max);
    }
    let max = Register::splat(simd, max.largest());
    let mut sum = Register::splat(simd, 0.0);
    for y in row.chunks_mut(Register::<S>::LEN) {
        let e = exp(load(simd, y) - max);
        sum = sum + e;
        if !logarithm {
            store(e, y);
        }
    }
    let sum = Register::splat(simd, sum.sum());
    finish(simd, row.chunks_mut(Register::<S>::LEN), max, sum, logarithm);
}

/// `count` columns that are neighbours, as many as a register has at most.
#[inline(always)]
fn columns<S: Simd>(simd: S, block: &mut [f32], inner: usize, count: usize, logarithm: bool) {
    let mut max = Register::splat(simd, f32::NEG_INFINITY);
    for x in block.chunks(inner) {
        max = larger(load(simd, &x[..count]), max);
    }
    let mut sum = Register::splat(simd, 0.0);
    for y in block.chunks_mut(inner) {
        let e = exp(load(simd, &y[..count]) - max);
        sum = sum + e;
        if !logarithm {
            store(e, &mut y[..count]);
        }
    }
    finish(simd, block.chunks_mut(inner).map(|y| &mut y[..count]), max, sum, logarithm);
}

/// Scales the powers by their sum, or takes its logarithm from x.
#[inline(always)]
fn finish<'y, S: Simd>(
    simd: S,
    y: impl Iterator<Item = &'y mut [f32]>,
    max: Register<S>,
    sum: Register<S>,
    logarithm: bool,
) {
    if logarithm {
        let log = log(sum);
        y.for_each(
            #[inline(always)]
            |y| store(load(simd, y) - max - log, y),
        );
    } else {
        let scale = Register::splat(simd, 1.0) / sum;
        y.for_each(
            #[inline(always)]
            |y| store(load(simd, y) * scale, y),
        );
    }
}

/// The larger of each two; of a NaN and a number, the number.
#[inline(always)]
fn larger<S: Simd>(x: Register<S>, max: Register<S>) -> Register<S> {
    max.if_less(x, x, max)
}

/// All numbers of `x`, and −∞, whose power is 0.
#[inline(always)]
fn load<S: Simd>(simd: S, x: &[f32]) -> Register<S> {
    if x.len() == Register::<S>::LEN {
        Register::load(simd, x)
    } else {
        Register::load_some(simd, x, f32::NEG_INFINITY)
    }
}

/// Fills `y`.
#[inline(always)]
fn store<S: Simd>(x: Register<S>, y: &mut [f32]) {
    if y.len() == Register::<S>::LEN { x.store(y) } else { x.store_some(y) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_near, levels, numbers};

    #[test]
    fn rows_and_columns_of_awkward_sizes() {
        for (len, inner) in [1, 2, 15, 16, 17, 100]
            .into_iter()
            .flat_map(|len| [1, 2, 15, 16, 17, 33].into_iter().map(move |inner| (len, inner)))
        {
            let x: Vec<f32> = numbers(3 * len * inner, 1).iter().map(|x| x * 50.0).collect();
            let mut expected = vec![0.0; x.len()];
            let mut logarithms = vec![0.0; x.len()];
            for at in (0..x.len()).filter(|at| at / inner % len == 0) {
                let column = || (0..len).map(|i| at + i * inner);
                let max = column().fold(f64::NEG_INFINITY, |max, i| max.max(x[i].into()));
                let sum: f64 = column().map(|i| (f64::from(x[i]) - max).exp()).sum();
                for i in column() {
                    logarithms[i] = (f64::from(x[i]) - max - sum.ln()) as f32;
                    expected[i] = ((f64::from(x[i]) - max).exp() / sum) as f32;
                }
            }
            for level in levels() {
                let mut y = x.clone();
                softmax(level, &mut y, [len, inner]);
                assert_near(&y, &expected);
                y.copy_from_slice(&x);
                log_softmax(level, &mut y, [len, inner]);
                assert_near(&y, &logarithms);
            }
        }
    }

    #[test]
    fn numbers_without_a_softmax() {
        for level in levels() {
            for (x, special) in
                [([f32::NAN, 1.0], true), ([f32::NEG_INFINITY; 2], true), ([1e38, -1e38], false)]
            {
                let mut y = x;
                softmax(level, &mut y, [2, 1]);
                assert_eq!(y.iter().all(|y| y.is_nan()), special, "{x:?}: {y:?}");
            }
        }
    }
}
