use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::panels::{LANES, Row, numbers};
use crate::{Activation, Tensor};

/// A scale and a shift for each of `CHANNELS` channels, which are the last axis.
///
/// `ROWS` is 2·ceil(`CHANNELS` / 16): the scales, then the shifts.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct BatchNormalization<const CHANNELS: usize, const ROWS: usize>([Row; ROWS]);

impl<const CHANNELS: usize, const ROWS: usize> BatchNormalization<CHANNELS, ROWS> {
    const CHECKED: () = assert!(ROWS == 2 * CHANNELS.div_ceil(LANES), "ROWS of BatchNormalization");

    /// `activation(x · scale + shift)`.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn apply<'y, X: Tensor<Number = f32>>(
        &self,
        x: &[X],
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [X] {
        let y = &mut X::batch_mut(y)[..x.len()];
        y.copy_from_slice(x);
        self.apply_mut(y, activation)
    }

    /// As [`BatchNormalization::apply`], in place.
    pub fn apply_mut<'x, X: Tensor<Number = f32>>(
        &self,
        x: &'x mut [X],
        activation: Activation,
    ) -> &'x mut [X] {
        const {
            let () = Self::CHECKED;
            assert!(X::RANK > 0 && X::SHAPE.last() == CHANNELS, "the last dimension of x");
        };
        let (scale, shift) = self.0.split_at(ROWS / 2);
        let (scale, shift) = (&numbers(scale)[..CHANNELS], &numbers(shift)[..CHANNELS]);
        let y = X::flat_mut(x);
        crate::kernels::elementwise::scale_and_shift(y, scale, shift);
        activation.apply(y);
        x
    }

    /// Takes γ / √(variance + ε), and β − mean·scale.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, scale: &[f32; CHANNELS], shift: &[f32; CHANNELS]) {
        const { Self::CHECKED };
        let (scales, shifts) = self.0.split_at_mut(ROWS / 2);
        for (rows, numbers) in [(scales, scale), (shifts, shift)] {
            crate::kernels::panels::numbers_mut(rows)[..CHANNELS].copy_from_slice(numbers);
        }
    }
}
