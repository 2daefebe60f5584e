//! Operations without weights: functions of batches of tensors.
//!
//! Most write to a buffer `y`, at least as long as the result, and return what they wrote there;
//! its type, `&mut [Y]`, comes from where it goes. Those that end in `_mut` work in place. Where
//! several batches meet, a batch of one stands for all samples. Axes are counted with the batch as
//! axis 0, as TensorFlow does.
//!
//! ```
//! use tf_layers::ops;
//!
//! let x = [[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]];
//! let mut scratch = [0.0; 6];
//! let y: &mut [[f32; 3]] = ops::map2(&x, &[10.0_f32], &mut scratch, |x1, x2| x1 * x2);
//! assert_eq!(y, [[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]]);
//!
//! let mut scratch = [0.0; 2];
//! let y: &mut [f32] = ops::reduce_sum(&x, &[1], &mut scratch);
//! assert_eq!(y, [6.0, 15.0]);
//! ```
//!
//! # Panics
//!
//! All panic if a buffer is too short, if shapes or axes don't fit each other, or if batches have
//! different numbers of samples: mistakes of the program, whatever the numbers are.

mod arg;
mod bincount;
mod bucketize;
mod cumulative;
mod elementwise;
mod gather_along;
mod hash;
mod look_up;
mod matmul;
mod mirror_pad;
mod pooling;
mod pooling3d;
mod reduce;
mod repeat;
mod rounds;
mod shape;
mod softmax;
mod top_k;

pub use arg::{Place, arg_max, arg_min};
pub use bincount::{Count, bincount, multi_hot};
pub use bucketize::{Bounded, bucketize};
pub use cumulative::{cumprod, cumsum};
pub use elementwise::{
    activate, activate_mut, map, map_mut, map2, map2_mut, map3, map3_mut, map4, map4_mut,
};
pub use gather_along::gather_along;
pub use hash::{Crossed, Hash, hash_crossing, hash_integers, hash_text};
pub use look_up::{look_up, look_up_integers, look_up_known_integers};
pub use matmul::matmul;
pub use mirror_pad::{pad_reflect, pad_symmetric};
pub use pooling::{average_pooling1d, average_pooling2d, max_pooling1d, max_pooling2d};
pub use pooling3d::{average_pooling3d, max_pooling3d};
pub use reduce::{
    Arithmetic, Logical, reduce_all, reduce_any, reduce_max, reduce_mean, reduce_min, reduce_prod,
    reduce_sum,
};
pub use repeat::repeat;
pub use rounds::{item, put, rows};
pub(crate) use shape::around;
pub use shape::{
    Flat, broadcast_to, concatenate, copy, flat, gather, pad, reshape, reshape_mut, slice, tile,
    transpose,
};
pub use softmax::{log_softmax, log_softmax_mut, softmax, softmax_mut};
pub use top_k::{top_k_indices, top_k_values};

/// The number of samples of an operation on batches of these sizes: a batch of one fits them all.
fn samples(batches: impl IntoIterator<Item = usize>) -> usize {
    batches.into_iter().find(|&samples| samples != 1).unwrap_or(1)
}
