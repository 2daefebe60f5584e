//! The heart of depthwise convolutions: a register of channels walks along rows of the image.

use std::ops::Range;

use fearless_simd::{Simd, prelude::*};

/// The most rows of the image under the windows of a sweep.
pub(crate) const MOST_LINES: usize = 5;

/// The walk of some channels along rows of the image.
pub(crate) struct Sweep {
    /// Columns of the image, and of its padding before them.
    pub(crate) steps: usize,
    pub(crate) before: usize,
    /// Columns of the output, and the numbers of a row of it.
    pub(crate) outputs: Range<usize>,
    pub(crate) y_line: usize,
    pub(crate) channels: usize,
    pub(crate) channel: usize,
    /// How far the places of the window are from each other in the weights.
    pub(crate) place: usize,
}

impl Sweep {
    /// Adds the products of `K` rows of the window to `begin`, or else to what is in y, for `R` rows
    /// of the output and `P` registers of channels side by side; `x` has the rows of the image from the
    /// first of them on. With `bounds` the sums are whole, and are clipped to them.
    ///
    /// Each input is read once. Together with the next `STRIDE` − 1 it is under a column of the
    /// window for each of some outputs, whose sums are open.
    #[inline(always)]
    pub(crate) fn run<
        S: Simd,
        const K: usize,
        const L: usize,
        const STRIDE: usize,
        const R: usize,
        const P: usize,
    >(
        &self,
        simd: S,
        x: [&[f32]; MOST_LINES],
        weights: &[f32],
        begin: Option<[S::f32s; P]>,
        bounds: Option<[f32; 2]>,
        y: &mut [f32],
    ) {
        let zero = [S::f32s::splat(simd, 0.0); P];
        let bounds = bounds.map(|bounds| bounds.map(|bound| S::f32s::splat(simd, bound)));
        let mut window = [[zero; L]; K];
        for k in 0..K {
            for l in 0..L {
                window[k][l] = side_by_side::<S, P>(simd, &weights[(k * L + l) * self.place..]);
            }
        }
        let open_count = const { L.div_ceil(STRIDE) };
        let mut open = [[zero; L]; R];
        for step in 0..self.outputs.len() + open_count - 1 {
            let mut sums = [[zero; L]; R];
            for phase in 0..STRIDE {
                let column =
                    ((self.outputs.start + step) * STRIDE + phase).wrapping_sub(self.before);
                if column < self.steps {
                    let at = column * self.channels + self.channel;
                    for line in 0..K + (R - 1) * STRIDE {
                        let x = side_by_side::<S, P>(simd, &x[line][at..]);
                        for (r, sums) in sums.iter_mut().enumerate() {
                            let Some(k) = line.checked_sub(r * STRIDE).filter(|k| *k < K) else {
                                continue;
                            };
                            for i in 0..open_count {
                                if i * STRIDE + phase < L {
                                    let weight = window[k][i * STRIDE + phase];
                                    for p in 0..P {
                                        sums[i][p] = x[p].mul_add(weight[p], sums[i][p]);
                                    }
                                }
                            }
                        }
                    }
                }
            }
            for r in 0..R {
                let sum = added::<S, P>(open[r][open_count - 1], sums[r][open_count - 1]);
                for i in (1..open_count).rev() {
                    open[r][i] = added::<S, P>(open[r][i - 1], sums[r][i - 1]);
                }
                if let Some(output) = step.checked_sub(open_count - 1) {
                    let output = self.outputs.start + output;
                    let at = r * self.y_line + output * self.channels + self.channel;
                    let y = &mut y[at..][..P * S::f32s::LEN];
                    let begin = begin.unwrap_or_else(|| side_by_side::<S, P>(simd, y));
                    let mut sum = added::<S, P>(begin, sum);
                    if let Some([low, high]) = bounds {
                        // NaN is not less than a number, and stays.
                        sum = sum.map(|sum| sum.simd_lt(low).select(low, sum));
                        sum = sum.map(|sum| high.simd_lt(sum).select(high, sum));
                    }
                    for p in 0..P {
                        sum[p].store_slice(&mut y[p * S::f32s::LEN..][..S::f32s::LEN]);
                    }
                }
            }
        }
    }
}

#[inline(always)]
pub(crate) fn side_by_side<S: Simd, const P: usize>(simd: S, x: &[f32]) -> [S::f32s; P] {
    let x = &x[..P * S::f32s::LEN];
    std::array::from_fn(|p| S::f32s::from_slice(simd, &x[p * S::f32s::LEN..][..S::f32s::LEN]))
}

#[inline(always)]
fn added<S: Simd, const P: usize>(x: [S::f32s; P], y: [S::f32s; P]) -> [S::f32s; P] {
    std::array::from_fn(|p| x[p] + y[p])
}
