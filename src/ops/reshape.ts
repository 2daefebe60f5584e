/** The same numbers in another shape. */

import { Refusal } from '../errors.ts';
import { type Dim, type DType, elements, printShape } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { isChannelsFirstLayer, type KerasLayers } from './keras.ts';
import { defineOp } from './op.ts';
import { repeat } from './repeat.ts';
import type { Operand, TensorflowNode, TensorflowOps } from './tensorflow.ts';
import { channelsLast } from './transpose.ts';

/** A view: nothing is copied. A length of −1 is what is left. */
export const reshape = defineOp({
  name: 'Reshape',
  inputs: ['x'],
  weights: [],

  infer({ x }, { shape }: { readonly shape: readonly Dim[] }) {
    return { dtype: x.dtype, shape: withoutUnknown(shape, x.shape) };
  },

  evaluate: ({ x }) => x.data,

  emit: ({ inputs, isMutable, use }) => `${use('ops')}::reshape${isMutable ? '_mut' : ''}(${inputs.x})`,

  isView: true,
  className: ({ shape }) => (shape.length === 2 ? 'Flatten' : 'Reshape'),
});

/** Numbers and a power of N: `[N, 28, 28]` is 784·N¹. */
function product(shape: readonly Dim[]): { readonly factor: number; readonly power: number } {
  let [factor, power] = [1, 0];
  for (const dim of shape) {
    factor *= typeof dim === 'number' ? dim : dim.batch;
    if (typeof dim !== 'number') power++;
  }
  return { factor, power };
}

function withoutUnknown(shape: readonly Dim[], from: readonly Dim[]): readonly Dim[] {
  const known = shape.filter((dim) => dim !== -1);
  const [all, given] = [product(from), product(known)];
  // A model of a fixed number of samples says how many numbers those come to: so many samples it has.
  const samples = given.factor / all.factor;
  if (all.power === 1 && given.power === 0 && known.length === shape.length && Number.isInteger(samples)) {
    const batch = Number(shape[0]) / samples;
    if (Number.isInteger(batch) && batch > 0) return [{ batch }, ...shape.slice(1)];
  }
  const factor = all.factor / given.factor;
  const power = all.power - given.power;
  const isWhole = Number.isInteger(factor) || (all.factor === 0 && given.factor !== 0);
  const fits = isWhole && (power === 0 || power === 1);
  if (
    known.length === shape.length
      ? all.factor !== given.factor || power !== 0
      : !fits || known.length < shape.length - 1
  ) {
    throw new Refusal(`${printShape(from)} cannot be seen as ${printShape(shape)}`);
  }
  return shape.map((dim) => (dim !== -1 ? dim : power === 1 ? { batch: factor } : factor));
}

/** The operand with another shape. */
export function reshaped(node: Pick<TensorflowNode, 'add'>, x: Operand, shape: readonly Dim[]): Operand {
  return node.add(reshape, { x }, { shape: withoutUnknown(shape, x.type.shape) }, {});
}

/** The lengths of an operand, as TensorFlow computes with them. */
function shapeOf(node: TensorflowNode, x: Operand, dtype: DType): Operand {
  const { shape } = x.type;
  return node.byBatch(dtype, [shape.length], (samples) => shape.map((dim) => lengthFor(dim, samples)));
}

function lengthFor(dim: Dim, samples: number): number {
  return typeof dim === 'number' ? dim : dim.batch * samples;
}

export const reshapeTensorflow: TensorflowOps = {
  ExpandDims: (node) => {
    const shape = node.input(0).type.shape;
    const axis = axisOf(node.integers(1)[0]!, shape.length + 1);
    return reshaped(node, node.input(0), shape.toSpliced(axis, 0, 1));
  },
  Rank: (node) => node.byBatch('i32', [], () => [node.input(0).type.shape.length]),
  Reshape: (node) => reshaped(node, node.input(0), node.dims(1)),
  Shape: (node) => shapeOf(node, node.input(0), node.dtype('out_type')),
  ShapeN: (node) => node.inputs.map((x) => shapeOf(node, x, node.dtype('out_type'))),
  Size: (node) =>
    node.byBatch(node.dtype('out_type'), [], (samples) => [
      elements(node.input(0).type.shape.map((dim) => lengthFor(dim, samples))),
    ]),
  Squeeze: (node) => {
    const { shape } = node.input(0).type;
    const named = node.list('squeeze_dims').map((axis) => axisOf(axis, shape.length));
    const gone = (dim: Dim, i: number) => (named.length === 0 ? dim === 1 : named.includes(i));
    if (named.some((axis) => shape[axis] !== 1))
      throw new Refusal(`${printShape(shape)} is not 1 at ${named}`);
    return reshaped(
      node,
      node.input(0),
      shape.filter((dim, i) => !gone(dim, i)),
    );
  },
};

export const reshapeKeras: KerasLayers = {
  Flatten: (layer) => {
    const x = channelsLast(
      layer,
      layer.input(0),
      isChannelsFirstLayer(layer) && layer.input(0).type.shape.length > 2,
    );
    const [batch, ...rest] = x.type.shape;
    return reshaped(layer, x, [batch!, elements(rest.map(fixed))]);
  },
  Reshape: (layer) => {
    const x = layer.input(0);
    return reshaped(layer, x, [x.type.shape[0]!, ...layer.list('target_shape')]);
  },
  RepeatVector: (layer) => {
    const x = layer.input(0);
    const [batch, length] = x.type.shape;
    const step = reshaped(layer, x, [batch!, 1, length!]);
    return layer.add(repeat, { x: step }, { counts: [1, layer.number('n'), 1] }, {});
  },
};

function fixed(dim: Dim): number {
  if (typeof dim !== 'number') throw new Refusal('the batch stands where steps or pixels should');
  return dim;
}
