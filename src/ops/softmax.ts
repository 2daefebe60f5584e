/** The exponentials along an axis, divided by their sum. */

import { Refusal } from '../errors.ts';
import { elements } from '../ir/types.ts';
import { defineOp } from './op.ts';
import type { TensorflowOps } from './tensorflow.ts';

export interface SoftmaxAttributes {
  readonly axis: number;
  /** The logarithm of it. */
  readonly isLog: boolean;
}

/** `exp(x − max) / Σ exp(x − max)` along the axis. */
export const softmax = defineOp({
  name: 'Softmax',
  inputs: ['x'],
  weights: [],

  infer({ x }, { axis }: SoftmaxAttributes) {
    if (x.dtype !== 'f32') throw new Refusal(`softmax computes with f32, and its input is ${x.dtype}`);
    if (typeof x.shape[axis] !== 'number') throw new Refusal('softmax over the batch mixes the samples');
    return x;
  },

  evaluate({ x }, { axis, isLog }) {
    const length = x.shape[axis]!;
    const inner = elements(x.shape.slice(axis + 1));
    const data = new Float32Array(x.data.length);
    for (let start = 0; start < data.length; start += length * inner) {
      for (let i = start; i < start + inner; i++) {
        const at = Array.from({ length }, (_, step) => i + step * inner);
        const most = at.reduce((max, j) => Math.max(max, Number(x.data[j])), Number.NEGATIVE_INFINITY);
        const sum = at.reduce((total, j) => total + Math.exp(Number(x.data[j]) - most), 0);
        for (const j of at) {
          const shifted = Number(x.data[j]) - most;
          data[j] = isLog ? shifted - Math.log(sum) : Math.exp(shifted) / sum;
        }
      }
    }
    return data;
  },

  emit({ inputs, into, use }, { axis, isLog }) {
    return `${use('ops')}::${isLog ? 'log_softmax' : 'softmax'}(${inputs.x}, ${axis}, ${into})`;
  },

  inPlace: {
    over: 'x',
    fits: () => true,
    emit: ({ inputs, use }, { axis, isLog }) =>
      `${use('ops')}::${isLog ? 'log_softmax' : 'softmax'}_mut(${inputs.x}, ${axis})`,
  },

  className: () => 'Softmax',
});

const alongLast =
  (isLog: boolean): TensorflowOps[string] =>
  (node) =>
    node.add(softmax, { x: node.input(0) }, { axis: node.input(0).type.shape.length - 1, isLog }, {});

export const softmaxTensorflow: TensorflowOps = {
  LogSoftmax: alongLast(true),
  Softmax: alongLast(false),
};
