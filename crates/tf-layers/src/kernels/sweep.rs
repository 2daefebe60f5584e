//! The heart of depthwise convolutions: a register of channels walks along rows of the image.

use std::ops::Range;

use fearless_simd::{Simd, prelude::*};

/// The most rows of the image under the windows of a sweep.
pub(crate) const MOST_LINES: usize = 4;

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
}

impl Sweep {
    /// Adds the products of `K` rows of the window to `begin`, or else to what is in y, for `R` rows
    /// of the output; `x` has the rows of the image from the first of them on.
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
    >(
        &self,
        simd: S,
        x: [&[f32]; MOST_LINES],
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
        let mut open = [[zero; L]; R];
        for step in 0..self.outputs.len() + open_count - 1 {
            let mut sums = [[zero; L]; R];
            for phase in 0..STRIDE {
                let column =
                    ((self.outputs.start + step) * STRIDE + phase).wrapping_sub(self.before);
                if column < self.steps {
                    let at = column * self.channels + self.channel;
                    for line in 0..K + (R - 1) * STRIDE {
                        let x = S::f32s::from_slice(simd, &x[line][at..][..S::f32s::LEN]);
                        for (r, sums) in sums.iter_mut().enumerate() {
                            let Some(k) = line.checked_sub(r * STRIDE).filter(|k| *k < K) else {
                                continue;
                            };
                            for i in 0..open_count {
                                if i * STRIDE + phase < L {
                                    let weight = window[k][i * STRIDE + phase];
                                    sums[i] = x.mul_add(weight, sums[i]);
                                }
                            }
                        }
                    }
                }
            }
            for r in 0..R {
                let sum = open[r][open_count - 1] + sums[r][open_count - 1];
                for i in (1..open_count).rev() {
                    open[r][i] = open[r][i - 1] + sums[r][i - 1];
                }
                if let Some(output) = step.checked_sub(open_count - 1) {
                    let output = self.outputs.start + output;
                    let at = r * self.y_line + output * self.channels + self.channel;
                    let y = &mut y[at..][..S::f32s::LEN];
                    let begin = begin.unwrap_or_else(|| S::f32s::from_slice(simd, y));
                    (begin + sum).store_slice(y);
                }
            }
        }
    }
}
