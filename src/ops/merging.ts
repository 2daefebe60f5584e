/** Layers of Keras that make one of several values. */

import { Refusal } from '../errors.ts';
import { type Dim, lengthOfSample, tensor } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { broadcast } from './broadcast.ts';
import { joined } from './concatenate.ts';
import { apply } from './elementwise.ts';
import type { FunctionName } from './functions.ts';
import {
  type KerasLayer,
  type KerasLayers,
  type KerasLowering,
  type KerasOutputs,
  outputsOf,
} from './keras.ts';
import { unitLength } from './normalizing.ts';
import { reshaped } from './reshape.ts';
import { constantOf, type Operand } from './tensorflow.ts';
import { transpose } from './transpose.ts';

/** One function of all inputs, element by element. */
const merged =
  (name: FunctionName): KerasLowering =>
  (layer) => {
    const [first, ...others] = sameRank(layer, layer.inputs);
    if (!first) throw new Refusal('it is called with no tensors');
    const all = others.reduce((sum, part) => apply(layer, name, sum, part), first);
    return { outputs: [all], masks: [mergedMask(layer)] };
  };

/** Values with fewer axes get new ones after the batch, as Keras has it. */
function sameRank(layer: KerasLayer, parts: readonly Operand[]): readonly Operand[] {
  const rank = parts.reduce((most, { type }) => Math.max(most, type.shape.length), 0);
  return parts.map((part) => {
    const { shape } = part.type;
    const missing = Array<number>(rank - shape.length).fill(1);
    return missing.length === 0 ? part : reshaped(layer, part, shape.toSpliced(1, 0, ...missing));
  });
}

/** Keras 3 counts a step that counts in any of the inputs, Keras 2 one that counts in all which have a mask. */
function mergedMask(layer: KerasLayer): Operand | undefined {
  const masks = layer.inputs.map((_, i) => layer.mask(i));
  const [first, ...others] = masks.filter((mask) => mask !== undefined);
  if (layer.keras >= 3) {
    if (others.length + 1 < masks.length) return undefined;
    return others.reduce((any, mask) => apply(layer, 'logical_or', any!, mask), first);
  }
  return others.reduce((all, mask) => apply(layer, 'logical_and', all!, mask), first);
}

/** Keras 3 has steps that do not count leave the others as they are. */
const withoutMask =
  (name: FunctionName): KerasLowering =>
  (layer) => {
    if (layer.keras >= 3 && layer.inputs.some((_, i) => layer.mask(i))) {
      throw new Refusal('merging masked steps so is not supported');
    }
    return merged(name)(layer);
  };

const average: KerasLowering = (layer) => {
  const { outputs, masks } = outputsOf(merged('add')(layer));
  const sum = outputs[0]!;
  const count = constantOf(tensor(sum.type.dtype, [], [layer.inputs.length]));
  return { outputs: [apply(layer, 'divide', sum, count)], masks };
};

function concatenated(layer: KerasLayer): KerasOutputs {
  const { shape } = layer.input(0).type;
  const axis = axisOf(layer.number('axis', -1), shape.length);
  const y = joined(layer, layer.inputs, axis);
  return { outputs: [y], masks: [joinedMask(layer, axis, shape.length)] };
}

function joinedMask(layer: KerasLayer, axis: number, rank: number): Operand | undefined {
  if (!layer.inputs.some((_, i) => layer.mask(i))) return undefined;
  if (axis === rank - 1) return mergedMask(layer);
  const masks = layer.inputs.map((x, i) => layer.mask(i) ?? everywhere(layer, x));
  if (axis !== 1 || masks.some(({ type }) => type.shape.length !== 2)) {
    throw new Refusal(`masked steps that are joined along axis ${axis} are not supported`);
  }
  return joined(layer, masks, axis);
}

/** All steps count. */
function everywhere(layer: KerasLayer, x: Operand): Operand {
  const shape = x.type.shape.slice(0, 2);
  return layer.add(broadcast, { x: constantOf(tensor('bool', [], [1])) }, { shape }, {});
}

/** The product over one axis of each: as matrices, with the summed axis last and first. */
function dot(layer: KerasLayer): Operand {
  const axes = layer.list('axes', 2);
  const normalizes = layer.flag('normalize', false);
  const [left, right] = axes.map((axis, i) => {
    const x = layer.input(i);
    const place = axisOf(axis, x.type.shape.length);
    return {
      x: normalizes ? unitLength(layer, x, [place], layer.keras >= 3 ? 1e-7 : 1e-12) : x,
      axis: place,
    };
  });
  const rows = moved(layer, left!.x, left!.axis, left!.x.type.shape.length - 1);
  const columns = moved(layer, right!.x, right!.axis, 1);
  const [batch, ...outer] = rows.type.shape.slice(0, -1);
  const length = rows.type.shape.at(-1)!;
  const others = columns.type.shape.slice(2);
  const count = (dims: readonly Dim[]) => lengthOfSample({ dtype: 'f32', shape: dims });
  const product = layer.tensorflow('BatchMatMulV2', [
    reshaped(layer, rows, [batch!, count(outer), length]),
    reshaped(layer, columns, [batch!, length, count(others)]),
  ]);
  const shape = [batch!, ...outer, ...others];
  return reshaped(layer, product, shape.length === 1 ? [batch!, 1] : shape);
}

function moved(layer: KerasLayer, x: Operand, from: number, to: number): Operand {
  if (from === to) return x;
  const rest = x.type.shape.map((_, i) => i).filter((i) => i !== from);
  return layer.add(transpose, { x }, { axes: rest.toSpliced(to, 0, from) }, {});
}

export const mergingKeras: KerasLayers = {
  Add: merged('add'),
  Average: average,
  Concatenate: concatenated,
  Dot: dot,
  Maximum: withoutMask('maximum'),
  Minimum: withoutMask('minimum'),
  Multiply: withoutMask('multiply'),
  Subtract: merged('subtract'),
};
