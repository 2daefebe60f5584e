/** Functions of `keras.ops` that move numbers, or choose some of them. */

import { isList } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { sameDim, tensor } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { broadcast } from './broadcast.ts';
import { broadcastShape } from './broadcasting.ts';
import { joined } from './concatenate.ts';
import { apply, compute } from './elementwise.ts';
import { select } from './embedding.ts';
import { call, input, number } from './expression.ts';
import {
  axesFrom,
  firstAt,
  integersFrom,
  itemsOf,
  operandAt,
  operandsAt,
  plainValue,
  swapped,
} from './function-call.ts';
import { gatherAlong } from './gather-along.ts';
import type { KerasLayer, KerasLayers, KerasLowering } from './keras.ts';
import { repeat } from './repeat.ts';
import { reshaped } from './reshape.ts';
import { steps } from './slice.ts';
import { constantOf, type Operand } from './tensorflow.ts';
import { transpose } from './transpose.ts';

function moved(layer: KerasLayer): Operand {
  const operand = firstAt(layer);
  const rank = operand.type.shape.length;
  const axesAt = (key: string) => integersFrom(layer.value(key), key).map((axis) => axisOf(axis, rank));
  const [from, to] = [axesAt('source'), axesAt('destination')];
  const rest = operand.type.shape.map((_, i) => i).filter((i) => !from.includes(i));
  const places = [...to].map((place, i) => [place, from[i]!] as const).sort((a, b) => a[0] - b[0]);
  const axes = places.reduce((order, [place, axis]) => order.toSpliced(place, 0, axis), rest);
  return layer.add(transpose, { x: operand }, { axes }, {});
}

function split(layer: KerasLayer): readonly Operand[] {
  const operand = firstAt(layer);
  const axis = axisOf(layer.number('axis', 0), operand.type.shape.length);
  const length = operand.type.shape[axis];
  if (typeof length !== 'number') throw new Refusal('a split of the batch mixes the samples');
  const sections = layer.value('indices_or_sections');
  const bounds = isList(sections)
    ? [0, ...integersFrom(sections, 'indices_or_sections'), length]
    : Array.from({ length: Number(sections) + 1 }, (_, i) => (i * length) / Number(sections));
  return bounds.slice(1).map((end, i) => steps(layer, operand, axis, bounds[i]!, end - bounds[i]!));
}

function take(layer: KerasLayer): Operand {
  const operand = firstAt(layer);
  const axis = axisOf(layer.number('axis', 0), operand.type.shape.length);
  const indices = operandAt(layer, 'indices', 1, 'i32');
  const length = operand.type.shape[axis];
  if (!indices || typeof length !== 'number')
    throw new Refusal('chosen samples of the batch mix the samples');
  return layer.tensorflow('GatherV2', [operand, counted(layer, indices, length), axis]);
}

/** Steps of an axis, others at every place of the other axes, which stretch to each other. */
function takenAlong(layer: KerasLayer): Operand {
  const [x, given] = [firstAt(layer), operandAt(layer, 'indices', 1, 'i32')];
  const rank = x.type.shape.length;
  if (!given || given.type.shape.length !== rank) throw new Refusal('it needs an index for each of the axes');
  const axis = axisOf(layer.number('axis'), rank);
  const length = x.type.shape[axis];
  if (typeof length !== 'number') throw new Refusal('chosen samples of the batch mix the samples');
  const shape = broadcastShape([x.type.shape.with(axis, 1), given.type.shape.with(axis, 1)]);
  const stretched = (operand: Operand) => {
    const wanted = shape.with(axis, operand.type.shape[axis]!);
    const isThere = wanted.every((dim, i) => sameDim(dim, operand.type.shape[i]!));
    return isThere ? operand : layer.add(broadcast, { x: operand }, { shape: wanted }, {});
  };
  const last = [x, counted(layer, given, length)].map((operand) =>
    swapped(layer, stretched(operand), axis, rank - 1),
  );
  const inputs = { x: last[0]!, indices: last[1]! };
  return swapped(
    layer,
    layer.add(gatherAlong, inputs, { axis: rank - 1, shared: rank - 1 }, {}),
    axis,
    rank - 1,
  );
}

/** Indices of which negative ones count from the end. */
function counted(layer: KerasLayer, indices: Operand, length: number): Operand {
  const { dtype } = indices.type;
  const fromEnd = call('add', input(0, dtype), number(length, dtype));
  const isNegative = call('less', input(0, dtype), number(0, dtype));
  return compute(layer, [indices], call('select', isNegative, fromEnd, input(0, dtype)));
}

function padded(layer: KerasLayer): Operand {
  const operand = firstAt(layer);
  const width = layer.value('pad_width');
  const borders = isList(width) ? width.flatMap((sides) => integersFrom(sides, 'pad_width')) : [];
  if (borders.length !== 2 * operand.type.shape.length) throw new Refusal('a border of that form');
  const mode = layer.text('mode', 'constant');
  const given = operandAt(layer, 'constant_values', 1, operand.type.dtype);
  if (mode !== 'constant')
    return layer.tensorflow('MirrorPad', [operand, borders], { mode: mode.toUpperCase() });
  return layer.tensorflow(given ? 'PadV2' : 'Pad', [operand, borders, ...(given ? [given] : [])]);
}

/** The numbers whose places are one apart in both axes, as the last axis. */
function diagonal(layer: KerasLayer): Operand {
  const operand = firstAt(layer);
  const rank = operand.type.shape.length;
  const offset = layer.number('offset', 0);
  const pairOfAxes = [layer.number('axis1', 0), layer.number('axis2', 1)].map((axis) => axisOf(axis, rank));
  const rest = operand.type.shape.map((_, i) => i).filter((i) => !pairOfAxes.includes(i));
  const turned = layer.add(transpose, { x: operand }, { axes: [...rest, ...pairOfAxes] }, {});
  const [rows, columns] = turned.type.shape.slice(-2);
  if (typeof rows !== 'number' || typeof columns !== 'number') throw new Refusal('a diagonal of the batch');
  const flat = reshaped(layer, turned, [...turned.type.shape.slice(0, -2), rows * columns]);
  const indices = Array.from({ length: rows }, (_, i) => i)
    .filter((i) => i + offset >= 0 && i + offset < columns)
    .map((i) => i * columns + i + offset);
  return layer.add(select, { x: flat }, { axis: rest.length, indices }, {});
}

const triangle =
  (isKept: (row: number, column: number, k: number) => boolean): KerasLowering =>
  (layer) => {
    const operand = firstAt(layer);
    const [rows, columns] = operand.type.shape.slice(-2);
    const k = layer.number('k', 0);
    if (typeof rows !== 'number' || typeof columns !== 'number') throw new Refusal('a triangle of the batch');
    const cells = Array.from({ length: rows * columns }, (_, i) =>
      Number(isKept(Math.floor(i / columns), i % columns, k)),
    );
    const { dtype } = operand.type;
    const kept = constantOf(tensor('bool', [rows, columns], cells));
    return compute(
      layer,
      [operand, kept],
      call('select', input(1, 'bool'), input(0, dtype), number(0, dtype)),
    );
  };

function stacked(layer: KerasLayer): Operand {
  const parts = operandsAt(layer, 'x', 0);
  const axis = axisOf(layer.number('axis', 0), parts[0]!.type.shape.length + 1);
  return joined(
    layer,
    parts.map((part) => reshaped(layer, part, part.type.shape.toSpliced(axis, 0, 1))),
    axis,
  );
}

function concatenated(layer: KerasLayer): Operand {
  const parts = operandsAt(layer, 'xs', 0);
  return joined(layer, parts, axisOf(layer.number('axis', 0), parts[0]!.type.shape.length));
}

function unstacked(layer: KerasLayer): readonly Operand[] {
  const operand = firstAt(layer);
  const axis = axisOf(layer.number('axis', 0), operand.type.shape.length);
  const length = operand.type.shape[axis];
  const count = layer.value('num') === undefined ? length : layer.number('num');
  if (typeof count !== 'number') throw new Refusal('the parts of the batch are its samples');
  return layer.tensorflowAll('Unpack', [operand], { axis, num: count });
}

function differences(layer: KerasLayer): Operand {
  const operand = firstAt(layer);
  const axis = axisOf(layer.number('axis', -1), operand.type.shape.length);
  return Array.from({ length: layer.number('n', 1) }).reduce((part: Operand) => {
    const length = Number(part.type.shape[axis]) - 1;
    return apply(layer, 'subtract', steps(layer, part, axis, 1, length), steps(layer, part, axis, 0, length));
  }, operand);
}

export const shapeFunctions: KerasLayers = {
  Concatenate: concatenated,
  Diagonal: diagonal,
  Diff: differences,
  ExpandDims: (layer) => layer.tensorflow('ExpandDims', [firstAt(layer), layer.number('axis')]),
  Flip: (layer) =>
    layer.tensorflow('ReverseV2', [
      firstAt(layer),
      axesFrom(layer.value('axis'), firstAt(layer).type.shape.length),
    ]),
  GetItem: (layer) => itemsOf(layer, firstAt(layer), plainValue(layer, 'key', 1)),
  Moveaxis: moved,
  Pad: padded,
  Repeat: (layer) => {
    const operand = firstAt(layer);
    const axis = axisOf(layer.number('axis'), operand.type.shape.length);
    const counts = operand.type.shape.map((_, i) => (i === axis ? layer.number('repeats') : 1));
    return layer.add(repeat, { x: operand }, { counts }, {});
  },
  Reshape: (layer) => layer.tensorflow('Reshape', [firstAt(layer), layer.list('newshape')]),
  Roll: (layer) =>
    layer.tensorflow('Roll', [firstAt(layer), [layer.number('shift')], [layer.number('axis')]]),
  Split: split,
  Squeeze: (layer) => {
    const axes = layer.value('axis');
    const attributes = axes === undefined ? {} : { squeeze_dims: integersFrom(axes, 'axis') };
    return layer.tensorflow('Squeeze', [firstAt(layer)], attributes);
  },
  Stack: stacked,
  Swapaxes: (layer) => {
    const rank = firstAt(layer).type.shape.length;
    const [a, b] = [layer.number('axis1'), layer.number('axis2')].map((axis) => axisOf(axis, rank));
    return swapped(layer, firstAt(layer), a!, b!);
  },
  Take: take,
  TakeAlongAxis: takenAlong,
  Tile: (layer) => layer.tensorflow('Tile', [firstAt(layer), layer.list('repeats')]),
  Transpose: (layer) => {
    const operand = firstAt(layer);
    const reversed = operand.type.shape.map((_, i, { length }) => length - 1 - i);
    const axes = layer.value('axes') === undefined ? reversed : layer.list('axes');
    return layer.tensorflow('Transpose', [operand, axes]);
  },
  Tril: triangle((row, column, k) => column <= row + k),
  Triu: triangle((row, column, k) => column >= row + k),
  Unstack: unstacked,
};
