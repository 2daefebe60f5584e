//! Depthwise convolution: every channel has windows of its own. 16 channels of the output at a
//! time, over all places of the window.

use super::axis::Axis;
use super::panels::{LANES, Row, load, store};

/// A depthwise convolution of images, channels last, with `multiplier` outputs for each channel.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Depthwise {
    pub(crate) axes: [Axis; 2],
    pub(crate) channels: usize,
    pub(crate) multiplier: usize,
}

impl Depthwise {
    /// Convolves every image of the batch `x`.
    ///
    /// `weights` are rows of bias for all channels of the output, then as many for each place of
    /// the window.
    pub(crate) fn apply(&self, x: &[f32], weights: &[Row], y: &mut [f32]) {
        let [rows, columns] = self.axes;
        let filters = self.channels * self.multiplier;
        let images = x.chunks_exact(rows.steps * columns.steps * self.channels);
        let size = rows.steps_out * columns.steps_out * filters;
        for (image, y) in images.zip(y.chunks_exact_mut(size)) {
            for (pixel, y) in y.chunks_exact_mut(filters).enumerate() {
                let at = [pixel / columns.steps_out, pixel % columns.steps_out];
                for (block, y) in y.chunks_mut(LANES).enumerate() {
                    store(&self.block(image, at, weights, block), y);
                }
            }
        }
    }

    /// Channels `16·block` and the next 15 of the output at one pixel.
    fn block(
        &self,
        image: &[f32],
        [row, column]: [usize; 2],
        weights: &[Row],
        block: usize,
    ) -> [f32; LANES] {
        let [rows, columns] = self.axes;
        let blocks = (self.channels * self.multiplier).div_ceil(LANES);
        let Row(mut sums) = weights[block];
        for k in rows.taps(row) {
            for l in columns.taps(column) {
                let pixel = rows.step(row, k) * columns.steps + columns.step(column, l);
                let pixel = &image[pixel * self.channels..][..self.channels];
                let x = self.inputs(pixel, block * LANES);
                let Row(weights) = weights[(1 + k * columns.size + l) * blocks + block];
                for ((sum, x), weight) in sums.iter_mut().zip(x).zip(weights) {
                    *sum += x * weight;
                }
            }
        }
        sums
    }

    /// The channels of the input that channel `first` and the next 15 of the output see.
    fn inputs(&self, pixel: &[f32], first: usize) -> [f32; LANES] {
        if self.multiplier == 1 {
            return load(&pixel[first..]);
        }
        std::array::from_fn(|lane| {
            pixel.get((first + lane) / self.multiplier).copied().unwrap_or_default()
        })
    }
}

/// Writes the bias, and the weights of each place of the window, to rows of their own.
#[cfg(feature = "pack")]
pub(crate) fn pack(rows: &mut [Row], kernel: &[f32], bias: &[f32]) {
    let places = std::iter::once(bias).chain(kernel.chunks_exact(bias.len()));
    for (rows, place) in rows.chunks_exact_mut(bias.len().div_ceil(LANES)).zip(places) {
        for (Row(row), weights) in rows.iter_mut().zip(place.chunks(LANES)) {
            row[..weights.len()].copy_from_slice(weights);
        }
    }
}
