//! softmax x = eˣ / Σeˣ and its logarithm, in place; the largest x is subtracted first, so that
//! nothing overflows.

use crate::math;

/// The softmax of each column of blocks of `len` rows of `inner` numbers.
pub(crate) fn softmax(y: &mut [f32], [len, inner]: [usize; 2]) {
    if inner == 1 {
        for row in y.chunks_exact_mut(len) {
            let max = max(row.iter());
            row.iter_mut().for_each(|y| *y = math::exp(*y - max));
            let sum = row.iter().map(|y| f64::from(*y)).sum::<f64>() as f32;
            row.iter_mut().for_each(|y| *y /= sum);
        }
        return;
    }
    for block in y.chunks_exact_mut(len * inner) {
        for column in 0..inner {
            let column = || (column..len * inner).step_by(inner);
            let max = max(column().map(|i| &block[i]));
            let mut sum = 0.0;
            for i in column() {
                block[i] = math::exp(block[i] - max);
                sum += f64::from(block[i]);
            }
            column().for_each(|i| block[i] /= sum as f32);
        }
    }
}

/// The logarithm of the softmax: x − max − ln Σe^(x − max).
pub(crate) fn log_softmax(y: &mut [f32], [len, inner]: [usize; 2]) {
    for block in y.chunks_exact_mut(len * inner) {
        for column in 0..inner {
            let column = || (column..len * inner).step_by(inner);
            let max = max(column().map(|i| &block[i]));
            let sum = column().map(|i| f64::from(math::exp(block[i] - max))).sum::<f64>();
            let log = math::log(sum as f32);
            column().for_each(|i| block[i] = block[i] - max - log);
        }
    }
}

fn max<'a>(x: impl Iterator<Item = &'a f32>) -> f32 {
    x.fold(f32::NEG_INFINITY, |max, x| if *x > max { *x } else { max })
}
