/** Axes as TensorFlow counts them: negative ones from the end. */

import { Refusal } from '../errors.ts';
import type { TensorflowNode } from './tensorflow.ts';

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
