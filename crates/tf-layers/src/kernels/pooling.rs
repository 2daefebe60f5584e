//! Pooling: the maximum or the mean of every channel under a window, 16 channels at a time.

use fearless_simd::{Level, Simd, f32x16, prelude::*};

use super::axis::Axis;
use super::dispatch::dispatch;
use super::panels::LANES;
use super::tile::{load, store};

/// The largest number under each window. NaN is skipped, as TensorFlow does on a CPU.
///
/// The axes are depth, height and width; an image has one plane.
pub(crate) fn max(level: Level, x: &[f32], axes: [Axis; 3], channels: usize, y: &mut [f32]) {
    dispatch!(level, simd => pool::<_, true>(simd, x, axes, channels, y));
}

/// The mean of the numbers under each window, without the padding. The rows and planes of a window
/// are summed apart, so that the error of a large window doesn't grow with all of its size.
pub(crate) fn average(level: Level, x: &[f32], axes: [Axis; 3], channels: usize, y: &mut [f32]) {
    dispatch!(level, simd => pool::<_, false>(simd, x, axes, channels, y));
}

/// Writes the maximum or the mean of the numbers under each window.
#[inline(always)]
fn pool<S: Simd, const MAX: bool>(
    simd: S,
    x: &[f32],
    axes: [Axis; 3],
    channels: usize,
    y: &mut [f32],
) {
    let [planes, rows, columns] = axes;
    let line = columns.steps * channels;
    let plane_len = rows.steps * line;
    let steps = [planes.dilation * plane_len, rows.dilation * line, columns.dilation * channels];
    let volumes = x.chunks_exact(planes.steps * plane_len);
    let size = rows.steps_out * columns.steps_out * channels;
    for (volume, y) in volumes.zip(y.chunks_exact_mut(planes.steps_out * size)) {
        for (plane, y) in y.chunks_exact_mut(size).enumerate() {
            let plane_taps = planes.taps(plane);
            for (row, y) in y.chunks_exact_mut(columns.steps_out * channels).enumerate() {
                let row_taps = rows.taps(row);
                for (column, y) in y.chunks_exact_mut(channels).enumerate() {
                    let column_taps = columns.taps(column);
                    let mut counts = [plane_taps.len(), row_taps.len(), column_taps.len()];
                    let mut under: &[f32] = &[];
                    if counts.contains(&0) {
                        counts = [0; 3];
                    } else {
                        under = &volume[planes.step(plane, plane_taps.start) * plane_len
                            + rows.step(row, row_taps.start) * line
                            + columns.step(column, column_taps.start) * channels..];
                    }
                    let width = LANES.min(channels);
                    for first in (0..channels).step_by(LANES) {
                        // The last channels, some of them again, fill a register too.
                        let first = first.min(channels - width);
                        let result = window::<S, MAX>(simd, under, counts, steps, first, width);
                        store(result, &mut y[first..][..width]);
                    }
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
    counts: [usize; 3],
    steps: [usize; 3],
    first: usize,
    width: usize,
) -> f32x16<S> {
    let [planes, rows, columns] = counts;
    let mut total = plane::<S, MAX>(simd, under, [rows, columns], steps, first, width);
    for j in 1..planes {
        let begin = first + j * steps[0];
        let sum = plane::<S, MAX>(simd, under, [rows, columns], steps, begin, width);
        total = if MAX { larger(sum, total) } else { total + sum };
    }
    if MAX { total } else { total / f32x16::splat(simd, (planes * rows * columns) as f32) }
}

/// The maximum or the sum in a plane of the window.
#[inline(always)]
fn plane<S: Simd, const MAX: bool>(
    simd: S,
    under: &[f32],
    counts: [usize; 2],
    [_, row_step, column_step]: [usize; 3],
    first: usize,
    width: usize,
) -> f32x16<S> {
    let start = f32x16::splat(simd, if MAX { f32::NEG_INFINITY } else { 0.0 });
    let mut total = start;
    for k in 0..counts[0] {
        let mut sum = start;
        for l in 0..counts[1] {
            let x = load(simd, &under[first + k * row_step + l * column_step..][..width]);
            sum = if MAX { larger(x, sum) } else { sum + x };
        }
        total = if MAX { larger(sum, total) } else { total + sum };
    }
    total
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
            let planes = if i % 2 == 0 { Axis::ONE } else { sizes.axis(5) };
            let (axes, channels) = ([planes, sizes.axis(7), sizes.axis(9)], 1 + i % 40);
            let [planes, rows, columns] = axes;
            let len = planes.steps * rows.steps * columns.steps * channels;
            let x = numbers(2 * len, 1);
            let (mut largest, mut means) = (vec![], vec![]);
            for volume in x.chunks_exact(len) {
                for at in 0..planes.steps_out * rows.steps_out * columns.steps_out * channels {
                    let (voxel, channel) = (at / channels, at % channels);
                    let (line, column) = (voxel / columns.steps_out, voxel % columns.steps_out);
                    let (plane, row) = (line / rows.steps_out, line % rows.steps_out);
                    let under = planes.taps(plane).flat_map(|j| {
                        rows.taps(row).flat_map(move |k| {
                            columns.taps(column).map(move |l| {
                                let line = planes.step(plane, j) * rows.steps + rows.step(row, k);
                                let voxel = line * columns.steps + columns.step(column, l);
                                volume[voxel * channels + channel]
                            })
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
