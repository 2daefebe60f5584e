/**
 * Blocks of pixels dealt out to samples, and back: how TensorFlow writes a dilated convolution.
 * `3-optimize` finds the convolution; by themselves they have no Rust.
 */

import { Refusal } from '../errors.ts';
import type { Dim } from '../ir/types.ts';
import { rowMajor, stridedIndices, take } from './broadcasting.ts';
import { defineOp } from './op.ts';
import { pad } from './pad.ts';
import { slice } from './slice.ts';
import type { TensorflowNode, TensorflowOps } from './tensorflow.ts';

interface Blocks {
  /** The lengths of a block in the dimensions after the batch. */
  readonly block: readonly number[];
}

/** (batch, h, w, …) → (block₀·block₁·batch, h/block₀, w/block₁, …): tf.space_to_batch, without its padding. */
export const spaceToBatch = defineOp({
  name: 'SpaceToBatch',
  inputs: ['x'],
  weights: [],

  infer({ x }, { block }: Blocks) {
    const times = block.reduce((product, length) => product * length, 1);
    const shape = x.shape.map((dim, i): Dim => {
      if (i === 0) return typeof dim === 'number' ? dim * times : { batch: dim.batch * times };
      const length = block[i - 1] ?? 1;
      if (typeof dim !== 'number' || dim % length !== 0) throw new Refusal(`blocks of ${length} do not fit`);
      return dim / length;
    });
    return { dtype: x.dtype, shape };
  },

  evaluate({ x }, { block }) {
    const { lengths, strides } = blocked(x.shape, block);
    return take(x, stridedIndices(lengths, strides, 0));
  },

  emit: refuse,
  className: () => 'SpaceToBatchND',
});

/** The way back from `spaceToBatch`. */
export const batchToSpace = defineOp({
  name: 'BatchToSpace',
  inputs: ['x'],
  weights: [],

  infer({ x }, { block }: Blocks) {
    const times = block.reduce((product, length) => product * length, 1);
    const shape = x.shape.map((dim, i): Dim => {
      if (i > 0) return typeof dim === 'number' ? dim * (block[i - 1] ?? 1) : dim;
      const count = (typeof dim === 'number' ? dim : dim.batch) / times;
      if (!Number.isInteger(count))
        throw new Refusal(`${times} places of a block for another number of samples`);
      return typeof dim === 'number' ? count : { batch: count };
    });
    return { dtype: x.dtype, shape };
  },

  evaluate({ x }, { block }, output) {
    const { lengths, strides } = blocked(output.shape, block);
    const places = stridedIndices(lengths, strides, 0);
    const back = new Int32Array(places.length);
    for (const [i, place] of places.entries()) back[place] = i;
    return take(x, back);
  },

  emit: refuse,
  className: () => 'BatchToSpaceND',
});

/** The places of a block, the batch, and the blocks: in the order in which the batch holds them, over x. */
function blocked(shape: readonly number[], block: readonly number[]) {
  const strides = rowMajor(shape);
  const blocks = shape.slice(1).map((dim, i) => dim / (block[i] ?? 1));
  return {
    lengths: [...block, shape[0]!, ...blocks],
    strides: [
      ...block.map((_, i) => strides[i + 1]!),
      strides[0]!,
      ...blocks.map((_, i) => strides[i + 1]! * (block[i] ?? 1)),
    ],
  };
}

function refuse(): never {
  throw new Refusal('SpaceToBatchND is supported around a convolution only, where it makes it a dilated one');
}

function pairs(node: TensorflowNode, index: number): readonly (readonly [number, number])[] {
  const numbers = node.integers(index);
  return Array.from(
    { length: numbers.length / 2 },
    (_, i) => [numbers[2 * i]!, numbers[2 * i + 1]!] as const,
  );
}

export const spaceToBatchTensorflow: TensorflowOps = {
  BatchToSpaceND: (node) => {
    const block = node.integers(1);
    const x = node.add(batchToSpace, { x: node.input(0) }, { block }, {});
    const crops = [[0, 0] as const, ...pairs(node, 2)];
    const lengths = x.type.shape.map((dim, i) => {
      const [before, after] = crops[i] ?? [0, 0];
      return typeof dim === 'number' ? dim - before - after : dim;
    });
    const begin = lengths.map((_, i) => crops[i]?.[0] ?? 0);
    return node.add(slice, { x }, { begin, steps: begin.map(() => 1), lengths }, {});
  },
  SpaceToBatchND: (node) => {
    const x = node.input(0);
    const given = [[0, 0] as const, ...pairs(node, 2)];
    const borders = x.type.shape.map((_, i) => given[i] ?? ([0, 0] as const));
    const padded = node.add(pad, { x }, { borders, value: 0 }, {});
    return node.add(spaceToBatch, { x: padded }, { block: node.integers(1) }, {});
  },
};
