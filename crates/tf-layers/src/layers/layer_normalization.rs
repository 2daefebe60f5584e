use fearless_simd::Level;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Tensor;
use crate::kernels::layer_normalization::normalize;
use crate::kernels::panels::{LANES, Row, numbers};

/// Every `SIZE` numbers that follow each other brought to mean 0 and variance 1, then a scale and a
/// shift for each of them. They are the last axis, or the last axes together.
///
/// `ROWS` is 2·ceil(`SIZE` / 16): the scales, then the shifts.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct LayerNormalization<const SIZE: usize, const ROWS: usize>([Row; ROWS]);

impl<const SIZE: usize, const ROWS: usize> LayerNormalization<SIZE, ROWS> {
    const CHECKED: () = assert!(ROWS == 2 * SIZE.div_ceil(LANES), "ROWS of LayerNormalization");

    /// `(x − mean) / √(variance + epsilon) · scale + shift`.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn apply<'y, X: Tensor<Number = f32>>(
        &self,
        x: &[X],
        epsilon: f32,
        y: &'y mut [f32],
    ) -> &'y mut [X] {
        let y = &mut X::batch_mut(y)[..x.len()];
        y.copy_from_slice(x);
        self.apply_mut(y, epsilon)
    }

    /// As [`LayerNormalization::apply`], in place.
    pub fn apply_mut<'x, X: Tensor<Number = f32>>(
        &self,
        x: &'x mut [X],
        epsilon: f32,
    ) -> &'x mut [X] {
        const {
            let () = Self::CHECKED;
            assert!(X::LEN.is_multiple_of(SIZE), "whole rows of numbers");
        };
        let (scale, shift) = self.0.split_at(ROWS / 2);
        normalize(
            Level::new(),
            X::flat_mut(x),
            epsilon,
            &numbers(scale)[..SIZE],
            &numbers(shift)[..SIZE],
        );
        x
    }

    /// Takes γ and β.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, scale: &[f32; SIZE], shift: &[f32; SIZE]) {
        const { Self::CHECKED };
        let (scales, shifts) = self.0.split_at_mut(ROWS / 2);
        for (rows, numbers) in [(scales, scale), (shifts, shift)] {
            crate::kernels::panels::numbers_mut(rows)[..SIZE].copy_from_slice(numbers);
        }
    }
}
