use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::convolution_transpose::ConvolutionTranspose;
use crate::kernels::panels::{LANES, Row};
use crate::{Activation, Tensor, Volume, Window};

/// A transposed convolution over volumes, with windows of `KD` planes, `KH` rows and `KW` columns:
/// `IN` channels → `OUT` channels.
///
/// `ROWS` is ceil(`OUT` / 16)·(1 + `KD`·`KH`·`KW`·`IN`): for every 16 filters a row of bias, then
/// one for each weight, by planes, rows and columns of the window and channels.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Conv3DTranspose<
    const KD: usize,
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<
    const KD: usize,
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
> Conv3DTranspose<KD, KH, KW, IN, OUT, ROWS>
{
    const CHECKED: () =
        assert!(ROWS == OUT.div_ceil(LANES) * (1 + KD * KH * KW * IN), "ROWS of Conv3DTranspose");

    /// `activation(y + bias)`, where every voxel of `x` adds a window to y. `window` is that of the
    /// convolution from the output to the input.
    ///
    /// # Panics
    /// If `y` is too short, or the window has other places over `D_OUT`, `H_OUT` and `W_OUT` than
    /// `D`, `H` and `W`.
    pub fn apply<
        'y,
        const D: usize,
        const H: usize,
        const W: usize,
        const D_OUT: usize,
        const H_OUT: usize,
        const W_OUT: usize,
    >(
        &self,
        x: &[Volume<D, H, W, IN>],
        window: Window<3>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [Volume<D_OUT, H_OUT, W_OUT, OUT>] {
        const { Self::CHECKED };
        let convolution = ConvolutionTranspose {
            axes: [
                window.axis(0, KD, D_OUT, D),
                window.axis(1, KH, H_OUT, H),
                window.axis(2, KW, W_OUT, W),
            ],
            channels: IN,
            filters: OUT,
        };
        let y: &mut [Volume<D_OUT, H_OUT, W_OUT, OUT>] = &mut Tensor::batch_mut(y)[..x.len()];
        convolution.apply(Tensor::flat(x), &self.0, Tensor::flat_mut(y));
        activation.apply(Tensor::flat_mut(y));
        y
    }

    /// Takes the weights as [`Conv3D`](crate::Conv3D) does; Keras keeps those of a transposed
    /// layer with `IN` and `OUT` swapped.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[Volume<KH, KW, IN, OUT>; KD], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        crate::kernels::panels::pack(&mut self.0, Tensor::flat(kernel), bias, 0..OUT);
    }
}
