//! Depthwise convolution: every channel has windows of its own, y = activation(bias + Σ x·w) over
//! the places of the window.
//!
//! Pixels side by side are computed together, a register of channels at a time. Where the window
//! has three columns, each x is read once for all three.

use fearless_simd::{Level, Simd, f32x4, f32x16, prelude::*};

use super::axis::Axis;
use super::dispatch::dispatch;
use super::panels::{LANES, Row, numbers};
use crate::Activation;

/// Pixels that are computed together.
const TILE: usize = 4;

/// The fewest channels that fill a register.
const NARROW: usize = 4;

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
    pub(crate) fn apply(
        &self,
        level: Level,
        x: &[f32],
        weights: &[Row],
        activation: Activation,
        y: &mut [f32],
    ) {
        dispatch!(level, simd => self.run(simd, x, numbers(weights), activation, y));
    }

    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        weights: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        let [rows, columns] = self.axes;
        let filters = self.channels * self.multiplier;
        let images = x.chunks_exact(rows.steps * columns.steps * self.channels);
        let size = rows.steps_out * columns.steps_out * filters;
        for (image, y) in images.zip(y.chunks_exact_mut(size)) {
            for (row, y) in y.chunks_exact_mut(columns.steps_out * filters).enumerate() {
                self.row(simd, image, row, weights, y);
                activation.apply_at(simd, y);
            }
        }
    }

    /// Writes row `row` of the output, without the activation.
    #[inline(always)]
    fn row<S: Simd>(&self, simd: S, image: &[f32], row: usize, weights: &[f32], y: &mut [f32]) {
        let [_, columns] = self.axes;
        let filters = self.channels * self.multiplier;
        let mut column = 0;
        while column < columns.steps_out {
            let y = &mut y[column * filters..];
            let at = [row, column];
            let count = if columns.inside(column, TILE) { TILE } else { 1 };
            if self.multiplier > 1 || self.channels < NARROW {
                self.one(image, at, weights, y);
                column += 1;
                continue;
            } else if self.channels < LANES {
                match count {
                    TILE => self.pixels::<S, f32x4<S>, TILE, 1, 1>(simd, image, at, weights, y),
                    _ => self.pixels::<S, f32x4<S>, 1, 1, 1>(simd, image, at, weights, y),
                }
            } else {
                match (count, columns.size, columns.dilation, columns.stride) {
                    (1, ..) => self.pixels::<S, f32x16<S>, 1, 1, 1>(simd, image, at, weights, y),
                    (_, 3, 1, 1) => {
                        self.pixels::<S, f32x16<S>, TILE, 3, 1>(simd, image, at, weights, y);
                    }
                    (_, 3, 1, 2) => {
                        self.pixels::<S, f32x16<S>, TILE, 3, 2>(simd, image, at, weights, y);
                    }
                    _ => self.pixels::<S, f32x16<S>, TILE, 1, 1>(simd, image, at, weights, y),
                }
            }
            column += count;
        }
    }

    /// All channels at `R` pixels side by side, in registers `V`, which are not wider than that.
    ///
    /// `L` columns of the window are taken together. If they are more than one, they are neighbours
    /// in the image, and `STRIDE` is their stride. Each instance is a function of its own.
    #[inline(never)]
    fn pixels<S: Simd, V, const R: usize, const L: usize, const STRIDE: usize>(
        &self,
        simd: S,
        image: &[f32],
        [row, column]: [usize; 2],
        weights: &[f32],
        y: &mut [f32],
    ) where
        V: SimdFloat<S, Element = f32>,
    {
        simd.vectorize(
            #[inline(always)]
            || {
                let [rows, columns] = self.axes;
                let (row_taps, column_taps) = (rows.taps(row), columns.taps(column));
                let (mut x_at, mut place) = (0, 0);
                if !row_taps.is_empty() && !column_taps.is_empty() {
                    let first =
                        [rows.step(row, row_taps.start), columns.step(column, column_taps.start)];
                    x_at = first[0] * columns.steps + first[1];
                    place = row_taps.start * columns.size + column_taps.start;
                }
                let taps = Taps {
                    counts: [row_taps.len(), column_taps.len()],
                    steps: [
                        rows.dilation * columns.steps * self.channels,
                        columns.dilation * self.channels,
                    ],
                    place_step: columns.size,
                    // Between the x that are read: neighbours of the image where L is not one.
                    step: self.channels * if L == 1 { columns.stride } else { 1 },
                };
                let rows_of_place = self.channels.div_ceil(LANES) * LANES;
                let x = &image[x_at * self.channels..];
                let places = &weights[(1 + place) * rows_of_place..];
                let mut first = 0;
                loop {
                    let bias = V::from_slice(simd, &weights[first..][..V::LEN]);
                    let sums = taps.sums::<S, V, R, L, STRIDE>(
                        simd,
                        bias,
                        &x[first..],
                        &places[first..],
                        rows_of_place,
                    );
                    for r in 0..R {
                        sums[r].store_slice(&mut y[r * self.channels + first..][..V::LEN]);
                    }
                    if first + V::LEN == self.channels {
                        break;
                    }
                    // The last register begins earlier rather than to be filled up.
                    first = (first + V::LEN).min(self.channels - V::LEN);
                }
            },
        );
    }

    /// All channels at one pixel, if there are few or each gives several.
    fn one(&self, image: &[f32], [row, column]: [usize; 2], weights: &[f32], y: &mut [f32]) {
        let [rows, columns] = self.axes;
        let filters = self.channels * self.multiplier;
        let place = filters.div_ceil(LANES) * LANES;
        let y = &mut y[..filters];
        y.copy_from_slice(&weights[..filters]);
        for k in rows.taps(row) {
            for l in columns.taps(column) {
                let pixel = rows.step(row, k) * columns.steps + columns.step(column, l);
                let x = &image[pixel * self.channels..][..self.channels];
                let weights = &weights[(1 + k * columns.size + l) * place..];
                let outputs = y.chunks_exact_mut(self.multiplier);
                for ((x, y), weights) in x.iter().zip(outputs).zip(weights.chunks(self.multiplier))
                {
                    for (y, weight) in y.iter_mut().zip(weights) {
                        *y += x * weight;
                    }
                }
            }
        }
    }
}

/// The places of the window that are over the image.
struct Taps {
    /// How many rows and columns there are,
    counts: [usize; 2],
    /// how far they are from each other in x,
    steps: [usize; 2],
    /// and the rows in the window, in places.
    place_step: usize,
    /// How far the x of a tile are from each other.
    step: usize,
}

impl Taps {
    #[inline(always)]
    fn sums<S: Simd, V, const R: usize, const L: usize, const STRIDE: usize>(
        &self,
        simd: S,
        bias: V,
        x: &[f32],
        weights: &[f32],
        rows_of_place: usize,
    ) -> [V; R]
    where
        V: SimdFloat<S, Element = f32>,
    {
        let mut sums = [bias; R];
        for k in 0..self.counts[0] {
            for l in (0..self.counts[1]).step_by(L) {
                let x = &x[k * self.steps[0] + l * self.steps[1]..];
                let place = k * self.place_step + l;
                let mut window = [bias; L];
                for (i, weight) in window.iter_mut().enumerate() {
                    let at = (place + i) * rows_of_place;
                    *weight = V::from_slice(simd, &weights[at..at + V::LEN]);
                }
                for i in 0..(R - 1) * STRIDE + L {
                    let x = V::from_slice(simd, &x[i * self.step..i * self.step + V::LEN]);
                    for (l, weight) in window.iter().enumerate() {
                        if i >= l && (i - l) % STRIDE == 0 && (i - l) / STRIDE < R {
                            let r = (i - l) / STRIDE;
                            sums[r] = x.mul_add(*weight, sums[r]);
                        }
                    }
                }
            }
        }
        sums
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{Sizes, assert_near, levels, numbers};

    /// The loops of the definition, in f64.
    fn naive(depthwise: &Depthwise, image: &[f32], weights: &[f32], bias: &[f32]) -> Vec<f32> {
        let Depthwise { axes: [rows, columns], channels, multiplier } = *depthwise;
        let filters = channels * multiplier;
        let mut y = vec![];
        for at in 0..rows.steps_out * columns.steps_out * filters {
            let (row, column, filter) =
                (at / filters / columns.steps_out, at / filters % columns.steps_out, at % filters);
            let mut sum = f64::from(bias[filter]);
            for (k, l) in (0..rows.size).flat_map(|k| (0..columns.size).map(move |l| (k, l))) {
                let step = |axis: Axis, out: usize, k: usize| {
                    (out * axis.stride + k * axis.dilation)
                        .checked_sub(axis.before)
                        .filter(|step| *step < axis.steps)
                };
                if let (Some(r), Some(c)) = (step(rows, row, k), step(columns, column, l)) {
                    let x = image[(r * columns.steps + c) * channels + filter / multiplier];
                    let weight = weights[(k * columns.size + l) * filters + filter];
                    sum += f64::from(x) * f64::from(weight);
                }
            }
            y.push(sum.max(0.0) as f32);
        }
        y
    }

    fn check(depthwise: &Depthwise) {
        let Depthwise { axes: [rows, columns], channels, multiplier } = *depthwise;
        let filters = channels * multiplier;
        let len = rows.steps * columns.steps * channels;
        let x = numbers(2 * len, 1);
        let weights = numbers(rows.size * columns.size * filters, 2);
        let bias = numbers(filters, 3);
        let places = std::iter::once(&bias[..]).chain(weights.chunks_exact(filters));
        let packed: Vec<Row> = places
            .flat_map(|place| place.chunks(LANES))
            .map(|weights| {
                let mut row = Row::ZERO;
                row.0[..weights.len()].copy_from_slice(weights);
                row
            })
            .collect();
        let expected: Vec<f32> =
            x.chunks_exact(len).flat_map(|x| naive(depthwise, x, &weights, &bias)).collect();
        for level in levels() {
            let mut y = vec![f32::NAN; expected.len()];
            depthwise.apply(level, &x, &packed, Activation::Relu, &mut y);
            assert_near(&y, &expected);
        }
    }

    #[test]
    fn any_depthwise_convolution() {
        let mut sizes = Sizes::new(2);
        for i in 0..600 {
            let multiplier = sizes.one(&[1, 1, 1, 2, 3]);
            let axes = [sizes.axis(9), sizes.axis(24)];
            check(&Depthwise { axes, channels: 1 + i % 50, multiplier });
        }
    }
}
