use fearless_simd::Level;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::axis::Axis;
use crate::kernels::depthwise::Depthwise;
use crate::kernels::panels::{LANES, Row};
use crate::{Activation, Tensor, Window};

/// A convolution of each channel for itself over steps, with windows of `SIZE` steps.
/// Channel c of the input gives the channels c·`MULTIPLIER`, … of the output.
///
/// `ROWS` is (1 + `SIZE`)·ceil(`CHANNELS`·`MULTIPLIER` / 16): the bias of all channels, then
/// their weights at each place of the window.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct DepthwiseConv1D<
    const SIZE: usize,
    const CHANNELS: usize,
    const MULTIPLIER: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<const SIZE: usize, const CHANNELS: usize, const MULTIPLIER: usize, const ROWS: usize>
    DepthwiseConv1D<SIZE, CHANNELS, MULTIPLIER, ROWS>
{
    const CHECKED: () = assert!(
        ROWS == (1 + SIZE) * (CHANNELS * MULTIPLIER).div_ceil(LANES),
        "ROWS of DepthwiseConv1D"
    );

    /// `activation(kernel ∗ x + bias)`, with `OUT` = `CHANNELS`·`MULTIPLIER`.
    ///
    /// # Panics
    /// If `y` is too short, or the window has another number of places than the result.
    pub fn apply<'y, const OUT: usize, const STEPS: usize, const STEPS_OUT: usize>(
        &self,
        x: &[[[f32; CHANNELS]; STEPS]],
        window: Window<1>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [[[f32; OUT]; STEPS_OUT]] {
        const {
            let () = Self::CHECKED;
            assert!(OUT == CHANNELS * MULTIPLIER, "the channels of y");
        };
        let depthwise = Depthwise {
            axes: [Axis::ONE, window.axis(0, SIZE, STEPS, STEPS_OUT)],
            channels: CHANNELS,
            multiplier: MULTIPLIER,
        };
        let y: &mut [[[f32; OUT]; STEPS_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
        let (x, numbers) = (Tensor::flat(x), Tensor::flat_mut(y));
        depthwise.apply(Level::new(), x, &self.0, activation, numbers);
        y
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(
        &mut self,
        kernel: &[[[f32; MULTIPLIER]; CHANNELS]; SIZE],
        bias: &[[f32; MULTIPLIER]; CHANNELS],
    ) {
        const { Self::CHECKED };
        crate::kernels::depthwise::pack(
            &mut self.0,
            kernel.as_flattened().as_flattened(),
            bias.as_flattened(),
        );
    }
}
