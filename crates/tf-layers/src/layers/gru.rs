use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Activation;
use crate::kernels::gemm;
use crate::kernels::panels::{LANES, Row};
use crate::layers::recurrent::{Cell, Run, Steps};

/// A gated recurrent unit that resets after the matrix product, as Keras does by default: `IN`
/// channels → `UNITS` units, with the gates z, r and g.
///
/// z, r = recurrent activation of x·kernel + h·recurrent kernel + both biases;
/// g = activation(x·kernel + bias + r·(h·recurrent kernel + recurrent bias));
/// h = z·h + (1 − z)·g, which is the only state.
///
/// `COLUMNS` is 3·`UNITS`, and `ROWS` is ceil(`COLUMNS` / 16)·(2 + `IN` + `UNITS`): the panels of
/// [`Dense`](crate::Dense) of the kernel, then those of the recurrent kernel.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Gru<const IN: usize, const UNITS: usize, const COLUMNS: usize, const ROWS: usize>(
    [Row; ROWS],
);

impl<const IN: usize, const UNITS: usize, const COLUMNS: usize, const ROWS: usize>
    Gru<IN, UNITS, COLUMNS, ROWS>
{
    const PANELS: usize = (3 * UNITS).div_ceil(LANES);
    const CHECKED: () = {
        assert!(COLUMNS == 3 * UNITS, "COLUMNS of Gru");
        assert!(ROWS == Self::PANELS * (2 + IN + UNITS), "ROWS of Gru");
    };

    /// The layer over the steps of every sample of `x`: the result is one of the methods of what
    /// it returns.
    pub fn run<'a, const STEPS: usize>(
        &'a self,
        x: &'a [[[f32; IN]; STEPS]],
        activation: Activation,
        recurrent_activation: Activation,
        steps: Steps<'a, STEPS, UNITS, 1>,
    ) -> Run<'a, GruCell<'a, IN, UNITS>, IN, STEPS, UNITS, 3, 1> {
        const { Self::CHECKED };
        let (kernel, recurrent) = self.0.split_at(Self::PANELS * (1 + IN));
        let cell = GruCell { kernel, recurrent, activation, recurrent_activation };
        Run { cell, x, steps }
    }

    /// Takes the weights as Keras keeps them, with the gates one after the other, and the biases
    /// of both products.
    #[cfg(feature = "pack")]
    pub fn pack(
        &mut self,
        kernel: &[[f32; COLUMNS]; IN],
        recurrent: &[[f32; COLUMNS]; UNITS],
        [bias, recurrent_bias]: &[[f32; COLUMNS]; 2],
    ) {
        const { Self::CHECKED };
        crate::layers::recurrent::pack(&mut self.0, kernel, recurrent, [bias, recurrent_bias]);
    }
}

/// The weights and activations of a [`Gru`], at work.
#[derive(Debug)]
pub struct GruCell<'a, const IN: usize, const UNITS: usize> {
    kernel: &'a [Row],
    recurrent: &'a [Row],
    activation: Activation,
    recurrent_activation: Activation,
}

impl<const IN: usize, const UNITS: usize> Cell<UNITS, 3, 1> for GruCell<'_, IN, UNITS> {
    fn project_inputs(&self, x: &[f32], gates: &mut [f32]) {
        gemm::dense(x, IN, self.kernel, 3 * UNITS, gates);
    }

    fn project_outputs(&self, h: &[f32], gates: &mut [f32]) {
        gemm::dense(h, UNITS, self.recurrent, 3 * UNITS, gates);
    }

    fn step(
        &self,
        gates: &mut [[f32; UNITS]; 3],
        from_outputs: &mut [[f32; UNITS]; 3],
        [h]: [&mut [f32; UNITS]; 1],
    ) {
        let [z, r, g] = opened(gates, from_outputs, self.recurrent_activation);
        for ((g, r), part) in g.iter_mut().zip(r).zip(&from_outputs[2]) {
            *g += *r * part;
        }
        self.activation.apply(g);
        mix(z, g, h);
    }
}

/// The gates, with z and r computed.
fn opened<'a, const UNITS: usize>(
    gates: &'a mut [[f32; UNITS]; 3],
    from_outputs: &[[f32; UNITS]; 3],
    activation: Activation,
) -> &'a mut [[f32; UNITS]; 3] {
    let open = gates[..2].as_flattened_mut();
    open.iter_mut().zip(from_outputs.as_flattened()).for_each(|(sum, part)| *sum += part);
    activation.apply(open);
    gates
}

/// h = z·h + (1 − z)·g.
fn mix(z: &[f32], g: &[f32], h: &mut [f32]) {
    for ((h, z), g) in h.iter_mut().zip(z).zip(g) {
        *h = z * *h + (1.0 - z) * g;
    }
}

/// A gated recurrent unit that resets before the matrix product, Keras's `reset_after=False`:
/// `IN` channels → `UNITS` units, with the gates z, r and g.
///
/// As [`Gru`], but g = activation(x·kernel + (r·h)·recurrent kernel + bias).
///
/// `COLUMNS` is 3·`UNITS`, and `ROWS` is ceil(`COLUMNS` / 16)·(1 + `IN`) +
/// (ceil(2·`UNITS` / 16) + ceil(`UNITS` / 16))·(1 + `UNITS`): the panels of
/// [`Dense`](crate::Dense) of the kernel, of the recurrent kernel of z and r, and of that of g;
/// the biases of the last two are zeros.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct GruResetBefore<
    const IN: usize,
    const UNITS: usize,
    const COLUMNS: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<const IN: usize, const UNITS: usize, const COLUMNS: usize, const ROWS: usize>
    GruResetBefore<IN, UNITS, COLUMNS, ROWS>
{
    const KERNEL: usize = (3 * UNITS).div_ceil(LANES) * (1 + IN);
    const GATES: usize = (2 * UNITS).div_ceil(LANES) * (1 + UNITS);
    const CHECKED: () = {
        assert!(COLUMNS == 3 * UNITS, "COLUMNS of GruResetBefore");
        assert!(
            ROWS == Self::KERNEL + Self::GATES + UNITS.div_ceil(LANES) * (1 + UNITS),
            "ROWS of GruResetBefore"
        );
    };

    /// The layer over the steps of every sample of `x`: the result is one of the methods of what
    /// it returns.
    pub fn run<'a, const STEPS: usize>(
        &'a self,
        x: &'a [[[f32; IN]; STEPS]],
        activation: Activation,
        recurrent_activation: Activation,
        steps: Steps<'a, STEPS, UNITS, 1>,
    ) -> Run<'a, GruResetBeforeCell<'a, IN, UNITS>, IN, STEPS, UNITS, 3, 1> {
        const { Self::CHECKED };
        let (kernel, recurrent) = self.0.split_at(Self::KERNEL);
        let (gates, last) = recurrent.split_at(Self::GATES);
        let cell = GruResetBeforeCell { kernel, gates, last, activation, recurrent_activation };
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
        let (kernel_panels, recurrent_panels) = self.0.split_at_mut(Self::KERNEL);
        let (gates, last) = recurrent_panels.split_at_mut(Self::GATES);
        let (kernel, recurrent) = (kernel.as_flattened(), recurrent.as_flattened());
        let none = [0.0; COLUMNS];
        crate::kernels::panels::pack(kernel_panels, kernel, bias, 0..COLUMNS);
        crate::kernels::panels::pack(gates, recurrent, &none, 0..2 * UNITS);
        crate::kernels::panels::pack(last, recurrent, &none, 2 * UNITS..COLUMNS);
    }
}

/// The weights and activations of a [`GruResetBefore`], at work.
#[derive(Debug)]
pub struct GruResetBeforeCell<'a, const IN: usize, const UNITS: usize> {
    kernel: &'a [Row],
    gates: &'a [Row],
    last: &'a [Row],
    activation: Activation,
    recurrent_activation: Activation,
}

impl<const IN: usize, const UNITS: usize> Cell<UNITS, 3, 1> for GruResetBeforeCell<'_, IN, UNITS> {
    fn project_inputs(&self, x: &[f32], gates: &mut [f32]) {
        gemm::dense(x, IN, self.kernel, 3 * UNITS, gates);
    }

    /// The gates z and r of all samples, one after the other; g follows from them, in `step`.
    fn project_outputs(&self, h: &[f32], gates: &mut [f32]) {
        for (h, gates) in h.chunks_exact(UNITS).zip(gates.chunks_exact_mut(3 * UNITS)) {
            gemm::dense(h, UNITS, self.gates, 2 * UNITS, &mut gates[..2 * UNITS]);
        }
    }

    fn step(
        &self,
        gates: &mut [[f32; UNITS]; 3],
        from_outputs: &mut [[f32; UNITS]; 3],
        [h]: [&mut [f32; UNITS]; 1],
    ) {
        let [z, r, g] = opened(gates, from_outputs, self.recurrent_activation);
        r.iter_mut().zip(&*h).for_each(|(r, h)| *r *= *h);
        let part = &mut from_outputs[2];
        gemm::dense(r, UNITS, self.last, UNITS, part);
        g.iter_mut().zip(part).for_each(|(g, part)| *g += *part);
        self.activation.apply(g);
        mix(z, g, h);
    }
}
