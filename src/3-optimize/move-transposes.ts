/**
 * `Transpose → element-wise step` → `element-wise step → Transpose`, so that transposes of channels-first models meet
 * and cancel; `Slice` as well, which also goes before a `Reshape` that adds such dimensions; and past a `Reshape` that only adds or drops dimensions of length 1.
 */

import type { Constant, Value } from '../ir/graph.ts';
import type { Dim } from '../ir/types.ts';
import { elementwise } from '../ops/elementwise.ts';
import { reduce } from '../ops/reduce.ts';
import { reshape } from '../ops/reshape.ts';
import { slice } from '../ops/slice.ts';
import { softmax } from '../ops/softmax.ts';
import { transpose } from '../ops/transpose.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const moveTransposes: Rewrite = (node, { isReadOnce }) => {
  switch (node.op) {
    case 'Elementwise': {
      const reads = Object.entries<Value>(node.inputs);
      const moved = reads
        .map(([, value]) => nodeOf(value, 'Transpose'))
        .find((found) => found && isReadOnce(found));
      if (!moved) return undefined;
      const { axes } = moved.attributes;
      const inputs: Record<string, Value> = {};
      for (const [name, value] of reads) {
        const other = nodeOf(value, 'Transpose');
        const turned =
          other && `${other.attributes.axes}` === `${axes}`
            ? other.inputs.x
            : value.kind === 'constant'
              ? turnedConstant(value, axes)
              : undefined;
        if (!turned) return undefined;
        inputs[name] = turned;
      }
      return make(
        node.layer,
        transpose,
        { x: make(node.layer, elementwise, inputs, node.attributes, {}) },
        { axes },
        {},
      );
    }
    case 'Softmax': {
      const before = nodeOf(node.inputs.x, 'Transpose');
      if (!before || !isReadOnce(before)) return undefined;
      const { axes } = before.attributes;
      const attributes = { ...node.attributes, axis: axes[node.attributes.axis]! };
      return make(
        node.layer,
        transpose,
        { x: make(node.layer, softmax, before.inputs, attributes, {}) },
        { axes },
        {},
      );
    }
    case 'Reduce': {
      const before = nodeOf(node.inputs.x, 'Transpose');
      if (!before || node.attributes.keepsAxes) return undefined;
      const reduced = node.attributes.axes.map((axis) => before.attributes.axes[axis]!);
      const kept = before.attributes.axes.filter((axis) => !reduced.includes(axis));
      if (kept.some((axis, i) => i > 0 && axis < kept[i - 1]!)) return undefined;
      const attributes = { ...node.attributes, axes: reduced.sort((a, b) => a - b) };
      return make(node.layer, reduce, before.inputs, attributes, {});
    }
    case 'Slice': {
      const before = nodeOf(node.inputs.x, 'Transpose');
      if (!before) return sliceBeforeNewUnits(node);
      const { axes } = before.attributes;
      const back = <T>(list: readonly T[]) => axes.map((_, axis) => list[axes.indexOf(axis)]!);
      const { begin, steps, lengths } = node.attributes;
      const attributes = { begin: back(begin), steps: back(steps), lengths: back(lengths) };
      const part = make(node.layer, slice, before.inputs, attributes, {});
      return make(node.layer, transpose, { x: part }, { axes }, {});
    }
    case 'Transpose': {
      // Where the batch moves, the transpose goes the other way.
      const before = node.attributes.axes[0] === 0 ? nodeOf(node.inputs.x, 'Reshape') : undefined;
      return before && pastNewUnits(node, before.inputs.x, before.type.shape);
    }
    case 'Reshape': {
      const before = nodeOf(node.inputs.x, 'Transpose');
      return before && isReadOnce(before) ? pastDroppedUnits(node, before) : undefined;
    }
    default:
      return undefined;
  }
};

/** `Slice(Reshape(x))`, the reshape adding units: → `Reshape(Slice(x))`. */
function sliceBeforeNewUnits(node: Extract<Value, { op: 'Slice' }>): Value | undefined {
  const before = nodeOf(node.inputs.x, 'Reshape');
  const kept = before && keptAxes(before.type.shape, before.inputs.x.type.shape);
  const { begin, steps, lengths } = node.attributes;
  const isOfOthers = lengths.every((length, axis) => kept?.includes(axis) || length === 1);
  if (!before || !kept || !isOfOthers) return undefined;
  const at = <T>(list: readonly T[]) => kept.map((axis) => list[axis]!);
  const attributes = { begin: at(begin), steps: at(steps), lengths: at(lengths) };
  const part = make(node.layer, slice, before.inputs, attributes, {});
  return make(node.layer, reshape, { x: part }, { shape: node.type.shape }, {});
}

/** A constant that broadcasts against a transposed value, for the value before. */
export function turnedConstant(value: Constant, axes: readonly number[]): Constant | undefined {
  const { shape } = value.tensor;
  if (value.tensor.data.length === 1) return value;
  const full = [...Array<number>(axes.length - shape.length).fill(1), ...shape];
  const back = axes.map((_, i) => axes.indexOf(i));
  const tensor = { ...value.tensor, shape: full };
  const turned = make(
    { name: '' },
    transpose,
    { x: { kind: 'constant', type: tensor, tensor } },
    { axes: back },
    {},
  );
  return turned.kind === 'constant' ? turned : undefined;
}

/** `Transpose(Reshape(x))`, the reshape adding units: → `Reshape(Transpose(x))`. */
function pastNewUnits(
  node: Extract<Value, { op: 'Transpose' }>,
  x: Value,
  wide: readonly Dim[],
): Value | undefined {
  const kept = keptAxes(wide, x.type.shape);
  if (!kept) return undefined;
  const axes = node.attributes.axes.filter((axis) => kept.includes(axis)).map((axis) => kept.indexOf(axis));
  const turned = make(node.layer, transpose, { x }, { axes }, {});
  return make(node.layer, reshape, { x: turned }, { shape: node.type.shape }, {});
}

/** `Reshape(Transpose(x))`, the reshape dropping units: → `Transpose(Reshape(x))`. */
function pastDroppedUnits(
  node: Extract<Value, { op: 'Reshape' }>,
  before: Extract<Value, { op: 'Transpose' }>,
): Value | undefined {
  const kept = keptAxes(before.type.shape, node.type.shape);
  if (!kept) return undefined;
  // The axes of x that stay, in the order of x, and in that of the result.
  const inResult = kept.map((axis) => before.attributes.axes[axis]!);
  const inOrder = [...inResult].sort((a, b) => a - b);
  const { x } = before.inputs;
  const narrow = make(node.layer, reshape, { x }, { shape: inOrder.map((axis) => x.type.shape[axis]!) }, {});
  return make(
    node.layer,
    transpose,
    { x: narrow },
    { axes: inResult.map((axis) => inOrder.indexOf(axis)) },
    {},
  );
}

/** The axes of `wide` that are left once dimensions of length 1 are dropped to get `narrow`; undefined if that is not it. */
function keptAxes(wide: readonly Dim[], narrow: readonly Dim[]): readonly number[] | undefined {
  if (narrow.length >= wide.length) return undefined;
  const kept: number[] = [];
  for (const [axis, dim] of wide.entries()) {
    const wanted = narrow[kept.length];
    const rest = wide.length - axis;
    const left = narrow.length - kept.length;
    const isSame = wanted !== undefined && JSON.stringify(wanted) === JSON.stringify(dim);
    if (isSame && (dim !== 1 || rest === left)) kept.push(axis);
    else if (dim !== 1) return undefined;
  }
  return kept.length === narrow.length ? kept : undefined;
}
