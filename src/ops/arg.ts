/** Where the largest or the smallest stands along an axis. */

import { Refusal } from '../errors.ts';
import { type DType, elements, zeros } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { defineOp } from './op.ts';
import type { TensorflowOps } from './tensorflow.ts';

export interface ArgAttributes {
  readonly kind: 'max' | 'min';
  readonly axis: number;
  readonly dtype: DType;
}

/** The first of equals. */
export const arg = defineOp({
  name: 'Arg',
  inputs: ['x'],
  weights: [],

  infer({ x }, { axis, dtype }: ArgAttributes) {
    if (typeof x.shape[axis] !== 'number') throw new Refusal('the largest of the batch mixes the samples');
    if (x.dtype === 'bool' || (dtype !== 'i32' && dtype !== 'i64')) {
      throw new Refusal(`the place of the largest ${x.dtype} as ${dtype} is not supported`);
    }
    return { dtype, shape: x.shape.toSpliced(axis, 1) };
  },

  evaluate({ x }, { kind, axis }, output) {
    const length = x.shape[axis]!;
    const inner = elements(x.shape.slice(axis + 1));
    const places = zeros(output.dtype, elements(output.shape));
    for (let i = 0; i < places.length; i++) {
      const start = Math.floor(i / inner) * length * inner + (i % inner);
      let best = 0;
      for (let step = 1; step < length; step++) {
        const [a, b] = [x.data[start + step * inner]!, x.data[start + best * inner]!];
        if (kind === 'max' ? a > b : a < b) best = step;
      }
      places[i] = places instanceof BigInt64Array ? BigInt(best) : best;
    }
    return places;
  },

  emit: ({ inputs, into, use }, { kind, axis }) =>
    `${use('ops')}::arg_${kind}(${inputs.x}, ${axis}, ${into})`,

  className: ({ kind }) => `arg${kind}`,
});

const lowering =
  (kind: ArgAttributes['kind']): TensorflowOps[string] =>
  (node) => {
    const axis = axisOf(node.integers(1)[0]!, node.input(0).type.shape.length);
    return node.add(arg, { x: node.input(0) }, { kind, axis, dtype: node.dtype('output_type') }, {});
  };

export const argTensorflow: TensorflowOps = { ArgMax: lowering('max'), ArgMin: lowering('min') };
