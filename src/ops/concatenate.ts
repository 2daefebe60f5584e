/** Values one after the other along an axis. */

import { Refusal } from '../errors.ts';
import { type Dim, elements, printShape, sameDim, type TensorType, zeros } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { defineOp } from './op.ts';
import { reshaped } from './reshape.ts';
import type { Operand, TensorflowNode, TensorflowOps } from './tensorflow.ts';
import { transpose } from './transpose.ts';

export const concatenate = defineOp({
  name: 'Concatenate',
  inputs: undefined as readonly `x${number}`[] | undefined,
  weights: [],

  infer(types, { axis }: { readonly axis: number }) {
    const [first, ...rest] = Object.values(types) as TensorType[];
    if (!first) throw new Refusal('nothing to join');
    let length: Dim = first.shape[axis]!;
    for (const { dtype, shape } of rest) {
      const fits =
        dtype === first.dtype &&
        shape.length === first.shape.length &&
        shape.every((dim, i) => i === axis || sameDim(dim, first.shape[i]!));
      const dim = shape[axis];
      if (!fits)
        throw new Refusal(`${printShape(first.shape)} and ${printShape(shape)} do not join at axis ${axis}`);
      if (typeof length !== 'number' || typeof dim !== 'number') {
        throw new Refusal('values that join along the batch mix the samples');
      }
      length += dim;
    }
    return { dtype: first.dtype, shape: first.shape.with(axis, length) };
  },

  evaluate(values, { axis }, output) {
    const data = zeros(output.dtype, elements(output.shape));
    const width = elements(output.shape.slice(axis));
    let offset = 0;
    for (const { shape, data: part } of Object.values(values)) {
      const own = elements(shape.slice(axis));
      for (let i = 0; i < part.length; i++) data[Math.floor(i / own) * width + offset + (i % own)] = part[i]!;
      offset += own;
    }
    return data;
  },

  emit({ inputs, into, use }, { axis }) {
    const parts = Object.values(inputs).map((part) => `${use('ops')}::flat(${part})`);
    return `ops::concatenate(&[${parts.join(', ')}], ${axis}, ${into})`;
  },

  className: () => 'Concatenate',
});

/** The operands joined along an axis. */
export function joined(node: Pick<TensorflowNode, 'add'>, parts: readonly Operand[], axis: number): Operand {
  const [only, ...others] = parts;
  if (only && others.length === 0) return only;
  const inputs = Object.fromEntries(parts.map((part, i) => [`x${i}` as const, part]));
  return node.add(concatenate, inputs, { axis }, {});
}

/** The operands one after the other along a new axis. */
export function stacked(node: Pick<TensorflowNode, 'add'>, parts: readonly Operand[], axis: number): Operand {
  // Before the batch they are joined behind it, and turned: then only the turn moves the batch.
  const isBeforeBatch = axis === 0 && typeof parts[0]?.type.shape[0] === 'object';
  const place = isBeforeBatch ? 1 : axis;
  const wide = parts.map((part) => reshaped(node, part, part.type.shape.toSpliced(place, 0, 1)));
  const all = joined(node, wide, place);
  if (!isBeforeBatch) return all;
  const axes = all.type.shape.map((_, i) => (i < 2 ? 1 - i : i));
  return node.add(transpose, { x: all }, { axes }, {});
}

export const concatenateTensorflow: TensorflowOps = {
  ConcatV2: (node) => {
    const parts = node.inputs.slice(0, -1);
    return joined(node, parts, axisOf(node.integers(parts.length)[0]!, node.input(0).type.shape.length));
  },
  Pack: (node) => {
    const rank = node.input(0).type.shape.length;
    const axis = axisOf(node.number('axis', 0), rank + 1);
    return stacked(node, node.inputs, axis);
  },
  Tile: (node) => {
    const counts = node.dims(1);
    return counts.reduce((x: Operand, count, axis) => {
      if (typeof count !== 'number') throw new Refusal('a value repeated as often as there are samples');
      return joined(node, Array<Operand>(count).fill(x), axis);
    }, node.input(0));
  },
};
