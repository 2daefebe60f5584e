//! Winograd's convolution: a tile of outputs by fewer products than the definition takes, for each
//! channel and filter, after A. Lavin and S. Gray, Fast Algorithms for Convolutional Neural Networks
//! (<https://arxiv.org/abs/1509.09308>).
//!
//! y = Aᵀ·\[(G·g·Gᵀ) ⊙ (Bᵀ·d·B)\]·A for the kernel g and the pixels d under a tile, with the
//! transforms of `toom_cook.rs` in each direction. The sums over the channels are inside of the
//! brackets: a matrix product of tiles by filters for each place. A long window is cut into parts,
//! whose products are summed there too.

use fearless_simd::{Level, Simd};

use super::axis::Axis;
use super::bands::in_bands;
use super::convolution::Convolution;
use super::dispatch::dispatch;
use super::panels::{LANES, Row};
use super::toom_cook::Places;
use crate::Activation;
use crate::activation::LINEAR;
use crate::math::real::Register;

/// Numbers that the tiles of a block have at all places: they stay in the level-2 cache.
const BLOCK: usize = 96 << 10;

/// The fewest tiles of a block: each weight is read once for all of them.
const FEWEST: usize = 16;

/// Windows along one axis by F(`outputs`, `taps`), in as many parts as it takes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Windows {
    pub(crate) size: usize,
    /// Of a tile.
    pub(crate) outputs: usize,
    /// Of a part of the window.
    pub(crate) taps: usize,
}

/// Convolutions of images, channels last, without strides and dilations.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Winograd {
    pub(crate) windows: [Windows; 2],
    /// Of the input, and of the output: at least [`LANES`].
    pub(crate) channels: usize,
    pub(crate) filters: usize,
}

impl Windows {
    /// Along an axis of length 1.
    pub(crate) const ONE: Self = Self { size: 1, outputs: 1, taps: 1 };

    pub(crate) const fn places(&self) -> usize {
        self.outputs + self.taps - 1
    }

    pub(crate) const fn parts(&self) -> usize {
        self.size.div_ceil(self.taps)
    }
}

impl Winograd {
    /// Numbers to compute in: the pixels under a tile, and a block of tiles before and after the
    /// products.
    pub(crate) const fn work(&self) -> usize {
        let numbers = self.channels + self.step(self.depth()) + self.step(self.filters);
        self.places() * numbers
    }

    /// Rows of the panels: a bias and the weights of all channels, for each place.
    pub(crate) const fn rows(&self) -> usize {
        self.places() * self.filters.div_ceil(LANES) * (1 + self.depth())
    }

    pub(crate) const fn places(&self) -> usize {
        self.windows[0].places() * self.windows[1].places()
    }

    /// The products of a sum: the channels of all parts of the window.
    pub(crate) const fn depth(&self) -> usize {
        self.windows[0].parts() * self.windows[1].parts() * self.channels
    }

    /// The tiles of a block.
    const fn tiles(&self) -> usize {
        let most = BLOCK / self.places() / (self.depth() + self.filters) / 8 * 8;
        if most > FEWEST { most } else { FEWEST }
    }

    /// How far a place is from the next, with `each` numbers of a tile. That it is no power of 2 keeps
    /// the places of a tile apart in the caches.
    pub(crate) const fn step(&self, each: usize) -> usize {
        self.tiles() * each + LANES
    }

    /// With windows that slide along these axes.
    ///
    /// # Panics
    /// If they have strides or dilations.
    pub(crate) fn over(self, axes: [Axis; 2]) -> Images {
        let is_plain = axes.iter().all(|axis| axis.stride == 1 && axis.dilation == 1);
        assert!(is_plain, "a window without strides and dilations");
        Images { winograd: self, axes }
    }

    /// Writes the panels of every place: G·g·Gᵀ of the kernel, computed in f64, and the bias.
    #[cfg(feature = "pack")]
    pub(crate) fn pack(&self, rows: &mut [Row], kernel: &[f32], bias: &[f32]) {
        let size = self.channels * self.filters;
        let height = rows.len() / self.places();
        let mut spread = vec![0.0; self.depth() * self.filters];
        let zeros = vec![0.0; bias.len()];
        for (place, panels) in rows.chunks_exact_mut(height).enumerate() {
            for (part, spread) in spread.chunks_exact_mut(size).enumerate() {
                let taps = self.taps(place, part);
                for (at, spread) in spread.iter_mut().enumerate() {
                    let weight = |tap: usize| f64::from(kernel[tap * size + at]);
                    let terms = taps.iter().map(|(tap, factor)| factor * weight(*tap));
                    *spread = terms.sum::<f64>() as f32;
                }
            }
            let bias = if place == 0 { bias } else { &zeros };
            super::panels::pack(panels, &spread, bias, 0..bias.len());
        }
    }

    /// The places of the window that are in a part of it, and how much each counts at a place.
    #[cfg(feature = "pack")]
    fn taps(&self, place: usize, part: usize) -> Vec<(usize, f64)> {
        let [down, across] = self.windows;
        let [row, column] =
            [part / across.parts() * down.taps, part % across.parts() * across.taps];
        let [above, left] = [place / across.places(), place % across.places()];
        let rows = 0..down.taps.min(down.size - row);
        let both =
            rows.flat_map(|i| (0..across.taps.min(across.size - column)).map(move |j| (i, j)));
        let factor = |windows: Windows, place: usize, tap: usize| {
            super::toom_cook::kernel_factor(windows.places(), windows.taps, place, tap)
        };
        both.map(|(i, j)| {
            let tap = (row + i) * across.size + column + j;
            (tap, factor(down, above, i) * factor(across, left, j))
        })
        .collect()
    }
}

/// The images of a batch, in tiles.
#[derive(Clone, Copy)]
pub(crate) struct Images {
    pub(crate) winograd: Winograd,
    pub(crate) axes: [Axis; 2],
}

impl Images {
    /// Convolves every image of the batch `x`; `panels` are those of [`Winograd::pack`].
    pub(crate) fn apply(
        &self,
        level: Level,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        work: &mut [f32],
        y: &mut [f32],
    ) {
        let places = self.winograd.windows.map(|windows| windows.places());
        dispatch!(level, simd => match places {
            [1, 6] => self.run::<_, 1, 6, 1, 4>(simd, x, panels, activation, work, y),
            [1, 8] => self.run::<_, 1, 8, 1, 5>(simd, x, panels, activation, work, y),
            [4, 4] => self.run::<_, 4, 4, 2, 2>(simd, x, panels, activation, work, y),
            [4, 6] => self.run::<_, 4, 6, 2, 4>(simd, x, panels, activation, work, y),
            _ => unreachable!("tiles with {places:?} places"),
        });
    }

    #[inline(always)]
    fn run<S: Simd, const R: usize, const C: usize, const M: usize, const N: usize>(
        &self,
        simd: S,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        work: &mut [f32],
        y: &mut [f32],
    ) where
        [Register<S>; R]: Places<S, M>,
        [Register<S>; C]: Places<S, N>,
    {
        let Self { winograd, axes: [rows, columns] } = *self;
        let Winograd { channels, filters, .. } = winograd;
        let images = y.len() / (rows.steps_out * columns.steps_out * filters).max(1);
        let count = images * self.lines() * self.tiles_of_line();
        let most = winograd.tiles();
        let (patch, work) = work.split_at_mut(R * C * channels);
        let (before, after) = work.split_at_mut(R * C * winograd.step(winograd.depth()));
        for first in (0..count).step_by(most) {
            let tiles = first..(first + most).min(count);
            for strip in self.strips(tiles.clone()) {
                self.spread::<S, R, C, M, N>(simd, x, &strip, patch, before);
            }
            self.products(simd.level(), tiles.len(), before, panels, after);
            for strip in self.strips(tiles) {
                self.gather::<S, R, C, M, N>(simd, after, &strip, activation, y);
            }
        }
        if activation.bounds().is_none() {
            activation.apply_at(simd.level(), y);
        }
    }

    /// The products of so many tiles with the filters, place by place.
    fn products(&self, level: Level, tiles: usize, v: &[f32], panels: &[Row], m: &mut [f32]) {
        let Self { winograd: Winograd { filters, .. }, .. } = *self;
        let (places, depth) = (self.winograd.places(), self.winograd.depth());
        let [step_in, step] = [depth, filters].map(|each| self.winograd.step(each));
        let products = Convolution::dense(depth, filters);
        in_bands(places * tiles * depth * filters, step, m, |band, m| {
            for (place, m) in band.zip(m.chunks_exact_mut(step)) {
                let v = &v[place * step_in..][..tiles * depth];
                let height = panels.len() / places;
                let panels = &panels[place * height..][..height];
                let m = &mut m[..tiles * filters];
                dispatch!(level, simd => products.run(simd, v, panels, LINEAR, m));
            }
        });
    }
}

#[cfg(all(test, feature = "pack"))]
mod tests {
    use super::*;
    use crate::activation::{HARD_TANH, LINEAR, RELU, RELU6, TANH};
    use crate::kernels::convolution::tests::naive;
    use crate::kernels::testing::{Sizes, assert_near, levels, numbers};

    fn f(outputs: usize, taps: usize, size: usize) -> Windows {
        Windows { size, outputs, taps }
    }

    /// Windows that slide over so many steps, with padding before and after.
    fn axis(windows: Windows, steps: usize, before: usize, after: usize) -> Axis {
        let size = windows.size;
        let steps_out = (before + steps + after + 1).saturating_sub(size);
        Axis { size, stride: 1, dilation: 1, before, steps, steps_out }
    }

    /// Compares batches of one and of three images, on every instruction set.
    fn check(winograd: &Winograd, axes: [Axis; 2]) {
        let Winograd { channels, filters, .. } = *winograd;
        let [rows, columns] = axes;
        let len = rows.steps * columns.steps * channels;
        let x = numbers(3 * len, 1);
        let weights = numbers(rows.size * columns.size * channels * filters, 2);
        let bias = numbers(filters, 3);
        let mut panels = vec![Row::ZERO; winograd.rows()];
        winograd.pack(&mut panels, &weights, &bias);
        let convolution = Convolution { axes, groups: 1, channels, filters, adds: false };
        let expected: Vec<f32> = x
            .chunks_exact(len)
            .flat_map(|image| naive(&convolution, image, &weights, &bias, &[]))
            .collect();
        for level in levels() {
            let run = |batch: usize| {
                let mut work = vec![f32::NAN; winograd.work()];
                let mut y = vec![f32::NAN; expected.len() / 3 * batch];
                let x = &x[..batch * len];
                let images = winograd.over(axes);
                images.apply(level, x, &panels, RELU, &mut work, &mut y);
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
        for across in [f(2, 3, 3), f(4, 3, 3)] {
            for _ in 0..40 {
                let windows = [f(2, 3, 3), across];
                let axes = windows.map(|windows| {
                    let (steps, before) = (sizes.of(1..=17), sizes.of(0..=2));
                    axis(windows, steps, before, sizes.of(0..=2))
                });
                let (channels, filters) = (sizes.of(16..=70), sizes.of(16..=70));
                check(&Winograd { windows, channels, filters }, axes);
            }
        }
    }

    #[test]
    fn any_steps() {
        let mut sizes = Sizes::new(4);
        for (outputs, taps) in [(4, 3), (5, 4), (4, 5)] {
            for size in 2..=17 {
                let windows = [Windows::ONE, f(outputs, taps, size)];
                let (before, after) = (sizes.of(0..=size), sizes.of(0..=size));
                let columns = axis(windows[1], sizes.of(1..=40), before, after);
                let (channels, filters) = (sizes.of(16..=40), sizes.of(16..=40));
                check(&Winograd { windows, channels, filters }, [Axis::ONE, columns]);
            }
        }
    }

    #[test]
    fn many_channels() {
        let windows = [f(2, 3, 3); 2];
        let axes = windows.map(|windows| axis(windows, 9, 1, 1));
        check(&Winograd { windows, channels: 300, filters: 257 }, axes);
    }

    #[test]
    fn few_digits_are_lost() {
        /// How often the largest error is that of the definition, where both are computed in f32.
        const MOST: f32 = 4.0;
        let narrow = [f(2, 3, 3), f(2, 3, 3)];
        let wide = [f(2, 3, 3), f(4, 3, 3)];
        let steps = |outputs, taps, size| [Windows::ONE, f(outputs, taps, size)];
        let long = [steps(4, 3, 3), steps(5, 4, 4), steps(4, 5, 5), steps(5, 4, 8)];
        for windows in [narrow, wide].into_iter().chain(long) {
            for channels in [16, 64, 128] {
                let axes = if windows[0].size == 1 {
                    [Axis::ONE, axis(windows[1], 200, 1, 1)]
                } else {
                    windows.map(|windows| axis(windows, 14, 1, 1))
                };
                let [rows, columns] = axes;
                let filters = 16;
                let x = numbers(rows.steps * columns.steps * channels, 1);
                let weights = numbers(rows.size * columns.size * channels * filters, 2);
                let bias = numbers(filters, 3);
                let convolution = Convolution { axes, groups: 1, channels, filters, adds: false };
                let expected = naive(&convolution, &x, &weights, &bias, &[]);
                let error = |y: &[f32]| {
                    let errors = y.iter().zip(&expected).map(|(y, expected)| (y - expected).abs());
                    errors.fold(0.0, f32::max)
                };
                let mut y = vec![0.0; expected.len()];
                let mut panels = vec![Row::ZERO; 1 + weights.len() / filters];
                crate::kernels::panels::pack(&mut panels, &weights, &bias, 0..filters);
                convolution.apply(Level::new(), &x, &panels, RELU, &mut y);
                let least = error(&y);
                let winograd = Winograd { windows, channels, filters };
                let mut panels = vec![Row::ZERO; winograd.rows()];
                winograd.pack(&mut panels, &weights, &bias);
                let mut work = vec![0.0; winograd.work()];
                let images = winograd.over(axes);
                images.apply(Level::new(), &x, &panels, RELU, &mut work, &mut y);
                assert!(error(&y) <= MOST * least, "{winograd:?}: {} of {least}", error(&y));
            }
        }
    }

    #[test]
    fn other_activations() {
        let windows = [f(2, 3, 3); 2];
        let axes = windows.map(|windows| axis(windows, 5, 1, 1));
        let winograd = Winograd { windows, channels: 16, filters: 20 };
        let (x, weights, bias) = (numbers(25 * 16, 1), numbers(9 * 16 * 20, 2), numbers(20, 3));
        let mut panels = vec![Row::ZERO; winograd.rows()];
        winograd.pack(&mut panels, &weights, &bias);
        let run = |activation: Activation| {
            let mut work = vec![0.0; winograd.work()];
            let mut y = vec![0.0; 25 * 20];
            let images = winograd.over(axes);
            images.apply(Level::new(), &x, &panels, activation, &mut work, &mut y);
            y
        };
        for activation in [RELU6, HARD_TANH, TANH] {
            let mut expected = run(LINEAR);
            activation.apply(&mut expected);
            assert_near(&run(activation), &expected);
        }
    }
}
