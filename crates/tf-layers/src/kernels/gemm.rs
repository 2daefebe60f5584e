//! y = x·z + bias, with z packed in panels: tiles of 2 rows and 16 columns, whose sums stay in
//! registers. Every sum is taken over k from first to last, whatever the number of rows.

use super::panels::{LANES, Row, accumulate, load, store};

/// Rows of `x` that stay in the cache while all panels pass by.
const BLOCK: usize = 64;

/// Rows of a tile: more of them don't fit the registers of SSE2.
const TILE: usize = 2;

/// Steps of k in the part of z that [`product`] packs at once: 16 KiB.
const DEPTH: usize = 256;

/// The rows of `x`, of `inner` numbers each, times the matrix in `panels`, plus its bias.
pub(crate) fn dense(x: &[f32], inner: usize, panels: &[Row], columns: usize, y: &mut [f32]) {
    for (x, y) in x.chunks(inner * BLOCK).zip(y.chunks_mut(columns * BLOCK)) {
        for (p, panel) in panels.chunks_exact(1 + inner).enumerate() {
            let first = p * LANES;
            let mut tiles = x.chunks_exact(inner * TILE);
            let mut outputs = y.chunks_exact_mut(columns * TILE);
            for (x, y) in tiles.by_ref().zip(outputs.by_ref()) {
                tile::<TILE>(x, inner, panel, first, columns, y);
            }
            let rest = tiles.remainder().chunks_exact(inner);
            for (x, y) in rest.zip(outputs.into_remainder().chunks_exact_mut(columns)) {
                tile::<1>(x, inner, panel, first, columns, y);
            }
        }
    }
}

fn tile<const R: usize>(
    x: &[f32],
    inner: usize,
    panel: &[Row],
    first: usize,
    columns: usize,
    y: &mut [f32],
) {
    let [Row(bias), rows @ ..] = panel else { return };
    let mut sums = [*bias; R];
    accumulate(&mut sums, std::array::from_fn(|r| &x[r * inner..][..inner]), rows);
    for (sums, y) in sums.iter().zip(y.chunks_exact_mut(columns)) {
        store(sums, &mut y[first..columns.min(first + LANES)]);
    }
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
pub(crate) fn product(x: &[f32], z: &[f32], sizes: Sizes, y: &mut [f32]) {
    let Sizes { rows, inner, columns, transpose_x, .. } = sizes;
    y.fill(0.0);
    let mut panel = [Row::ZERO; DEPTH];
    let mut packed = [[0.0; DEPTH]; TILE];
    for first in (0..columns).step_by(LANES) {
        let width = LANES.min(columns - first);
        for begin in (0..inner).step_by(DEPTH) {
            let depth = DEPTH.min(inner - begin);
            let panel = &mut panel[..depth];
            pack(z, sizes, begin, first, width, panel);
            for row in (0..rows).step_by(TILE) {
                let count = TILE.min(rows - row);
                // The last tile may have fewer rows: it computes some of them again, for nobody.
                let row_at = |r: usize| row + r.min(count - 1);
                if transpose_x {
                    for (r, packed) in packed.iter_mut().enumerate() {
                        let column = x[begin * rows + row_at(r)..].iter().step_by(rows);
                        packed[..depth].iter_mut().zip(column).for_each(|(to, from)| *to = *from);
                    }
                }
                let x = std::array::from_fn(|r| {
                    if transpose_x {
                        &packed[r][..depth]
                    } else {
                        &x[row_at(r) * inner + begin..][..depth]
                    }
                });
                let mut sums: [[f32; LANES]; TILE] =
                    std::array::from_fn(|r| load(&y[row_at(r) * columns + first..][..width]));
                accumulate(&mut sums, x, panel);
                for (r, sums) in sums.iter().enumerate().take(count) {
                    store(sums, &mut y[(row + r) * columns + first..][..width]);
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
            *row = load(&z[first..first + width]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_near, numbers};

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
                let mut y = vec![f32::NAN; rows * columns];
                product(x, z, sizes, &mut y);
                assert_near(&y, &expected);
            }
        }
    }
}
