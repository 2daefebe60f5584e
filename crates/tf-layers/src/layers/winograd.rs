use fearless_simd::Level;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::axis::Axis;
use crate::kernels::panels::{LANES, Row};
use crate::kernels::winograd::{Windows, Winograd};
use crate::{Activation, Tensor, Window};

/// A convolution over steps, with windows of `SIZE` steps at every step, by Winograd's F(`M`, `R`):
/// `M` outputs for `R` steps of a window at a time, which take `M` + `R` − 1 products, 6 or 8, where
/// the definition takes `M`·`R`. `IN` channels → `OUT` channels, 16 of each or more.
///
/// `ROWS` is (`M` + `R` − 1)·ceil(`OUT` / 16)·(1 + ceil(`SIZE` / `R`)·`IN`): the panels of
/// [`Dense`](crate::Dense) for each of the products.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct WinogradConv1D<
    const M: usize,
    const R: usize,
    const SIZE: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<
    const M: usize,
    const R: usize,
    const SIZE: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
> WinogradConv1D<M, R, SIZE, IN, OUT, ROWS>
{
    const CHECKED: () = {
        assert!(IN >= LANES && OUT >= LANES, "as many channels as a row has");
        assert!(matches!((M, R), (4, 3) | (5, 4) | (4, 5)), "a method that there is");
        assert!(ROWS == Self::WINOGRAD.rows(), "ROWS of WinogradConv1D");
    };

    const WINOGRAD: Winograd = Winograd {
        windows: [Windows::ONE, Windows { size: SIZE, outputs: M, taps: R }],
        channels: IN,
        filters: OUT,
    };

    /// Numbers that [`Self::apply`] computes in, however many samples there are.
    pub const WORK: usize = Self::WINOGRAD.work();

    /// `activation(kernel ∗ x + bias)`.
    ///
    /// # Panics
    /// If `y` or `work` is too short, the window has another number of places than the result, or
    /// strides or dilations.
    pub fn apply<'y, const STEPS: usize, const STEPS_OUT: usize>(
        &self,
        x: &[[[f32; IN]; STEPS]],
        window: Window<1>,
        activation: Activation,
        work: &mut [f32],
        y: &'y mut [f32],
    ) -> &'y mut [[[f32; OUT]; STEPS_OUT]] {
        const { Self::CHECKED };
        let images = Self::WINOGRAD.over([Axis::ONE, window.axis(0, SIZE, STEPS, STEPS_OUT)]);
        let y: &mut [[[f32; OUT]; STEPS_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
        let (x, numbers) = (Tensor::flat(x), Tensor::flat_mut(y));
        let work = &mut work[..Self::WORK];
        images.apply(Level::new(), x, &self.0, activation, work, numbers);
        y
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[[f32; OUT]; IN]; SIZE], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        let kernel = kernel.as_flattened().as_flattened();
        Self::WINOGRAD.pack(&mut self.0, kernel, bias);
    }
}

/// A convolution over images, with windows of 3 rows and 3 columns at every pixel, by Winograd's
/// F(2×`M`, 3×3): 2 rows of `M` outputs at a time, 2 or 4, by 4·(`M` + 2) products where the
/// definition takes 18·`M`. `IN` channels → `OUT` channels, 16 of each or more.
///
/// `ROWS` is 4·(`M` + 2)·ceil(`OUT` / 16)·(1 + `IN`): the panels of [`Dense`](crate::Dense) for each
/// of the products.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct WinogradConv2D<const M: usize, const IN: usize, const OUT: usize, const ROWS: usize>(
    [Row; ROWS],
);

impl<const M: usize, const IN: usize, const OUT: usize, const ROWS: usize>
    WinogradConv2D<M, IN, OUT, ROWS>
{
    const CHECKED: () = {
        assert!(IN >= LANES && OUT >= LANES, "as many channels as a row has");
        assert!(M == 2 || M == 4, "2 or 4 outputs side by side");
        assert!(ROWS == Self::WINOGRAD.rows(), "ROWS of WinogradConv2D");
    };

    const WINOGRAD: Winograd = Winograd {
        windows: [
            Windows { size: 3, outputs: 2, taps: 3 },
            Windows { size: 3, outputs: M, taps: 3 },
        ],
        channels: IN,
        filters: OUT,
    };

    /// Numbers that [`Self::apply`] computes in, however many samples there are.
    pub const WORK: usize = Self::WINOGRAD.work();

    /// `activation(kernel ∗ x + bias)`.
    ///
    /// # Panics
    /// If `y` or `work` is too short, the window has another number of places than the result, or
    /// strides or dilations.
    pub fn apply<'y, const H: usize, const W: usize, const H_OUT: usize, const W_OUT: usize>(
        &self,
        x: &[[[[f32; IN]; W]; H]],
        window: Window<2>,
        activation: Activation,
        work: &mut [f32],
        y: &'y mut [f32],
    ) -> &'y mut [[[[f32; OUT]; W_OUT]; H_OUT]] {
        const { Self::CHECKED };
        let axes = [window.axis(0, 3, H, H_OUT), window.axis(1, 3, W, W_OUT)];
        let images = Self::WINOGRAD.over(axes);
        let y: &mut [[[[f32; OUT]; W_OUT]; H_OUT]] = &mut Tensor::batch_mut(y)[..x.len()];
        let (x, numbers) = (Tensor::flat(x), Tensor::flat_mut(y));
        let work = &mut work[..Self::WORK];
        images.apply(Level::new(), x, &self.0, activation, work, numbers);
        y
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[[[f32; OUT]; IN]; 3]; 3], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        let kernel = kernel.as_flattened().as_flattened().as_flattened();
        Self::WINOGRAD.pack(&mut self.0, kernel, bias);
    }
}
