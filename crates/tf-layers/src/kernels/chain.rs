//! A convolution and the depthwise convolution that alone reads its image, in turn, band by band: the
//! rows between them are read while they are in the cache, and there is never a whole image of them.

use std::ops::Range;
use std::sync::Mutex;

use fearless_simd::{Level, Simd};

use super::bands::in_bands;
use super::convolution::Convolution;
use super::depthwise::Depthwise;
use super::dispatch::dispatch;
use super::panels::{Row, numbers};
use crate::Activation;

/// Bytes of the rows between the layers: they stay in the level-2 cache. Tests have small images.
const BAND: usize = if cfg!(test) { 1 << 10 } else { 384 << 10 };

/// A convolution with its weights and its activation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct First<'a> {
    pub(crate) convolution: Convolution,
    pub(crate) panels: &'a [Row],
    pub(crate) activation: Activation,
}

/// The depthwise convolution that reads its image.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Second<'a> {
    pub(crate) depthwise: Depthwise,
    pub(crate) weights: &'a [Row],
    pub(crate) activation: Activation,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Chain<'a> {
    pub(crate) first: First<'a>,
    pub(crate) second: Second<'a>,
}

impl Chain<'_> {
    /// Both layers for every image of the batch `x`. Threads that share an image allocate what `work`
    /// is for the first of them.
    pub(crate) fn apply(&self, level: Level, x: &[f32], work: &mut [f32], y: &mut [f32]) {
        let [rows, columns] = self.first.convolution.axes;
        let size = rows.steps * columns.steps * self.first.convolution.channels;
        let [rows, columns] = self.second.depthwise.axes;
        let line = columns.steps_out * self.second.depthwise.channels;
        let work = &mut work[..self.work()];
        for (image, y) in y.chunks_exact_mut(rows.steps_out * line).enumerate() {
            let x = &x[image * size..][..size];
            let given = Mutex::new(Some(&mut *work));
            in_bands(self.multiplications(), line, y, |band, y| {
                let given = given.lock().ok().and_then(|mut given| given.take());
                match given {
                    Some(work) => self.band(level, x, band, work, y),
                    None => self.band(level, x, band, &mut vec![0.0; self.work()], y),
                }
            });
        }
    }

    /// Numbers of the rows between the layers.
    pub(crate) fn work(&self) -> usize {
        self.rows() * self.line()
    }

    /// Numbers of a row between the layers.
    fn line(&self) -> usize {
        let Depthwise { axes: [_, columns], channels, .. } = self.second.depthwise;
        columns.steps * channels
    }

    /// How many rows between the layers are in `work`: at least those for two rows of the output.
    fn rows(&self) -> usize {
        let [rows, _] = self.second.depthwise.axes;
        let least = (rows.size - 1) * rows.dilation + 1 + rows.stride;
        (BAND / size_of::<f32>() / self.line().max(1)).max(least).min(rows.steps)
    }

    /// Rows of the output that these are enough for: an even number, since two are computed together.
    fn rows_out(&self) -> usize {
        let [rows, _] = self.second.depthwise.axes;
        let reach = (rows.size - 1) * rows.dilation + 1;
        if self.rows() == rows.steps {
            return rows.steps_out;
        }
        let count = (self.rows() - reach) / rows.stride + 1;
        count - count % 2
    }

    fn multiplications(&self) -> usize {
        let Self { first: First { convolution, .. }, second: Second { depthwise, .. } } = self;
        let [rows, columns] = convolution.axes;
        let inner = rows.size * columns.size * convolution.inputs();
        let product = rows.steps_out * columns.steps_out * convolution.filters * inner;
        let [rows, columns] = depthwise.axes;
        product + rows.steps_out * columns.steps_out * depthwise.channels * rows.size * columns.size
    }

    fn band(&self, level: Level, x: &[f32], band: Range<usize>, work: &mut [f32], y: &mut [f32]) {
        dispatch!(level, simd => self.run(simd, x, band, work, y));
    }

    /// Rows `band` of the output.
    #[inline(always)]
    fn run<S: Simd>(
        &self,
        simd: S,
        x: &[f32],
        band: Range<usize>,
        work: &mut [f32],
        y: &mut [f32],
    ) {
        let Self { first: First { convolution, panels, .. }, second } = *self;
        let [rows, columns] = second.depthwise.axes;
        let line = self.line();
        // The rows of the image that are at the front of `work`.
        let mut held = 0..0;
        let mut begin = band.start;
        for y in y.chunks_mut(self.rows_out() * columns.steps_out * second.depthwise.channels) {
            let end = begin + y.len() / (columns.steps_out * second.depthwise.channels);
            let (from, rows) = rows.band(begin..end);
            let seen = from..from + rows.steps;
            if held.contains(&seen.start) {
                work.copy_within((seen.start - held.start) * line..held.len() * line, 0);
                held = seen.start..held.end;
            } else {
                held = seen.start..seen.start;
            }
            if held.end < seen.end {
                let (from, rows) = convolution.axes[0].band(held.end..seen.end);
                let x = &x[from * convolution.axes[1].steps * convolution.channels..];
                let convolution = Convolution { axes: [rows, convolution.axes[1]], ..convolution };
                let after = &mut work[held.len() * line..seen.len() * line];
                convolution.run(simd, x, panels, self.first.activation, after);
                held = seen.start..seen.end;
            }
            let depthwise = Depthwise { axes: [rows, columns], ..second.depthwise };
            let weights = numbers(second.weights);
            depthwise.run(simd, &work[..seen.len() * line], weights, second.activation, y);
            begin = end;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::activation::{RELU, SILU};
    use crate::kernels::axis::Axis;
    use crate::kernels::panels::LANES;
    use crate::kernels::testing::{Sizes, levels, numbers};

    /// Weights for so many rows; the places beside the last filter are not read.
    fn rows(count: usize, seed: u32) -> Vec<Row> {
        numbers(count * LANES, seed).chunks(LANES).map(|row| Row(row.try_into().unwrap())).collect()
    }

    /// Asserts that the bits are those of one layer after the other.
    fn check(convolution: Convolution, depthwise: Depthwise) {
        const IMAGES: usize = 2;
        let Convolution { axes: [height, width], channels, filters, .. } = convolution;
        let taps = height.size * width.size * convolution.inputs();
        let panels = rows(filters.div_ceil(LANES) * (1 + taps), 1);
        let places = depthwise.axes[0].size * depthwise.axes[1].size;
        let weights = rows(filters.div_ceil(LANES) * (1 + places), 2);
        let x = numbers(IMAGES * height.steps * width.steps * channels, 3);
        let activations = [SILU, RELU];
        let first = First { convolution, panels: &panels, activation: activations[0] };
        let second = Second { depthwise, weights: &weights, activation: activations[1] };
        let chain = Chain { first, second };
        for level in levels() {
            let mut between = vec![0.0; IMAGES * height.steps_out * width.steps_out * filters];
            convolution.apply(level, &x, &panels, activations[0], &mut between);
            let [rows, columns] = depthwise.axes.map(|axis| axis.steps_out);
            let mut expected = vec![0.0; IMAGES * rows * columns * filters];
            depthwise.apply(level, &between, &weights, activations[1], &mut expected);
            let mut work = vec![f32::NAN; chain.work() + 5];
            let mut y = vec![f32::NAN; expected.len()];
            chain.apply(level, &x, &mut work, &mut y);
            assert!(y == expected, "{level:?}, {chain:?}");
        }
    }

    #[test]
    fn any_chain() {
        let mut sizes = Sizes::new(3);
        for _ in 0..600 {
            let is_product = sizes.one(&[true, false]);
            let axes = if is_product {
                [sizes.of(1..=30), sizes.of(1..=12)].map(pointwise)
            } else {
                [sizes.axis(30), sizes.axis(12)]
            };
            let (channels, filters) = (sizes.of(1..=9), sizes.of(1..=40));
            let convolution = Convolution { axes, groups: 1, channels, filters, adds: false };
            let axes = axes.map(|axis| sizes.axis_of(axis.steps_out));
            check(convolution, Depthwise { axes, channels: filters, multiplier: 1 });
        }
    }

    #[test]
    fn windows_that_skip_rows_or_see_nothing_but_padding() {
        for (size, stride, dilation, before, after) in
            [(1, 9, 1, 0, 0), (2, 7, 3, 0, 5), (1, 1, 1, 9, 9), (3, 2, 1, 20, 20), (3, 1, 7, 0, 0)]
        {
            let steps_out = (before + 40 + after - ((size - 1) * dilation + 1)) / stride + 1;
            let rows = Axis { size, stride, dilation, before, steps: 40, steps_out };
            let axes = [pointwise(40), pointwise(6)];
            let convolution =
                Convolution { axes, groups: 1, channels: 3, filters: 16, adds: false };
            let axes = [rows, Axis { size: 3, before: 1, ..pointwise(6) }];
            check(convolution, Depthwise { axes, channels: 16, multiplier: 1 });
        }
    }

    #[cfg(feature = "parallel")]
    #[test]
    fn any_number_of_threads() {
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| {
                let axes = [pointwise(40), pointwise(6)];
                let convolution =
                    Convolution { axes, groups: 1, channels: 3, filters: 16, adds: false };
                let axes = axes.map(|axis| Axis { size: 3, before: 1, ..axis });
                check(convolution, Depthwise { axes, channels: 16, multiplier: 1 });
            });
        }
    }

    fn pointwise(steps: usize) -> Axis {
        Axis { size: 1, stride: 1, dilation: 1, before: 0, steps, steps_out: steps }
    }
}
