//! Matrices whose rows become columns, by blocks of 4 by 4 in registers.

use fearless_simd::{Simd, f32x4, prelude::*};

/// Rows and columns of a block,
const BLOCK: usize = 4;

/// and the rows of blocks one below the other, which fill the cache lines that they are written to.
const ROWS: usize = 16;

/// Row i of `x`, of `columns` numbers at `x_step`·i, becomes column i of `y`, whose rows are `y_step`
/// from each other.
#[inline(always)]
pub(crate) fn transpose<S: Simd>(
    simd: S,
    x: &[f32],
    x_step: usize,
    [rows, columns]: [usize; 2],
    y: &mut [f32],
    y_step: usize,
) {
    let whole = [rows - rows % BLOCK, columns - columns % BLOCK];
    for first in (0..whole[0]).step_by(ROWS) {
        for column in (0..whole[1]).step_by(BLOCK) {
            for row in (first..whole[0].min(first + ROWS)).step_by(BLOCK) {
                let x = &x[row * x_step + column..];
                block(simd, x, x_step, &mut y[column * y_step + row..], y_step);
            }
        }
    }
    for row in whole[0]..rows {
        let x = &x[row * x_step..][..columns];
        y.iter_mut().skip(row).step_by(y_step).zip(x).for_each(|(y, x)| *y = *x);
    }
    for column in whole[1]..columns {
        let y = &mut y[column * y_step..][..whole[0]];
        y.iter_mut().zip(x.iter().skip(column).step_by(x_step)).for_each(|(y, x)| *y = *x);
    }
}

/// The numbers of the first and the third row in turn, those of the others, and then the same of these.
#[inline(always)]
fn block<S: Simd>(simd: S, x: &[f32], x_step: usize, y: &mut [f32], y_step: usize) {
    let mut rows = [f32x4::splat(simd, 0.0); BLOCK];
    for i in 0..BLOCK {
        rows[i] = f32x4::from_slice(simd, &x[i * x_step..][..BLOCK]);
    }
    let (odd, even) = (rows[0].interleave(rows[2]), rows[1].interleave(rows[3]));
    let (left, right) = (odd.0.interleave(even.0), odd.1.interleave(even.1));
    for (i, column) in [left.0, left.1, right.0, right.1].into_iter().enumerate() {
        column.store_slice(&mut y[i * y_step..][..BLOCK]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::dispatch::dispatch;
    use crate::kernels::testing::levels;

    #[test]
    fn matrices_of_awkward_sizes() {
        for (rows, columns) in [0, 1, 3, 4, 5, 15, 16, 17, 35].into_iter().flat_map(|rows| {
            [0, 1, 3, 4, 5, 16, 33].into_iter().map(move |columns| (rows, columns))
        }) {
            let (x_step, y_step) = (columns + 2, rows + 3);
            let x: Vec<f32> = (0..rows * x_step).map(|x| x as f32).collect();
            for level in levels() {
                let mut y = vec![-1.0; columns * y_step];
                dispatch!(level, simd => {
                    transpose(simd, &x, x_step, [rows, columns], &mut y, y_step);
                });
                for (at, &y) in y.iter().enumerate() {
                    let (row, column) = (at % y_step, at / y_step);
                    let expected = (row < rows).then(|| x[row * x_step + column]);
                    assert_eq!(y, expected.unwrap_or(-1.0));
                }
            }
        }
    }
}
