//! Products of matrices that the model computes, neither of which is a weight.

use fearless_simd::Level;

use crate::Tensor;
use crate::kernels::gemm::{Sizes, product};
use crate::kernels::strided::broadcast;

use super::samples;

/// x · z of the last two dimensions, each transposed or not; the others are broadcast.
pub fn matmul<'y, X, Z, Y>(
    x: &[X],
    z: &[Z],
    transpose_x: bool,
    transpose_z: bool,
    y: &'y mut [f32],
) -> &'y mut [Y]
where
    X: Tensor<Number = f32>,
    Z: Tensor<Number = f32>,
    Y: Tensor<Number = f32>,
{
    const { assert!(X::RANK >= 2 && Z::RANK >= 2 && Y::RANK >= 2, "matrices") };
    let (x_batch, [x_rows, x_columns]) = matrices(X::SHAPE.dims(), transpose_x);
    let (z_batch, [z_rows, z_columns]) = matrices(Z::SHAPE.dims(), transpose_z);
    let (y_batch, [rows, columns]) = matrices(Y::SHAPE.dims(), false);
    assert_eq!([x_rows, x_columns, z_columns], [rows, z_rows, columns], "the sizes of matrices");

    let samples = samples([x.len(), z.len()]);
    let y = &mut Y::batch_mut(y)[..samples];
    let walk = broadcast(samples, y_batch, [(x.len(), x_batch), (z.len(), z_batch)]);
    let sizes = Sizes { rows, inner: x_columns, columns, transpose_x, transpose_z };
    let (x_len, z_len) = (rows * x_columns, x_columns * columns);
    let (x, z, level) = (X::flat(x), Z::flat(z), Level::new());
    let (run, steps) = walk.run();
    let runs = Y::flat_mut(y).chunks_exact_mut((run * rows * columns).max(1));
    for (y, at) in runs.zip(walk.starts()) {
        for (i, y) in y.chunks_exact_mut(rows * columns).enumerate() {
            let [x_at, z_at] = [0, 1].map(|k| at[k] + i * steps[k].unsigned_abs());
            product(level, &x[x_at * x_len..][..x_len], &z[z_at * z_len..][..z_len], sizes, y);
        }
    }
    y
}

/// The dimensions before the last two, and those, swapped if the matrices are transposed.
fn matrices(dims: &[usize], transpose: bool) -> (&[usize], [usize; 2]) {
    let (batch, matrix) = dims.split_at(dims.len() - 2);
    (batch, if transpose { [matrix[1], matrix[0]] } else { [matrix[0], matrix[1]] })
}
