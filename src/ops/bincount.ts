/** How often each number is there in a sample. */

import { Refusal } from '../errors.ts';
import { type DType, elements, type TensorType, zeros } from '../ir/types.ts';
import { defineOp } from './op.ts';
import type { TensorflowOps } from './tensorflow.ts';

export interface BincountAttributes {
  /** Numbers from this one on are not counted. */
  readonly depth: number;
  /** 1 for a number that is there at all. */
  readonly isBinary: boolean;
  readonly dtype: DType;
}

/** (N, k) numbers → (N, depth) counts. */
export const bincount = defineOp({
  name: 'Bincount',
  inputs: ['x'],
  weights: [],

  infer({ x }, { depth, dtype }: BincountAttributes): TensorType {
    if (x.dtype !== 'i32' && x.dtype !== 'i64') throw new Refusal(`counts of ${x.dtype} are not supported`);
    if (dtype === 'bool' || dtype === 'u8' || dtype === 'text')
      throw new Refusal(`counts as ${dtype} are not supported`);
    if (x.shape.length !== 2) throw new Refusal('a count over the batch mixes the samples');
    if (!Number.isSafeInteger(depth) || depth < 1) throw new Refusal(`${depth} counts`);
    return { dtype, shape: [x.shape[0]!, depth] };
  },

  evaluate({ x }, { depth, isBinary }, output) {
    const counts = zeros(output.dtype, elements(output.shape));
    const each = x.shape[1]!;
    for (let i = 0; i < x.data.length; i++) {
      const number = Number(x.data[i]);
      if (number < 0) throw new Refusal(`${number} is below 0, and cannot be counted`);
      if (number >= depth) continue;
      const at = Math.floor(i / each) * depth + number;
      if (counts instanceof BigInt64Array) counts[at] = isBinary ? 1n : counts[at]! + 1n;
      else counts[at] = isBinary ? 1 : counts[at]! + 1;
    }
    return counts;
  },

  emit: ({ inputs, into, nameOf, use }, { isBinary }) =>
    `${use('ops')}::${isBinary ? 'multi_hot' : 'bincount'}(${nameOf('x')}, ${inputs.x}, ${into})?`,

  className: () => 'CategoryEncoding',
});

export const bincountTensorflow: TensorflowOps = {
  DenseBincount: (node) => {
    const weights = node.input(2);
    if (weights.type.shape.length !== 1 || weights.type.shape[0] !== 0)
      throw new Refusal('counts with weights are not supported');
    const attributes = {
      depth: node.integers(1)[0]!,
      isBinary: node.flag('binary_output', false),
      dtype: weights.type.dtype,
    };
    return node.add(bincount, { x: node.input(0) }, attributes, {});
  },
};
