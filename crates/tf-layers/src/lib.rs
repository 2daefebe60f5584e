//! The layers of TensorFlow models, in safe Rust.
//!
//! A layer holds its weights in the order in which its kernel reads them, as whole [`Row`]s, so
//! that a program can use them in place. Its `apply` takes a batch of samples and a buffer, and
//! returns what it wrote there. Shapes are types: those that don't fit don't compile.
//!
//! tf2rust writes crates that call it; it can be used by hand too. The last number of a layer's
//! type counts its rows, as the type's documentation says; a wrong one doesn't compile.
//!
//! ```
//! # #[cfg(feature = "pack")] {
//! use tf_layers::zerocopy::FromZeros;
//! use tf_layers::{Dense, activation};
//!
//! let mut hidden: Dense<2, 3, 3> = Dense::new_zeroed();
//! hidden.pack(&[[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]], &[0.5, 0.0, 0.0]);
//! let mut score: Dense<3, 1, 4> = Dense::new_zeroed();
//! score.pack(&[[1.0], [2.0], [4.0]], &[-1.0]);
//!
//! let samples = [[1.0_f32, 2.0], [3.0, -4.0]];
//! let (mut a, mut b) = ([0.0; 6], [0.0; 2]);
//! let hidden: &[[f32; 3]] = hidden.apply(&samples, activation::RELU, &mut a);
//! assert_eq!(hidden, [[1.5, 2.0, 1.0], [3.5, 0.0, 0.0]]);
//! let score: &[[f32; 1]] = score.apply(hidden, activation::LINEAR, &mut b);
//! assert_eq!(score, [[8.5], [2.5]]);
//! # }
//! ```
//!
//! [`ops`] are the steps without weights, [`math`] the functions of numbers that they take. With the
//! feature `npz` there is a module of that name, which reads the weights and samples that numpy
//! writes, and `compare` for predictions; with `pack`, layers take weights.

#![forbid(unsafe_code)]

#[cfg(target_endian = "big")]
compile_error!("tf-layers reads weights in place, and they are little-endian");

pub mod activation;
mod buffer;
#[cfg(feature = "npz")]
pub mod compare;
mod confidence;
mod fingerprint;
mod in_parallel;
mod input_error;
mod intermediate;
mod kernels;
mod layers;
pub mod math;
#[cfg(feature = "npz")]
pub mod npz;
pub mod ops;
mod tensor;
mod text;
mod threads;
mod tokenizer;
mod weights;
mod window;
mod zeros;

pub use activation::Activation;
pub use buffer::Buffer;
pub use confidence::{Confidence, Thresholds};
pub use fingerprint::fingerprint;
pub use in_parallel::in_parallel;
pub use input_error::InputError;
pub use intermediate::{Intermediate, Values};
pub use layers::{
    Bands, BatchNormalization, Constant, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Conv3D,
    Conv3DTranspose, Dense, DepthwiseConv1D, DepthwiseConv2D, Embedding, Fourier, GroupedConv1D,
    GroupedConv2D, Gru, GruCell, GruResetBefore, GruResetBeforeCell, LayerNormalization, Lstm,
    LstmCell, Resampling, Row, Run, SimpleRnn, SimpleRnnCell, Steps, UnknownWord, Vocabulary,
    WinogradConv1D, WinogradConv2D, Word,
};
pub use ops::Hash;
pub use tensor::{Number, Rank5, Rank6, Rank7, Rank8, Shape, Tensor, Volume};
pub use text::Text;
pub use tokenizer::Tokenizer;
pub use weights::{Weights, WeightsError};
pub use window::Window;
pub use zerocopy;
pub use zeros::zeros;

/// Compiles and runs the example of the README.
#[cfg(all(doctest, feature = "pack"))]
#[doc = include_str!("../README.md")]
struct Readme;
