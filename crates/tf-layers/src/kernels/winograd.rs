//! Winograd's convolution F(2×2, 3×3): the 2×2 outputs of a tile by 16 products for each channel and
//! filter, where the definition takes 36, after A. Lavin and S. Gray, Fast Algorithms for
//! Convolutional Neural Networks (<https://arxiv.org/abs/1509.09308>).
//!
//! y = Aᵀ·\[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)\]·A for the kernel g and the 4×4 pixels d under a tile. The sums over
//! the channels are inside of the brackets: a matrix product of tiles by filters for each of the 16
//! places.

use fearless_simd::{Level, Simd};

use super::axis::Axis;
use super::bands::in_bands;
use super::convolution::Convolution;
use super::depthwise::starts;
use super::dispatch::dispatch;
use super::panels::{LANES, Row};
use crate::Activation;
use crate::math::real::{Real, Register};

/// Pixels under a tile in each direction, and places of a product.
const SIDE: usize = 4;
const PLACES: usize = SIDE * SIDE;

/// The place that adds to all outputs of a tile, and to each once: the bias goes in there.
#[cfg(feature = "pack")]
const BIAS: usize = SIDE + 1;

/// Numbers that the tiles of a block have at all places: they stay in the level-2 cache.
const BLOCK: usize = 96 << 10;

/// The fewest tiles of a block: each weight is read once for all of them.
const FEWEST: usize = 16;

/// A convolution of images, channels last, with windows of 3×3, strides of 1 and no dilations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Winograd {
    pub(crate) axes: [Axis; 2],
    /// Of the input, and of the output: at least [`LANES`].
    pub(crate) channels: usize,
    pub(crate) filters: usize,
}

impl Winograd {
    /// Numbers to compute in: those of a block of tiles, before and after the products.
    pub(crate) const fn work(channels: usize, filters: usize) -> usize {
        channels + PLACES * Self::tiles(channels, filters) * (channels + filters)
    }

    /// The tiles of a block.
    const fn tiles(channels: usize, filters: usize) -> usize {
        let most = BLOCK / PLACES / (channels + filters) / 8 * 8;
        if most > FEWEST { most } else { FEWEST }
    }

    /// Rows of the panels: a bias and the weights of all channels, for each place.
    pub(crate) const fn rows(channels: usize, filters: usize) -> usize {
        PLACES * filters.div_ceil(LANES) * (1 + channels)
    }

    /// Convolves every image of the batch `x`; `panels` are those of [`pack`].
    pub(crate) fn apply(
        &self,
        level: Level,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        work: &mut [f32],
        y: &mut [f32],
    ) {
        dispatch!(level, simd => self.run(simd, x, panels, activation, work, y));
    }

    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        work: &mut [f32],
        y: &mut [f32],
    ) {
        let Self { axes: [rows, columns], channels, filters } = *self;
        let across = columns.steps_out.div_ceil(2);
        let each = rows.steps_out.div_ceil(2) * across;
        let count = y.len() / (rows.steps_out * columns.steps_out * filters).max(1) * each;
        let most = Self::tiles(channels, filters);
        let (zeros, work) = work.split_at_mut(channels);
        zeros.fill(0.0);
        let (before, after) = work.split_at_mut(PLACES * most * channels);
        let products = Convolution::dense(channels, filters);
        for first in (0..count).step_by(most) {
            let tiles = first..(first + most).min(count);
            let at = |tile: usize| [tile / each, tile % each / across * 2, tile % across * 2];
            for (i, tile) in tiles.clone().enumerate() {
                let pixels = self.under(x, zeros, at(tile));
                spread(simd, &pixels, most * channels, &mut before[i * channels..]);
            }
            let multiplications = PLACES * tiles.len() * channels * filters;
            in_bands(multiplications, most * filters, after, |places, sums| {
                for (place, y) in places.zip(sums.chunks_exact_mut(most * filters)) {
                    let x = &before[place * most * channels..][..tiles.len() * channels];
                    let height = panels.len() / PLACES;
                    let panels = &panels[place * height..][..height];
                    let y = &mut y[..tiles.len() * filters];
                    dispatch!(simd.level(), simd => products.run(simd, x, panels, Activation::Linear, y));
                }
            });
            for (i, tile) in tiles.enumerate() {
                self.gather(simd, &after[i * filters..], most * filters, activation, at(tile), y);
            }
        }
        if activation.bounds().is_none() {
            activation.apply_at(simd, y);
        }
    }

    /// The channels of the pixels under the windows of a tile, and zeros for those of the padding.
    #[inline(always)]
    fn under<'a>(
        &self,
        x: &'a [f32],
        zeros: &'a [f32],
        [image, row, column]: [usize; 3],
    ) -> [&'a [f32]; PLACES] {
        let Self { axes: [rows, columns], channels, .. } = *self;
        let mut pixels = [zeros; PLACES];
        for (place, pixel) in pixels.iter_mut().enumerate() {
            // A step before the first one wraps round, and is none of the steps either.
            let row = (row + place / SIDE).wrapping_sub(rows.before);
            let column = (column + place % SIDE).wrapping_sub(columns.before);
            if row < rows.steps && column < columns.steps {
                let first = ((image * rows.steps + row) * columns.steps + column) * channels;
                *pixel = &x[first..][..channels];
            }
        }
        pixels
    }

    /// Aᵀ·m·A of a tile, whose places are `step` numbers from each other.
    #[inline(always)]
    fn gather<S: Simd>(
        &self,
        simd: S,
        m: &[f32],
        step: usize,
        activation: Activation,
        [image, row, column]: [usize; 3],
        y: &mut [f32],
    ) {
        let Self { axes: [rows, columns], filters, .. } = *self;
        let zero = Register::splat(simd, 0.0);
        let bounds = activation.bounds();
        let first = (image * rows.steps_out + row) * columns.steps_out + column;
        let [is_last_row, is_last_column] =
            [row + 1 == rows.steps_out, column + 1 == columns.steps_out];
        for filter in starts(filters, Register::<S>::LEN) {
            let mut half = [[zero; SIDE]; 2];
            for j in 0..SIDE {
                let mut column = [zero; SIDE];
                for i in 0..SIDE {
                    column[i] = Register::load(simd, &m[(i * SIDE + j) * step + filter..]);
                }
                let [a, b, c, d] = column;
                (half[0][j], half[1][j]) = (a + b + c, b - c - d);
            }
            for (i, [a, b, c, d]) in half.into_iter().enumerate() {
                for (j, sum) in [a + b + c, b - c - d].into_iter().enumerate() {
                    if (i == 1 && is_last_row) || (j == 1 && is_last_column) {
                        continue;
                    }
                    let sum = bounds.map_or(sum, |[low, high]| sum.between(low, high));
                    let at = (first + i * columns.steps_out + j) * filters + filter;
                    sum.store(&mut y[at..]);
                }
            }
        }
    }
}

/// Bᵀ·d·B of the pixels under a tile: its places are `step` numbers from each other in `v`.
#[inline(always)]
fn spread<S: Simd>(simd: S, pixels: &[&[f32]; PLACES], step: usize, v: &mut [f32]) {
    let zero = Register::splat(simd, 0.0);
    for channel in starts(pixels[0].len(), Register::<S>::LEN) {
        let mut half = [[zero; SIDE]; SIDE];
        for j in 0..SIDE {
            let mut column = [zero; SIDE];
            for i in 0..SIDE {
                column[i] = Register::load(simd, &pixels[i * SIDE + j][channel..]);
            }
            let [a, b, c, d] = column;
            (half[0][j], half[1][j], half[2][j], half[3][j]) = (a - c, b + c, c - b, b - d);
        }
        for (i, [a, b, c, d]) in half.into_iter().enumerate() {
            for (j, sum) in [a - c, b + c, c - b, b - d].into_iter().enumerate() {
                sum.store(&mut v[(i * SIDE + j) * step + channel..]);
            }
        }
    }
}

/// Writes the panels of every place: G·g·Gᵀ of the kernel, computed in f64, and the bias.
#[cfg(feature = "pack")]
pub(crate) fn pack(rows: &mut [Row], kernel: &[f32], bias: &[f32]) {
    const G: [[f64; 3]; SIDE] =
        [[1.0, 0.0, 0.0], [0.5, 0.5, 0.5], [0.5, -0.5, 0.5], [0.0, 0.0, 1.0]];
    let size = kernel.len() / 9;
    let height = rows.len() / PLACES;
    let mut spread = vec![0.0; size];
    let zeros = vec![0.0; bias.len()];
    for (place, panels) in rows.chunks_exact_mut(height).enumerate() {
        for (at, spread) in spread.iter_mut().enumerate() {
            let taps = (0..9).map(|tap| {
                let factor = G[place / SIDE][tap / 3] * G[place % SIDE][tap % 3];
                factor * f64::from(kernel[tap * size + at])
            });
            *spread = taps.sum::<f64>() as f32;
        }
        let bias = if place == BIAS { bias } else { &zeros };
        super::panels::pack(panels, &spread, bias, 0..bias.len());
    }
}

#[cfg(all(test, feature = "pack"))]
mod tests {
    use super::*;
    use crate::kernels::convolution::tests::naive;
    use crate::kernels::testing::{Sizes, assert_near, levels, numbers};

    /// Compares batches of one and of three images, on every instruction set.
    fn check(winograd: &Winograd) {
        let Winograd { axes: [rows, columns], channels, filters } = *winograd;
        let len = rows.steps * columns.steps * channels;
        let x = numbers(3 * len, 1);
        let weights = numbers(9 * channels * filters, 2);
        let bias = numbers(filters, 3);
        let mut panels = vec![Row::ZERO; Winograd::rows(channels, filters)];
        pack(&mut panels, &weights, &bias);
        let convolution =
            Convolution { axes: [rows, columns], groups: 1, channels, filters, adds: false };
        let expected: Vec<f32> = x
            .chunks_exact(len)
            .flat_map(|image| naive(&convolution, image, &weights, &bias, &[]))
            .collect();
        for level in levels() {
            let run = |batch: usize| {
                let mut work = vec![f32::NAN; Winograd::work(channels, filters)];
                let mut y = vec![f32::NAN; expected.len() / 3 * batch];
                let x = &x[..batch * len];
                winograd.apply(level, x, &panels, Activation::Relu, &mut work, &mut y);
                y
            };
            let all = run(3);
            assert_near(&all, &expected);
            assert!(run(1) == all[..all.len() / 3], "one sample, {level:?}, {winograd:?}");
        }
    }

    #[test]
    fn any_image() {
        let mut sizes = Sizes::new(3);
        for _ in 0..60 {
            let axes = std::array::from_fn(|_| {
                let (steps, before) = (sizes.of(1..=17), sizes.of(0..=2));
                let steps_out = (steps + before + sizes.of(0..=2)).saturating_sub(2);
                Axis { size: 3, stride: 1, dilation: 1, before, steps, steps_out }
            });
            let (channels, filters) = (sizes.of(16..=70), sizes.of(16..=70));
            check(&Winograd { axes, channels, filters });
        }
    }

    #[test]
    fn many_channels() {
        let axis = Axis { size: 3, stride: 1, dilation: 1, before: 1, steps: 9, steps_out: 9 };
        check(&Winograd { axes: [axis, axis], channels: 300, filters: 257 });
    }

    #[test]
    fn other_activations() {
        let axis = Axis { size: 3, stride: 1, dilation: 1, before: 1, steps: 5, steps_out: 5 };
        let winograd = Winograd { axes: [axis, axis], channels: 16, filters: 20 };
        let (x, weights, bias) = (numbers(25 * 16, 1), numbers(9 * 16 * 20, 2), numbers(20, 3));
        let mut panels = vec![Row::ZERO; Winograd::rows(16, 20)];
        pack(&mut panels, &weights, &bias);
        let run = |activation: Activation| {
            let mut work = vec![0.0; Winograd::work(16, 20)];
            let mut y = vec![0.0; 25 * 20];
            winograd.apply(Level::new(), &x, &panels, activation, &mut work, &mut y);
            y
        };
        for activation in [Activation::Relu6, Activation::HardTanh, Activation::Tanh] {
            let mut expected = run(Activation::Linear);
            activation.apply(&mut expected);
            assert_near(&run(activation), &expected);
        }
    }
}
