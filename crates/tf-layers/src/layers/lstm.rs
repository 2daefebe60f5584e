use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Activation;
use crate::kernels::gemm;
use crate::kernels::panels::{LANES, Row};
use crate::layers::recurrent::{Cell, Run, Steps};

/// Long short-term memory: `IN` channels → `UNITS` units, with the gates i, f, g and o.
///
/// i, f, o = recurrent activation and g = activation of x·kernel + h·recurrent kernel + bias;
/// c = f·c + i·g and h = o·activation(c). The states are h and c.
///
/// `COLUMNS` is 4·`UNITS`, and `ROWS` is ceil(`COLUMNS` / 16)·(2 + `IN` + `UNITS`): the panels of
/// [`Dense`](crate::Dense) of the kernel, then those of the recurrent kernel, whose biases are
/// zeros.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Lstm<const IN: usize, const UNITS: usize, const COLUMNS: usize, const ROWS: usize>(
    [Row; ROWS],
);

impl<const IN: usize, const UNITS: usize, const COLUMNS: usize, const ROWS: usize>
    Lstm<IN, UNITS, COLUMNS, ROWS>
{
    const PANELS: usize = (4 * UNITS).div_ceil(LANES);
    const CHECKED: () = {
        assert!(COLUMNS == 4 * UNITS, "COLUMNS of Lstm");
        assert!(ROWS == Self::PANELS * (2 + IN + UNITS), "ROWS of Lstm");
    };

    /// The layer over the steps of every sample of `x`: the result is one of the methods of what
    /// it returns.
    pub fn run<'a, const STEPS: usize>(
        &'a self,
        x: &'a [[[f32; IN]; STEPS]],
        activation: Activation,
        recurrent_activation: Activation,
        steps: Steps<'a, STEPS, UNITS, 2>,
    ) -> Run<'a, LstmCell<'a, IN, UNITS>, IN, STEPS, UNITS, 4, 2> {
        const { Self::CHECKED };
        let (kernel, recurrent) = self.0.split_at(Self::PANELS * (1 + IN));
        let cell = LstmCell { kernel, recurrent, activation, recurrent_activation };
        Run { cell, x, steps }
    }

    /// Takes the weights as Keras keeps them, with the gates one after the other.
    #[cfg(feature = "pack")]
    pub fn pack(
        &mut self,
        kernel: &[[f32; COLUMNS]; IN],
        recurrent: &[[f32; COLUMNS]; UNITS],
        bias: &[f32; COLUMNS],
    ) {
        const { Self::CHECKED };
        crate::layers::recurrent::pack(&mut self.0, kernel, recurrent, [bias, &[0.0; COLUMNS]]);
    }
}

/// The weights and activations of an [`Lstm`], at work.
#[derive(Debug)]
pub struct LstmCell<'a, const IN: usize, const UNITS: usize> {
    kernel: &'a [Row],
    recurrent: &'a [Row],
    activation: Activation,
    recurrent_activation: Activation,
}

impl<const IN: usize, const UNITS: usize> Cell<UNITS, 4, 2> for LstmCell<'_, IN, UNITS> {
    fn project_inputs(&self, x: &[f32], gates: &mut [f32]) {
        gemm::dense(x, IN, self.kernel, 4 * UNITS, gates);
    }

    fn project_outputs(&self, h: &[f32], gates: &mut [f32]) {
        gemm::dense(h, UNITS, self.recurrent, 4 * UNITS, gates);
    }

    fn step(
        &self,
        gates: &mut [[f32; UNITS]; 4],
        from_outputs: &mut [[f32; UNITS]; 4],
        [h, c]: [&mut [f32; UNITS]; 2],
    ) {
        let sums = gates.as_flattened_mut().iter_mut().zip(from_outputs.as_flattened());
        sums.for_each(|(sum, part)| *sum += part);
        self.recurrent_activation.apply(gates[..2].as_flattened_mut());
        self.activation.apply(&mut gates[2]);
        self.recurrent_activation.apply(&mut gates[3]);
        let [i, f, g, o] = gates;
        for (((c, i), f), g) in c.iter_mut().zip(i).zip(f).zip(g) {
            *c = *f * *c + *i * *g;
        }
        *h = *c;
        self.activation.apply(h);
        h.iter_mut().zip(o).for_each(|(h, o)| *h *= *o);
    }
}
