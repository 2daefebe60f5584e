//! Layers: types that hold weights in the order in which their kernels read them.

mod batch_normalization;
mod constant;
mod conv1d;
mod conv1d_transpose;
mod conv2d;
mod conv2d_transpose;
mod dense;
mod depthwise_conv1d;
mod depthwise_conv2d;
mod embedding;
mod gru;
mod lstm;
mod recurrent;
mod resampling;
mod simple_rnn;
mod vocabulary;

pub use crate::kernels::panels::Row;
pub use batch_normalization::BatchNormalization;
pub use constant::Constant;
pub use conv1d::{Conv1D, GroupedConv1D};
pub use conv1d_transpose::Conv1DTranspose;
pub use conv2d::{Conv2D, GroupedConv2D};
pub use conv2d_transpose::Conv2DTranspose;
pub use dense::Dense;
pub use depthwise_conv1d::DepthwiseConv1D;
pub use depthwise_conv2d::DepthwiseConv2D;
pub(crate) use embedding::copy_rows;
pub use embedding::{Embedding, Word};
pub use gru::{Gru, GruCell, GruResetBefore, GruResetBeforeCell};
pub use lstm::{Lstm, LstmCell};
pub use recurrent::{Run, Steps};
pub use resampling::Resampling;
pub use simple_rnn::{SimpleRnn, SimpleRnnCell};
pub use vocabulary::{UnknownWord, Vocabulary};
