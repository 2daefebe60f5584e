/** A loop that is no layer of its own: a graph that runs round by round, on what the round before has left. */

import { Refusal } from '../errors.ts';
import type { Graph, Value } from '../ir/graph.ts';
import { elements, lengthOfSample, sameShape, type Tensor, type TensorType } from '../ir/types.ts';
import type { Op } from './op.ts';

/**
 * What an input is to a round: a state, which every round changes; an item of a sequence of (batch, rounds, …); or the
 * same for all rounds.
 */
export type LoopRole = 'state' | 'item' | 'same';

export interface LoopAttributes {
  readonly rounds: number;
  /** Of the inputs, in the order of those of the body, which have the same names. */
  readonly roles: readonly LoopRole[];
  /** Its outputs are the states after a round, in the order of the inputs, and then what each round shows. */
  readonly body: Graph;
}

/** A part of the loop's output, which is numbers one after the other for each sample. */
export interface LoopPart {
  /** The output of the body that it is. */
  readonly value: Value;
  /** Where it begins. */
  readonly start: number;
  /** The numbers of one round. */
  readonly length: number;
}

/** What a loop comes to for each sample: what the rounds show, all rounds of each, and the states after the last. */
export function partsOf({ rounds, roles, body }: LoopAttributes): {
  readonly shown: readonly LoopPart[];
  readonly states: readonly LoopPart[];
  readonly length: number;
} {
  const values = body.outputs.map(({ value }) => value);
  const count = roles.filter((role) => role === 'state').length;
  let start = 0;
  const part = (value: Value, times: number): LoopPart => {
    const length = lengthOfSample(value.type);
    const at = start;
    start += length * times;
    return { value, start: at, length };
  };
  const shown = values.slice(count).map((value) => part(value, rounds));
  const states = values.slice(0, count).map((value) => part(value, 1));
  return { shown, states, length: start };
}

export const loop: Op<'Loop', string, never, LoopAttributes> = {
  name: 'Loop',
  inputs: undefined,
  weights: [],

  infer(types, attributes) {
    const { rounds, roles, body } = attributes;
    const states = body.inputs.filter((_, i) => roles[i] === 'state');
    for (const [i, { name, type }] of body.inputs.entries()) {
      const [batch, ...rest] = type.shape;
      const isItem = roles[i] === 'item';
      const expected: TensorType['shape'] = isItem ? [batch!, rounds, ...rest] : type.shape;
      const given = types[name];
      if (given?.dtype !== type.dtype || !sameShape(given.shape, expected))
        throw new Refusal('a loop is given something else than its rounds read');
    }
    for (const [i, { value }] of body.outputs.entries()) {
      const { dtype, shape } = value.type;
      const isBatch = typeof shape[0] === 'object' && shape[0].batch === 1;
      if (dtype !== 'f32' || !isBatch || shape.slice(1).some((dim) => typeof dim !== 'number')) {
        throw new Refusal('a loop carries something else than floats for each sample');
      }
      const state = states[i];
      if (state && (state.type.dtype !== dtype || !sameShape(state.type.shape, shape)))
        throw new Refusal('a round of a loop changes the shape of its state');
    }
    return { dtype: 'f32', shape: [{ batch: 1 }, partsOf(attributes).length] };
  },

  evaluate(values, attributes, output, run) {
    if (!run) throw new Refusal('a loop over constants is not supported');
    const { rounds, roles, body } = attributes;
    const { shown, states, length } = partsOf(attributes);
    const samples = output.shape[0]!;
    const data = new Float32Array(elements(output.shape));
    const write = (tensor: Tensor, start: number) => {
      const width = tensor.data.length / samples;
      for (let sample = 0; sample < samples; sample++) {
        const row = tensor.data.subarray(sample * width, (sample + 1) * width) as Float32Array;
        data.set(row, sample * length + start);
      }
    };
    const inputs = new Map(Object.entries<Tensor>(values));
    for (let round = 0; round < rounds; round++) {
      for (const [i, { name }] of body.inputs.entries()) {
        if (roles[i] === 'item') inputs.set(name, itemOf(values[name]!, round));
      }
      const results = run(body, inputs, samples);
      const names = body.inputs.map(({ name }) => name).filter((_, i) => roles[i] === 'state');
      for (const [i, name] of names.entries()) inputs.set(name, results[i]!);
      for (const [i, part] of shown.entries()) {
        write(results[states.length + i]!, part.start + round * part.length);
      }
      if (round === rounds - 1) for (const [i, part] of states.entries()) write(results[i]!, part.start);
    }
    return data;
  },

  emit: ({ inputs, into, loop }) => loop(Object.values(inputs), into),

  className: () => 'Loop',
};

/** The step of a sequence, (batch, …). */
function itemOf({ dtype, shape, data }: Tensor, step: number): Tensor {
  const [samples, steps, ...rest] = shape as readonly [number, number, ...number[]];
  const length = elements(rest);
  const item = data.slice(0, samples * length);
  for (let sample = 0; sample < samples; sample++) {
    const begin = (sample * steps + step) * length;
    for (let i = 0; i < length; i++) item[sample * length + i] = data[begin + i]!;
  }
  return { dtype, shape: [samples, ...rest], data: item };
}
