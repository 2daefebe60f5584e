use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Activation;
use crate::kernels::gemm;
use crate::kernels::panels::{LANES, Row};
use crate::layers::recurrent::{Cell, Run, Steps};

/// A recurrent layer without gates: `IN` channels → `UNITS` units.
///
/// h = activation(x·kernel + h·recurrent kernel + bias), which is the only state.
///
/// `ROWS` is ceil(`UNITS` / 16)·(2 + `IN` + `UNITS`): the panels of [`Dense`](crate::Dense) of
/// the kernel, then those of the recurrent kernel, whose biases are zeros.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct SimpleRnn<const IN: usize, const UNITS: usize, const ROWS: usize>([Row; ROWS]);

impl<const IN: usize, const UNITS: usize, const ROWS: usize> SimpleRnn<IN, UNITS, ROWS> {
    const PANELS: usize = UNITS.div_ceil(LANES);
    const CHECKED: () = assert!(ROWS == Self::PANELS * (2 + IN + UNITS), "ROWS of SimpleRnn");

    /// The layer over the steps of every sample of `x`: the result is one of the methods of what
    /// it returns.
    pub fn run<'a, const STEPS: usize>(
        &'a self,
        x: &'a [[[f32; IN]; STEPS]],
        activation: Activation,
        steps: Steps<'a, STEPS, UNITS, 1>,
    ) -> Run<'a, SimpleRnnCell<'a, IN, UNITS>, IN, STEPS, UNITS, 1, 1> {
        const { Self::CHECKED };
        let (kernel, recurrent) = self.0.split_at(Self::PANELS * (1 + IN));
        Run { cell: SimpleRnnCell { kernel, recurrent, activation }, x, steps }
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(
        &mut self,
        kernel: &[[f32; UNITS]; IN],
        recurrent: &[[f32; UNITS]; UNITS],
        bias: &[f32; UNITS],
    ) {
        const { Self::CHECKED };
        crate::layers::recurrent::pack(&mut self.0, kernel, recurrent, [bias, &[0.0; UNITS]]);
    }
}

/// The weights and the activation of a [`SimpleRnn`], at work.
#[derive(Debug)]
pub struct SimpleRnnCell<'a, const IN: usize, const UNITS: usize> {
    kernel: &'a [Row],
    recurrent: &'a [Row],
    activation: Activation,
}

impl<const IN: usize, const UNITS: usize> Cell<UNITS, 1, 1> for SimpleRnnCell<'_, IN, UNITS> {
    fn project_inputs(&self, x: &[f32], gates: &mut [f32]) {
        gemm::dense(x, IN, self.kernel, UNITS, gates);
    }

    fn project_outputs(&self, h: &[f32], gates: &mut [f32]) {
        gemm::dense(h, UNITS, self.recurrent, UNITS, gates);
    }

    fn step(
        &self,
        [from_input]: &mut [[f32; UNITS]; 1],
        [from_output]: &mut [[f32; UNITS]; 1],
        [h]: [&mut [f32; UNITS]; 1],
    ) {
        for ((h, a), b) in h.iter_mut().zip(from_input).zip(from_output) {
            *h = *a + *b;
        }
        self.activation.apply(h);
    }
}
