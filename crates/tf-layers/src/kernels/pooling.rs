//! Pooling: the maximum or the mean of every channel under a window, 16 channels at a time.

use fearless_simd::{Level, Simd, f32x16, prelude::*};

use super::axis::Axis;
use super::dispatch::dispatch;
use super::panels::LANES;
use super::tile::{load, store};

/// The largest number under each window. NaN is skipped, as TensorFlow does on a CPU.
pub(crate) fn max(level: Level, x: &[f32], axes: [Axis; 2], channels: usize, y: &mut [f32]) {
    dispatch!(level, simd => pool::<_, true>(simd, x, axes, channels, y));
}

/// The mean of the numbers under each window, without the padding. The rows of a window are
/// summed apart, so that the error of a large window doesn't grow with all of its size.
pub(crate) fn average(level: Level, x: &[f32], axes: [Axis; 2], channels: usize, y: &mut [f32]) {
    dispatch!(level, simd => pool::<_, false>(simd, x, axes, channels, y));
}

/// Writes the maximum or the mean of the numbers under each window.
#[inline(always)]
fn pool<S: Simd, const MAX: bool>(
    simd: S,
    x: &[f32],
    axes: [Axis; 2],
    channels: usize,
    y: &mut [f32],
) {
    let [rows, columns] = axes;
    let line = columns.steps * channels;
    let images = x.chunks_exact(rows.steps * line);
    let size = rows.steps_out * columns.steps_out * channels;
    for (image, y) in images.zip(y.chunks_exact_mut(size)) {
        for (row, y) in y.chunks_exact_mut(columns.steps_out * channels).enumerate() {
            let row_taps = rows.taps(row);
            for (column, y) in y.chunks_exact_mut(channels).enumerate() {
                let column_taps = columns.taps(column);
                let counts = [row_taps.len(), column_taps.len()];
                let mut under: &[f32] = &[];
                if counts[0] * counts[1] > 0 {
                    let pixel = columns.step(column, column_taps.start) * channels;
                    under = &image[rows.step(row, row_taps.start) * line + pixel..];
                }
                let steps = [rows.dilation * line, columns.dilation * channels];
                for (block, y) in y.chunks_mut(LANES).enumerate() {
                    let first = block * LANES;
                    store(window::<S, MAX>(simd, under, counts, steps, first, y.len()), y);
                }
            }
        }
    }
}

/// The maximum or the mean of channel `first` and the next ones, `width` of them, over windows
/// whose places are `steps` from each other.
#[inline(always)]
fn window<S: Simd, const MAX: bool>(
    simd: S,
    under: &[f32],
    counts: [usize; 2],
    steps: [usize; 2],
    first: usize,
    width: usize,
) -> f32x16<S> {
    let start = f32x16::splat(simd, if MAX { f32::NEG_INFINITY } else { 0.0 });
    let mut total = start;
    for k in 0..counts[0] {
        let mut sum = start;
        for l in 0..counts[1] {
            let x = load(simd, &under[first + k * steps[0] + l * steps[1]..][..width]);
            sum = if MAX { larger(x, sum) } else { sum + x };
        }
        total = if MAX { larger(sum, total) } else { total + sum };
    }
    if MAX { total } else { total / f32x16::splat(simd, (counts[0] * counts[1]) as f32) }
}

/// The larger of each two; of a NaN and a number, the number.
#[inline(always)]
fn larger<S: Simd>(x: f32x16<S>, max: f32x16<S>) -> f32x16<S> {
    max.simd_lt(x).select(x, max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Sizes, assert_near, levels, numbers};

    #[test]
    fn any_window() {
        let mut sizes = Sizes::new(3);
        for i in 0..400 {
            let (axes, channels) = ([sizes.axis(7), sizes.axis(9)], 1 + i % 40);
            let [rows, columns] = axes;
            let len = rows.steps * columns.steps * channels;
            let x = numbers(2 * len, 1);
            let (mut largest, mut means) = (vec![], vec![]);
            for image in x.chunks_exact(len) {
                for at in 0..rows.steps_out * columns.steps_out * channels {
                    let (pixel, channel) = (at / channels, at % channels);
                    let (row, column) = (pixel / columns.steps_out, pixel % columns.steps_out);
                    let under = rows.taps(row).flat_map(|k| {
                        columns.taps(column).map(move |l| {
                            image[(rows.step(row, k) * columns.steps + columns.step(column, l))
                                * channels
                                + channel]
                        })
                    });
                    let under: Vec<f32> = under.collect();
                    largest.push(under.iter().fold(f32::NEG_INFINITY, |max, x| max.max(*x)));
                    let sum: f64 = under.iter().copied().map(f64::from).sum();
                    means.push((sum / under.len() as f64) as f32);
                }
            }
            for level in levels() {
                let mut y = vec![0.0; largest.len()];
                max(level, &x, axes, channels, &mut y);
                assert_eq!(y, largest);
                average(level, &x, axes, channels, &mut y);
                if means.iter().all(|mean| !mean.is_nan()) {
                    assert_near(&y, &means);
                }
            }
        }
    }
}
