//! The heart of convolutions and matrix products: some pixels by some panels of 16 filters, whose
//! sums stay in registers. Each input is multiplied with a row of weights, for all pixels in turn.

use fearless_simd::{Simd, f32x16, prelude::*};

use super::panels::{LANES, Row};

/// The most pixels of a tile with one panel, before it runs out of registers.
#[inline(always)]
pub(crate) const fn most_pixels<S: Simd>() -> usize {
    match S::f32s::LEN {
        16 => 8,
        8 => 6,
        _ if cfg!(target_arch = "aarch64") => 6,
        _ => 2,
    }
}

/// Whether the sums of so many panels and pixels fit the registers, with a row of the panels.
#[inline(always)]
pub(crate) const fn fits<S: Simd>(panels: usize, pixels: usize) -> bool {
    let registers = if S::f32s::LEN == 16 || cfg!(target_arch = "aarch64") { 32 } else { 16 };
    let parts = LANES / S::f32s::LEN;
    match pixels {
        // The weights are used once: they need no registers.
        1 => panels * parts <= registers / 2,
        _ => {
            pixels <= most_pixels::<S>()
                && panels * pixels <= 16
                && panels * parts * (pixels + 1) < registers
        }
    }
}

/// The pixels of a tile: as many as possible, if all tiles of `count` pixels have about as many.
#[inline(always)]
pub(crate) fn alike<S: Simd>(count: usize) -> usize {
    count.div_ceil(count.div_ceil(most_pixels::<S>()).max(1)).max(1)
}

/// How many panels a tile of so many pixels has side by side.
#[inline(always)]
pub(crate) fn side_by_side<S: Simd>(pixels: usize, panels: usize) -> usize {
    [8, 4, 2].into_iter().find(|&side| side <= panels && fits::<S>(side, pixels)).unwrap_or(1)
}

/// Where the inputs of a pixel begin, and its outputs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Place {
    pub(crate) x: usize,
    pub(crate) y: usize,
}

/// Where the products of a sum are: in runs of neighbours, `counts` of them in two directions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Runs {
    pub(crate) counts: [usize; 2],
    /// How far the runs are from each other in x,
    pub(crate) x_steps: [usize; 2],
    /// and in a panel.
    pub(crate) weight_steps: [usize; 2],
    /// How far the first run is from the place of the pixel.
    pub(crate) x_begin: usize,
    /// The row of a panel of the first run, counted without the bias.
    pub(crate) begin: usize,
    /// The length of each.
    pub(crate) len: usize,
}

/// What sums begin with: the bias, what is in y, or both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begin {
    Bias,
    Y,
    BiasAndY,
}

/// A part of the sums of some pixels, with some panels side by side.
pub(crate) struct Tiles<'a> {
    pub(crate) x: &'a [f32],
    pub(crate) panels: &'a [Row],
    /// How many panels there are.
    pub(crate) side: usize,
    /// Rows of each panel: the bias and the weights.
    pub(crate) height: usize,
    pub(crate) runs: Runs,
    /// Columns of y to write, and the first of them.
    pub(crate) width: usize,
    pub(crate) first: usize,
    pub(crate) begin: Begin,
    /// What the sums are clipped to, if this is their last part.
    pub(crate) bounds: Option<[f32; 2]>,
}

impl Tiles<'_> {
    /// Adds the products of all pixels, in tiles of as many as are [`alike`].
    #[inline(always)]
    pub(crate) fn run<S: Simd>(&self, simd: S, places: &[Place], y: &mut [f32]) {
        let large = alike::<S>(places.len());
        // Tiles of as many pixels as possible, and then some with one less.
        let small = places.len().div_ceil(large) * large - places.len();
        let (places, rest) = places.split_at(places.len() - small * (large - 1));
        self.of_size(simd, large, places, y);
        if small > 0 {
            self.of_size(simd, large - 1, rest, y);
        }
    }

    /// The tiles of `pixels`, as many as [`fits`] allows.
    #[inline(always)]
    fn of_size<S: Simd>(&self, simd: S, pixels: usize, places: &[Place], y: &mut [f32]) {
        /// Calls the instance for each number of panels and pixels that this instruction set has.
        macro_rules! instances {
            ($($side:literal $pixels:literal)*) => {
                match (self.side, pixels) {
                    $(($side, $pixels) if const { fits::<S>($side, $pixels) } => {
                        self.vectorized::<S, $side, $pixels>(simd, places, y);
                    })*
                    _ => unreachable!("a tile of {pixels} pixels and {} panels", self.side),
                }
            };
        }
        instances! {
            1 1  1 2  1 3  1 4  1 5  1 6  1 7  1 8
            2 1  2 2  2 3  2 4  2 5  2 6  2 7  2 8
            4 1  4 2  4 3  4 4
            8 1  8 2
        }
    }

    /// Each instance is a function of its own, so that it has all registers.
    #[inline(never)]
    fn vectorized<S: Simd, const P: usize, const R: usize>(
        &self,
        simd: S,
        places: &[Place],
        y: &mut [f32],
    ) {
        if const { fits::<S>(P, R) } {
            simd.vectorize(
                #[inline(always)]
                || {
                    let panels: [&[Row]; P] =
                        std::array::from_fn(|p| &self.panels[p * self.height..][..self.height]);
                    for places in places.as_chunks::<R>().0 {
                        self.sum::<S, P, R>(simd, &panels, places, y);
                    }
                },
            );
        }
    }

    #[inline(always)]
    fn sum<S: Simd, const P: usize, const R: usize>(
        &self,
        simd: S,
        panels: &[&[Row]; P],
        places: &[Place; R],
        y: &mut [f32],
    ) {
        let mut sums = self.begin::<S, P, R>(simd, panels, places, y);
        let Runs { counts, x_steps, weight_steps, x_begin, begin, len } = self.runs;
        for i in 0..counts[0] {
            for j in 0..counts[1] {
                let x_at = x_begin + i * x_steps[0] + j * x_steps[1];
                let row = 1 + begin + i * weight_steps[0] + j * weight_steps[1];
                let x = std::array::from_fn(|r| &self.x[places[r].x + x_at..][..len]);
                let weights = std::array::from_fn(|p| &panels[p][row..][..len]);
                sums = accumulate(simd, sums, x, weights);
            }
        }
        self.finish(simd, sums, places, y);
    }

    #[inline(always)]
    fn begin<S: Simd, const P: usize, const R: usize>(
        &self,
        simd: S,
        panels: &[&[Row]; P],
        places: &[Place; R],
        y: &[f32],
    ) -> [[f32x16<S>; P]; R] {
        let mut sums = [[f32x16::splat(simd, 0.0); P]; R];
        if self.begin != Begin::Y {
            let bias = panels.map(|panel| f32x16::simd_from(simd, panel[0].0));
            sums = [bias; R];
        }
        if self.begin == Begin::Bias {
            return sums;
        }
        if self.width == P * LANES {
            for r in 0..R {
                let y = &y[places[r].y + self.first..][..P * LANES];
                for p in 0..P {
                    sums[r][p] += f32x16::from_slice(simd, &y[p * LANES..][..LANES]);
                }
            }
        } else {
            let mut rows = [[[0.0; LANES]; P]; R];
            self.copy_from(y, places, rows.as_flattened_mut());
            for r in 0..R {
                for p in 0..P {
                    sums[r][p] += f32x16::simd_from(simd, rows[r][p]);
                }
            }
        }
        sums
    }

    #[inline(always)]
    fn finish<S: Simd, const P: usize, const R: usize>(
        &self,
        simd: S,
        mut sums: [[f32x16<S>; P]; R],
        places: &[Place; R],
        y: &mut [f32],
    ) {
        if let Some([low, high]) = self.bounds {
            if low > f32::NEG_INFINITY {
                let low = f32x16::splat(simd, low);
                // NaN is not less than a number, and stays.
                sums = each(sums, |sum| sum.simd_lt(low).select(low, sum));
            }
            if high < f32::INFINITY {
                let high = f32x16::splat(simd, high);
                sums = each(sums, |sum| high.simd_lt(sum).select(high, sum));
            }
        }
        if self.width == P * LANES {
            for r in 0..R {
                let y = &mut y[places[r].y + self.first..][..P * LANES];
                for p in 0..P {
                    sums[r][p].store_slice(&mut y[p * LANES..][..LANES]);
                }
            }
        } else {
            let mut rows = [[[0.0; LANES]; P]; R];
            for r in 0..R {
                for p in 0..P {
                    rows[r][p] = sums[r][p].into();
                }
            }
            self.copy_to(y, places, rows.as_flattened());
        }
    }

    /// Copies what is in y, of fewer columns than the panels have.
    #[inline(never)]
    fn copy_from(&self, y: &[f32], places: &[Place], rows: &mut [[f32; LANES]]) {
        for (row, place) in rows.chunks_exact_mut(self.side).zip(places) {
            let y = &y[place.y + self.first..][..self.width];
            row.as_flattened_mut()[..self.width].copy_from_slice(y);
        }
    }

    /// Copies the other way.
    #[inline(never)]
    fn copy_to(&self, y: &mut [f32], places: &[Place], rows: &[[f32; LANES]]) {
        for (row, place) in rows.chunks_exact(self.side).zip(places) {
            let y = &mut y[place.y + self.first..][..self.width];
            y.copy_from_slice(&row.as_flattened()[..self.width]);
        }
    }
}

/// `f` of each of the sums.
#[inline(always)]
fn each<S: Simd, const P: usize, const R: usize>(
    mut sums: [[f32x16<S>; P]; R],
    f: impl Fn(f32x16<S>) -> f32x16<S>,
) -> [[f32x16<S>; P]; R] {
    for sums in &mut sums {
        for sum in sums {
            *sum = f(*sum);
        }
    }
    sums
}

/// Adds the products of each `x` with the columns of each panel.
#[inline(always)]
pub(crate) fn accumulate<S: Simd, const P: usize, const R: usize>(
    simd: S,
    mut sums: [[f32x16<S>; P]; R],
    x: [&[f32]; R],
    panels: [&[Row]; P],
) -> [[f32x16<S>; P]; R] {
    let len = x[0].len();
    let x = x.map(|x| &x[..len]);
    let panels = panels.map(|panel| &panel[..len]);
    for k in 0..len {
        let mut weights = [f32x16::splat(simd, 0.0); P];
        for p in 0..P {
            weights[p] = f32x16::simd_from(simd, panels[p][k].0);
        }
        for r in 0..R {
            let x = f32x16::splat(simd, x[r][k]);
            for p in 0..P {
                sums[r][p] = x.mul_add(weights[p], sums[r][p]);
            }
        }
    }
    sums
}

/// All numbers of `x`, 16 at most, and zeros.
#[inline(always)]
pub(crate) fn load<S: Simd>(simd: S, x: &[f32]) -> f32x16<S> {
    f32x16::simd_from(simd, super::panels::load(x))
}

/// Fills `y`, of 16 numbers at most.
#[inline(always)]
pub(crate) fn store<S: Simd>(lanes: f32x16<S>, y: &mut [f32]) {
    super::panels::store(&lanes.into(), y);
}
