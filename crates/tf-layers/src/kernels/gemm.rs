//! y = x·z of two matrices, neither of which is packed beforehand: parts of z are packed on the stack,
//! in panels such as weights have, for tiles whose sums stay in registers. Every sum is taken over k
//! from first to last, whatever the parts and the number of rows.

use fearless_simd::{Level, Simd};

use super::convolution::Convolution;
use super::dispatch::dispatch;
use super::panels::{LANES, Row, numbers, numbers_mut};
use super::rectangle::Parts;
use super::tile::{Begin, Place, Tiles, alike, side_by_side};
use super::transposition::transpose;
use crate::activation::LINEAR;

/// Rows of packed panels: 17 KB, which are 2 panels of 131 steps, or 8 of 32. Small matrices need fewer,
/// which are sooner cleared.
const PANELS: usize = 264;
const SMALL: usize = 32;

/// Those of packed x: as many numbers as 8 rows of 144 steps have.
const TURNED: usize = 72;

/// Rows of y that the packed panels are multiplied with at once.
const ROWS: usize = 64;

/// y = x·weights + bias, of rows of `inner` numbers and panels of `columns` columns.
pub(crate) fn dense(x: &[f32], inner: usize, panels: &[Row], columns: usize, y: &mut [f32]) {
    let products = Convolution::dense(inner, columns);
    products.apply(Level::new(), x, panels, LINEAR, y);
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

/// x·z, of matrices of which neither is packed.
pub(crate) fn product(level: Level, x: &[f32], z: &[f32], sizes: Sizes, y: &mut [f32]) {
    if sizes.inner == 0 || y.is_empty() {
        return y.fill(0.0);
    }
    let is_small = sizes.columns.div_ceil(LANES) * (1 + sizes.inner) <= SMALL;
    dispatch!(level, simd => match (is_small, sizes.transpose_x) {
        (true, false) => parts::<_, SMALL, 0>(simd, x, z, sizes, y),
        (true, true) => parts::<_, SMALL, SMALL>(simd, x, z, sizes, y),
        (false, false) => parts::<_, PANELS, 0>(simd, x, z, sizes, y),
        (false, true) => parts::<_, PANELS, TURNED>(simd, x, z, sizes, y),
    });
}

/// The product, by parts of z that fill `Z` rows of panels, and of x that fill `X`, if x is transposed.
#[inline(always)]
fn parts<S: Simd, const Z: usize, const X: usize>(
    simd: S,
    x: &[f32],
    z: &[f32],
    sizes: Sizes,
    y: &mut [f32],
) {
    let Sizes { rows, inner, columns, transpose_x, .. } = sizes;
    let (mut panels, mut turned) = ([Row::ZERO; Z], [Row::ZERO; X]);
    let mut places = [Place::default(); ROWS];
    // Few rows need many panels side by side, so that enough sums are taken at once.
    let side = columns.div_ceil(LANES).min(if rows <= 2 { 8 } else { 2 });
    let depth = inner.div_ceil(inner.div_ceil(Z / side - 1));
    let height = 1 + depth;
    let most_rows = if transpose_x { ROWS.min(X * LANES / depth) } else { ROWS };
    for first in (0..columns).step_by(Z / height * LANES) {
        let width = (columns - first).min(Z / height * LANES);
        for begin in (0..inner).step_by(depth) {
            let len = depth.min(inner - begin);
            pack(simd, z, sizes, [begin, first], [len, width], height, &mut panels);
            for row in (0..rows).step_by(most_rows) {
                let places = &mut places[..most_rows.min(rows - row)];
                if transpose_x {
                    let x = &x[begin * rows + row..];
                    let turned = numbers_mut(&mut turned);
                    transpose(simd, x, rows, [len, places.len()], turned, depth);
                }
                let (x, step) = if transpose_x {
                    (numbers(&turned), depth)
                } else {
                    (&x[row * inner + begin..], inner)
                };
                for (i, place) in places.iter_mut().enumerate() {
                    *place = Place { x: i * step, y: (row + i) * columns };
                }
                let mut panel = 0;
                while panel * LANES < width {
                    let left = width.div_ceil(LANES) - panel;
                    let side = side_by_side::<S>(alike::<S>(places.len()), left);
                    let tiles = Tiles {
                        x,
                        panels: &panels[panel * height..][..side * height],
                        side,
                        height,
                        runs: Parts::of_row(len).part(0),
                        width: (width - panel * LANES).min(side * LANES),
                        first: first + panel * LANES,
                        begin: if begin == 0 { Begin::Bias } else { Begin::Y },
                        bounds: None,
                    };
                    tiles.run(simd, places, y);
                    panel += side;
                }
            }
        }
    }
}

/// Packs `[len, width]` rows and columns of z, from `[begin, first]` on, in panels of `height` rows, the
/// first of which, the bias, stays 0.
#[inline(always)]
fn pack<S: Simd>(
    simd: S,
    z: &[f32],
    Sizes { inner, columns, transpose_z, .. }: Sizes,
    [begin, first]: [usize; 2],
    [len, width]: [usize; 2],
    height: usize,
    panels: &mut [Row],
) {
    for (panel, column) in panels.chunks_exact_mut(height).zip((0..width).step_by(LANES)) {
        let width = LANES.min(width - column);
        let panel = &mut panel[1..=len];
        if transpose_z {
            let z = &z[(first + column) * inner + begin..];
            transpose(simd, z, inner, [width, len], numbers_mut(panel), LANES);
        } else {
            let z = &z[begin * columns + first + column..];
            for (Row(row), z) in panel.iter_mut().zip(z.chunks(columns)) {
                match z.first_chunk() {
                    Some(z) if width == LANES => *row = *z,
                    _ => row[..width].copy_from_slice(&z[..width]),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernels::testing::{assert_near, levels, numbers};

    #[test]
    fn products_of_every_layout() {
        for (rows, inner, columns) in [
            (1, 1, 1),
            (3, 2, 15),
            (4, 17, 16),
            (5, 300, 17),
            (9, 513, 33),
            (1, 256, 3),
            (2, 70, 150),
            (70, 40, 150),
            (150, 1, 2),
            (17, 300, 40),
        ] {
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
                    if !transpose_x {
                        for rows in [1, 2, rows.min(6)] {
                            let mut few = vec![f32::NAN; rows.min(sizes.rows) * columns];
                            let sizes = Sizes { rows: rows.min(sizes.rows), ..sizes };
                            product(level, x, z, sizes, &mut few);
                            assert!(few == y[..few.len()], "{rows} rows, {level:?}, {sizes:?}");
                        }
                    }
                }
            }
        }
    }
}
