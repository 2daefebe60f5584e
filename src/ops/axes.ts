/** Axes as TensorFlow counts them: negative ones from the end. */

import { Refusal } from '../errors.ts';
import type { TensorflowNode, TensorflowOps } from './tensorflow.ts';

/** The axis among `rank`, from 0. */
export function axisOf(axis: number, rank: number): number {
  const counted = axis < 0 ? axis + rank : axis;
  if (!Number.isInteger(axis) || counted < 0 || counted >= rank) {
    throw new Refusal(`axis ${axis} is not one of ${rank}`);
  }
  return counted;
}

/** The axes that an input names, of the first input; ascending, each once. */
export function axesOf(node: TensorflowNode, index: number): readonly number[] {
  const rank = node.input(0).type.shape.length;
  const axes = node.integers(index).map((axis) => axisOf(axis, rank));
  return [...new Set(axes)].sort((a, b) => a - b);
}

/** Numbers from a start by equal steps: axes, mostly. They are known before the first prediction. */
export const axesTensorflow: TensorflowOps = {
  Range: (node) => {
    const [start, limit, step] = [0, 1, 2].map((i) => node.integers(i)[0]!) as [number, number, number];
    const length = Math.max(0, Math.ceil((limit - start) / step));
    if (!(length < 2 ** 24)) throw new Refusal(`a range from ${start} to ${limit} by ${step}`);
    const { dtype } = node.input(0).type;
    return node.byBatch(dtype, [length], () => Array.from({ length }, (_, i) => start + i * step));
  },
};
