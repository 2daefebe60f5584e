use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::axis::Axis;
use crate::kernels::convolution_transpose::ConvolutionTranspose;
use crate::kernels::panels::{LANES, Row};
use crate::{Activation, Tensor, Window};

/// A transposed convolution over images, with windows of `KH` rows and `KW` columns: `IN`
/// channels → `OUT` channels.
///
/// `ROWS` is ceil(`OUT` / 16)·(1 + `KH`·`KW`·`IN`): for every 16 filters a row of bias, then one
/// for each weight, by rows and columns of the window and channels.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Conv2DTranspose<
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<const KH: usize, const KW: usize, const IN: usize, const OUT: usize, const ROWS: usize>
    Conv2DTranspose<KH, KW, IN, OUT, ROWS>
{
    const CHECKED: () =
        assert!(ROWS == OUT.div_ceil(LANES) * (1 + KH * KW * IN), "ROWS of Conv2DTranspose");

    /// `activation(y + bias)`, where every pixel of `x` adds a window to y. `window` is that of the
    /// convolution from the output to the input.
    ///
    /// # Panics
    /// If `y` is too short, or the window has other places over `H_OUT` and `W_OUT` than `H` and
    /// `W`.
    pub fn apply<'y, const H: usize, const W: usize, const H_OUT: usize, const W_OUT: usize>(
        &self,
        x: &[[[[f32; IN]; W]; H]],
        window: Window<2>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [[[[f32; OUT]; W_OUT]; H_OUT]] {
        const { Self::CHECKED };
        let convolution = ConvolutionTranspose {
            axes: [Axis::ONE, window.axis(0, KH, H_OUT, H), window.axis(1, KW, W_OUT, W)],
            channels: IN,
            filters: OUT,
        };
        let y: &mut [[[[f32; OUT]; W_OUT]; H_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
        convolution.apply(Tensor::flat(x), &self.0, Tensor::flat_mut(y));
        activation.apply(Tensor::flat_mut(y));
        y
    }

    /// Takes the weights as [`Conv2D`](crate::Conv2D) does; Keras keeps those of a transposed
    /// layer with `IN` and `OUT` swapped.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[[[f32; OUT]; IN]; KW]; KH], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        let kernel = kernel.as_flattened().as_flattened().as_flattened();
        crate::kernels::panels::pack(&mut self.0, kernel, bias, 0..OUT);
    }
}
