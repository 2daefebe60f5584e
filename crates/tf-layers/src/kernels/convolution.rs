//! Convolution, dense layers included, without copying: y = activation(bias + Σ x·w), or with what is
//! in y before added to it, as a residual connection does.
//!
//! The inputs under one row of the window are contiguous in the image, so each row of the window
//! is a matrix product whose x overlap. The output is cut into rectangles of pixels that see the
//! same places of the window, blocks of such pixels into tiles of some of them and 16 to 64 filters,
//! whose sums stay in registers. Every sum is taken from the bias over all inputs in order, by fused
//! multiply-adds where there are any, whatever the tile: it doesn't depend on the pixels beside it.

use std::ops::Range;

use fearless_simd::{Level, Simd};

use super::axis::Axis;
use super::bands::{in_bands, in_bands_of_image};
use super::dispatch::dispatch;
use super::panels::{LANES, Row};
use super::rectangle::{Parts, Rectangle};
use super::tile::{Begin, Place, Tiles, alike, side_by_side};
use crate::Activation;

/// Bytes of x and y that stay in the level-2 cache while all panels pass by.
const BLOCK: usize = 256 << 10;

/// The most pixels of a block, and the most rectangles that they are from.
const PIXELS: usize = 256;
const SEGMENTS: usize = 16;

/// The fewest pixels of a block; for no more of them it is made in less time.
const FEW: usize = 8;

/// A convolution of images, channels last: `[height, width]` axes, and channels of all groups.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution {
    pub(crate) axes: [Axis; 2],
    pub(crate) groups: usize,
    /// Of the input.
    pub(crate) channels: usize,
    /// Of the output.
    pub(crate) filters: usize,
    /// Whether it is added to what is in y.
    pub(crate) adds: bool,
}

impl Convolution {
    /// The products of rows of x with a matrix of `inner` rows and `columns` columns.
    pub(crate) fn dense(inner: usize, columns: usize) -> Self {
        Self { axes: [Axis::ONE; 2], groups: 1, channels: inner, filters: columns, adds: false }
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
        let multiplications = y.len() * self.panel_rows();
        if self.is_product() {
            in_bands(multiplications, self.filters, y, |rows, y| {
                let x = &x[rows.start * self.channels..][..rows.len() * self.channels];
                dispatch!(level, simd => self.run(simd, x, panels, activation, y));
            });
        } else {
            let channels = [self.channels, self.filters];
            in_bands_of_image(multiplications, self.axes, channels, x, y, |axes, x, y| {
                let band = Self { axes, ..*self };
                dispatch!(level, simd => band.run(simd, x, panels, activation, y));
            });
        }
    }

    /// Whether each pixel sees itself alone.
    fn is_product(&self) -> bool {
        self.groups == 1 && self.axes.iter().all(Axis::is_pointwise)
    }

    #[inline(always)]
    pub(crate) fn run<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        y: &mut [f32],
    ) {
        if !self.is_product() {
            self.rectangles(simd, x, panels, activation, y);
        } else if y.len() <= FEW * self.filters {
            self.rows::<S, FEW>(simd, x, panels, activation, y);
        } else {
            self.rows::<S, PIXELS>(simd, x, panels, activation, y);
        }
    }

    /// Where each pixel sees itself alone: the products of rows of x with a matrix.
    #[inline(never)]
    fn rows<S: Simd, const PIXELS: usize>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        y: &mut [f32],
    ) {
        let parts = Parts::of_row(self.channels);
        let rows = y.len() / self.filters.max(1);
        let mut places = [Place::default(); PIXELS];
        for first in (0..rows).step_by(self.most_pixels(PIXELS)) {
            let places = &mut places[..self.most_pixels(PIXELS).min(rows - first)];
            for (row, place) in (first..).zip(&mut *places) {
                *place = Place { x: row * self.channels, y: row * self.filters };
            }
            let segments = &[Segment { begin: 0, count: places.len(), parts }];
            self.block(simd, x, panels, Pixels { places, segments }, activation, y);
        }
    }

    #[inline(never)]
    fn rectangles<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        y: &mut [f32],
    ) {
        let Self { axes: [rows, columns], filters, groups, .. } = *self;
        let images = y.len() / (rows.steps_out * columns.steps_out * filters).max(1);
        let group_panels = (filters / groups).div_ceil(LANES) * self.panel_rows();
        let mut block = Block::new(self.most_pixels(PIXELS));
        for (group, panels) in panels.chunks_exact(group_panels).enumerate() {
            let mut run = |block: &mut Block| {
                self.block(simd, x, panels, block.pixels(), activation, y);
                block.clear();
            };
            for rectangle in Rectangle::all(*self, group) {
                let pixels = images * rectangle.area();
                let mut begin = 0;
                while begin < pixels {
                    begin += block.add(&rectangle, begin..pixels);
                    if block.is_full() {
                        run(&mut block);
                    }
                }
            }
            run(&mut block);
        }
    }

    /// The pixels of a block, of `most` at most.
    fn most_pixels(&self, most: usize) -> usize {
        let [rows, columns] = self.axes;
        let seen = rows.stride * columns.stride * self.channels;
        (BLOCK / size_of::<f32>() / (seen + self.filters)).clamp(FEW, most)
    }

    /// All filters of a group at some of its pixels.
    #[inline(never)]
    fn block<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        Pixels { places, segments }: Pixels,
        activation: Activation,
        y: &mut [f32],
    ) {
        let height = self.panel_rows();
        let filters = self.filters / self.groups;
        let begin = if self.adds { Begin::BiasAndY } else { Begin::Bias };
        let most = segments.iter().fold(1, |most, segment| most.max(alike::<S>(segment.count)));
        let mut panel = 0;
        while panel * LANES < filters {
            let side = side_by_side::<S>(most, filters.div_ceil(LANES) - panel);
            let first = panel * LANES;
            for segment in segments {
                let places = &places[segment.begin..][..segment.count];
                let count = segment.parts.count();
                for part in 0..count {
                    let tiles = Tiles {
                        x,
                        panels: &panels[panel * height..][..side * height],
                        side,
                        height,
                        runs: segment.parts.part(part),
                        width: (filters - first).min(side * LANES),
                        first,
                        begin: if part == 0 { begin } else { Begin::Y },
                        bounds: if part + 1 == count { activation.bounds() } else { None },
                    };
                    tiles.run(simd, places, y);
                }
            }
            panel += side;
        }
        if activation.bounds().is_none() {
            for line in places.chunk_by(|a, b| a.y + filters == b.y) {
                activation.apply_at(simd.level(), &mut y[line[0].y..][..line.len() * filters]);
            }
        }
    }

    /// Channels of the input that a filter sees.
    pub(crate) fn inputs(&self) -> usize {
        self.channels / self.groups
    }

    /// Rows of a panel: a bias, and the weights.
    fn panel_rows(&self) -> usize {
        let [rows, columns] = self.axes;
        1 + rows.size * columns.size * self.inputs()
    }
}

/// Some pixels of a group, which pass all panels together: where they are, rectangle by rectangle.
#[derive(Clone, Copy)]
struct Pixels<'a> {
    places: &'a [Place],
    segments: &'a [Segment],
}

/// The place for them.
struct Block {
    places: [Place; PIXELS],
    count: usize,
    segments: [Segment; SEGMENTS],
    used: usize,
    /// The most pixels that it takes.
    most: usize,
}

/// Those of one rectangle.
#[derive(Clone, Copy, Default)]
struct Segment {
    begin: usize,
    count: usize,
    parts: Parts,
}

impl Block {
    fn new(most: usize) -> Self {
        let (places, segments) = ([Place::default(); PIXELS], [Segment::default(); SEGMENTS]);
        Self { places, count: 0, segments, used: 0, most }
    }

    /// Takes the first of these pixels of a rectangle, and returns how many.
    fn add(&mut self, rectangle: &Rectangle, pixels: Range<usize>) -> usize {
        let count = pixels.len().min(self.most - self.count);
        rectangle.places(pixels.start, &mut self.places[self.count..][..count]);
        self.segments[self.used] = Segment { begin: self.count, count, parts: rectangle.parts() };
        self.count += count;
        self.used += 1;
        count
    }

    fn is_full(&self) -> bool {
        self.count == self.most || self.used == SEGMENTS
    }

    fn clear(&mut self) {
        (self.count, self.used) = (0, 0);
    }

    fn pixels(&self) -> Pixels<'_> {
        Pixels { places: &self.places[..self.count], segments: &self.segments[..self.used] }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::activation::RELU;
    use crate::kernels::rectangle::DEPTH;
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

    /// The loops of the definition, in f64, added to the residual if there is one.
    pub(crate) fn naive(
        convolution: &Convolution,
        image: &[f32],
        weights: &[f32],
        bias: &[f32],
        residual: &[f32],
    ) -> Vec<f32> {
        let Convolution { axes: [rows, columns], groups, channels, filters, .. } = *convolution;
        let inputs = channels / groups;
        let mut y = vec![];
        for at in 0..rows.steps_out * columns.steps_out * filters {
            let (row, column, filter) =
                (at / filters / columns.steps_out, at / filters % columns.steps_out, at % filters);
            let group = filter / (filters / groups);
            let residual = residual.get(at).copied().unwrap_or_default();
            let mut sum = f64::from(bias[filter]) + f64::from(residual);
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
        let len_out = rows.steps_out * columns.steps_out * filters;
        let residual = numbers(if convolution.adds { most * len_out } else { 0 }, 4);
        let expected: Vec<f32> = (0..most)
            .flat_map(|i| {
                let residual = residual.get(i * len_out..).unwrap_or_default();
                naive(convolution, &x[i * len..][..len], &weights, &bias, residual)
            })
            .collect();
        for level in levels() {
            let run = |batch: usize| {
                let mut y = vec![f32::NAN; batch * len_out];
                if convolution.adds {
                    y.copy_from_slice(&residual[..batch * len_out]);
                }
                convolution.apply(level, &x[..batch * len], &panels, RELU, &mut y);
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
            for columns in [1, 2, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 65, 80, 130] {
                check(&Convolution::dense(inner, columns), &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 17]);
                let added = Convolution { adds: true, ..Convolution::dense(inner, columns) };
                check(&added, &[1, 7]);
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
            for adds in [false, true] {
                check(&Convolution { axes, groups: 1, channels, filters: 5, adds }, &[1, 2]);
            }
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
                adds: sizes.one(&[false, true]),
            };
            check(&convolution, &[0, 1, 2, 3]);
        }
    }
}
