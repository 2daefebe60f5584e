//! The loops that do the work: over slices and sizes, so that they are compiled once for all shapes.

pub(crate) mod activation;
pub(crate) mod axis;
pub(crate) mod bands;
pub(crate) mod chain;
pub(crate) mod convolution;
pub(crate) mod convolution3d;
pub(crate) mod convolution_transpose;
pub(crate) mod cumulative;
pub(crate) mod depthwise;
pub(crate) mod dispatch;
pub(crate) mod elementwise;
pub(crate) mod fingerprint;
pub(crate) mod fourier;
pub(crate) mod gemm;
pub(crate) mod layer_normalization;
pub(crate) mod mirror;
pub(crate) mod panels;
#[cfg(test)]
mod peak;
pub(crate) mod pooling;
pub(crate) mod rectangle;
pub(crate) mod reduction;
pub(crate) mod resampling;
pub(crate) mod siphash;
pub(crate) mod softmax;
pub(crate) mod strided;
pub(crate) mod sweep;
#[cfg(test)]
pub(crate) mod testing;
pub(crate) mod tile;
pub(crate) mod toom_cook;
pub(crate) mod top_k;
pub(crate) mod transposition;
pub(crate) mod winograd;
pub(crate) mod winograd_tiles;
