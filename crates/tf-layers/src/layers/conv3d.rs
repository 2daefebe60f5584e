use fearless_simd::Level;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::convolution::Convolution;
use crate::kernels::convolution3d::Convolution3D;
use crate::kernels::panels::{LANES, Row};
use crate::{Activation, Tensor, Volume, Window};

/// A convolution over volumes, with windows of `KD` planes, `KH` rows and `KW` columns, in
/// `GROUPS` groups: the `OUT` / `GROUPS` filters of a group see only its own `IN` channels.
///
/// `ROWS` is `KD`·`GROUPS`·ceil(`OUT` / `GROUPS` / 16)·(1 + `KH`·`KW`·`IN`): for each plane of the
/// window, each group and every 16 of its filters a row of bias, which is 0 but for the first plane,
/// then one for each weight, by rows and columns of the window and channels.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Conv3D<
    const KD: usize,
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const GROUPS: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<
    const KD: usize,
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const GROUPS: usize,
    const ROWS: usize,
> Conv3D<KD, KH, KW, IN, OUT, GROUPS, ROWS>
{
    const CHECKED: () = {
        assert!(OUT.is_multiple_of(GROUPS), "filters that groups share equally");
        assert!(
            ROWS == KD * GROUPS * (OUT / GROUPS).div_ceil(LANES) * (1 + KH * KW * IN),
            "ROWS of Conv3D"
        );
    };

    /// `activation(kernel ∗ x + bias)`, with `C` = `IN`·`GROUPS`.
    ///
    /// # Panics
    /// If `y` is too short, or the window has another number of places than the result.
    pub fn apply<
        'y,
        const C: usize,
        const D: usize,
        const H: usize,
        const W: usize,
        const D_OUT: usize,
        const H_OUT: usize,
        const W_OUT: usize,
    >(
        &self,
        x: &[Volume<D, H, W, C>],
        window: Window<3>,
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [Volume<D_OUT, H_OUT, W_OUT, OUT>] {
        const {
            let () = Self::CHECKED;
            assert!(C == IN * GROUPS, "the channels of x");
        };
        let plane = Convolution {
            axes: [window.axis(1, KH, H, H_OUT), window.axis(2, KW, W, W_OUT)],
            groups: GROUPS,
            channels: C,
            filters: OUT,
            adds: false,
        };
        let convolution = Convolution3D { depth: window.axis(0, KD, D, D_OUT), plane };
        let y: &mut [Volume<D_OUT, H_OUT, W_OUT, OUT>] = &mut Tensor::batch_mut(y)[..x.len()];
        let (x, to) = (Tensor::flat(x), Tensor::flat_mut(y));
        convolution.apply(Level::new(), x, &self.0, activation, to);
        y
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[Volume<KH, KW, IN, OUT>; KD], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        let filters = OUT / GROUPS;
        for (k, panels) in self.0.chunks_exact_mut(ROWS / KD).enumerate() {
            let bias = if k == 0 { bias } else { &[0.0; OUT] };
            for (group, panels) in panels.chunks_exact_mut(ROWS / KD / GROUPS).enumerate() {
                let columns = group * filters..(group + 1) * filters;
                crate::kernels::panels::pack(panels, Tensor::flat(&kernel[k]), bias, columns);
            }
        }
    }
}
