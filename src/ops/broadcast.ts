/** Stretches a value to a larger shape. */

import { Refusal } from '../errors.ts';
import { type Dim, printShape, sameDim } from '../ir/types.ts';
import { broadcastIndices, broadcastShape, take } from './broadcasting.ts';
import { defineOp } from './op.ts';
import type { TensorflowOps } from './tensorflow.ts';

export const broadcast = defineOp({
  name: 'Broadcast',
  inputs: ['x'],
  weights: [],

  infer({ x }, { shape }: { readonly shape: readonly Dim[] }) {
    const stretched = broadcastShape([x.shape, shape]);
    if (!(stretched.length === shape.length && stretched.every((dim, i) => sameDim(dim, shape[i]!)))) {
      throw new Refusal(`${printShape(x.shape)} does not stretch to ${printShape(shape)}`);
    }
    return { dtype: x.dtype, shape };
  },

  evaluate: ({ x }, _, output) => take(x, broadcastIndices(x.shape, output.shape)),

  emit: ({ inputs, into, use }) => `${use('ops')}::broadcast_to(${inputs.x}, samples, ${into})`,

  className: () => 'broadcast_to',
});

export const broadcastTensorflow: TensorflowOps = {
  BroadcastArgs: (node) => {
    const shape = broadcastShape([node.dims(0), node.dims(1)]);
    return node.byBatch(node.input(0).type.dtype, [shape.length], (samples) =>
      shape.map((dim) => (typeof dim === 'number' ? dim : dim.batch * samples)),
    );
  },
  BroadcastTo: (node) => node.add(broadcast, { x: node.input(0) }, { shape: node.dims(1) }, {}),
  Fill: (node) => node.add(broadcast, { x: node.input(1) }, { shape: node.dims(0) }, {}),
};
