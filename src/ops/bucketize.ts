/** Numbers become the numbers of the ranges that they lie in. */

import { Refusal } from '../errors.ts';
import { rustNumber } from './expression.ts';
import { defineOp } from './op.ts';
import type { TensorflowOps } from './tensorflow.ts';

export interface BucketizeAttributes {
  /** Ascending. A number is in the range that begins at the last boundary that is not above it. */
  readonly boundaries: readonly number[];
}

/** How many boundaries are at or below each number; NaN is above all. */
export const bucketize = defineOp({
  name: 'Bucketize',
  inputs: ['x'],
  weights: [],

  infer({ x }, { boundaries }: BucketizeAttributes) {
    if (x.dtype === 'bool' || x.dtype === 'u8') throw new Refusal(`ranges of ${x.dtype} are not supported`);
    if (boundaries.some((boundary, i) => i > 0 && !(boundary >= boundaries[i - 1]!))) {
      throw new Refusal('the boundaries of ranges do not ascend');
    }
    return { dtype: 'i32', shape: x.shape };
  },

  evaluate({ x }, { boundaries }) {
    // TensorFlow compares integers as f32.
    const round = x.dtype === 'f64' ? Number : Math.fround;
    const count = (value: number | bigint) => {
      const above = boundaries.findIndex((boundary) => round(Number(value)) < boundary);
      return above < 0 ? boundaries.length : above;
    };
    return Int32Array.from({ length: x.data.length }, (_, i) => count(x.data[i]!));
  },

  emit({ inputs, into, use }, { boundaries }) {
    const list = boundaries.map((boundary) => rustNumber(boundary, 'f32').text);
    return `${use('ops')}::bucketize(${inputs.x}, &[${list.join(', ')}], ${into})`;
  },

  className: () => 'Discretization',
});

export const bucketizeTensorflow: TensorflowOps = {
  Bucketize: (node) => node.add(bucketize, { x: node.input(0) }, { boundaries: node.list('boundaries') }, {}),
};
