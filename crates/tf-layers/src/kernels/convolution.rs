//! Convolution, dense layers included, without copying: y = activation(bias + Σ x·w).
//!
//! The inputs under one row of the window are contiguous in the image, so each row of the window
//! is a matrix product whose x overlap. The output is cut into rectangles of pixels that see the
//! same places of the window, these into tiles of some pixels and 16 to 64 filters, whose sums stay
//! in registers. Every sum is taken from the bias over all inputs in order, by fused multiply-adds
//! where there are any, whatever the tile: it doesn't depend on the pixels beside it.

use std::ops::Range;

use fearless_simd::{Level, Simd};

use super::axis::Axis;
use super::dispatch::dispatch;
use super::panels::{LANES, Row};
use super::tile::{MAX_PIXELS, Runs, Tile, fits, most_pixels};
use crate::Activation;

/// Bytes of x and y that stay in the level-2 cache while all panels pass by.
const BLOCK: usize = 256 << 10;

/// Weights of a filter in a part of the sums: more of them, for all filters of a tile, don't stay in
/// the level-2 cache.
const DEPTH: usize = 2048;

const NO_BOUNDS: [f32; 2] = [f32::NEG_INFINITY, f32::INFINITY];

/// A convolution of images, channels last: `[height, width]` axes, and channels of all groups.
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
    /// The products of rows of x with a matrix of `inner` rows and `columns` columns.
    pub(crate) fn dense(inner: usize, columns: usize) -> Self {
        Self { axes: [Axis::ONE; 2], groups: 1, channels: inner, filters: columns }
    }

    /// Convolves every image of the batch `x`.
    ///
    /// `panels` holds the groups one after the other. In each, the rows of a panel are a bias and
    /// then the weights, ordered by row and column of the window and channel in the group.
    pub(crate) fn apply(
        &self,
        level: Level,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        y: &mut [f32],
    ) {
        dispatch!(level, simd => self.run(simd, x, panels, activation, y));
    }

    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        y: &mut [f32],
    ) {
        let [rows, columns] = self.axes;
        let group_panels = (self.filters / self.groups).div_ceil(LANES) * self.panel_rows();
        for (group, panels) in panels.chunks_exact(group_panels).enumerate() {
            for row in alike(rows) {
                for column in alike(columns) {
                    let rectangle =
                        Rectangle { convolution: self, group, row: row.clone(), column };
                    rectangle.run(simd, x, panels, activation, y);
                }
            }
        }
    }

    /// Channels of the input that a filter sees.
    fn inputs(&self) -> usize {
        self.channels / self.groups
    }

    /// Rows of a panel: a bias, and the weights.
    fn panel_rows(&self) -> usize {
        let [rows, columns] = self.axes;
        1 + rows.size * columns.size * self.inputs()
    }
}

/// The ranges of steps whose windows have the same places over the input.
fn alike(axis: Axis) -> impl Iterator<Item = Range<usize>> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let taps = (begin < axis.steps_out).then(|| axis.taps(begin))?;
        let end = (begin + 1..axis.steps_out).find(|&out| axis.taps(out) != taps);
        let range = begin..end.unwrap_or(axis.steps_out);
        begin = range.end;
        Some(range)
    })
}

/// The pixels of all images, in one group, that see the same places of the window.
struct Rectangle<'a> {
    convolution: &'a Convolution,
    group: usize,
    row: Range<usize>,
    column: Range<usize>,
}

impl Rectangle<'_> {
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        y: &mut [f32],
    ) {
        let Convolution { axes: [rows, columns], channels, filters, .. } = *self.convolution;
        let images = y.len() / (rows.steps_out * columns.steps_out * filters).max(1);
        let area = self.row.len() * self.column.len();
        let seen = rows.stride * columns.stride * channels;
        let block = (BLOCK / size_of::<f32>() / (seen + filters)).max(MAX_PIXELS);
        for begin in (0..images * area).step_by(block) {
            let pixels = begin..(begin + block).min(images * area);
            self.block(simd, x, panels, pixels, activation, y);
        }
    }

    /// All filters at some of the pixels.
    #[inline(always)]
    fn block<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        pixels: Range<usize>,
        activation: Activation,
        y: &mut [f32],
    ) {
        let convolution = self.convolution;
        let height = convolution.panel_rows();
        let filters = convolution.filters / convolution.groups;
        let (bounds, is_curved) = match activation.bounds() {
            Some(bounds) => (bounds, false),
            None => (NO_BOUNDS, true),
        };
        let tiles = pixels.len().div_ceil(most_pixels::<S>());
        let most = pixels.len().div_ceil(tiles);
        let mut panel = 0;
        while panel * LANES < filters {
            let side = side_by_side::<S>(most, filters.div_ceil(LANES) - panel);
            let panels = &panels[panel * height..][..side * height];
            let first = panel * LANES;
            let width = (filters - first).min(side * LANES);
            let parts = self.parts();
            let last = parts.len() - 1;
            for (part, (x_offset, runs)) in parts.enumerate() {
                let mut cursor = Cursor::new(self, pixels.start);
                let mut left = pixels.len();
                for tile in (1..=tiles).rev() {
                    let count = left.div_ceil(tile);
                    left -= count;
                    let mut x_at = [0; MAX_PIXELS];
                    let mut y_at = [0; MAX_PIXELS];
                    for (x_at, y_at) in x_at.iter_mut().zip(&mut y_at).take(count) {
                        let at = cursor.next();
                        *x_at = at[0] + x_offset;
                        *y_at = at[1] + first;
                    }
                    let tile = Tile {
                        x,
                        x_at,
                        y_at,
                        panels,
                        height,
                        runs,
                        width,
                        is_first: part == 0,
                        bounds: if part == last { bounds } else { NO_BOUNDS },
                    };
                    tile.run(simd, side, count, y);
                    if part == last && is_curved {
                        for at in y_at.into_iter().take(count) {
                            activation.apply_at(simd, &mut y[at..][..width]);
                        }
                    }
                }
            }
            panel += side;
        }
    }

    /// The parts into which the sums are cut: the whole window, each of its rows, or shorter runs.
    /// Each comes with how far its x is from that of the pixel.
    #[inline(always)]
    fn parts(&self) -> impl ExactSizeIterator<Item = (usize, Runs)> {
        let Convolution { axes: [rows, columns], channels, .. } = *self.convolution;
        let inputs = self.convolution.inputs();
        let (row_taps, column_taps) = (rows.taps(self.row.start), columns.taps(self.column.start));
        // Where the window is all over padding, there are no products.
        let height = if column_taps.is_empty() { 0 } else { row_taps.len() };
        // Neighbouring columns of the window that are neighbours in the image too are one run.
        let (width, run) = if columns.dilation == 1 && inputs == channels {
            (1, column_taps.len() * inputs)
        } else {
            (column_taps.len(), inputs)
        };
        let x_steps = [rows.dilation * columns.steps * channels, columns.dilation * channels];
        let weight_steps = [columns.size * inputs, inputs];
        let first = (row_taps.start * columns.size + column_taps.start) * inputs;
        let (parts, counts, len) = if height * width * run <= DEPTH {
            ([1, 1, 1], [height, width], run)
        } else if width * run <= DEPTH {
            ([height, 1, 1], [1, width], run)
        } else {
            let cuts = run.div_ceil(DEPTH);
            ([height, width, cuts], [1, 1], run.div_ceil(cuts))
        };
        (0..parts.iter().product()).map(move |part| {
            let at = [part / parts[2] / parts[1], part / parts[2] % parts[1]];
            let begin = part % parts[2] * len;
            let offset = |steps: [usize; 2]| at[0] * steps[0] + at[1] * steps[1] + begin;
            let runs = Runs {
                counts,
                x_steps,
                weight_steps,
                begin: first + offset(weight_steps),
                len: len.min(run - begin),
            };
            (offset(x_steps), runs)
        })
    }
}

/// How many panels a tile of so many pixels has side by side.
#[inline(always)]
fn side_by_side<S: Simd>(pixels: usize, panels: usize) -> usize {
    [4, 2].into_iter().find(|&side| side <= panels && fits::<S>(side, pixels)).unwrap_or(1)
}

/// Walks over the pixels of a rectangle.
struct Cursor {
    /// Places left in the row, and rows left in the image.
    left: [usize; 2],
    of: [usize; 2],
    /// Where x and y are.
    at: [usize; 2],
    /// How far they move from pixel to pixel, from the end of a row to the next, and to the next image.
    steps: [[usize; 2]; 3],
}

impl Cursor {
    #[inline(always)]
    fn new(rectangle: &Rectangle, pixel: usize) -> Self {
        let Convolution { axes: [rows, columns], channels, filters, groups } =
            *rectangle.convolution;
        let Rectangle { row, column, group, .. } = rectangle;
        let of = [column.len(), row.len()];
        let (image, pixel) = (pixel / (of[0] * of[1]), pixel % (of[0] * of[1]));
        let (down, across) = (pixel / of[0], pixel % of[0]);
        let first = |axis: Axis, out: usize| {
            let taps = axis.taps(out);
            if taps.is_empty() { 0 } else { axis.step(out, taps.start) }
        };
        let x_steps = [channels * columns.stride, channels * columns.steps * rows.stride];
        let y_steps = [filters, filters * columns.steps_out];
        let x_image = channels * columns.steps * rows.steps;
        let y_image = filters * columns.steps_out * rows.steps_out;
        let x_first = (first(rows, row.start) * columns.steps + first(columns, column.start))
            * channels
            + group * (channels / groups);
        let y_first =
            row.start * y_steps[1] + column.start * y_steps[0] + group * (filters / groups);
        let at = |start, steps: [usize; 2], size| {
            start + across * steps[0] + down * steps[1] + image * size
        };
        let turn = |steps: [usize; 2], size: usize| {
            [
                steps[0],
                steps[1].wrapping_sub((of[0] - 1) * steps[0]),
                size.wrapping_sub((of[0] - 1) * steps[0] + (of[1] - 1) * steps[1]),
            ]
        };
        let (x_turn, y_turn) = (turn(x_steps, x_image), turn(y_steps, y_image));
        Self {
            left: [of[0] - across, of[1] - down],
            of,
            at: [at(x_first, x_steps, x_image), at(y_first, y_steps, y_image)],
            steps: std::array::from_fn(|i| [x_turn[i], y_turn[i]]),
        }
    }

    /// Where the inputs and the outputs of the pixel begin; moves to the next one.
    #[inline(always)]
    fn next(&mut self) -> [usize; 2] {
        let at = self.at;
        self.left[0] -= 1;
        let mut step = self.steps[0];
        if self.left[0] == 0 {
            self.left[0] = self.of[0];
            self.left[1] -= 1;
            step = self.steps[1];
            if self.left[1] == 0 {
                self.left[1] = self.of[1];
                step = self.steps[2];
            }
        }
        self.at = [at[0].wrapping_add(step[0]), at[1].wrapping_add(step[1])];
        at
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Sizes, assert_near, levels, numbers};

    /// Row-major weights and a bias, `height` rows for each filter of a group, as panels.
    fn panels(convolution: &Convolution, weights: &[f32], bias: &[f32]) -> Vec<Row> {
        let height = convolution.panel_rows();
        let filters = convolution.filters / convolution.groups;
        let mut panels = vec![];
        for first in (0..convolution.groups).map(|group| group * filters) {
            for begin in (first..first + filters).step_by(LANES) {
                let columns = begin..(begin + LANES).min(first + filters);
                let all = std::iter::once(bias).chain(weights.chunks_exact(bias.len()));
                panels.extend(all.map(|row| {
                    let mut packed = Row::ZERO;
                    packed.0[..columns.len()].copy_from_slice(&row[columns.clone()]);
                    packed
                }));
            }
        }
        assert_eq!(panels.len(), convolution.groups * filters.div_ceil(LANES) * height);
        panels
    }

    /// The loops of the definition, in f64.
    fn naive(convolution: &Convolution, image: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
        let Convolution { axes: [rows, columns], groups, channels, filters } = *convolution;
        let inputs = channels / groups;
        let mut y = vec![];
        for at in 0..rows.steps_out * columns.steps_out * filters {
            let (row, column, filter) =
                (at / filters / columns.steps_out, at / filters % columns.steps_out, at % filters);
            let group = filter / (filters / groups);
            let mut sum = f64::from(bias[filter]);
            for (k, l) in (0..rows.size).flat_map(|k| (0..columns.size).map(move |l| (k, l))) {
                let step = |axis: Axis, out: usize, k: usize| {
                    (out * axis.stride + k * axis.dilation)
                        .checked_sub(axis.before)
                        .filter(|step| *step < axis.steps)
                };
                let (Some(r), Some(c)) = (step(rows, row, k), step(columns, column, l)) else {
                    continue;
                };
                for i in 0..inputs {
                    let x = image[(r * columns.steps + c) * channels + group * inputs + i];
                    let weight = weights[((k * columns.size + l) * inputs + i) * filters + filter];
                    sum += f64::from(x) * f64::from(weight);
                }
            }
            y.push(sum.max(0.0) as f32);
        }
        y
    }

    /// Compares batches of all these sizes, on every instruction set; a sample has the same bits in all.
    fn check(convolution: &Convolution, batches: &[usize]) {
        let Convolution { axes: [rows, columns], channels, filters, .. } = *convolution;
        let most = batches.iter().fold(1, |most, batch| most.max(*batch));
        let len = rows.steps * columns.steps * channels;
        let x = numbers(most * len, 1);
        let weights = numbers((convolution.panel_rows() - 1) * filters, 2);
        let bias = numbers(filters, 3);
        let panels = panels(convolution, &weights, &bias);
        let expected: Vec<f32> = x
            .chunks_exact(len)
            .flat_map(|image| naive(convolution, image, &weights, &bias))
            .collect();
        let len_out = rows.steps_out * columns.steps_out * filters;
        for level in levels() {
            let run = |batch: usize| {
                let mut y = vec![f32::NAN; batch * len_out];
                convolution.apply(level, &x[..batch * len], &panels, Activation::Relu, &mut y);
                y
            };
            let all = run(most);
            assert_near(&all, &expected);
            for &batch in batches {
                let same = run(batch) == all[..batch * len_out];
                assert!(same, "{batch} samples, {level:?}, {convolution:?}");
            }
        }
    }

    #[test]
    fn products_of_awkward_sizes() {
        for inner in [1, 2, 15, 16, 17, 300] {
            for columns in [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 65, 80] {
                check(&Convolution::dense(inner, columns), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17]);
            }
        }
    }

    #[test]
    fn products_that_are_cut_into_parts() {
        for inner in [DEPTH, DEPTH + 1, 2 * DEPTH + 3] {
            check(&Convolution::dense(inner, 37), &[1, 5, 9]);
        }
    }

    #[test]
    fn more_pixels_than_a_block() {
        check(&Convolution::dense(2, 3), &[1, BLOCK / size_of::<f32>() / 5, 15_000]);
    }

    #[test]
    fn windows_that_are_cut_into_parts() {
        let axis = |size: usize| Axis {
            size,
            stride: 1,
            dilation: 1,
            before: 1,
            steps: 4,
            steps_out: 7 - size,
        };
        for channels in [240, 700, 2100] {
            let axes = [axis(3), axis(3)];
            check(&Convolution { axes, groups: 1, channels, filters: 5 }, &[1, 2]);
        }
    }

    #[test]
    fn any_convolution() {
        let mut sizes = Sizes::new(1);
        for _ in 0..400 {
            let groups = sizes.one(&[1, 1, 1, 2, 3]);
            let convolution = Convolution {
                axes: [sizes.axis(9), sizes.axis(12)],
                groups,
                channels: groups * sizes.of(1..=9),
                filters: groups * sizes.of(1..=40),
            };
            check(&convolution, &[0, 1, 2, 3]);
        }
    }
}
