//! Convolution without copying: the inputs under one row of the window are contiguous in the
//! image, so each row of the window is a matrix product whose x overlap.

use super::axis::Axis;
use super::gemm;
use super::panels::{LANES, Row, accumulate, store};

/// Pixels of the output in a tile: more of them don't fit the registers of SSE2.
const TILE: usize = 2;

/// A convolution of one image, channels last: `[height, width]` axes, and channels of all groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    pub(crate) axes: [Axis; 2],
    pub(crate) groups: usize,
    /// Of the input.
    pub(crate) channels: usize,
    /// Of the output.
    pub(crate) filters: usize,
}

impl Convolution {
    /// Convolves every image of the batch `x`.
    ///
    /// `panels` holds the groups one after the other. In each, the rows of a panel are a bias and
    /// then the weights, ordered by row and column of the window and channel in the group.
    pub(crate) fn apply(&self, x: &[f32], panels: &[Row], y: &mut [f32]) {
        let [rows, columns] = self.axes;
        if self.groups == 1 && rows.is_pointwise() && columns.is_pointwise() {
            return gemm::dense(x, self.channels, panels, self.filters, y);
        }
        let images = x.chunks_exact(rows.steps * columns.steps * self.channels);
        for (image, y) in
            images.zip(y.chunks_exact_mut(rows.steps_out * columns.steps_out * self.filters))
        {
            for (row, y) in y.chunks_exact_mut(columns.steps_out * self.filters).enumerate() {
                self.row(image, row, panels, y);
            }
        }
    }

    /// Writes row `row` of the output.
    fn row(&self, image: &[f32], row: usize, panels: &[Row], y: &mut [f32]) {
        let [rows, columns] = self.axes;
        let (inputs, outputs) = (self.channels / self.groups, self.filters / self.groups);
        let panel = 1 + rows.size * columns.size * inputs;
        let groups = panels.chunks_exact(outputs.div_ceil(LANES) * panel);
        for (group, panels) in groups.enumerate() {
            for (p, panel) in panels.chunks_exact(panel).enumerate() {
                let first = group * outputs + p * LANES;
                let filters = first..(first + LANES).min((group + 1) * outputs);
                let mut column = 0;
                while column < columns.steps_out {
                    let y = &mut y[column * self.filters..];
                    if columns.inside(column, TILE) {
                        let sums = self.tile::<TILE>(image, [row, column], group, panel);
                        for (sums, y) in sums.iter().zip(y.chunks_exact_mut(self.filters)) {
                            store(sums, &mut y[filters.clone()]);
                        }
                        column += TILE;
                    } else {
                        let [sums] = self.tile::<1>(image, [row, column], group, panel);
                        store(&sums, &mut y[filters.clone()]);
                        column += 1;
                    }
                }
            }
        }
    }

    /// 16 filters at `R` pixels side by side, of which all see the same columns of the window.
    fn tile<const R: usize>(
        &self,
        image: &[f32],
        [row, column]: [usize; 2],
        group: usize,
        panel: &[Row],
    ) -> [[f32; LANES]; R] {
        let [rows, columns] = self.axes;
        let inputs = self.channels / self.groups;
        let [Row(bias), weights @ ..] = panel else { return [[0.0; LANES]; R] };
        let mut sums = [*bias; R];
        let taps = columns.taps(column);
        // Neighbouring columns of the window that are neighbours in the image too are one run.
        let run = if columns.dilation == 1 && self.groups == 1 { taps.len().max(1) } else { 1 };
        for k in rows.taps(row) {
            let line = rows.step(row, k) * columns.steps;
            for l in taps.clone().step_by(run) {
                let x = std::array::from_fn(|r| {
                    let pixel = line + columns.step(column + r, l);
                    &image[pixel * self.channels + group * inputs..][..run * inputs]
                });
                let weights = &weights[(k * columns.size + l) * inputs..][..run * inputs];
                accumulate(&mut sums, x, weights);
            }
        }
        sums
    }
}
