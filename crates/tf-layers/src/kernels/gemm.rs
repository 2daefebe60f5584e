//! y = x·z of two matrices, neither of which is packed beforehand: tiles of some rows and 16 columns,
//! whose sums stay in registers. Every sum is taken over k from first to last, whatever the number
//! of rows.

use fearless_simd::{Level, Simd, f32x16, prelude::*};

use super::convolution::Convolution;
use super::dispatch::dispatch;
use super::panels::{LANES, Row};
use super::tile::{accumulate, load, most_pixels, store};
use crate::Activation;

/// Steps of k in the part of z that [`product`] packs at once: 16 KiB.
const DEPTH: usize = 256;

/// y = x·weights + bias, of rows of `inner` numbers and panels of `columns` columns.
pub(crate) fn dense(x: &[f32], inner: usize, panels: &[Row], columns: usize, y: &mut [f32]) {
    let products = Convolution::dense(inner, columns);
    products.apply(Level::new(), x, panels, Activation::Linear, y);
}

/// The sizes of the matrices of [`product`]: x is `rows` by `inner`, z is `inner` by `columns`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sizes {
    pub(crate) rows: usize,
    pub(crate) inner: usize,
    pub(crate) columns: usize,
    /// x is stored as `inner` by `rows`.
    pub(crate) transpose_x: bool,
    /// z is stored as `columns` by `inner`.
    pub(crate) transpose_z: bool,
}

/// x·z, of matrices of which neither is packed: parts of z are packed on the stack.
pub(crate) fn product(level: Level, x: &[f32], z: &[f32], sizes: Sizes, y: &mut [f32]) {
    dispatch!(level, simd => run(simd, x, z, sizes, y));
}

#[inline(always)]
fn run<S: Simd>(simd: S, x: &[f32], z: &[f32], sizes: Sizes, y: &mut [f32]) {
    match most_pixels::<S>() {
        8 => blocks::<S, 8>(simd, x, z, sizes, y),
        6 => blocks::<S, 6>(simd, x, z, sizes, y),
        _ => blocks::<S, 2>(simd, x, z, sizes, y),
    }
}

/// The product, in tiles of `R` rows.
#[inline(always)]
fn blocks<S: Simd, const R: usize>(simd: S, x: &[f32], z: &[f32], sizes: Sizes, y: &mut [f32]) {
    if R > most_pixels::<S>() {
        return;
    }
    let Sizes { rows, inner, columns, transpose_x, .. } = sizes;
    y.fill(0.0);
    let mut panel = [Row::ZERO; DEPTH];
    let mut packed = [[0.0; DEPTH]; R];
    for first in (0..columns).step_by(LANES) {
        let width = LANES.min(columns - first);
        for begin in (0..inner).step_by(DEPTH) {
            let depth = DEPTH.min(inner - begin);
            let panel = &mut panel[..depth];
            pack(z, sizes, begin, first, width, panel);
            for row in (0..rows).step_by(R) {
                let count = R.min(rows - row);
                if transpose_x {
                    for (k, x) in x[begin * rows..].chunks_exact(rows).take(depth).enumerate() {
                        for (packed, x) in packed.iter_mut().zip(&x[row..row + count]) {
                            packed[k] = *x;
                        }
                    }
                }
                // The last tile may have fewer rows: it computes some of them again, for nobody.
                let row_at = |r: usize| row + r.min(count - 1);
                let mut tile = [&x[..0]; R];
                let mut sums = [[f32x16::splat(simd, 0.0)]; R];
                for r in 0..R {
                    tile[r] = if transpose_x {
                        &packed[r.min(count - 1)][..depth]
                    } else {
                        &x[row_at(r) * inner + begin..][..depth]
                    };
                    sums[r][0] = load(simd, &y[row_at(r) * columns + first..][..width]);
                }
                let sums = accumulate(simd, sums, tile, [panel]);
                for (r, [sum]) in sums.into_iter().enumerate().take(count) {
                    store(sum, &mut y[(row + r) * columns + first..][..width]);
                }
            }
        }
    }
}

/// Copies `width` columns of z, from row `begin` and column `first` on.
fn pack(z: &[f32], sizes: Sizes, begin: usize, first: usize, width: usize, panel: &mut [Row]) {
    let Sizes { inner, columns, transpose_z, .. } = sizes;
    if transpose_z {
        for (lane, column) in z[first * inner..].chunks_exact(inner).take(width).enumerate() {
            for (Row(row), z) in panel.iter_mut().zip(&column[begin..]) {
                row[lane] = *z;
            }
        }
    } else {
        for (Row(row), z) in panel.iter_mut().zip(z[begin * columns..].chunks_exact(columns)) {
            *row = super::panels::load(&z[first..first + width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_near, levels, numbers};

    #[test]
    fn products_of_every_layout() {
        for (rows, inner, columns) in
            [(1, 1, 1), (3, 2, 15), (4, 17, 16), (5, 300, 17), (9, 513, 33), (1, 256, 3)]
        {
            let (x, z) = (numbers(rows * inner, 1), numbers(inner * columns, 2));
            let mut expected = vec![0.0; rows * columns];
            for (i, expected) in expected.iter_mut().enumerate() {
                let (row, column) = (i / columns, i % columns);
                *expected = (0..inner).map(|k| x[row * inner + k] * z[k * columns + column]).sum();
            }
            let x_transposed: Vec<f32> =
                (0..inner * rows).map(|i| x[i % rows * inner + i / rows]).collect();
            let z_transposed: Vec<f32> =
                (0..inner * columns).map(|i| z[i % inner * columns + i / inner]).collect();
            for (transpose_x, transpose_z) in
                [(false, false), (true, false), (false, true), (true, true)]
            {
                let sizes = Sizes { rows, inner, columns, transpose_x, transpose_z };
                let x = if transpose_x { &x_transposed } else { &x };
                let z = if transpose_z { &z_transposed } else { &z };
                for level in levels() {
                    let mut y = vec![f32::NAN; rows * columns];
                    product(level, x, z, sizes, &mut y);
                    assert_near(&y, &expected);
                }
            }
        }
    }
}
