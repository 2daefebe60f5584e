/** Ops that only move numbers, as some of our views, transposes and slices do. */

import { Refusal } from '../errors.ts';
import { printShape } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { joined } from './concatenate.ts';
import { isChannelsFirst } from './convolution.ts';
import { select } from './embedding.ts';
import { reshaped } from './reshape.ts';
import { steps } from './slice.ts';
import type { Operand, TensorflowNode, TensorflowOps } from './tensorflow.ts';
import { channelsLast, fromChannelsLast, transpose } from './transpose.ts';
import { channels, spatial } from './window.ts';

/** The image of a node as (batch, rows, columns, channels), and its blocks. */
function blocksOf(node: TensorflowNode) {
  const format = node.text('data_format', 'NHWC');
  if (format !== 'NHWC' && format !== 'NCHW') throw new Refusal(`${node.op} of ${format} is not supported`);
  const isFirst = isChannelsFirst(node, 'NHWC');
  const x = channelsLast(node, node.input(0), isFirst);
  const [rows, columns] = spatial(x.type.shape);
  const size = node.number('block_size', 0);
  if (x.type.shape.length !== 4 || !Number.isInteger(size) || size < 1) {
    throw new Refusal(`blocks of ${size} in ${printShape(x.type.shape)}`);
  }
  return { x, isFirst, size, rows: rows!, columns: columns!, depth: channels(x.type.shape) };
}

/** (batch, h, w, size²·c) → (batch, h·size, w·size, c) */
function depthToSpace(node: TensorflowNode): Operand {
  const { x, isFirst, size, rows, columns, depth } = blocksOf(node);
  const batch = x.type.shape[0]!;
  const rest = depth / size ** 2;
  if (!Number.isInteger(rest)) throw new Refusal(`${depth} channels do not make blocks of ${size}`);
  // The columns of a block and their channels stay side by side.
  const apart = reshaped(node, x, [batch, rows, columns, size, size * rest]);
  const turned = node.add(transpose, { x: apart }, { axes: [0, 1, 3, 2, 4] }, {});
  return fromChannelsLast(node, reshaped(node, turned, [batch, rows * size, columns * size, rest]), isFirst);
}

/** (batch, h, w, c) → (batch, h / size, w / size, size²·c) */
function spaceToDepth(node: TensorflowNode): Operand {
  const { x, isFirst, size, rows, columns, depth } = blocksOf(node);
  const batch = x.type.shape[0]!;
  const [high, wide] = [rows / size, columns / size];
  if (!Number.isInteger(high) || !Number.isInteger(wide)) {
    throw new Refusal(`blocks of ${size} do not fit into ${rows} × ${columns}`);
  }
  const apart = reshaped(node, x, [batch, high, size, wide, size * depth]);
  const turned = node.add(transpose, { x: apart }, { axes: [0, 1, 3, 2, 4] }, {});
  return fromChannelsLast(node, reshaped(node, turned, [batch, high, wide, size ** 2 * depth]), isFirst);
}

/** The steps of some axes moved on, those at the end to the front. */
function roll(node: TensorflowNode): Operand {
  const { shape } = node.input(0).type;
  const shifts = node.integers(1);
  const axes = node.integers(2).map((axis) => axisOf(axis, shape.length));
  if (shifts.length !== axes.length) throw new Refusal(`${shifts.length} shifts of ${axes.length} axes`);
  return axes.reduce((x: Operand, axis, i) => {
    const length = shape[axis];
    if (typeof length !== 'number') throw new Refusal('a shift along the batch mixes the samples');
    const shift = length === 0 ? 0 : ((shifts[i]! % length) + length) % length;
    if (shift === 0) return x;
    const begin = length - shift;
    return joined(node, [steps(node, x, axis, begin, shift), steps(node, x, axis, 0, begin)], axis);
  }, node.input(0));
}

/** One diagonal of every matrix, which are the last two axes. */
function diagonalPart(node: TensorflowNode): Operand {
  node.text('align', 'RIGHT_LEFT');
  const x = node.input(0);
  const { shape } = x.type;
  const [rows, columns] = shape.slice(-2);
  const diagonals = [...new Set(node.integers(1))];
  const [diagonal] = diagonals;
  if (diagonals.length !== 1 || typeof rows !== 'number' || typeof columns !== 'number' || shape.length < 3) {
    throw new Refusal('several diagonals, or one over the batch, are not supported');
  }
  const [row, column] = diagonal! < 0 ? [-diagonal!, 0] : [0, diagonal!];
  const length = Math.min(rows - row, columns - column);
  if (length < 1) throw new Refusal(`diagonal ${diagonal} of ${rows} × ${columns}`);
  const indices = Array.from({ length }, (_, i) => (row + i) * columns + column + i);
  const flat = reshaped(node, x, [...shape.slice(0, -2), rows * columns]);
  return node.add(select, { x: flat }, { axis: shape.length - 2, indices }, {});
}

export const rearrangingTensorflow: TensorflowOps = {
  DepthToSpace: depthToSpace,
  MatrixDiagPartV2: diagonalPart,
  MatrixDiagPartV3: diagonalPart,
  Roll: roll,
  SpaceToDepth: spaceToDepth,
};
