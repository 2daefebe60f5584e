//! The windows along one axis: which step of the input is under which place of the window.

use std::ops::Range;

/// Output step `out` sees the input steps `out·stride + k·dilation − before`, k from 0 to `size`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Axis {
    pub(crate) size: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) before: usize,
    pub(crate) steps: usize,
    pub(crate) steps_out: usize,
}

impl Axis {
    /// An axis of length 1, which makes one dimension of two.
    pub(crate) const ONE: Self =
        Self { size: 1, stride: 1, dilation: 1, before: 0, steps: 1, steps_out: 1 };

    /// Whether each output step sees the same step of the input, and no other.
    pub(crate) fn is_pointwise(&self) -> bool {
        self.size == 1 && self.stride == 1 && self.before == 0 && self.steps == self.steps_out
    }

    /// The places of the window at `out` that are over the input, not over its padding.
    pub(crate) fn taps(&self, out: usize) -> Range<usize> {
        let start = out * self.stride;
        let first = self.before.saturating_sub(start).div_ceil(self.dilation);
        let end = (self.before + self.steps).saturating_sub(start).div_ceil(self.dilation);
        let end = end.min(self.size);
        first.min(end)..end
    }

    /// The last output step whose window is all over the input; there must be one.
    pub(crate) fn last_whole(&self) -> usize {
        let reach = (self.size - 1) * self.dilation + 1;
        ((self.before + self.steps - reach) / self.stride).min(self.steps_out - 1)
    }

    /// The first step that the output steps of `band` see, and their windows over the steps from there
    /// to the last one that they see.
    pub(crate) fn band(&self, band: Range<usize>) -> (usize, Self) {
        let begin = band.start * self.stride;
        let reach = (self.size - 1) * self.dilation + 1;
        let end = (band.end * self.stride + reach).saturating_sub(self.stride + self.before);
        let first = begin.saturating_sub(self.before).min(self.steps);
        let (before, steps) =
            (self.before.saturating_sub(begin), end.min(self.steps).saturating_sub(first));
        (first, Self { before, steps, steps_out: band.len(), ..*self })
    }

    /// The step of the input under place `k` of the window at `out`.
    pub(crate) fn step(&self, out: usize, k: usize) -> usize {
        out * self.stride + k * self.dilation - self.before
    }
}
