//! Pooling: the maximum or the mean of every channel under a window, 16 channels at a time.

use std::ops::Range;

use super::axis::Axis;
use super::panels::{LANES, load, store};

/// The largest number under each window. NaN is skipped, as TensorFlow does on a CPU.
pub(crate) fn max(x: &[f32], axes: [Axis; 2], channels: usize, y: &mut [f32]) {
    pool(x, axes, channels, y, |pixels| {
        let mut most = [f32::NEG_INFINITY; LANES];
        for k in pixels.rows() {
            for l in pixels.columns() {
                for (most, x) in most.iter_mut().zip(pixels.under(k, l)) {
                    *most = if x > *most { x } else { *most };
                }
            }
        }
        most
    });
}

/// The mean of the numbers under each window, without the padding. The rows of a window are
/// summed apart, so that the error of a large window doesn't grow with all of its size.
pub(crate) fn average(x: &[f32], axes: [Axis; 2], channels: usize, y: &mut [f32]) {
    pool(x, axes, channels, y, |pixels| {
        let count = (pixels.rows().len() * pixels.columns().len()) as f32;
        let mut total = [0.0; LANES];
        for k in pixels.rows() {
            let mut sums = [0.0; LANES];
            for l in pixels.columns() {
                sums.iter_mut().zip(pixels.under(k, l)).for_each(|(sum, x)| *sum += x);
            }
            total.iter_mut().zip(sums).for_each(|(total, sum)| *total += sum);
        }
        total.map(|total| total / count)
    });
}

/// 16 channels of the input under one window.
struct Pixels<'a> {
    image: &'a [f32],
    axes: [Axis; 2],
    channels: usize,
    first: usize,
    at: [usize; 2],
}

impl Pixels<'_> {
    /// Those under place `k`, `l` of the window.
    #[inline(always)]
    fn under(&self, k: usize, l: usize) -> [f32; LANES] {
        let [rows, columns] = self.axes;
        let pixel = rows.step(self.at[0], k) * columns.steps + columns.step(self.at[1], l);
        load(&self.image[pixel * self.channels..][self.first..self.channels])
    }

    fn rows(&self) -> Range<usize> {
        self.axes[0].taps(self.at[0])
    }

    fn columns(&self) -> Range<usize> {
        self.axes[1].taps(self.at[1])
    }
}

/// Writes what `window` makes of the numbers under each window.
fn pool(
    x: &[f32],
    axes: [Axis; 2],
    channels: usize,
    y: &mut [f32],
    window: impl Fn(Pixels) -> [f32; LANES],
) {
    let [rows, columns] = axes;
    let images = x.chunks_exact(rows.steps * columns.steps * channels);
    let size = rows.steps_out * columns.steps_out * channels;
    for (image, y) in images.zip(y.chunks_exact_mut(size)) {
        for (pixel, y) in y.chunks_exact_mut(channels).enumerate() {
            let at = [pixel / columns.steps_out, pixel % columns.steps_out];
            for (block, y) in y.chunks_mut(LANES).enumerate() {
                store(&window(Pixels { image, axes, channels, first: block * LANES, at }), y);
            }
        }
    }
}
