//! Steps that stand several times.

use crate::Tensor;
use crate::kernels::strided::{self, Walk, steps};

/// Each step of each dimension of a sample repeated as often as fills those of `Y`: images grow
/// by whole factors.
///
/// ```
/// let mut scratch = [0; 4];
/// let y: &mut [[i32; 4]] = tf_layers::ops::repeat(&[[1, 2]], &mut scratch);
/// assert_eq!(y, [[1, 1, 2, 2]]);
/// ```
pub fn repeat<'y, X: Tensor, Y: Tensor<Number = X::Number>>(
    x: &[X],
    y: &'y mut [X::Number],
) -> &'y mut [Y] {
    const { assert!(X::RANK == Y::RANK, "as many dimensions") };
    let steps = steps(X::SHAPE.dims());
    let mut walk = Walk::new([0]);
    walk.push(x.len(), [X::LEN as isize]);
    for ((&dim, &len), step) in X::SHAPE.dims().iter().zip(Y::SHAPE.dims()).zip(steps) {
        assert_eq!(len % dim, 0, "whole repetitions");
        walk.push(dim, [step]);
        walk.push(len / dim, [0]);
    }
    let y = &mut Y::batch_mut(y)[..x.len()];
    strided::copy(X::flat(x), &walk, Y::flat_mut(y));
    y
}
