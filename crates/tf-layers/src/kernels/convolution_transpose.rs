//! Transposed convolution: each number of the output gathers the inputs whose windows lie over it.

use super::axis::Axis;
use super::panels::{LANES, Row};

/// A transposed convolution of one image, channels last. The `[height, width]` axes are those of
/// the convolution from the output to the input: its steps are those of the output here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvolutionTranspose {
    pub(crate) axes: [Axis; 2],
    /// Of the input.
    pub(crate) channels: usize,
    /// Of the output.
    pub(crate) filters: usize,
}

impl ConvolutionTranspose {
    /// Writes the output for every image of the batch `x`. The rows of a panel are a bias and then
    /// the weights, ordered by row and column of the window and channel.
    pub(crate) fn apply(&self, x: &[f32], panels: &[Row], y: &mut [f32]) {
        let [rows, columns] = self.axes;
        let images = x.chunks_exact(rows.steps_out * columns.steps_out * self.channels);
        let outputs = y.chunks_exact_mut(rows.steps * columns.steps * self.filters);
        for (image, y) in images.zip(outputs) {
            for (row, y) in y.chunks_exact_mut(columns.steps * self.filters).enumerate() {
                for (column, y) in y.chunks_exact_mut(self.filters).enumerate() {
                    self.pixel(image, [row, column], panels, y);
                }
            }
        }
    }

    fn pixel(&self, image: &[f32], [row, column]: [usize; 2], panels: &[Row], y: &mut [f32]) {
        let [rows, columns] = self.axes;
        let panel = 1 + rows.size * columns.size * self.channels;
        for (panel, y) in panels.chunks_exact(panel).zip(y.chunks_mut(LANES)) {
            let [Row(bias), weights @ ..] = panel else { return };
            let mut sums = *bias;
            for (k, i) in sources(&rows, row) {
                for (l, j) in sources(&columns, column) {
                    let x = &image[(i * columns.steps_out + j) * self.channels..][..self.channels];
                    let weights = &weights[(k * columns.size + l) * self.channels..];
                    for (x, Row(weights)) in x.iter().zip(weights) {
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum += x * weight;
                        }
                    }
                }
            }
            y.copy_from_slice(&sums[..y.len()]);
        }
    }
}

/// The places of the window that can lie over step `at` of the output, each with the step of the
/// input that puts it there.
fn sources(axis: &Axis, at: usize) -> impl Iterator<Item = (usize, usize)> {
    let Axis { size, stride, dilation, before, steps_out, .. } = *axis;
    (0..size).filter_map(move |k| {
        let from = (at + before).checked_sub(k * dilation)?;
        (from.is_multiple_of(stride) && from / stride < steps_out).then_some((k, from / stride))
    })
}
