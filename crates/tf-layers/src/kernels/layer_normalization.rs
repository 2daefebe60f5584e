//! Rows brought to mean 0 and variance 1: the mean first, then the squares of the differences from
//! it, which loses no digits where the mean is large.

use fearless_simd::{Level, Simd};

use super::dispatch::dispatch;
use crate::math::real::{Real, Register};

/// Sums that are taken at once, so that none has to wait for the one before it.
const SUMS: usize = 4;

/// `(x − mean) · 1/√(variance + ε) · scale + shift` for every row of `x`, in place.
pub(crate) fn normalize(level: Level, x: &mut [f32], epsilon: f32, scale: &[f32], shift: &[f32]) {
    dispatch!(level, simd => {
        for row in x.chunks_exact_mut(scale.len()) {
            normalize_row(simd, row, epsilon, scale, shift);
        }
    });
}

#[inline(always)]
fn normalize_row<S: Simd>(simd: S, row: &mut [f32], epsilon: f32, scale: &[f32], shift: &[f32]) {
    let size = row.len() as f32;
    let mean = sum(
        simd,
        row,
        #[inline(always)]
        |x, sum| sum + x,
        |x| x,
    ) / size;
    let means = Register::splat(simd, mean);
    let variance = sum(
        simd,
        row,
        #[inline(always)]
        |x, sum| (x - means).times_plus(x - means, sum),
        |x| (x - mean) * (x - mean),
    ) / size;
    let factor = 1.0 / (variance + epsilon).sqrt();
    let factors = Register::splat(simd, factor);
    let whole = row.len() - row.len() % Register::<S>::LEN;
    for at in (0..whole).step_by(Register::<S>::LEN) {
        let scale = factors * Register::load(simd, &scale[at..]);
        let y = (Register::load(simd, &row[at..]) - means)
            .times_plus(scale, Register::load(simd, &shift[at..]));
        y.store(&mut row[at..]);
    }
    for ((x, scale), shift) in row[whole..].iter_mut().zip(&scale[whole..]).zip(&shift[whole..]) {
        *x = (*x - mean) * factor * scale + shift;
    }
}

/// The sum that `add` takes of registers, and of `f` of the numbers that fill none.
#[inline(always)]
fn sum<S: Simd>(
    simd: S,
    row: &[f32],
    add: impl Fn(Register<S>, Register<S>) -> Register<S>,
    f: impl Fn(f32) -> f32,
) -> f32 {
    let mut sums = [Register::splat(simd, 0.0); SUMS];
    let mut chunks = row.chunks_exact(SUMS * Register::<S>::LEN);
    for chunk in &mut chunks {
        for i in 0..SUMS {
            sums[i] = add(Register::load(simd, &chunk[i * Register::<S>::LEN..]), sums[i]);
        }
    }
    let mut chunks = chunks.remainder().chunks_exact(Register::<S>::LEN);
    for chunk in &mut chunks {
        sums[0] = add(Register::load(simd, chunk), sums[0]);
    }
    let mut rest = 0.0;
    for x in chunks.remainder() {
        rest += f(*x);
    }
    ((sums[0] + sums[1]) + (sums[2] + sums[3])).sum() + rest
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_near, levels, numbers};

    #[test]
    fn rows_of_awkward_sizes() {
        for size in [1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 63, 64, 65, 100, 257] {
            let (scale, shift) = (numbers(size, 2), numbers(size, 3));
            let x: Vec<f32> = numbers(3 * size, 1).iter().map(|x| x + 20.0).collect();
            let mut expected = vec![];
            for row in x.chunks_exact(size) {
                let row: Vec<f64> = row.iter().copied().map(f64::from).collect();
                let mean = row.iter().sum::<f64>() / size as f64;
                let squares = row.iter().map(|x| (x - mean).powi(2));
                let factor = 1.0 / (squares.sum::<f64>() / size as f64 + 1e-3).sqrt();
                expected.extend(row.iter().zip(&scale).zip(&shift).map(|((x, scale), shift)| {
                    ((x - mean) * factor * f64::from(*scale) + f64::from(*shift)) as f32
                }));
            }
            for level in levels() {
                let mut y = x.clone();
                normalize(level, &mut y, 1e-3, &scale, &shift);
                assert_near(&y, &expected);
            }
        }
    }
}
