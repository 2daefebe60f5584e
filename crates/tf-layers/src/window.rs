//! How the window of a convolution or a pooling slides over the steps of its input.

use crate::kernels::axis::Axis;

/// What stands around the input of a window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Padding<const D: usize> {
    /// Nothing: the window stays inside.
    Valid,
    /// As much on both sides as gives ceil(steps / stride) steps; the odd one at the end.
    Same,
    /// Everything before the first step, so that no output sees a later input.
    Causal,
    /// So many steps before and after, for each axis.
    Explicit([[usize; 2]; D]),
}

/// Strides, dilations and padding along `D` axes.
///
/// ```
/// use tf_layers::Window;
///
/// const WINDOW: Window<2> = Window::same().strides([2, 2]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window<const D: usize> {
    strides: [usize; D],
    dilations: [usize; D],
    padding: Padding<D>,
}

impl<const D: usize> Window<D> {
    /// Every step, no padding.
    pub const fn valid() -> Self {
        Self::new(Padding::Valid)
    }

    /// Every step, padding at both ends: as many steps out as in.
    pub const fn same() -> Self {
        Self::new(Padding::Same)
    }

    /// Every step, with so many steps of padding before and after each axis.
    pub const fn explicit(borders: [[usize; 2]; D]) -> Self {
        Self::new(Padding::Explicit(borders))
    }

    const fn new(padding: Padding<D>) -> Self {
        Self { strides: [1; D], dilations: [1; D], padding }
    }

    /// Moves so many steps at a time.
    pub const fn strides(self, strides: [usize; D]) -> Self {
        Self { strides, ..self }
    }

    /// Looks at every so many steps.
    pub const fn dilations(self, dilations: [usize; D]) -> Self {
        Self { dilations, ..self }
    }

    /// The windows of `size` along axis `d`, from `steps` to `steps_out`.
    ///
    /// # Panics
    /// If there are not `steps_out` of them.
    pub(crate) fn axis(self, d: usize, size: usize, steps: usize, steps_out: usize) -> Axis {
        let (stride, dilation) = (self.strides[d], self.dilations[d]);
        let reach = (size - 1) * dilation + 1;
        let (before, after) = match self.padding {
            Padding::Valid => (0, 0),
            Padding::Same => {
                let total = (steps.div_ceil(stride).max(1) - 1) * stride + reach;
                let total = total.saturating_sub(steps);
                (total / 2, total - total / 2)
            }
            Padding::Causal => (reach - 1, 0),
            Padding::Explicit(borders) => (borders[d][0], borders[d][1]),
        };
        let room = before + steps + after;
        let found = if room < reach { 0 } else { (room - reach) / stride + 1 };
        assert_eq!(steps_out, found, "the steps out of the window");
        Axis { size, stride, dilation, before, steps, steps_out }
    }
}

impl Window<1> {
    /// Every step, padding before the first: no output sees a later input.
    pub const fn causal() -> Self {
        Self::new(Padding::Causal)
    }
}

#[cfg(test)]
mod tests {
    use super::Window;

    #[test]
    fn pads_as_tensorflow_does() {
        let same = Window::<1>::same();
        for (window, size, steps, steps_out, before) in [
            (same, 3, 7, 7, 1),
            (same, 2, 7, 7, 0),
            (same.strides([2]), 3, 7, 4, 1),
            (same.strides([2]), 3, 8, 4, 0),
            (same.strides([3]), 2, 9, 3, 0),
            (same.dilations([2]), 3, 5, 5, 2),
            (same, 9, 1, 1, 4),
            (Window::causal().dilations([2]), 3, 5, 5, 4),
            (Window::causal().strides([2]), 3, 5, 3, 2),
            (Window::valid().strides([2]), 2, 5, 2, 0),
            (Window::explicit([[1, 2]]), 3, 5, 6, 1),
        ] {
            assert_eq!(window.axis(0, size, steps, steps_out).before, before);
        }
    }
}
