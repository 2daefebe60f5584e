/** A part of a value: some steps of each axis. */

import { Refusal } from '../errors.ts';
import { type Dim, printShape, sameDim } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { rowMajor, stridedIndices, take } from './broadcasting.ts';
import { isChannelsFirstLayer, type KerasLayer, type KerasLayers, type KerasLowering } from './keras.ts';
import { defineOp } from './op.ts';
import { bordersAround } from './pad.ts';
import { reshaped } from './reshape.ts';
import type { Operand, TensorflowNode, TensorflowOps } from './tensorflow.ts';

export interface SliceAttributes {
  /** One of each for every axis. A step can be negative: it then walks backwards. */
  readonly begin: readonly number[];
  readonly steps: readonly number[];
  readonly lengths: readonly Dim[];
}

/** `y[i, j, …] = x[begin₀ + i·steps₀, begin₁ + j·steps₁, …]` */
export const slice = defineOp({
  name: 'Slice',
  inputs: ['x'],
  weights: [],

  infer({ x }, { begin, steps, lengths }: SliceAttributes) {
    for (const [i, dim] of x.shape.entries()) {
      const [start, step, length] = [begin[i]!, steps[i]!, lengths[i]!];
      if (typeof dim === 'number' && typeof length === 'number') {
        const last = start + (length - 1) * step;
        const fits = length === 0 || (start >= 0 && start < dim && last >= 0 && last < dim);
        if (!fits) throw new Refusal(`a slice reaches from ${start} to ${last} in an axis of ${dim}`);
      } else if (start !== 0 || step !== 1 || !sameDim(dim, length)) {
        throw new Refusal('a slice of the batch mixes the samples');
      }
    }
    return { dtype: x.dtype, shape: lengths };
  },

  evaluate({ x }, { begin, steps }, output) {
    const strides = rowMajor(x.shape);
    const start = begin.reduce((sum, at, i) => sum + at * strides[i]!, 0);
    return take(
      x,
      stridedIndices(
        output.shape,
        strides.map((stride, i) => stride * steps[i]!),
        start,
      ),
    );
  },

  emit({ inputs, into, use }, { begin, steps }) {
    const [from, by] = [begin.slice(1), steps.slice(1)].map((list) => `[${list.join(', ')}]`);
    return `${use('ops')}::slice(${inputs.x}, ${from}, ${by}, ${into})`;
  },

  className: () => 'slice',
});

/** `length` steps of one axis, from `begin`. */
export function steps(
  node: Pick<TensorflowNode, 'add'>,
  x: Operand,
  axis: number,
  begin: number,
  length: number,
): Operand {
  const { shape } = x.type;
  return node.add(
    slice,
    { x },
    {
      begin: shape.map((_, i) => (i === axis ? begin : 0)),
      steps: shape.map(() => 1),
      lengths: shape.with(axis, length),
    },
    {},
  );
}

/** The parts of these lengths along an axis. */
function split(
  node: TensorflowNode,
  x: Operand,
  axis: number,
  lengths: readonly number[],
): readonly Operand[] {
  let begin = 0;
  return lengths.map((length) => {
    const part = steps(node, x, axis, begin, length);
    begin += length;
    return part;
  });
}

function lengthOf(x: Operand, axis: number): number {
  const length = x.type.shape[axis];
  if (typeof length !== 'number') throw new Refusal('a split of the batch mixes the samples');
  return length;
}

/** The axes that a mask of a StridedSlice names, one bit each. */
const has = (mask: number, bit: number) => ((mask >> bit) & 1) === 1;

/** numpy's `x[1:, ::2, 3, None, ...]`, with masks as in tf.strided_slice. */
function stridedSlice(node: TensorflowNode): Operand {
  const x = node.input(0);
  const mask = (name: string) => node.number(`${name}_mask`, 0);
  const [beginMask, endMask, ellipsis, newAxis, shrink] = [
    mask('begin'),
    mask('end'),
    mask('ellipsis'),
    mask('new_axis'),
    mask('shrink_axis'),
  ] as const;
  const [begins, ends, strides] = [node.dims(1), node.dims(2), node.integers(3)];

  const begin: number[] = [];
  const stepList: number[] = [];
  const lengths: Dim[] = [];
  const shape: Dim[] = [];
  const named = begins.filter((_, i) => !has(ellipsis, i) && !has(newAxis, i)).length;
  const whole = () => {
    const dim = x.type.shape[begin.length];
    if (dim === undefined) throw new Refusal('a slice names more axes than there are');
    begin.push(0);
    stepList.push(1);
    lengths.push(dim);
    shape.push(dim);
  };
  for (let i = 0; i < begins.length; i++) {
    if (has(ellipsis, i)) {
      for (let rest = x.type.shape.length - named; rest > 0; rest--) whole();
    } else if (has(newAxis, i)) {
      shape.push(1);
    } else {
      const dim = x.type.shape[begin.length];
      const from = has(beginMask, i) ? undefined : begins[i]!;
      const to = has(endMask, i) ? undefined : ends[i]!;
      if (dim === undefined) throw new Refusal('a slice names more axes than there are');
      if (typeof dim !== 'number') {
        const all =
          (from === undefined || from === 0) && (to === undefined || sameDim(to, dim)) && strides[i] === 1;
        if (!all || has(shrink, i)) throw new Refusal('a slice of the batch mixes the samples');
        whole();
        continue;
      }
      if (typeof from === 'object' || typeof to === 'object')
        throw new Refusal('a slice reaches to the batch size');
      const range = rangeOf(dim, from, to, strides[i]!, has(shrink, i));
      begin.push(range.begin);
      stepList.push(strides[i]!);
      lengths.push(range.length);
      if (!has(shrink, i)) shape.push(range.length);
    }
  }
  while (begin.length < x.type.shape.length) whole();
  const part = node.add(slice, { x }, { begin, steps: stepList, lengths }, {});
  return reshaped(node, part, shape);
}

/** Where a slice of `dim` steps begins, and how long it is, with Python's rules for what lies outside. */
function rangeOf(
  dim: number,
  from: number | undefined,
  to: number | undefined,
  step: number,
  shrinks: boolean,
): { readonly begin: number; readonly length: number } {
  const fromEnd = (at: number) => (at < 0 ? at + dim : at);
  if (shrinks) {
    const at = fromEnd(from ?? 0);
    if (at < 0 || at >= dim) throw new Refusal(`index ${from} is not one of ${dim}`);
    return { begin: at, length: 1 };
  }
  if (step === 0) throw new Refusal('a slice with steps of 0');
  const [least, most] = step > 0 ? [0, dim] : [-1, dim - 1];
  const clamp = (at: number) => Math.min(Math.max(fromEnd(at), least), most);
  const begin = from === undefined ? (step > 0 ? least : most) : clamp(from);
  const end = to === undefined ? (step > 0 ? most : least) : clamp(to);
  const length = Math.max(0, Math.ceil((end - begin) / step));
  return { begin: length === 0 ? 0 : begin, length };
}

export const sliceTensorflow: TensorflowOps = {
  ReverseV2: (node) => {
    const x = node.input(0);
    const axes = node.integers(1).map((axis) => axisOf(axis, x.type.shape.length));
    const begin = x.type.shape.map((_, i) => (axes.includes(i) ? lengthOf(x, i) - 1 : 0));
    const steps = x.type.shape.map((_, i) => (axes.includes(i) ? -1 : 1));
    return node.add(slice, { x }, { begin, steps, lengths: x.type.shape }, {});
  },
  Slice: (node) => {
    const x = node.input(0);
    const begin = node.integers(1);
    const lengths = node.dims(2).map((length, i) => {
      const dim = x.type.shape[i]!;
      return length !== -1 ? length : typeof dim === 'number' ? dim - begin[i]! : dim;
    });
    return node.add(slice, { x }, { begin, steps: begin.map(() => 1), lengths }, {});
  },
  Split: (node) => {
    const x = node.input(1);
    const axis = axisOf(node.integers(0)[0]!, x.type.shape.length);
    const count = node.number('num_split', 1);
    const length = lengthOf(x, axis) / count;
    return split(node, x, axis, Array<number>(count).fill(length));
  },
  SplitV: (node) => {
    const x = node.input(0);
    const axis = axisOf(node.integers(2)[0]!, x.type.shape.length);
    node.number('num_split', 1);
    const given = node.integers(1);
    const rest =
      lengthOf(x, axis) - given.filter((length) => length !== -1).reduce((sum, length) => sum + length, 0);
    return split(
      node,
      x,
      axis,
      given.map((length) => (length === -1 ? rest : length)),
    );
  },
  StridedSlice: stridedSlice,
  Unpack: (node) => {
    const x = node.input(0);
    const axis = axisOf(node.number('axis', 0), x.type.shape.length);
    const count = node.number('num', 0);
    const shape = x.type.shape.toSpliced(axis, 1);
    return split(node, x, axis, Array<number>(count).fill(1)).map((part) => reshaped(node, part, shape));
  },
};

/** The part of an image, or of steps, that is left between its borders; channels come first or last. */
export function withoutBorders(
  layer: KerasLayer,
  x: Operand,
  borders: readonly (readonly [before: number, after: number])[],
): Operand {
  const first = isChannelsFirstLayer(layer) ? 2 : 1;
  const { shape } = x.type;
  const begin = shape.map((_, i) => borders[i - first]?.[0] ?? 0);
  const lengths = shape.map((dim, i): Dim => {
    const [before, after] = borders[i - first] ?? [0, 0];
    const left = typeof dim === 'number' ? dim - before - after : dim;
    if (left === 0 || Number(left) < 0) throw new Refusal(`nothing is left of ${printShape(shape)}`);
    return left;
  });
  return layer.add(slice, { x }, { begin, steps: shape.map(() => 1), lengths }, {});
}

const croppingLayer =
  (rank: number): KerasLowering =>
  (layer) =>
    withoutBorders(layer, layer.input(0), bordersAround(layer, 'cropping', rank));

export const sliceKeras: KerasLayers = {
  Cropping1D: croppingLayer(1),
  Cropping2D: croppingLayer(2),
  Cropping3D: croppingLayer(3),
};
