/** Steps that stand several times, one after the other: images grown by whole factors. */

import type { Dim } from '../ir/types.ts';
import { rowMajor, stridedIndices, take } from './broadcasting.ts';
import { defineOp } from './op.ts';

export interface RepeatAttributes {
  /** How often each step stands, for every axis. */
  readonly counts: readonly number[];
}

/** `y[i, j, …] = x[⌊i / counts₀⌋, ⌊j / counts₁⌋, …]` */
export const repeat = defineOp({
  name: 'Repeat',
  inputs: ['x'],
  weights: [],

  infer({ x }, { counts }: RepeatAttributes) {
    const shape = x.shape.map((dim, i): Dim => (typeof dim === 'number' ? dim * counts[i]! : dim));
    return { dtype: x.dtype, shape };
  },

  evaluate({ x }, { counts }) {
    const lengths = x.shape.flatMap((dim, i) => [dim, counts[i]!]);
    const strides = rowMajor(x.shape).flatMap((stride) => [stride, 0]);
    return take(x, stridedIndices(lengths, strides, 0));
  },

  emit: ({ inputs, into, use }) => `${use('ops')}::repeat(${inputs.x}, ${into})`,

  className: ({ counts }) => `UpSampling${Math.max(counts.length - 2, 1)}D`,
});
