//! Matrices packed in panels of 16 columns, so that the kernels read weights in one direction.

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

/// Floats in a [`Row`].
pub(crate) const LANES: usize = 16;

/// 16 floats in 64 bytes: a cache line, and the widest register.
#[derive(Clone, Copy, Debug, PartialEq, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(C, align(64))]
pub struct Row(pub(crate) [f32; LANES]);

impl Row {
    pub(crate) const ZERO: Self = Self([0.0; LANES]);
}

/// The numbers of `rows`, as one slice.
pub(crate) fn numbers<T: FromBytes + Immutable>(rows: &[Row]) -> &[T] {
    <[T]>::ref_from_bytes(rows.as_bytes()).expect("a row is a whole number of aligned numbers")
}

/// As [`numbers`], to write to.
pub(crate) fn numbers_mut<T: FromBytes + IntoBytes>(rows: &mut [Row]) -> &mut [T] {
    <[T]>::mut_from_bytes(rows.as_mut_bytes()).expect("a row is a whole number of aligned numbers")
}

/// Writes columns of a row-major matrix, of `width` columns, and of its bias to panels of
/// [`LANES`] columns: a row of bias, then those of the matrix.
#[cfg(feature = "pack")]
pub(crate) fn pack(
    panels: &mut [Row],
    kernel: &[f32],
    bias: &[f32],
    columns: std::ops::Range<usize>,
) {
    let width = bias.len();
    let height = kernel.len() / width;
    for (panel, first) in panels.chunks_exact_mut(1 + height).zip(columns.clone().step_by(LANES)) {
        let columns = first..columns.end.min(first + LANES);
        let rows = std::iter::once(bias).chain(kernel.chunks_exact(width));
        for (Row(packed), row) in panel.iter_mut().zip(rows) {
            packed[..columns.len()].copy_from_slice(&row[columns.clone()]);
        }
    }
}

/// The first 16 numbers of `x`, or all that there are and zeros.
#[inline(always)]
pub(crate) fn load(x: &[f32]) -> [f32; LANES] {
    match x.first_chunk() {
        Some(lanes) => *lanes,
        None => {
            let mut lanes = [0.0; LANES];
            lanes[..x.len()].copy_from_slice(x);
            lanes
        }
    }
}

/// Writes the first 16 numbers of `y`, or all that there are.
#[inline(always)]
pub(crate) fn store(lanes: &[f32; LANES], y: &mut [f32]) {
    match y.first_chunk_mut() {
        Some(y) => *y = *lanes,
        None => {
            let len = y.len();
            y.copy_from_slice(&lanes[..len]);
        }
    }
}
