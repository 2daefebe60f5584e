use fearless_simd::Level;
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::convolution::Convolution;
use crate::kernels::panels::{LANES, Row};
use crate::{Activation, Tensor};

/// A fully connected layer on the last axis: `IN` numbers → `OUT` numbers.
///
/// `ROWS` is ceil(`OUT` / 16)·(1 + `IN`): for every 16 outputs a row of bias, then one for each
/// input.
///
/// ```
/// use tf_layers::zerocopy::FromZeros;
/// use tf_layers::{Dense, activation};
///
/// let layer: Dense<2, 3, 3> = Dense::new_zeroed();
/// let x = [[1.0_f32, 2.0]];
/// let mut scratch = [0.0; 32];
/// let y: &mut [[f32; 3]] = layer.apply(&x, activation::EXPONENTIAL, &mut scratch);
/// assert_eq!(y, [[1.0; 3]]);
/// ```
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Dense<const IN: usize, const OUT: usize, const ROWS: usize>([Row; ROWS]);

impl<const IN: usize, const OUT: usize, const ROWS: usize> Dense<IN, OUT, ROWS> {
    const CHECKED: () = assert!(ROWS == OUT.div_ceil(LANES) * (1 + IN), "ROWS of Dense");

    /// `activation(x · kernel + bias)`. The last dimension of `X` is `IN`, that of `Y` is `OUT`;
    /// the others are the same.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn apply<'y, X: Tensor<Number = f32>, Y: Tensor<Number = f32>>(
        &self,
        x: &[X],
        activation: Activation,
        y: &'y mut [f32],
    ) -> &'y mut [Y] {
        let y = Y::batch_mut(&mut y[..x.len() * Y::LEN]);
        self.compute(x, activation, false, y);
        y
    }

    /// `activation(y + x · kernel + bias)`, in place of `y`: a residual connection.
    ///
    /// # Panics
    /// If `y` has fewer samples than `x`.
    pub fn add_to<'y, X: Tensor<Number = f32>, Y: Tensor<Number = f32>>(
        &self,
        y: &'y mut [Y],
        x: &[X],
        activation: Activation,
    ) -> &'y mut [Y] {
        let y = &mut y[..x.len()];
        self.compute(x, activation, true, y);
        y
    }

    fn compute<X: Tensor<Number = f32>, Y: Tensor<Number = f32>>(
        &self,
        x: &[X],
        activation: Activation,
        adds: bool,
        y: &mut [Y],
    ) {
        const {
            let () = Self::CHECKED;
            assert!(X::RANK > 0 && X::SHAPE.last() == IN, "the last dimension of x");
            assert!(Y::RANK > 0 && Y::SHAPE.last() == OUT, "the last dimension of y");
            assert!(X::LEN / IN == Y::LEN / OUT, "the other dimensions of x and y");
        };
        let products = Convolution { adds, ..Convolution::dense(IN, OUT) };
        products.apply(Level::new(), X::flat(x), &self.0, activation, Y::flat_mut(y));
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, kernel: &[[f32; OUT]; IN], bias: &[f32; OUT]) {
        const { Self::CHECKED };
        crate::kernels::panels::pack(&mut self.0, kernel.as_flattened(), bias, 0..OUT);
    }
}
