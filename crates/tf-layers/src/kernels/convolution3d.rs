//! Convolution of volumes, without copying: the inputs under one row of the window are contiguous
//! in the volume, so each row of the window is a matrix product.

use super::axis::Axis;
use super::panels::{LANES, Row, store};

/// Voxels of the output in a tile: more of them don't fit the registers of SSE2.
const TILE: usize = 2;

/// A convolution of one volume, channels last: axes of depth, height and width, and the channels
/// of all groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution3D {
    pub(crate) axes: [Axis; 3],
    pub(crate) groups: usize,
    /// Of the input.
    pub(crate) channels: usize,
    /// Of the output.
    pub(crate) filters: usize,
}

impl Convolution3D {
    /// Convolves every volume of the batch `x`.
    ///
    /// `panels` holds the groups one after the other. In each, the rows of a panel are a bias and
    /// then the weights, ordered by the places of the window and the channels of the group.
    pub(crate) fn apply(&self, x: &[f32], panels: &[Row], y: &mut [f32]) {
        let [planes, rows, columns] = self.axes;
        let volume = planes.steps * rows.steps * columns.steps * self.channels;
        let line = columns.steps_out * self.filters;
        let result = planes.steps_out * rows.steps_out * line;
        for (volume, y) in x.chunks_exact(volume).zip(y.chunks_exact_mut(result)) {
            for (at, y) in y.chunks_exact_mut(line).enumerate() {
                self.line(volume, [at / rows.steps_out, at % rows.steps_out], panels, y);
            }
        }
    }

    /// Writes the voxels of the output in row `row` of plane `plane`.
    fn line(&self, volume: &[f32], [plane, row]: [usize; 2], panels: &[Row], y: &mut [f32]) {
        let [planes, rows, columns] = self.axes;
        let (inputs, outputs) = (self.channels / self.groups, self.filters / self.groups);
        let panel = 1 + planes.size * rows.size * columns.size * inputs;
        let groups = panels.chunks_exact(outputs.div_ceil(LANES) * panel);
        for (group, panels) in groups.enumerate() {
            for (p, panel) in panels.chunks_exact(panel).enumerate() {
                let first = group * outputs + p * LANES;
                let filters = first..(first + LANES).min((group + 1) * outputs);
                let mut column = 0;
                while column < columns.steps_out {
                    let y = &mut y[column * self.filters..];
                    let at = [plane, row, column];
                    if are_inside(&columns, column) {
                        let sums = self.tile::<TILE>(volume, at, group, panel);
                        for (sums, y) in sums.iter().zip(y.chunks_exact_mut(self.filters)) {
                            store(sums, &mut y[filters.clone()]);
                        }
                        column += TILE;
                    } else {
                        let [sums] = self.tile::<1>(volume, at, group, panel);
                        store(&sums, &mut y[filters.clone()]);
                        column += 1;
                    }
                }
            }
        }
    }

    /// 16 filters at `R` voxels side by side, of which all see the same columns of the window.
    /// Each sum is taken over the window from first to last, so that it doesn't depend on `R`.
    fn tile<const R: usize>(
        &self,
        volume: &[f32],
        [plane, row, column]: [usize; 3],
        group: usize,
        panel: &[Row],
    ) -> [[f32; LANES]; R] {
        let [planes, rows, columns] = self.axes;
        let inputs = self.channels / self.groups;
        let [Row(bias), weights @ ..] = panel else { return [[0.0; LANES]; R] };
        let mut sums = [*bias; R];
        for j in planes.taps(plane) {
            for k in rows.taps(row) {
                let line = planes.step(plane, j) * rows.steps + rows.step(row, k);
                for l in columns.taps(column) {
                    let x: [&[f32]; R] = std::array::from_fn(|r| {
                        let voxel = line * columns.steps + columns.step(column + r, l);
                        &volume[voxel * self.channels + group * inputs..][..inputs]
                    });
                    let place = (j * rows.size + k) * columns.size + l;
                    for (c, Row(weights)) in weights[place * inputs..][..inputs].iter().enumerate()
                    {
                        for (sums, x) in sums.iter_mut().zip(x) {
                            sums.iter_mut().zip(weights).for_each(|(sum, w)| *sum += x[c] * w);
                        }
                    }
                }
            }
        }
        sums
    }
}

/// Whether the whole window is over the input at every voxel of the tile that begins at `column`.
fn are_inside(columns: &Axis, column: usize) -> bool {
    let last = column + TILE - 1;
    last < columns.steps_out
        && columns.taps(column) == (0..columns.size)
        && columns.taps(last) == (0..columns.size)
}
