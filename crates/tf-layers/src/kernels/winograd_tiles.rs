//! The tiles of Winograd's convolution: how the pixels under them are spread to their places, and the
//! outputs are gathered from there, with the transforms of `toom_cook.rs` in both directions.

use std::ops::Range;

use fearless_simd::Simd;

use super::axis::Axis;
use super::depthwise::starts;
use super::toom_cook::Places;
use super::winograd::{Images, Winograd};
use crate::Activation;
use crate::math::real::{Real, Register};

/// Neighbours among the tiles of a block.
pub(crate) struct Strip {
    /// How many tiles of the block are before them.
    begin: usize,
    image: usize,
    line: usize,
    /// Which tiles of the line.
    tiles: Range<usize>,
}

impl Images {
    /// The lines of tiles of an image.
    pub(crate) fn lines(&self) -> usize {
        self.axes[0].steps_out.div_ceil(self.winograd.windows[0].outputs)
    }

    pub(crate) fn tiles_of_line(&self) -> usize {
        self.axes[1].steps_out.div_ceil(self.winograd.windows[1].outputs)
    }

    /// Some tiles, line by line.
    pub(crate) fn strips(&self, tiles: Range<usize>) -> impl Iterator<Item = Strip> {
        let (lines, in_line) = (self.lines(), self.tiles_of_line());
        (tiles.start / in_line..tiles.end.div_ceil(in_line)).map(move |line| {
            let first = line * in_line;
            let [start, end] = [tiles.start.max(first), tiles.end.min(first + in_line)];
            let (image, line) = (line / lines, line % lines);
            Strip { begin: start - tiles.start, image, line, tiles: start - first..end - first }
        })
    }

    /// Bᵀ·d·B of the pixels under some tiles, for all parts of the window.
    #[inline(always)]
    pub(crate) fn spread<S: Simd, const R: usize, const C: usize, const M: usize, const N: usize>(
        &self,
        simd: S,
        x: &[f32],
        strip: &Strip,
        patch: &mut [f32],
        v: &mut [f32],
    ) where
        [Register<S>; R]: Places<S, M>,
        [Register<S>; C]: Places<S, N>,
    {
        let Winograd { windows: [down, across], channels, .. } = self.winograd;
        let depth = self.winograd.depth();
        let step = self.winograd.step(depth);
        for part in 0..down.parts() * across.parts() {
            let row = strip.line * down.outputs + part / across.parts() * down.taps;
            let first = part % across.parts() * across.taps;
            for (at, tile) in (strip.begin..).zip(strip.tiles.clone()) {
                let place = [strip.image, row, first + tile * across.outputs];
                let (pixels, line) = self.under::<R, C>(x, place, patch);
                let v = &mut v[at * depth + part * channels..];
                for channel in starts(channels, Register::<S>::LEN) {
                    let zero = Register::splat(simd, 0.0);
                    let mut half = [[zero; C]; R];
                    for j in 0..C {
                        let mut column = [zero; R];
                        for (i, x) in column.iter_mut().enumerate() {
                            let at = i * line + j * channels + channel;
                            *x = Register::load(simd, &pixels[at..]);
                        }
                        for (half, x) in half.iter_mut().zip(column.spread()) {
                            half[j] = x;
                        }
                    }
                    for (i, half) in half.into_iter().enumerate() {
                        for (j, x) in half.spread().into_iter().enumerate() {
                            x.store(&mut v[(i * C + j) * step + channel..]);
                        }
                    }
                }
            }
        }
    }

    /// The pixels under a tile that begins at a place of the image with its padding, and how far its
    /// rows are from each other. Where there is padding they are copied to `patch`, with zeros.
    #[inline(always)]
    fn under<'a, const R: usize, const C: usize>(
        &self,
        x: &'a [f32],
        [image, row, column]: [usize; 3],
        patch: &'a mut [f32],
    ) -> (&'a [f32], usize) {
        let Self { axes: [rows, columns], winograd: Winograd { channels, .. } } = *self;
        let pixel = |row: usize, column: usize| {
            ((image * rows.steps + row) * columns.steps + column) * channels
        };
        let is_inside = |axis: Axis, first: usize, count: usize| {
            first >= axis.before && first + count <= axis.before + axis.steps
        };
        if is_inside(rows, row, R) && is_inside(columns, column, C) {
            let first = pixel(row - rows.before, column - columns.before);
            return (&x[first..], columns.steps * channels);
        }
        for (at, patch) in patch.chunks_exact_mut(channels).enumerate() {
            let (row, column) = (row + at / C, column + at % C);
            if is_inside(rows, row, 1) && is_inside(columns, column, 1) {
                let first = pixel(row - rows.before, column - columns.before);
                patch.copy_from_slice(&x[first..][..channels]);
            } else {
                patch.fill(0.0);
            }
        }
        (patch, C * channels)
    }

    /// Aᵀ·m·A of some tiles.
    #[inline(always)]
    pub(crate) fn gather<S: Simd, const R: usize, const C: usize, const M: usize, const N: usize>(
        &self,
        simd: S,
        m: &[f32],
        strip: &Strip,
        activation: Activation,
        y: &mut [f32],
    ) where
        [Register<S>; R]: Places<S, M>,
        [Register<S>; C]: Places<S, N>,
    {
        let Self { winograd, axes: [rows, columns] } = *self;
        let Winograd { windows: [down, across], filters, .. } = winograd;
        let step = winograd.step(filters);
        let bounds = activation.bounds();
        let row = strip.line * down.outputs;
        let rows_out = down.outputs.min(rows.steps_out - row);
        let first = (strip.image * rows.steps_out + row) * columns.steps_out;
        for (at, tile) in (strip.begin..).zip(strip.tiles.clone()) {
            let column = tile * across.outputs;
            let columns_out = across.outputs.min(columns.steps_out - column);
            for filter in starts(filters, Register::<S>::LEN) {
                let m = &m[at * filters + filter..];
                let zero = Register::splat(simd, 0.0);
                let mut half = [[zero; C]; M];
                for j in 0..C {
                    let mut column = [zero; R];
                    for (i, x) in column.iter_mut().enumerate() {
                        *x = Register::load(simd, &m[(i * C + j) * step..]);
                    }
                    for (half, x) in half.iter_mut().zip(column.gather(down.outputs)) {
                        half[j] = x;
                    }
                }
                for (i, half) in half.into_iter().enumerate() {
                    if i >= rows_out {
                        break;
                    }
                    let first = (first + i * columns.steps_out + column) * filters + filter;
                    for (j, sum) in half.gather(across.outputs).into_iter().enumerate() {
                        if j < columns_out {
                            let sum = bounds.map_or(sum, |[low, high]| sum.between(low, high));
                            sum.store(&mut y[first + j * filters..]);
                        }
                    }
                }
            }
        }
    }
}
