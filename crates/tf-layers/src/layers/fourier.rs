use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Tensor;
use crate::kernels::fourier::{self, Circle};
use crate::kernels::panels::{LANES, Row, numbers};

/// The spectrum of `N` real numbers: `N` / 2 + 1 complex ones, each a pair of numbers.
///
/// `ROWS` is 2·ceil(`N` / 16): the cosines of `N` angles, then their sines.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Fourier<const N: usize, const ROWS: usize>([Row; ROWS]);

impl<const N: usize, const ROWS: usize> Fourier<N, ROWS> {
    const CHECKED: () = assert!(N > 0 && ROWS == 2 * N.div_ceil(LANES), "ROWS of Fourier");

    /// `Σ x[j]·e^(−2πi·jk/N)` of the last axis, for k from 0 to `N` / 2. `Y` has two axes more in
    /// its place: the numbers of the spectrum, and their real and imaginary parts.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn apply<'y, X: Tensor<Number = f32>, Y: Tensor<Number = f32>>(
        &self,
        x: &[X],
        y: &'y mut [f32],
    ) -> &'y mut [Y] {
        const { assert!(X::SHAPE.last() == N && Y::LEN == X::LEN / N * (N / 2 + 1) * 2) };
        let y = &mut Y::batch_mut(y)[..x.len()];
        let spectra = Y::flat_mut(y).chunks_exact_mut((N / 2 + 1) * 2);
        for (x, spectrum) in X::flat(x).chunks_exact(N).zip(spectra) {
            fourier::forward(x, self.circle(), spectrum);
        }
        y
    }

    /// The numbers that have the spectrum `x`.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn inverse<'y, X: Tensor<Number = f32>, Y: Tensor<Number = f32>>(
        &self,
        x: &[X],
        y: &'y mut [f32],
    ) -> &'y mut [Y] {
        const { assert!(Y::SHAPE.last() == N && X::LEN == Y::LEN / N * (N / 2 + 1) * 2) };
        let y = &mut Y::batch_mut(y)[..x.len()];
        let spectra = X::flat(x).chunks_exact((N / 2 + 1) * 2);
        for (spectrum, y) in spectra.zip(Y::flat_mut(y).chunks_exact_mut(N)) {
            fourier::inverse(spectrum, self.circle(), y);
        }
        y
    }

    fn circle(&self) -> Circle<'_> {
        const { Self::CHECKED };
        let (cosines, sines) = self.0.split_at(ROWS / 2);
        Circle { cosines: &numbers(cosines)[..N], sines: &numbers(sines)[..N] }
    }

    /// Computes the cosines and the sines.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self) {
        const { Self::CHECKED };
        let (cosines, sines) = self.0.split_at_mut(ROWS / 2);
        for (rows, function) in [(cosines, f64::cos as fn(f64) -> f64), (sines, f64::sin)] {
            let numbers: &mut [f32] = crate::kernels::panels::numbers_mut(rows);
            for (k, number) in numbers[..N].iter_mut().enumerate() {
                *number = function(k as f64 * std::f64::consts::TAU / N as f64) as f32;
            }
        }
    }
}
