use fearless_simd::Level;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::chain::{Chain, Second};
use crate::kernels::depthwise::Depthwise;
use crate::kernels::panels::{LANES, Row};
use crate::layers::bands::Bands;
use crate::{Activation, Tensor, Window};

/// A convolution of each channel for itself over images, with windows of `KH` rows and `KW` columns.
/// Channel c of the input gives the channels c·`MULTIPLIER`, … of the output.
///
/// `ROWS` is (1 + `KH`·`KW`)·ceil(`CHANNELS`·`MULTIPLIER` / 16): the bias of all channels, then
/// their weights at each place of the window.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct DepthwiseConv2D<
    const KH: usize,
    const KW: usize,
    const CHANNELS: usize,
    const MULTIPLIER: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<
    const KH: usize,
    const KW: usize,
    const CHANNELS: usize,
    const MULTIPLIER: usize,
    const ROWS: usize,
> DepthwiseConv2D<KH, KW, CHANNELS, MULTIPLIER, ROWS>
{
    const CHECKED: () = assert!(
        ROWS == (1 + KH * KW) * (CHANNELS * MULTIPLIER).div_ceil(LANES),
        "ROWS of DepthwiseConv2D"
    );

    /// `activation(kernel ∗ x + bias)`, with `OUT` = `CHANNELS`·`MULTIPLIER`.
    ///
    /// # Panics
    /// If `y` is too short, or the window has another number of places than the result.
    pub fn apply<
        'y,
        const OUT: usize,
        const H: usize,
        const W: usize,
        const H_OUT: usize,
        const W_OUT: usize,
    >(
        &self,
        x: &[[[[f32; CHANNELS]; W]; H]],
        window: Window<2>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [[[[f32; OUT]; W_OUT]; H_OUT]] {
        const {
            let () = Self::CHECKED;
            assert!(OUT == CHANNELS * MULTIPLIER, "the channels of y");
        };
        let depthwise = Self::depthwise(window, [H, W], [H_OUT, W_OUT]);
        let y: &mut [[[[f32; OUT]; W_OUT]; H_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
        let (x, numbers) = (Tensor::flat(x), Tensor::flat_mut(y));
        depthwise.apply(Level::new(), x, &self.0, activation, numbers);
        y
    }

    /// The same for images whose rows are computed in `work` as they are read, band by band.
    ///
    /// # Panics
    /// If `y` or `work` is too short, or the window has another number of places than the result.
    pub fn apply_to_bands<
        'y,
        const H: usize,
        const W: usize,
        const H_OUT: usize,
        const W_OUT: usize,
    >(
        &self,
        x: Bands<'_, H, W, CHANNELS>,
        window: Window<2>,
        activation: Activation,
        work: &mut [f32],
        y: &'y mut [f32],
    ) -> &'y mut [[[[f32; CHANNELS]; W_OUT]; H_OUT]] {
        const {
            let () = Self::CHECKED;
            assert!(MULTIPLIER == 1, "one channel of y for each of x");
        };
        let depthwise = Self::depthwise(window, [H, W], [H_OUT, W_OUT]);
        let second = Second { depthwise, weights: &self.0, activation };
        let y: &mut [[[[f32; CHANNELS]; W_OUT]; H_OUT]] = &mut Tensor::batch_mut(y)[..x.samples];
        let numbers = Tensor::flat_mut(y);
        Chain { first: x.first, second }.apply(Level::new(), x.x, work, numbers);
        y
    }

    fn depthwise(window: Window<2>, steps: [usize; 2], steps_out: [usize; 2]) -> Depthwise {
        let axis = |d: usize, size: usize| window.axis(d, size, steps[d], steps_out[d]);
        Depthwise { axes: [axis(0, KH), axis(1, KW)], channels: CHANNELS, multiplier: MULTIPLIER }
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(
        &mut self,
        kernel: &[[[[f32; MULTIPLIER]; CHANNELS]; KW]; KH],
        bias: &[[f32; MULTIPLIER]; CHANNELS],
    ) {
        const { Self::CHECKED };
        crate::kernels::depthwise::pack(
            &mut self.0,
            kernel.as_flattened().as_flattened().as_flattened(),
            bias.as_flattened(),
        );
    }
}
