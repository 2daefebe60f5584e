/** The largest numbers of the last axis, and where they stand. */

import { Refusal } from '../errors.ts';
import { elements, zeros } from '../ir/types.ts';
import { take } from './broadcasting.ts';
import { defineOp } from './op.ts';
import type { TensorflowOps } from './tensorflow.ts';
import { channels } from './window.ts';

export interface TopKAttributes {
  readonly k: number;
  readonly result: 'values' | 'indices';
}

/** (…, n) → (…, k), the largest first; of equals, the one that stands first. NaN comes last. */
export const topK = defineOp({
  name: 'TopK',
  inputs: ['x'],
  weights: [],

  infer({ x }, { k, result }: TopKAttributes) {
    if (x.shape.length < 2) throw new Refusal('the largest of the batch mix the samples');
    const length = channels(x.shape);
    if (x.dtype === 'bool') throw new Refusal('the largest of bool are not supported');
    if (!(k > 0 && k <= length)) throw new Refusal(`the ${k} largest of ${length}`);
    return { dtype: result === 'values' ? x.dtype : 'i32', shape: x.shape.with(-1, k) };
  },

  evaluate({ x }, { k, result }, output) {
    const length = channels(x.shape);
    const places = zeros('i32', elements(output.shape));
    for (let row = 0; row * k < places.length; row++) {
      const at = (i: number) => x.data[row * length + i]!;
      const order = Array.from({ length }, (_, i) => i).sort((i, j) => compare(at(j), at(i)) || i - j);
      for (let i = 0; i < k; i++) places[row * k + i] = order[i]!;
    }
    if (result === 'indices') return places;
    return take(
      x,
      Int32Array.from(places as Int32Array, (place, i) => Math.floor(i / k) * length + place),
    );
  },

  emit: ({ inputs, into, use }, { result }) => `${use('ops')}::top_k_${result}(${inputs.x}, ${into})`,

  className: () => 'top_k',
});

/** As `Array.sort` takes it; NaN is less than all numbers. */
function compare(a: number | bigint, b: number | bigint): number {
  if (a < b) return -1;
  if (a > b) return 1;
  return Number(Number.isNaN(b)) - Number(Number.isNaN(a));
}

export const topKTensorflow: TensorflowOps = {
  TopKV2: (node) => {
    if (!node.flag('sorted', true)) throw new Refusal('the largest numbers in no order are not supported');
    const k = node.integers(1)[0]!;
    const [values, indices] = (['values', 'indices'] as const).map((result) =>
      node.add(topK, { x: node.input(0) }, { k, result }, {}),
    );
    return [values!, indices!];
  },
};
