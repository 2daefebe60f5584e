//! Depthwise convolution: every channel has windows of its own, y = activation(bias + Σ x·w) over
//! the places of the window.
//!
//! A register of channels walks along a row of the image, with some rows of the window in registers:
//! each x is read once for all the columns of the window.

use fearless_simd::{Level, Simd, f32x4, prelude::*};

use super::axis::Axis;
use super::dispatch::dispatch;
use super::panels::{LANES, Row, numbers};
use crate::Activation;

/// Bytes of x that stay in the level-1 cache while all channels pass by.
const BLOCK: usize = 32 << 10;

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
        if self.multiplier > 1 || self.channels < NARROW {
            for (column, y) in y.chunks_exact_mut(self.channels * self.multiplier).enumerate() {
                self.one(image, [row, column], weights, y);
            }
        } else if self.channels < S::f32s::LEN {
            self.pixels::<S, f32x4<S>>(simd, image, row, weights, y);
        } else {
            match (columns.size, columns.dilation, columns.stride) {
                (3, 1, 1) => self.sweeps::<S, 3, 3, 1>(simd, image, row, weights, y),
                (3, 1, 2) => self.sweeps::<S, 3, 3, 2>(simd, image, row, weights, y),
                (5, 1, 1) => self.sweeps::<S, 2, 5, 1>(simd, image, row, weights, y),
                (5, 1, 2) => self.sweeps::<S, 2, 5, 2>(simd, image, row, weights, y),
                _ => self.pixels::<S, S::f32s>(simd, image, row, weights, y),
            }
        }
    }

    /// A row, where the window has `L` columns without gaps, `K` of its rows at a time.
    #[inline(never)]
    fn sweeps<S: Simd, const K: usize, const L: usize, const STRIDE: usize>(
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
                let line = columns.steps * self.channels;
                let place = self.channels.div_ceil(LANES) * LANES;
                let taps = rows.taps(row);
                let seen = taps.len() * columns.stride * self.channels * size_of::<f32>();
                let block = (BLOCK / seen.max(1)).max(8);
                for (index, y) in y.chunks_mut(block * self.channels).enumerate() {
                    for channel in starts(self.channels, S::f32s::LEN) {
                        let sweep = Sweep {
                            steps: columns.steps,
                            before: columns.before,
                            first: index * block,
                            channels: self.channels,
                            channel,
                        };
                        let bias = S::f32s::from_slice(simd, &weights[channel..][..S::f32s::LEN]);
                        let x = |k: usize| &image[rows.step(row, k) * line..][..line];
                        let weights = |k: usize| &weights[(1 + k * L) * place + channel..];
                        let (mut k, mut begin) = (taps.start, Some(bias));
                        while taps.end - k >= K {
                            let x = std::array::from_fn(|i| x(k + i));
                            let begin = begin.take();
                            sweep.run::<S, K, L, STRIDE>(simd, x, weights(k), place, begin, y);
                            k += K;
                        }
                        for k in k..taps.end {
                            let begin = begin.take();
                            sweep.run::<S, 1, L, STRIDE>(simd, [x(k)], weights(k), place, begin, y);
                        }
                        // The window is all over padding.
                        if begin.is_some() {
                            sweep.run::<S, 0, L, STRIDE>(simd, [], &[], place, begin, y);
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

/// The walk of some channels along a row of the image.
struct Sweep {
    /// Columns of the image, and of its padding before them.
    steps: usize,
    before: usize,
    /// The column of the output with which y begins.
    first: usize,
    channels: usize,
    channel: usize,
}

impl Sweep {
    /// Adds `K` rows of the window, to `begin` or else to what is in y.
    ///
    /// Each input is read once. Together with the next `STRIDE` − 1 it is under a column of the
    /// window for each of some outputs, whose sums are open.
    #[inline(always)]
    fn run<S: Simd, const K: usize, const L: usize, const STRIDE: usize>(
        &self,
        simd: S,
        rows: [&[f32]; K],
        weights: &[f32],
        place: usize,
        begin: Option<S::f32s>,
        y: &mut [f32],
    ) {
        let zero = S::f32s::splat(simd, 0.0);
        let mut window = [[zero; L]; K];
        for k in 0..K {
            for l in 0..L {
                let weights = &weights[(k * L + l) * place..][..S::f32s::LEN];
                window[k][l] = S::f32s::from_slice(simd, weights);
            }
        }
        let open_count = const { L.div_ceil(STRIDE) };
        let mut open = [zero; L];
        let outputs = y.len() / self.channels;
        for step in 0..outputs + open_count - 1 {
            let mut sums = [zero; L];
            for phase in 0..STRIDE {
                let column = ((self.first + step) * STRIDE + phase).wrapping_sub(self.before);
                if column < self.steps {
                    let at = column * self.channels + self.channel;
                    for k in 0..K {
                        let x = S::f32s::from_slice(simd, &rows[k][at..][..S::f32s::LEN]);
                        for i in 0..open_count {
                            if i * STRIDE + phase < L {
                                sums[i] = x.mul_add(window[k][i * STRIDE + phase], sums[i]);
                            }
                        }
                    }
                }
            }
            let sum = open[open_count - 1] + sums[open_count - 1];
            for i in (1..open_count).rev() {
                open[i] = open[i - 1] + sums[i - 1];
            }
            if let Some(output) = step.checked_sub(open_count - 1) {
                let y = &mut y[output * self.channels + self.channel..][..S::f32s::LEN];
                let begin = begin.unwrap_or_else(|| S::f32s::from_slice(simd, y));
                (begin + sum).store_slice(y);
            }
        }
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
