use fearless_simd::Level;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::convolution::Convolution;
use crate::kernels::panels::{LANES, Row};
use crate::layers::bands::Bands;
use crate::{Activation, Tensor, Window};

/// A convolution over images, with windows of `KH` rows and `KW` columns:
/// `IN` channels → `OUT` channels.
///
/// `ROWS` is ceil(`OUT` / 16)·(1 + `KH`·`KW`·`IN`): for every 16 filters a row of bias, then one
/// for each weight, by rows and columns of the window and channels.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Conv2D<
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<const KH: usize, const KW: usize, const IN: usize, const OUT: usize, const ROWS: usize>
    Conv2D<KH, KW, IN, OUT, ROWS>
{
    const CHECKED: () = assert!(ROWS == OUT.div_ceil(LANES) * (1 + KH * KW * IN), "ROWS of Conv2D");

    /// `activation(kernel ∗ x + bias)`.
    ///
    /// # Panics
    /// If `y` is too short, or the window has another number of places than the result.
    pub fn apply<'y, const H: usize, const W: usize, const H_OUT: usize, const W_OUT: usize>(
        &self,
        x: &[[[[f32; IN]; W]; H]],
        window: Window<2>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [[[[f32; OUT]; W_OUT]; H_OUT]] {
        let y = &mut Tensor::batch_mut(y)[..x.len()];
        self.compute(x, window, activation, false, y);
        y
    }

    /// `activation(y + kernel ∗ x + bias)`, in place of `y`: a residual connection.
    ///
    /// # Panics
    /// If `y` has fewer samples than `x`, or the window has another number of places than the result.
    pub fn add_to<'y, const H: usize, const W: usize, const H_OUT: usize, const W_OUT: usize>(
        &self,
        y: &'y mut [[[[f32; OUT]; W_OUT]; H_OUT]],
        x: &[[[[f32; IN]; W]; H]],
        window: Window<2>,
        activation: Activation,
    ) -> &'y mut [[[[f32; OUT]; W_OUT]; H_OUT]] {
        let y = &mut y[..x.len()];
        self.compute(x, window, activation, true, y);
        y
    }

    /// `activation(kernel ∗ x + bias)`, whose rows are computed as the next layer reads them.
    ///
    /// # Panics
    /// If the window has another number of places than the result.
    pub fn bands<'a, const H: usize, const W: usize, const H_OUT: usize, const W_OUT: usize>(
        &'a self,
        x: &'a [[[[f32; IN]; W]; H]],
        window: Window<2>,
        activation: Activation,
    ) -> Bands<'a, H_OUT, W_OUT, OUT> {
        let convolution = Self::convolution(window, [H, W], [H_OUT, W_OUT], false);
        Bands::new(convolution, &self.0, activation, Tensor::flat(x), x.len())
    }

    fn compute<const H: usize, const W: usize, const H_OUT: usize, const W_OUT: usize>(
        &self,
        x: &[[[[f32; IN]; W]; H]],
        window: Window<2>,
        activation: Activation,
        adds: bool,
        y: &mut [[[[f32; OUT]; W_OUT]; H_OUT]],
    ) {
        let convolution = Self::convolution(window, [H, W], [H_OUT, W_OUT], adds);
        let (x, y) = (Tensor::flat(x), Tensor::flat_mut(y));
        convolution.apply(Level::new(), x, &self.0, activation, y);
    }

    fn convolution(
        window: Window<2>,
        steps: [usize; 2],
        steps_out: [usize; 2],
        adds: bool,
    ) -> Convolution {
        const { Self::CHECKED };
        let axis = |d: usize, size: usize| window.axis(d, size, steps[d], steps_out[d]);
        Convolution {
            axes: [axis(0, KH), axis(1, KW)],
            groups: 1,
            channels: IN,
            filters: OUT,
            adds,
        }
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[[[f32; OUT]; IN]; KW]; KH], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        crate::kernels::panels::pack(
            &mut self.0,
            kernel.as_flattened().as_flattened().as_flattened(),
            bias,
            0..OUT,
        );
    }
}

/// A convolution over images, with windows of `KH` rows and `KW` columns,
/// in `GROUPS` groups: the `OUT` / `GROUPS` filters of a group see only its own `IN` channels.
///
/// `ROWS` is `GROUPS`·ceil(`OUT` / `GROUPS` / 16)·(1 + `KH`·`KW`·`IN`): the panels of
/// [`Conv2D`](crate::Conv2D) for each group.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct GroupedConv2D<
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const GROUPS: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const GROUPS: usize,
    const ROWS: usize,
> GroupedConv2D<KH, KW, IN, OUT, GROUPS, ROWS>
{
    const CHECKED: () = {
        assert!(OUT.is_multiple_of(GROUPS), "filters that groups share equally");
        assert!(
            ROWS == GROUPS * (OUT / GROUPS).div_ceil(LANES) * (1 + KH * KW * IN),
            "ROWS of GroupedConv2D"
        );
    };

    /// `activation(kernel ∗ x + bias)`, with `C` = `IN`·`GROUPS`.
    ///
    /// # Panics
    /// If `y` is too short, or the window has another number of places than the result.
    pub fn apply<
        'y,
        const C: usize,
        const H: usize,
        const W: usize,
        const H_OUT: usize,
        const W_OUT: usize,
    >(
        &self,
        x: &[[[[f32; C]; W]; H]],
        window: Window<2>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [[[[f32; OUT]; W_OUT]; H_OUT]] {
        const {
            let () = Self::CHECKED;
            assert!(C == IN * GROUPS, "the channels of x");
        };
        let convolution = Convolution {
            axes: [window.axis(0, KH, H, H_OUT), window.axis(1, KW, W, W_OUT)],
            groups: GROUPS,
            channels: C,
            filters: OUT,
            adds: false,
        };
        let y: &mut [[[[f32; OUT]; W_OUT]; H_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
        let (x, numbers) = (Tensor::flat(x), Tensor::flat_mut(y));
        convolution.apply(Level::new(), x, &self.0, activation, numbers);
        y
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[[[f32; OUT]; IN]; KW]; KH], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        let filters = OUT / GROUPS;
        let groups = self.0.chunks_exact_mut(ROWS / GROUPS);
        for (group, panels) in groups.enumerate() {
            let columns = group * filters..(group + 1) * filters;
            crate::kernels::panels::pack(
                panels,
                kernel.as_flattened().as_flattened().as_flattened(),
                bias,
                columns,
            );
        }
    }
}
