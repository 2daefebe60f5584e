//! Rows brought to mean 0 and variance 1: the mean first, then the squares of the differences from
//! it, which loses no digits where the mean is large.

use super::panels::LANES;

/// `(x − mean) · 1/√(variance + ε) · scale + shift` for every row of `x`, in place.
pub(crate) fn normalize(x: &mut [f32], epsilon: f32, scale: &[f32], shift: &[f32]) {
    let size = scale.len() as f32;
    for row in x.chunks_exact_mut(scale.len()) {
        let mean = sum(row, |x| x) / size;
        let variance = sum(row, |x| (x - mean) * (x - mean)) / size;
        let factor = 1.0 / (variance + epsilon).sqrt();
        for ((x, scale), shift) in row.iter_mut().zip(scale).zip(shift) {
            *x = (*x - mean) * factor * scale + shift;
        }
    }
}

/// The sum of `f(x)`, of every 16th number apart, so that the order depends on the length alone.
fn sum(row: &[f32], f: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut sums = [0.0; LANES];
    for block in blocks {
        sums.iter_mut().zip(block).for_each(|(sum, x)| *sum += f(*x));
    }
    sums.iter_mut().zip(rest).for_each(|(sum, x)| *sum += f(*x));
    for half in [8, 4, 2, 1] {
        for lane in 0..half {
            sums[lane] += sums[lane + half];
        }
    }
    sums[0]
}
