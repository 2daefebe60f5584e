use fearless_simd::Level;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::axis::Axis;
use crate::kernels::convolution::Convolution;
use crate::kernels::panels::{LANES, Row};
use crate::{Activation, Tensor, Window};

/// A convolution over steps, with windows of `SIZE` steps:
/// `IN` channels → `OUT` channels.
///
/// `ROWS` is ceil(`OUT` / 16)·(1 + `SIZE`·`IN`): for every 16 filters a row of bias, then one
/// for each weight, by places of the window and channels.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Conv1D<const SIZE: usize, const IN: usize, const OUT: usize, const ROWS: usize>(
    [Row; ROWS],
);

impl<const SIZE: usize, const IN: usize, const OUT: usize, const ROWS: usize>
    Conv1D<SIZE, IN, OUT, ROWS>
{
    const CHECKED: () = assert!(ROWS == OUT.div_ceil(LANES) * (1 + SIZE * IN), "ROWS of Conv1D");

    /// `activation(kernel ∗ x + bias)`.
    ///
    /// # Panics
    /// If `y` is too short, or the window has another number of places than the result.
    pub fn apply<'y, const STEPS: usize, const STEPS_OUT: usize>(
        &self,
        x: &[[[f32; IN]; STEPS]],
        window: Window<1>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [[[f32; OUT]; STEPS_OUT]] {
        let y = &mut Tensor::batch_mut(y)[..x.len()];
        self.compute(x, window, activation, false, y);
        y
    }

    /// `activation(y + kernel ∗ x + bias)`, in place of `y`: a residual connection.
    ///
    /// # Panics
    /// If `y` has fewer samples than `x`, or the window has another number of places than the result.
    pub fn add_to<'y, const STEPS: usize, const STEPS_OUT: usize>(
        &self,
        y: &'y mut [[[f32; OUT]; STEPS_OUT]],
        x: &[[[f32; IN]; STEPS]],
        window: Window<1>,
        activation: Activation,
    ) -> &'y mut [[[f32; OUT]; STEPS_OUT]] {
        let y = &mut y[..x.len()];
        self.compute(x, window, activation, true, y);
        y
    }

    fn compute<const STEPS: usize, const STEPS_OUT: usize>(
        &self,
        x: &[[[f32; IN]; STEPS]],
        window: Window<1>,
        activation: Activation,
        adds: bool,
        y: &mut [[[f32; OUT]; STEPS_OUT]],
    ) {
        const { Self::CHECKED };
        let axes = [Axis::ONE, window.axis(0, SIZE, STEPS, STEPS_OUT)];
        let convolution = Convolution { axes, groups: 1, channels: IN, filters: OUT, adds };
        let (x, y) = (Tensor::flat(x), Tensor::flat_mut(y));
        convolution.apply(Level::new(), x, &self.0, activation, y);
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[[f32; OUT]; IN]; SIZE], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        crate::kernels::panels::pack(
            &mut self.0,
            kernel.as_flattened().as_flattened(),
            bias,
            0..OUT,
        );
    }
}

/// A convolution over steps, with windows of `SIZE` steps,
/// in `GROUPS` groups: the `OUT` / `GROUPS` filters of a group see only its own `IN` channels.
///
/// `ROWS` is `GROUPS`·ceil(`OUT` / `GROUPS` / 16)·(1 + `SIZE`·`IN`): the panels of
/// [`Conv1D`](crate::Conv1D) for each group.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct GroupedConv1D<
    const SIZE: usize,
    const IN: usize,
    const OUT: usize,
    const GROUPS: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<const SIZE: usize, const IN: usize, const OUT: usize, const GROUPS: usize, const ROWS: usize>
    GroupedConv1D<SIZE, IN, OUT, GROUPS, ROWS>
{
    const CHECKED: () = {
        assert!(OUT.is_multiple_of(GROUPS), "filters that groups share equally");
        assert!(
            ROWS == GROUPS * (OUT / GROUPS).div_ceil(LANES) * (1 + SIZE * IN),
            "ROWS of GroupedConv1D"
        );
    };

    /// `activation(kernel ∗ x + bias)`, with `C` = `IN`·`GROUPS`.
    ///
    /// # Panics
    /// If `y` is too short, or the window has another number of places than the result.
    pub fn apply<'y, const C: usize, const STEPS: usize, const STEPS_OUT: usize>(
        &self,
        x: &[[[f32; C]; STEPS]],
        window: Window<1>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [[[f32; OUT]; STEPS_OUT]] {
        const {
            let () = Self::CHECKED;
            assert!(C == IN * GROUPS, "the channels of x");
        };
        let convolution = Convolution {
            axes: [Axis::ONE, window.axis(0, SIZE, STEPS, STEPS_OUT)],
            groups: GROUPS,
            channels: C,
            filters: OUT,
            adds: false,
        };
        let y: &mut [[[f32; OUT]; STEPS_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
        let (x, numbers) = (Tensor::flat(x), Tensor::flat_mut(y));
        convolution.apply(Level::new(), x, &self.0, activation, numbers);
        y
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[[f32; OUT]; IN]; SIZE], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        let filters = OUT / GROUPS;
        let groups = self.0.chunks_exact_mut(ROWS / GROUPS);
        for (group, panels) in groups.enumerate() {
            let columns = group * filters..(group + 1) * filters;
            crate::kernels::panels::pack(
                panels,
                kernel.as_flattened().as_flattened(),
                bias,
                columns,
            );
        }
    }
}
