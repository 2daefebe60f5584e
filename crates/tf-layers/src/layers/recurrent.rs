//! What recurrent layers have in common: the order of the steps, masks, and states.

use crate::Tensor;
#[cfg(feature = "pack")]
use crate::kernels::panels::{self, LANES, Row};

/// Samples that take a step together: each weight is read once for all of them.
const SAMPLES: usize = 8;

/// Steps of so many samples go through the product with the input's weights together.
const ROWS: usize = 16;

/// The order in which a recurrent layer takes the steps, those it leaves out, and the states it
/// starts from: zeros if none are given.
///
/// ```
/// use tf_layers::Steps;
///
/// let mask = [[true, true, false]];
/// let steps: Steps<3, 16, 1> = Steps::backward().masked(&mask);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Steps<'a, const STEPS: usize, const UNITS: usize, const STATES: usize> {
    order: Order,
    mask: Option<&'a [[bool; STEPS]]>,
    zeroes_masked: bool,
    initial: Option<[&'a [[f32; UNITS]]; STATES]>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Forward,
    Backward,
    Aligned,
}

impl<'a, const STEPS: usize, const UNITS: usize, const STATES: usize>
    Steps<'a, STEPS, UNITS, STATES>
{
    /// From the first step to the last.
    pub const fn forward() -> Self {
        Self::new(Order::Forward)
    }

    /// From the last step to the first; the outputs are in that order too.
    pub const fn backward() -> Self {
        Self::new(Order::Backward)
    }

    /// From the last step to the first; each output stands where its input does.
    pub const fn aligned() -> Self {
        Self::new(Order::Aligned)
    }

    const fn new(order: Order) -> Self {
        Self { order, mask: None, zeroes_masked: false, initial: None }
    }

    /// Leaves out the steps where `mask` is false: the states stay, and the output is once more
    /// that of the step before, or zeros if there is none.
    pub const fn masked(self, mask: &'a [[bool; STEPS]]) -> Self {
        Self { mask: Some(mask), ..self }
    }

    /// The output of a step that is left out is zeros.
    pub const fn zeroed(self) -> Self {
        Self { zeroes_masked: true, ..self }
    }

    /// Starts from these states: the output before the first step, and for an LSTM its cells.
    pub const fn starting_from(self, states: [&'a [[f32; UNITS]]; STATES]) -> Self {
        Self { initial: Some(states), ..self }
    }
}

/// Packs the weights as Keras keeps them, with the gates one after the other: the panels of the
/// kernel and its bias, then those of the recurrent kernel and its own.
#[cfg(feature = "pack")]
pub(crate) fn pack<const IN: usize, const UNITS: usize, const COLUMNS: usize>(
    rows: &mut [Row],
    kernel: &[[f32; COLUMNS]; IN],
    recurrent: &[[f32; COLUMNS]; UNITS],
    [bias, recurrent_bias]: [&[f32; COLUMNS]; 2],
) {
    let (first, second) = rows.split_at_mut(COLUMNS.div_ceil(LANES) * (1 + IN));
    panels::pack(first, kernel.as_flattened(), bias, 0..COLUMNS);
    panels::pack(second, recurrent.as_flattened(), recurrent_bias, 0..COLUMNS);
}

/// What a recurrent layer does at a step. The first state is its output.
pub(crate) trait Cell<const UNITS: usize, const GATES: usize, const STATES: usize> {
    /// The part of the gates that comes from the inputs, for every row of `x`.
    fn project_inputs(&self, x: &[f32], gates: &mut [f32]);

    /// The part of the gates that comes from the outputs of the step before, for every row.
    fn project_outputs(&self, h: &[f32], gates: &mut [f32]);

    /// Takes the states of a sample a step further. The gates are there to be computed in.
    fn step(
        &self,
        from_inputs: &mut [[f32; UNITS]; GATES],
        from_outputs: &mut [[f32; UNITS]; GATES],
        states: [&mut [f32; UNITS]; STATES],
    );
}

/// A recurrent layer and what flows into it: a method for each thing that it can return.
#[derive(Debug)]
#[must_use]
pub struct Run<
    'a,
    C,
    const IN: usize,
    const STEPS: usize,
    const UNITS: usize,
    const GATES: usize,
    const STATES: usize,
> {
    pub(crate) cell: C,
    pub(crate) x: &'a [[[f32; IN]; STEPS]],
    pub(crate) steps: Steps<'a, STEPS, UNITS, STATES>,
}

#[expect(private_bounds, reason = "cells are made by the layers of this crate only")]
impl<
    C: Cell<UNITS, GATES, STATES>,
    const IN: usize,
    const STEPS: usize,
    const UNITS: usize,
    const GATES: usize,
    const STATES: usize,
> Run<'_, C, IN, STEPS, UNITS, GATES, STATES>
{
    /// The outputs of all steps.
    ///
    /// # Panics
    /// If `y` is too short, or there are not as many masks or initial states as samples.
    pub fn sequence(self, y: &mut [f32]) -> &mut [[[f32; UNITS]; STEPS]] {
        self.write(y, true, STEPS)
    }

    /// The output of the last step to be computed.
    ///
    /// # Panics
    /// As [`Run::sequence`].
    pub fn last(self, y: &mut [f32]) -> &mut [[f32; UNITS]] {
        self.write(y, false, 1)
    }

    /// The outputs of all steps, and the states after them as if they were steps.
    ///
    /// # Panics
    /// As [`Run::sequence`].
    pub fn sequence_and_states<const OUT: usize>(
        self,
        y: &mut [f32],
    ) -> &mut [[[f32; UNITS]; OUT]] {
        const { assert!(OUT == STEPS + STATES, "the outputs and the states") };
        self.write(y, true, OUT)
    }

    /// The output of the last step to be computed, and the states after it.
    ///
    /// # Panics
    /// As [`Run::sequence`].
    pub fn last_and_states<const OUT: usize>(self, y: &mut [f32]) -> &mut [[[f32; UNITS]; OUT]] {
        const { assert!(OUT == 1 + STATES, "the output and the states") };
        self.write(y, false, OUT)
    }

    /// `rows` rows for every sample: the outputs of all steps or of one, and states if there is
    /// more room.
    fn write<Y: Tensor<Number = f32>>(
        self,
        y: &mut [f32],
        is_sequence: bool,
        rows: usize,
    ) -> &mut [Y] {
        let y = &mut y[..self.x.len() * Y::LEN];
        let outputs: &mut [[f32; UNITS]] = y.as_chunks_mut().0;
        for (block, y) in outputs.chunks_mut(SAMPLES * rows).enumerate() {
            self.block(block * SAMPLES, is_sequence, rows, y);
        }
        Y::batch_mut(y)
    }

    /// Runs the samples from `first` on, for as many as `y` has room for, side by side.
    fn block(&self, first: usize, is_sequence: bool, rows: usize, y: &mut [[f32; UNITS]]) {
        let samples = y.len() / rows;
        let mut states = [[[0.0; UNITS]; SAMPLES]; STATES];
        if let Some(initial) = self.steps.initial {
            for (states, initial) in states.iter_mut().zip(initial) {
                states[..samples].copy_from_slice(&initial[first..first + samples]);
            }
        }
        let mut shown = [[0.0; UNITS]; SAMPLES];
        let mut x = [[0.0; IN]; ROWS];
        let mut from_inputs = [[[0.0; UNITS]; GATES]; ROWS];
        let mut from_outputs = [[[0.0; UNITS]; GATES]; SAMPLES];

        for begin in (0..STEPS).step_by(ROWS / samples) {
            let count = (STEPS - begin).min(ROWS / samples);
            let inputs = (begin..begin + count).flat_map(|step| {
                let place = self.place(step);
                self.x[first..first + samples].iter().map(move |x| &x[place])
            });
            x.iter_mut().zip(inputs).for_each(|(to, from)| *to = *from);
            let gates = &mut from_inputs[..count * samples];
            self.cell.project_inputs(
                x[..count * samples].as_flattened(),
                gates.as_flattened_mut().as_flattened_mut(),
            );
            for (step, gates) in (begin..).zip(gates.chunks_exact_mut(samples)) {
                let place = self.place(step);
                let row = match (is_sequence, self.steps.order) {
                    (false, _) => 0,
                    (true, Order::Aligned) => place,
                    (true, _) => step,
                };
                self.cell.project_outputs(
                    states[0][..samples].as_flattened(),
                    from_outputs[..samples].as_flattened_mut().as_flattened_mut(),
                );
                for (sample, gates) in gates.iter_mut().enumerate() {
                    if self.is_taken(first + sample, place) {
                        let own = states.each_mut().map(|states| &mut states[sample]);
                        self.cell.step(gates, &mut from_outputs[sample], own);
                        shown[sample] = states[0][sample];
                    } else if self.steps.zeroes_masked {
                        shown[sample] = [0.0; UNITS];
                    }
                    y[sample * rows + row] = shown[sample];
                }
            }
        }
        let outputs = if is_sequence { STEPS } else { 1 };
        for (sample, y) in y.chunks_exact_mut(rows).enumerate() {
            for (y, states) in y[outputs..].iter_mut().zip(&states) {
                *y = states[sample];
            }
        }
    }

    /// Where the input of a step stands.
    fn place(&self, step: usize) -> usize {
        if self.steps.order == Order::Forward { step } else { STEPS - 1 - step }
    }

    fn is_taken(&self, sample: usize, place: usize) -> bool {
        self.steps.mask.is_none_or(|mask| mask[sample][place])
    }
}
