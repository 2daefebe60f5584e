use crate::Activation;
use crate::kernels::chain::First;
use crate::kernels::convolution::Convolution;
use crate::kernels::panels::Row;

/// A batch of images of `H` rows, `W` columns and `C` channels that no memory holds: a convolution
/// computes bands of their rows as a [`DepthwiseConv2D`](crate::DepthwiseConv2D) reads them, while they
/// are in the cache.
#[derive(Clone, Copy, Debug)]
pub struct Bands<'a, const H: usize, const W: usize, const C: usize> {
    pub(crate) first: First<'a>,
    pub(crate) x: &'a [f32],
    pub(crate) samples: usize,
}

impl<'a, const H: usize, const W: usize, const C: usize> Bands<'a, H, W, C> {
    pub(crate) fn new(
        convolution: Convolution,
        panels: &'a [Row],
        activation: Activation,
        x: &'a [f32],
        samples: usize,
    ) -> Self {
        Self { first: First { convolution, panels, activation }, x, samples }
    }
}
