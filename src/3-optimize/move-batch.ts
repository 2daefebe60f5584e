/**
 * `Transpose → step` → `step → Transpose` where the transpose moves the batch from the front, as a TimeDistributed or a
 * locally connected layer of Keras 2 has it: until the transpose there meets the one back.
 */

import type { Node, NodeWith, Value } from '../ir/graph.ts';
import { type Dim, sameDim } from '../ir/types.ts';
import { batchNormalization } from '../ops/batch-normalization.ts';
import { concatenate } from '../ops/concatenate.ts';
import { dense } from '../ops/dense.ts';
import { elementwise } from '../ops/elementwise.ts';
import { matmul } from '../ops/matmul.ts';
import { reshape } from '../ops/reshape.ts';
import { slice } from '../ops/slice.ts';
import { transpose } from '../ops/transpose.ts';
import { turnedConstant } from './move-transposes.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const moveBatch: Rewrite = (node) => {
  switch (node.op) {
    case 'Concatenate':
      return pastConcatenate(node);
    case 'BatchNormalization':
    case 'Dense':
      return pastChannels(node);
    case 'Elementwise':
      return pastElementwise(node);
    case 'Matmul':
      return pastMatmul(node);
    case 'Reshape':
      return pastReshape(node);
    case 'Slice':
      return pastSlice(node);
    default:
      return undefined;
  }
};

/** A transpose that puts the batch elsewhere. */
function movedBatch(value: Value | undefined): NodeWith<'Transpose'> | undefined {
  const moved = nodeOf(value, 'Transpose');
  return moved && moved.attributes.axes[0] !== 0 && typeof moved.inputs.x.type.shape[0] === 'object'
    ? moved
    : undefined;
}

function turned(node: Node, x: Value, axes: readonly number[]): Value {
  return make(node.layer, transpose, { x }, { axes }, {});
}

function pastConcatenate(node: NodeWith<'Concatenate'>): Value | undefined {
  const parts = Object.entries<Value>(node.inputs).map(([name, value]) => [name, movedBatch(value)] as const);
  const axes = parts[0]?.[1]?.attributes.axes;
  if (!axes || parts.some(([, part]) => `${part?.attributes.axes}` !== `${axes}`)) return undefined;
  const inputs = Object.fromEntries(parts.map(([name, part]) => [name, part!.inputs.x]));
  return turned(node, make(node.layer, concatenate, inputs, { axis: axes[node.attributes.axis]! }, {}), axes);
}

/** A layer that is the same for all numbers but those of the last axis, which stays where it is. */
function pastChannels(node: NodeWith<'BatchNormalization' | 'Dense'>): Value | undefined {
  const moved = movedBatch(node.inputs.x);
  const axes = moved?.attributes.axes;
  if (!moved || !axes || axes.at(-1) !== axes.length - 1) return undefined;
  const y =
    node.op === 'Dense'
      ? make(node.layer, dense, moved.inputs, node.attributes, node.weights)
      : make(node.layer, batchNormalization, moved.inputs, node.attributes, node.weights);
  return turned(node, y, axes);
}

function pastElementwise(node: NodeWith<'Elementwise'>): Value | undefined {
  const reads = Object.entries<Value>(node.inputs);
  const axes = reads.map(([, value]) => movedBatch(value)).find((found) => found)?.attributes.axes;
  if (!axes) return undefined;
  const inputs: Record<string, Value> = {};
  for (const [name, value] of reads) {
    const other = movedBatch(value);
    const input =
      `${other?.attributes.axes}` === `${axes}`
        ? other!.inputs.x
        : value.kind === 'constant'
          ? turnedConstant(value, axes)
          : undefined;
    if (!input) return undefined;
    inputs[name] = input;
  }
  return turned(node, make(node.layer, elementwise, inputs, node.attributes, {}), axes);
}

/** (steps, N, k) · (steps, k, n), the batch being the rows: a product of one row for every step of a sample. */
function pastMatmul(node: NodeWith<'Matmul'>): Value | undefined {
  const { x, z } = node.inputs;
  const { transposeX, transposeZ } = node.attributes;
  const moved = movedBatch(x);
  const rank = x.type.shape.length;
  if (!moved || z.kind !== 'constant' || z.type.shape.length > rank) return undefined;
  const first = [rank - 2, ...x.type.shape.map((_, i) => i).filter((i) => i !== rank - 2)];
  if (transposeX || `${moved.attributes.axes}` !== `${first.map((_, i) => first.indexOf(i))}`)
    return undefined;
  const rows = moved.inputs.x;
  const apart = [...rows.type.shape.slice(0, -1), 1, rows.type.shape.at(-1)!];
  const wide = make(node.layer, reshape, { x: rows }, { shape: apart }, {});
  const product = make(node.layer, matmul, { x: wide, z }, { transposeX: false, transposeZ }, {});
  const shape = product.type.shape.toSpliced(-2, 1);
  return turned(node, make(node.layer, reshape, { x: product }, { shape }, {}), moved.attributes.axes);
}

/** The axes before the batch may be split or joined, and those behind it. */
function pastReshape(node: NodeWith<'Reshape'>): Value | undefined {
  const moved = movedBatch(node.inputs.x);
  const [from, to] = [node.inputs.x.type.shape, node.type.shape];
  const place = placeOfBatch(to);
  if (!moved && (placeOfBatch(from) !== 0 || place === 0)) return undefined;
  const [before, after] = [lengthBefore(from), lengthBefore(to)];
  const isSame = before === after && (before === 1 || sameDim(from[placeOfBatch(from)]!, to[place]!));
  if (!isSame) return undefined;
  const shape = [to[place]!, ...to.toSpliced(place, 1)];
  const x = moved ? inOrder(node, moved) : node.inputs.x;
  const axes = to.map((_, i) => (i < place ? i + 1 : i === place ? 0 : i));
  return turned(node, make(node.layer, reshape, { x }, { shape }, {}), axes);
}

/** The same value with the batch in front, and the other axes as they follow each other. */
function inOrder(node: Node, { attributes: { axes }, inputs }: NodeWith<'Transpose'>): Value {
  return turned(node, inputs.x, [0, ...axes.filter((axis) => axis !== 0)]);
}

function placeOfBatch(shape: readonly Dim[]): number {
  return shape.findIndex((dim) => typeof dim === 'object');
}

/** How many numbers the axes before the batch have. */
function lengthBefore(shape: readonly Dim[]): number {
  return shape.slice(0, placeOfBatch(shape)).reduce((product: number, dim) => product * Number(dim), 1);
}

function pastSlice(node: NodeWith<'Slice'>): Value | undefined {
  const moved = movedBatch(node.inputs.x);
  if (!moved) return undefined;
  const { axes } = moved.attributes;
  const { begin, steps, lengths } = node.attributes;
  const before = axes.map((_, i) => axes.indexOf(i));
  const attributes = {
    begin: before.map((axis) => begin[axis]!),
    steps: before.map((axis) => steps[axis]!),
    lengths: before.map((axis) => lengths[axis]!),
  };
  return turned(node, make(node.layer, slice, moved.inputs, attributes, {}), axes);
}
