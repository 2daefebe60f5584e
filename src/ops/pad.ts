/** A border around a value. */

import { isList, type Json, printJson } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import type { Dim } from '../ir/types.ts';
import { rowMajor, stridedIndices, take } from './broadcasting.ts';
import { rustNumber } from './expression.ts';
import { isChannelsFirstLayer, type KerasLayer, type KerasLayers, type KerasLowering } from './keras.ts';
import { defineOp } from './op.ts';
import type { TensorflowNode, TensorflowOps } from './tensorflow.ts';

export interface PadAttributes {
  /** Steps before and after, for every axis. */
  readonly borders: readonly (readonly [before: number, after: number])[];
  readonly value: number;
}

export const pad = defineOp({
  name: 'Pad',
  inputs: ['x'],
  weights: [],

  infer({ x }, { borders }: PadAttributes) {
    const shape = x.shape.map((dim, i): Dim => {
      const [before, after] = borders[i]!;
      if (before < 0 || after < 0) throw new Refusal(`a border of ${before} and ${after} steps`);
      if (typeof dim === 'number') return dim + before + after;
      if (before + after > 0) throw new Refusal('a border around the batch is not supported');
      return dim;
    });
    return { dtype: x.dtype, shape };
  },

  evaluate({ x }, { borders, value }, output) {
    const strides = rowMajor(output.shape);
    const start = borders.reduce((sum, [before], i) => sum + before * strides[i]!, 0);
    const places = stridedIndices(x.shape, strides, start);
    const from = new Int32Array(strides.length === 0 ? 1 : strides[0]! * output.shape[0]!).fill(-1);
    for (const [i, place] of places.entries()) from[place] = i;
    const data = take(
      x,
      from.map((i) => Math.max(i, 0)),
    );
    for (const [i, index] of from.entries()) {
      if (index < 0) data[i] = data instanceof BigInt64Array ? BigInt(value) : value;
    }
    return data;
  },

  emit({ inputs, types, into, use }, { borders, value }) {
    const list = borders.slice(1).map(([before, after]) => `[${before}, ${after}]`);
    const fill = rustNumber(value, types.x.dtype).text;
    return `${use('ops')}::pad(${inputs.x}, [${list.join(', ')}], ${fill}, ${into})`;
  },

  className: (_, { x }) => `ZeroPadding${Math.max(x.shape.length - 2, 1)}D`,
});

/** Steps before and after, for every axis, from the second input. */
export function bordersOf(node: TensorflowNode): readonly (readonly [number, number])[] {
  const numbers = node.integers(1);
  return node.input(0).type.shape.map((_, i) => [numbers[2 * i]!, numbers[2 * i + 1]!] as const);
}

export const padTensorflow: TensorflowOps = {
  Pad: (node) => node.add(pad, { x: node.input(0) }, { borders: bordersOf(node), value: 0 }, {}),
  PadV2: (node) => {
    const value = Number(node.constant(2).data[0]);
    return node.add(pad, { x: node.input(0) }, { borders: bordersOf(node), value }, {});
  },
};

/** A border of zeros around steps or pixels, of which one number stands for all sides, or for both of an axis. */
const paddingLayer =
  (rank: number): KerasLowering =>
  (layer) => {
    const none = [0, 0] as const;
    const sides = bordersAround(layer, 'padding', rank);
    const borders = isChannelsFirstLayer(layer) ? [none, none, ...sides] : [none, ...sides, none];
    return layer.add(pad, { x: layer.input(0) }, { borders, value: 0 }, {});
  };

/** `1`, `[1, 2]` or `[[1, 1], [2, 2]]`: the steps before and after, for each of `rank` axes. */
export function bordersAround(
  layer: KerasLayer,
  key: string,
  rank: number,
): readonly (readonly [number, number])[] {
  const found = layer.value(key);
  const pair = (json: Json | undefined): readonly [number, number] => {
    if (typeof json === 'number') return [json, json];
    const [before, after] = isList(json) ? json : [];
    if (typeof before === 'number' && typeof after === 'number') return [before, after];
    throw new Refusal(`"${key}" is ${printJson(found)}`);
  };
  if (rank === 1) return [pair(found)];
  if (typeof found === 'number') return Array.from({ length: rank }, () => pair(found));
  if (!isList(found) || found.length !== rank) throw new Refusal(`"${key}" is ${printJson(found)}`);
  return found.map(pair);
}

export const padKeras: KerasLayers = {
  ZeroPadding1D: paddingLayer(1),
  ZeroPadding2D: paddingLayer(2),
  ZeroPadding3D: paddingLayer(3),
};
