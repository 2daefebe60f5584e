/**
 * `Reshape to (1, steps) → Convolution` → `Convolution over steps → Reshape`: TensorFlow knows a convolution or a pooling
 * over steps only as one over pixels of one row. The same for depthwise and transposed convolutions.
 */

import type { Node, Value } from '../ir/graph.ts';
import { sameShape, type Tensor } from '../ir/types.ts';
import { convolution } from '../ops/convolution.ts';
import { convolutionTranspose } from '../ops/convolution-transpose.ts';
import { depthwiseConvolution } from '../ops/depthwise-convolution.ts';
import { pooling } from '../ops/pooling.ts';
import { reshape } from '../ops/reshape.ts';
import type { Window } from '../ops/window.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const unitDimensions: Rewrite = (node) => {
  const before = isSliding(node) ? nodeOf(node.inputs.x, 'Reshape') : undefined;
  if (!isSliding(node) || !before) return undefined;
  const { x } = before.inputs;
  for (let axis = 1; axis < node.type.shape.length - 1; axis++) {
    const isUnit = before.type.shape[axis] === 1 && node.type.shape[axis] === 1;
    if (!isUnit || !sameShape(without(before.type.shape, axis), x.type.shape)) continue;
    const narrow = withoutAxis(node, x, axis - 1);
    return make(node.layer, reshape, { x: narrow }, { shape: node.type.shape }, {});
  }
  return undefined;
};

type Sliding = Extract<
  Node,
  { op: 'Convolution' | 'ConvolutionTranspose' | 'DepthwiseConvolution' | 'Pooling' }
>;

function isSliding(value: Value): value is Sliding {
  const names = ['Convolution', 'ConvolutionTranspose', 'DepthwiseConvolution', 'Pooling'];
  return value.kind === 'node' && names.includes(value.op);
}

function without<T>(list: readonly T[], index: number): readonly T[] {
  return list.toSpliced(index, 1);
}

/** The same without a spatial dimension, in which only one place of the window meets the one row. */
function withoutAxis(node: Sliding, x: Value, axis: number): Value {
  const window: Window = {
    strides: without(node.attributes.window.strides, axis),
    dilations: without(node.attributes.window.dilations, axis),
    padding: without(node.attributes.window.padding, axis),
  };
  if (node.op === 'Pooling') {
    const sizes = without(node.attributes.sizes, axis);
    return make(node.layer, pooling, { x }, { ...node.attributes, sizes, window }, {});
  }
  const kernel = oneRow(node.weights.kernel, axis, node.attributes.window);
  const weights = { kernel, bias: node.weights.bias };
  if (node.op === 'Convolution')
    return make(node.layer, convolution, { x }, { ...node.attributes, window }, weights);
  if (node.op === 'ConvolutionTranspose') {
    const lengths = without(node.attributes.lengths, axis);
    return make(node.layer, convolutionTranspose, { x }, { ...node.attributes, window, lengths }, weights);
  }
  return make(node.layer, depthwiseConvolution, { x }, { ...node.attributes, window }, weights);
}

/** The part of the kernel that lies over the one row; the rest lies over padding. */
function oneRow(kernel: Tensor, axis: number, window: Window): Tensor {
  const size = kernel.shape[axis]!;
  const at = window.padding[axis]![0] / window.dilations[axis]!;
  const inner = kernel.shape.slice(axis + 1).reduce((product, dim) => product * dim, 1);
  const outer = kernel.data.length / (inner * size);
  const shape = without<number>(kernel.shape, axis);
  if (size === 1) return { ...kernel, shape };
  const data = new Float32Array(inner * outer);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) data[o * inner + i] = Number(kernel.data[(o * size + at) * inner + i]);
  }
  return { dtype: kernel.dtype, shape, data };
}
