/** What SimpleRNN, GRU and LSTM have in common: the order of the steps, masks, initial states, and what they return. */

import { Refusal } from '../errors.ts';
import { elements, type StaticType, sameShape, type Tensor, type TensorType } from '../ir/types.ts';
import { type Activation, activate, rustActivation } from './activation.ts';
import type { EmittedStep } from './op.ts';

/**
 * The inputs of a recurrent layer are `x` of (batch, steps, channels), and where there are any, `mask`, a bool of
 * (batch, steps), and the initial states `h` and, for an LSTM, `c` of (batch, units); they are zeros if not given.
 */
export type RecurrentInputs<T> = Readonly<Record<string, T>>;

/** The weights, as Keras keeps them: all gates of a row one after the other. */
export type RecurrentWeight = 'kernel' | 'recurrent' | 'bias';

export interface RecurrentAttributes {
  readonly activation: Activation;
  /** Of the gates; a SimpleRnn has none, and says `linear`. */
  readonly recurrentActivation: Activation;
  /**
   * `backward` starts with the last step, and its sequence does too, as Keras's `go_backwards` does; that of
   * `aligned` starts with the first step all the same, as the backward half of a Bidirectional does.
   */
  readonly order: 'forward' | 'backward' | 'aligned';
  /** The outputs of all steps, (batch, steps, units), or of the last to be computed, (batch, units). */
  readonly returns: 'sequence' | 'last';
  /** Whether the final states follow, as steps of their own: (batch, steps or 1, and the number of states, units). */
  readonly returnsStates: boolean;
  /** The output of a masked step is zeros, and not the output of the step before. */
  readonly zeroesMasked: boolean;
}

/** What a plain layer does, with the activations of Keras's defaults. */
export const defaults: RecurrentAttributes = {
  activation: { name: 'tanh' },
  recurrentActivation: { name: 'sigmoid' },
  order: 'forward',
  returns: 'last',
  returnsStates: false,
  zeroesMasked: false,
};

/** A kind of recurrent layer: the states that it carries from step to step, and the gates that it computes for them. */
export interface Cell {
  readonly className: string;
  /** The first is its output. */
  readonly states: readonly string[];
  readonly gates: number;
}

export function inferRecurrent(
  { className, states, gates }: Cell,
  types: RecurrentInputs<TensorType>,
  { returns, returnsStates }: RecurrentAttributes,
): TensorType {
  const { x, mask, kernel, recurrent } = types as Record<RecurrentWeight | 'x', TensorType> & {
    mask?: TensorType;
  };
  const [batch, steps, channels] = x.shape;
  const [units, columns] = recurrent.shape as readonly number[];
  if (x.dtype !== 'f32' || x.shape.length !== 3 || typeof steps !== 'number') {
    throw new Refusal(`${className} reads (batch, steps, channels) of f32`);
  }
  if (batch === undefined || units === undefined || columns !== gates * units) {
    throw new Refusal(`a recurrent kernel of shape (${recurrent.shape}) is not that of a ${className}`);
  }
  if (kernel.shape[0] !== channels || kernel.shape[1] !== columns) {
    throw new Refusal(
      `the kernel of shape (${kernel.shape}) does not fit ${channels} channels and ${units} units`,
    );
  }
  if (mask && !(mask.dtype === 'bool' && sameShape(mask.shape, [batch, steps]))) {
    throw new Refusal('a mask has a truth for every step of every sample');
  }
  for (const state of states) {
    const type = types[state];
    const fits = !type || (type.dtype === 'f32' && sameShape(type.shape, [batch, units]));
    if (!fits)
      throw new Refusal(`the initial state has shape (${type.shape.map(String)}), not ${units} units`);
  }
  const given = states.filter((state) => types[state]).length;
  if (given !== 0 && given !== states.length) throw new Refusal('some of the initial states are missing');
  if (steps === 0) throw new Refusal('there are no steps');
  const rows = (returns === 'sequence' ? steps : 1) + (returnsStates ? states.length : 0);
  const isOne = returns === 'last' && !returnsStates;
  return { dtype: 'f32', shape: isOne ? [batch, units] : [batch, rows, units] };
}

/**
 * Runs a cell over the steps of every sample. `step` reads what flows in, and writes the new states over the old;
 * the first is the output.
 */
export function runSteps(
  { states }: Cell,
  values: RecurrentInputs<Tensor>,
  { order, returns, returnsStates, zeroesMasked }: RecurrentAttributes,
  output: StaticType,
  step: (x: Float64Array, states: readonly Float64Array[]) => void,
): Float32Array {
  const { x, mask, recurrent } = values as Record<string, Tensor>;
  const [samples, steps, channels] = x!.shape as [number, number, number];
  const units = recurrent!.shape[0]!;
  const data = new Float32Array(elements(output.shape));
  const rows = data.length / samples / units;
  for (let sample = 0; sample < samples; sample++) {
    const state = states.map((name) =>
      Float64Array.from({ length: units }, (_, i) => Number(values[name]?.data[sample * units + i] ?? 0)),
    );
    const shown = new Float64Array(units);
    for (let i = 0; i < steps; i++) {
      const at = order === 'forward' ? i : steps - 1 - i;
      const begin = (sample * steps + at) * channels;
      if (!mask || mask.data[sample * steps + at]) {
        step(Float64Array.from(x!.data.subarray(begin, begin + channels) as Float32Array), state);
        shown.set(state[0]!);
      } else if (zeroesMasked) {
        shown.fill(0);
      }
      const row = returns === 'last' ? 0 : order === 'aligned' ? at : i;
      data.set(shown, (sample * rows + row) * units);
    }
    if (!returnsStates) continue;
    for (const [i, numbers] of state.entries()) {
      data.set(numbers, (sample * rows + rows - states.length + i) * units);
    }
  }
  return data;
}

/** Adds `x · matrix` to `sums`, for the columns from `begin` on. */
export function addProduct(x: Float64Array, matrix: Tensor, begin: number, sums: Float64Array): void {
  const width = matrix.shape[1]!;
  for (const [row, factor] of x.entries()) {
    for (let j = 0; j < sums.length; j++) sums[j]! += factor * Number(matrix.data[row * width + begin + j]);
  }
}

/** What the activation functions make of every number. */
export function activated(activation: Activation, numbers: Float64Array): Float64Array {
  return numbers.map(activate(activation));
}

/** `layers.lstm.run(x, Tanh, Sigmoid, Steps::forward()).sequence(a)` */
export function emitRecurrent(
  cell: Cell,
  step: EmittedStep<string, RecurrentWeight>,
  attributes: RecurrentAttributes,
  rustClass: string,
  rows: (channels: number, units: number) => number,
): string {
  const { types, inputs, use, into } = step;
  const channels = types.x!.shape[2] as number;
  const units = types.recurrent!.shape[0] as number;
  const { activation, recurrentActivation, returns, returnsStates } = attributes;
  const columns = cell.gates === 1 ? [] : [cell.gates * units];
  const sizes = [channels, units, ...columns, rows(channels, units)];
  const field = step.layer({
    rustType: `${rustClass}<${sizes.join(', ')}>`,
    doc: `${channels} channels → ${units} units.`,
    pack: ['kernel', 'recurrent', 'bias'],
  });
  const method = `${returns}${returnsStates ? '_and_states' : ''}`;
  const activations = [activation, ...(cell.gates === 1 ? [] : [recurrentActivation])];
  const args = [
    inputs.x,
    ...activations.map((each) => rustActivation(each, use)),
    rustSteps(cell, step, attributes),
  ];
  return `${field}.run(${args.join(', ')}).${method}(${into})`;
}

/** `Steps::backward().masked(mask).starting_from([h, c])` */
function rustSteps(
  { states }: Cell,
  { inputs, use }: EmittedStep<string, RecurrentWeight>,
  { order, zeroesMasked }: RecurrentAttributes,
): string {
  const start = `${use('Steps')}::${order}()`;
  const mask = inputs.mask === undefined ? '' : `.masked(${inputs.mask})`;
  const zeroed = inputs.mask !== undefined && zeroesMasked ? '.zeroed()' : '';
  const initial = states.map((state) => inputs[state]).filter((state) => state !== undefined);
  return `${start}${mask}${zeroed}${initial.length === 0 ? '' : `.starting_from([${initial.join(', ')}])`}`;
}

/** The multiplications for one sample. */
export function recurrentOperations(types: RecurrentInputs<TensorType>): number {
  const steps = types.x!.shape[1] as number;
  const { kernel, recurrent } = types as Record<RecurrentWeight, TensorType>;
  return steps * (elements(kernel.shape as number[]) + elements(recurrent.shape as number[]));
}

/** Rows of 16 numbers that the columns of a matrix and their biases take. */
export function panelRows(inner: number, columns: number): number {
  return Math.ceil(columns / 16) * (1 + inner);
}
