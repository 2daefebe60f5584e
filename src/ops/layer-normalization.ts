/** Numbers brought to mean 0 and variance 1, then scaled and shifted by what training found. */

import { Refusal } from '../errors.ts';
import type { Tensor, TensorType } from '../ir/types.ts';
import { rustNumber } from './expression.ts';
import { defineOp, type EmittedStep } from './op.ts';

/**
 * `(x − mean) / √(variance + ε) · scale + shift`, of so many numbers that follow each other as there are scales: those
 * of the last axis, or of the last axes.
 */
export const layerNormalization = defineOp({
  name: 'LayerNormalization',
  inputs: ['x'],
  weights: ['scale', 'shift'],

  infer({ x, scale, shift }, { epsilon }: { readonly epsilon: number }) {
    const [size] = scale.shape as readonly [number];
    if (x.dtype !== 'f32')
      throw new Refusal(`layer normalization computes with f32, and its input is ${x.dtype}`);
    if (!isOfLastAxes(x, size)) throw new Refusal(`${size} scales for an input of shape ${x.shape}`);
    if (shift.shape[0] !== size) throw new Refusal(`${shift.shape[0]} shifts for ${size} scales`);
    if (!(epsilon >= 0)) throw new Refusal(`an epsilon of ${epsilon} is not supported`);
    return x;
  },

  evaluate({ x, scale, shift }, { epsilon }) {
    const size = scale.data.length;
    const data = x.data as Float32Array;
    const result = new Float32Array(data.length);
    for (let start = 0; start < data.length; start += size) {
      const row = data.subarray(start, start + size);
      const mean = row.reduce((sum, value) => sum + value, 0) / size;
      const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / size;
      const factor = 1 / Math.sqrt(variance + epsilon);
      for (let i = 0; i < size; i++) {
        result[start + i] = (row[i]! - mean) * factor * Number(scale.data[i]) + Number(shift.data[i]);
      }
    }
    return result;
  },

  emit: (step, { epsilon }) => `${fieldOf(step)}.apply(${step.inputs.x}, ${literal(epsilon)}, ${step.into})`,

  inPlace: {
    over: 'x',
    fits: () => true,
    emit: (step, { epsilon }) => `${fieldOf(step)}.apply_mut(${step.inputs.x}, ${literal(epsilon)})`,
  },

  className: () => 'LayerNormalization',
});

/** Whether the last axes together have that length. */
export function isOfLastAxes({ shape }: TensorType, size: number): boolean {
  let length = 1;
  for (const dim of shape.slice(1).reverse()) {
    length *= typeof dim === 'number' ? dim : Number.NaN;
    if (length === size) return true;
  }
  return false;
}

function literal(epsilon: number): string {
  return rustNumber(epsilon, 'f32').text;
}

function fieldOf({ types, layer }: EmittedStep<'x', 'scale' | 'shift'>): string {
  const [size] = types.scale.shape as readonly [number];
  return layer({
    rustType: `LayerNormalization<${size}, ${2 * Math.ceil(size / 16)}>`,
    doc: `${size} numbers.`,
    pack: ['scale', 'shift'],
  });
}

/** A scale of 1 and a shift of 0. */
export function plainScale(size: number): { readonly scale: Tensor; readonly shift: Tensor } {
  return {
    scale: { dtype: 'f32', shape: [size], data: new Float32Array(size).fill(1) },
    shift: { dtype: 'f32', shape: [size], data: new Float32Array(size) },
  };
}
