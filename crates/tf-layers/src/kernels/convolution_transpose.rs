//! Transposed convolution: each number of the output gathers the inputs whose windows lie over it.

use super::axis::Axis;
use super::panels::{LANES, Row};

/// A transposed convolution of one volume, channels last; an image has an axis of length 1 more.
/// The `[depth, height, width]` axes are those of the convolution from the output to the input: its
/// steps are those of the output here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConvolutionTranspose {
    pub(crate) axes: [Axis; 3],
    /// Of the input.
    pub(crate) channels: usize,
    /// Of the output.
    pub(crate) filters: usize,
}

impl ConvolutionTranspose {
    /// Writes the output for every volume of the batch `x`. The rows of a panel are a bias and
    /// then the weights, ordered by the places of the window and the channels.
    pub(crate) fn apply(&self, x: &[f32], panels: &[Row], y: &mut [f32]) {
        let [planes, rows, columns] = self.axes;
        let volume = planes.steps_out * rows.steps_out * columns.steps_out * self.channels;
        let result = planes.steps * rows.steps * columns.steps * self.filters;
        for (volume, y) in x.chunks_exact(volume).zip(y.chunks_exact_mut(result)) {
            for (voxel, y) in y.chunks_exact_mut(self.filters).enumerate() {
                let (line, column) = (voxel / columns.steps, voxel % columns.steps);
                self.voxel(volume, [line / rows.steps, line % rows.steps, column], panels, y);
            }
        }
    }

    fn voxel(&self, volume: &[f32], at: [usize; 3], panels: &[Row], y: &mut [f32]) {
        let [planes, rows, columns] = self.axes;
        let [plane, row, column] = at;
        let panel = 1 + planes.size * rows.size * columns.size * self.channels;
        for (panel, y) in panels.chunks_exact(panel).zip(y.chunks_mut(LANES)) {
            let [Row(bias), weights @ ..] = panel else { return };
            let mut sums = *bias;
            for (j, from_plane) in sources(&planes, plane) {
                for (k, from_row) in sources(&rows, row) {
                    for (l, from_column) in sources(&columns, column) {
                        let voxel = (from_plane * rows.steps_out + from_row) * columns.steps_out
                            + from_column;
                        let x = &volume[voxel * self.channels..][..self.channels];
                        let place = (j * rows.size + k) * columns.size + l;
                        for (x, Row(weights)) in x.iter().zip(&weights[place * self.channels..]) {
                            sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += x * w);
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
