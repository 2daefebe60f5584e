//! Depthwise convolution: every channel has windows of its own, y = activation(bias + Σ x·w) over
//! the places of the window.
//!
//! A register of channels walks along a row of the image, with some rows of the window in registers:
//! each x is read once for all the columns of the window, and if that is small, for two rows of the
//! output.

use std::ops::Range;

use fearless_simd::{Level, Simd, f32x4, prelude::*};

use super::axis::Axis;
use super::bands::in_bands_of_image;
use super::dispatch::dispatch;
use super::panels::{LANES, Row, numbers};
use super::sweep::{MOST_LINES, Sweep, side_by_side};
use crate::Activation;

/// Bytes of x that stay in the level-1 cache while all channels pass by.
const BLOCK: usize = 32 << 10;

/// The columns of windows whose sums are clipped before they are written.
const CLIPPED: usize = 3;

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
        let [rows, columns] = self.axes;
        let multiplications = y.len() * rows.size * columns.size;
        let channels = [self.channels, self.channels * self.multiplier];
        let weights = numbers(weights);
        in_bands_of_image(multiplications, self.axes, channels, x, y, |axes, x, y| {
            let band = Self { axes, ..*self };
            dispatch!(level, simd => band.run(simd, x, weights, activation, y));
        });
    }

    #[inline(always)]
    pub(crate) fn run<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        weights: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        let [rows, columns] = self.axes;
        let filters = self.channels * self.multiplier;
        let size = rows.steps * columns.steps * self.channels;
        let size_out = rows.steps_out * columns.steps_out * filters;
        for (index, y) in y.chunks_exact_mut(size_out).enumerate() {
            // A band that sees nothing but padding has an image of no rows.
            let image = &x[index * size..][..size];
            let mut left = y;
            let mut row = 0;
            while !left.is_empty() {
                let count = self.rows_together::<S>(row);
                let (y, others) = left.split_at_mut(count * columns.steps_out * filters);
                self.rows(simd, image, row..row + count, weights, activation, y);
                (left, row) = (others, row + count);
            }
        }
    }

    /// How many rows of the output, from `row` on, are computed together: two, if they see the whole
    /// window of 3 columns and there are registers for their sums.
    fn rows_together<S: Simd>(&self, row: usize) -> usize {
        let [rows, columns] = self.axes;
        let is_whole = |row: usize| row < rows.steps_out && rows.taps(row).len() == rows.size;
        let is_small = columns.size == 3 && columns.stride == 1;
        let is_plain = is_small && rows.stride == 1 && rows.dilation == 1;
        let is_pair = many_registers::<S>() && self.is_swept::<S>() && is_plain;
        if is_pair && is_whole(row) && is_whole(row + 1) { 2 } else { 1 }
    }

    /// Whether the columns of the window are ones that [`Self::sweeps`] knows.
    fn is_swept<S: Simd>(&self) -> bool {
        let Axis { size, stride, dilation, .. } = self.axes[1];
        let is_wide = self.multiplier == 1 && self.channels >= S::f32s::LEN.max(NARROW);
        let is_known = dilation == 1 && (size == 3 || size == 5) && (stride == 1 || stride == 2);
        is_wide && is_known && is_worth_sweeping::<S>()
    }

    /// Writes one row of the output or two.
    #[inline(always)]
    fn rows<S: Simd>(
        &self,
        simd: S,
        image: &[f32],
        at: Range<usize>,
        weights: &[f32],
        activation: Activation,
        y: &mut [f32],
    ) {
        // Larger windows leave no registers for the bounds.
        let is_clipped = self.is_swept::<S>() && self.axes[1].size == CLIPPED;
        let bounds = activation.bounds().filter(|_| is_clipped);
        self.sums(simd, image, at, weights, bounds, y);
        if bounds.is_none() {
            activation.apply_at(simd.level(), y);
        }
    }

    /// Writes their sums, clipped to the bounds.
    #[inline(always)]
    fn sums<S: Simd>(
        &self,
        simd: S,
        image: &[f32],
        at: Range<usize>,
        weights: &[f32],
        bounds: Option<[f32; 2]>,
        y: &mut [f32],
    ) {
        let [_, columns] = self.axes;
        let row = at.start;
        if self.multiplier > 1 || self.channels < NARROW {
            for (column, y) in y.chunks_exact_mut(self.channels * self.multiplier).enumerate() {
                self.one(image, [row, column], weights, y);
            }
        } else if self.channels < S::f32s::LEN {
            self.pixels::<S, f32x4<S>>(simd, image, row, weights, y);
        } else if const { is_worth_sweeping::<S>() } && self.is_swept::<S>() {
            let is_pair = many_registers::<S>() && at.len() == 2;
            let wide = 2 * S::f32s::LEN;
            let is_even = self.channels.is_multiple_of(wide) || self.channels >= 4 * wide;
            let is_wide = many_registers::<S>() && is_even;
            match (columns.size, columns.stride) {
                (3, 1) if is_pair => {
                    self.sweeps::<S, 3, 3, 1, 2, 1>(simd, image, row, weights, bounds, y)
                }
                (3, 1) => self.sweeps::<S, 3, 3, 1, 1, 1>(simd, image, row, weights, bounds, y),
                (3, _) if is_wide => {
                    self.sweeps::<S, 3, 3, 2, 1, 2>(simd, image, row, weights, bounds, y)
                }
                (3, _) => self.sweeps::<S, 3, 3, 2, 1, 1>(simd, image, row, weights, bounds, y),
                (_, 1) => self.sweeps::<S, 2, 5, 1, 1, 1>(simd, image, row, weights, bounds, y),
                (_, _) if many_registers::<S>() => {
                    self.sweeps::<S, 5, 5, 2, 1, 1>(simd, image, row, weights, bounds, y)
                }
                (_, _) => self.sweeps::<S, 2, 5, 2, 1, 1>(simd, image, row, weights, bounds, y),
            }
        } else {
            self.pixels::<S, S::f32s>(simd, image, row, weights, y);
        }
    }

    /// `R` rows, where the window has `L` columns without gaps, `K` of its rows and `P` registers of
    /// channels at a time.
    #[inline(never)]
    fn sweeps<
        S: Simd,
        const K: usize,
        const L: usize,
        const STRIDE: usize,
        const R: usize,
        const P: usize,
    >(
        &self,
        simd: S,
        image: &[f32],
        row: usize,
        weights: &[f32],
        bounds: Option<[f32; 2]>,
        y: &mut [f32],
    ) {
        simd.vectorize(
            #[inline(always)]
            || {
                let [rows, columns] = self.axes;
                let line = columns.steps * self.channels;
                let place = self.channels.div_ceil(LANES) * LANES;
                let taps = rows.taps(row);
                let bounds = if const { L == CLIPPED } { bounds } else { None };
                let bounds_at = |end: usize| bounds.filter(|_| end == taps.end);
                let seen = (taps.len() + R - 1) * columns.stride * self.channels;
                let block = (BLOCK / size_of::<f32>() / seen.max(1)).max(8);
                for first in (0..columns.steps_out).step_by(block) {
                    for channel in starts(self.channels, P * S::f32s::LEN) {
                        let sweep = Sweep {
                            steps: columns.steps,
                            before: columns.before,
                            outputs: first..(first + block).min(columns.steps_out),
                            y_line: columns.steps_out * self.channels,
                            channels: self.channels,
                            channel,
                            place,
                        };
                        let bias = side_by_side::<S, P>(simd, &weights[channel..]);
                        // The rows of the image under the window, from its row `k` on.
                        let x = |k: usize, count: usize| {
                            let mut lines = [&image[..0]; MOST_LINES];
                            for (i, under) in lines[..count].iter_mut().enumerate() {
                                *under = &image[rows.step(row, k + i) * line..][..line];
                            }
                            lines
                        };
                        let weights = |k: usize| &weights[(1 + k * L) * place + channel..];
                        let (mut k, mut begin) = (taps.start, Some(bias));
                        while taps.end - k >= K {
                            let x = x(k, K + (R - 1) * STRIDE);
                            let begin = begin.take();
                            let (weights, bounds) = (weights(k), bounds_at(k + K));
                            sweep.run::<S, K, L, STRIDE, R, P>(simd, x, weights, begin, bounds, y);
                            k += K;
                        }
                        for k in k..taps.end {
                            let x = x(k, 1 + (R - 1) * STRIDE);
                            let begin = begin.take();
                            let (weights, bounds) = (weights(k), bounds_at(k + 1));
                            sweep.run::<S, 1, L, STRIDE, R, P>(simd, x, weights, begin, bounds, y);
                        }
                        // The window is all over padding.
                        if begin.is_some() {
                            let x = x(0, 0);
                            sweep.run::<S, 0, L, STRIDE, R, P>(simd, x, &[], begin, bounds, y);
                        }
                    }
                }
            },
        );
    }

    /// A row of any window, in registers `V`, which are not wider than the channels.
    #[inline(never)]
    fn pixels<S: Simd, V: SimdFloat<S, Element = f32>>(
        &self,
        simd: S,
        image: &[f32],
        row: usize,
        weights: &[f32],
        y: &mut [f32],
    ) {
        simd.vectorize(
            #[inline(always)]
            || {
                let [rows, columns] = self.axes;
                let place = self.channels.div_ceil(LANES) * LANES;
                for (column, y) in y.chunks_exact_mut(self.channels).enumerate() {
                    for channel in starts(self.channels, V::LEN) {
                        let mut sum = V::from_slice(simd, &weights[channel..][..V::LEN]);
                        for k in rows.taps(row) {
                            for l in columns.taps(column) {
                                let pixel =
                                    rows.step(row, k) * columns.steps + columns.step(column, l);
                                let at = (1 + k * columns.size + l) * place + channel;
                                let x = &image[pixel * self.channels + channel..][..V::LEN];
                                let weight = V::from_slice(simd, &weights[at..][..V::LEN]);
                                sum = V::from_slice(simd, x).mul_add(weight, sum);
                            }
                        }
                        sum.store_slice(&mut y[channel..][..V::LEN]);
                    }
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

/// The channels at which registers of `len` begin. The last one begins earlier rather than to be
/// filled up.
#[inline(always)]
pub(crate) fn starts(channels: usize, len: usize) -> impl Iterator<Item = usize> {
    (0..channels).step_by(len).map(move |channel| channel.min(channels - len))
}

/// Machines that have SSE2 and no AVX2 are old: for them the code of [`Depthwise::pixels`] will do.
const fn is_worth_sweeping<S: Simd>() -> bool {
    S::f32s::LEN > 4 || !cfg!(any(target_arch = "x86", target_arch = "x86_64"))
}

/// Whether there are registers for a window, and for the sums of two rows of the output.
const fn many_registers<S: Simd>() -> bool {
    S::f32s::LEN == 16 || cfg!(target_arch = "aarch64")
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
    use crate::activation::RELU;
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
            let run = |images: usize| {
                let mut y = vec![f32::NAN; expected.len() / 2 * images];
                let x = &x[..images * len];
                depthwise.apply(level, x, &packed, RELU, &mut y);
                y
            };
            let both = run(2);
            assert_near(&both, &expected);
            assert!(run(1) == both[..both.len() / 2], "one image, {level:?}, {depthwise:?}");
        }
    }

    #[test]
    fn rows_that_see_nothing_but_padding() {
        let rows = Axis { size: 1, stride: 1, dilation: 1, before: 0, steps: 1, steps_out: 9 };
        let columns = Axis { size: 3, stride: 1, dilation: 1, before: 1, steps: 8, steps_out: 8 };
        check(&Depthwise { axes: [rows, columns], channels: 16, multiplier: 1 });
    }

    #[test]
    fn registers_side_by_side_that_do_not_fill_the_channels() {
        let axis = |steps: usize| Axis {
            size: 3,
            stride: 2,
            dilation: 1,
            before: 1,
            steps,
            steps_out: steps.div_ceil(2),
        };
        for channels in [128, 136, 144] {
            check(&Depthwise { axes: [axis(5), axis(9)], channels, multiplier: 1 });
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
