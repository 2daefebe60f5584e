use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::axis::Axis;
use crate::kernels::convolution_transpose::ConvolutionTranspose;
use crate::kernels::panels::{LANES, Row};
use crate::{Activation, Tensor, Window};

/// A transposed convolution over steps, with windows of `SIZE` steps: `IN` channels → `OUT`
/// channels.
///
/// `ROWS` is ceil(`OUT` / 16)·(1 + `SIZE`·`IN`): for every 16 filters a row of bias, then one for
/// each weight, by places of the window and channels.
///
/// ```
/// # #[cfg(feature = "pack")] {
/// use tf_layers::zerocopy::FromZeros;
/// use tf_layers::{Conv1DTranspose, Window, activation};
///
/// let mut layer: Conv1DTranspose<3, 1, 1, 4> = Conv1DTranspose::new_zeroed();
/// layer.pack(&[[[1.0]], [[2.0]], [[3.0]]], &[0.0]);
/// let mut scratch = [0.0; 5];
/// let window = Window::valid().strides([2]);
/// let y: &mut [[[f32; 1]; 5]] =
///     layer.apply(&[[[1.0], [10.0]]], window, activation::LINEAR, &mut scratch);
/// assert_eq!(y, [[[1.0], [2.0], [13.0], [20.0], [30.0]]]);
/// # }
/// ```
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Conv1DTranspose<const SIZE: usize, const IN: usize, const OUT: usize, const ROWS: usize>(
    [Row; ROWS],
);

impl<const SIZE: usize, const IN: usize, const OUT: usize, const ROWS: usize>
    Conv1DTranspose<SIZE, IN, OUT, ROWS>
{
    const CHECKED: () =
        assert!(ROWS == OUT.div_ceil(LANES) * (1 + SIZE * IN), "ROWS of Conv1DTranspose");

    /// `activation(y + bias)`, where every step of `x` adds a window to y. `window` is that of the
    /// convolution from the output to the input.
    ///
    /// # Panics
    /// If `y` is too short, or the window has another number of places over `STEPS_OUT` than
    /// `STEPS`.
    pub fn apply<'y, const STEPS: usize, const STEPS_OUT: usize>(
        &self,
        x: &[[[f32; IN]; STEPS]],
        window: Window<1>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [[[f32; OUT]; STEPS_OUT]] {
        const { Self::CHECKED };
        let convolution = ConvolutionTranspose {
            axes: [Axis::ONE, Axis::ONE, window.axis(0, SIZE, STEPS_OUT, STEPS)],
            channels: IN,
            filters: OUT,
        };
        let y: &mut [[[f32; OUT]; STEPS_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
        convolution.apply(Tensor::flat(x), &self.0, Tensor::flat_mut(y));
        activation.apply(Tensor::flat_mut(y));
        y
    }

    /// Takes the weights as [`Conv1D`](crate::Conv1D) does; Keras keeps those of a transposed
    /// layer with `IN` and `OUT` swapped.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[[f32; OUT]; IN]; SIZE], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        let kernel = kernel.as_flattened().as_flattened();
        crate::kernels::panels::pack(&mut self.0, kernel, bias, 0..OUT);
    }
}
