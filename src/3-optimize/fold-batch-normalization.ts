/**
 * `Convolution → BatchNormalization` → `Convolution`, and the same for Dense, depthwise and transposed layers; also where the
 * normalization comes first and no padding stands between. A bias is folded in the same way.
 */

import type { Node, Value } from '../ir/graph.ts';
import type { Tensor } from '../ir/types.ts';
import { linear } from '../ops/activation.ts';
import { convolution } from '../ops/convolution.ts';
import { convolutionTranspose } from '../ops/convolution-transpose.ts';
import { dense } from '../ops/dense.ts';
import { depthwiseConvolution } from '../ops/depthwise-convolution.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';
import { type Affine, affineOf } from './scale-and-shift.ts';

type Weighted = Extract<
  Node,
  { op: 'Convolution' | 'ConvolutionTranspose' | 'Dense' | 'DepthwiseConvolution' }
>;

function weightedOf(value: Value | undefined): Weighted | undefined {
  return (
    nodeOf(value, 'Convolution') ??
    nodeOf(value, 'ConvolutionTranspose') ??
    nodeOf(value, 'Dense') ??
    nodeOf(value, 'DepthwiseConvolution')
  );
}

/** `kernel ∗ x + bias`, then a number for each channel: a bias alone may be added to any result. */
export const foldBias: Rewrite = (node, { isReadOnce }) => {
  const affine = affineOf(node);
  if (!affine || affine.scale.some((n) => n !== 1)) return undefined;
  return foldAfter(affine, isReadOnce);
};

export const foldBatchNormalizationAfter: Rewrite = (node, { isReadOnce }) => {
  const affine = nodeOf(node, 'BatchNormalization') ? normalizationOf(node) : affineOf(node);
  const folded = affine && foldAfter(affine, isReadOnce);
  const normalization = nodeOf(node, 'BatchNormalization');
  const result = weightedOf(folded);
  if (!result || !normalization) return folded;
  return withWeights(result, result.inputs.x, result.weights, normalization.attributes.activation);
};

function normalizationOf(node: Node): Affine | undefined {
  const normalization = nodeOf(node, 'BatchNormalization');
  if (!normalization) return undefined;
  const { scale, shift } = normalization.weights;
  return {
    x: normalization.inputs.x,
    scale: Array.from(scale.data, Number),
    shift: Array.from(shift.data, Number),
  };
}

function foldAfter({ x, scale, shift }: Affine, isReadOnce: (value: Value) => boolean): Value | undefined {
  const layer = weightedOf(x);
  if (!layer || !isReadOnce(layer) || layer.attributes.activation !== linear) return undefined;
  const { kernel, bias } = layer.weights;
  const shifted = scale.map((factor, i) => Number(bias.data[i]) * factor + shift[i]!);
  const weights = {
    kernel: scaledColumns(kernel, scale),
    bias: { ...bias, data: Float32Array.from(shifted) },
  };
  return withWeights(layer, layer.inputs.x, weights, linear);
}

/** The last axis of a depthwise kernel is the multiplier: channel c and multiplier m make the output c·multiplier + m. */
function scaledColumns(kernel: Tensor, scale: readonly number[]): Tensor {
  if (scale.every((factor) => factor === 1)) return kernel;
  const data = new Float32Array(kernel.data.length);
  for (let row = 0; row < data.length; row += scale.length) {
    for (let i = 0; i < scale.length; i++) data[row + i] = Number(kernel.data[row + i]) * scale[i]!;
  }
  return { ...kernel, data };
}

/** `kernel ∗ (x · scale + shift)`: the shift goes into the bias, which padding would not see. */
export const foldBatchNormalizationBefore: Rewrite = (node, { isReadOnce }) => {
  const layer = weightedOf(node);
  const normalization = nodeOf(layer?.inputs.x, 'BatchNormalization');
  if (!layer || !normalization || !isReadOnce(normalization)) return undefined;
  if (normalization.attributes.activation !== linear) return undefined;
  // Not every number of the output of a transposed convolution has the whole window over it.
  if (layer.op === 'ConvolutionTranspose') return undefined;
  if (layer.op !== 'Dense' && layer.attributes.window.padding.flat().some((steps) => steps > 0))
    return undefined;
  const scale = Array.from(normalization.weights.scale.data, Number);
  const shift = Array.from(normalization.weights.shift.data, Number);
  const { kernel, bias } = layer.weights;
  const out = bias.data.length;
  const channelOf = channelOfRow(layer, scale.length, out);
  if (!channelOf) return undefined;

  const scaled = new Float32Array(kernel.data.length);
  const sums = Array.from(bias.data, Number);
  for (let i = 0; i < scaled.length; i++) {
    const weight = Number(kernel.data[i]);
    const channel = channelOf(i);
    scaled[i] = weight * scale[channel]!;
    sums[i % out]! += weight * shift[channel]!;
  }
  const weights = { kernel: { ...kernel, data: scaled }, bias: { ...bias, data: Float32Array.from(sums) } };
  return withWeights(layer, normalization.inputs.x, weights, layer.attributes.activation);
};

/** The channel of the input that a weight is for, by its place in the kernel; undefined for grouped convolutions. */
function channelOfRow(
  layer: Weighted,
  channels: number,
  out: number,
): ((weight: number) => number) | undefined {
  if (layer.op === 'DepthwiseConvolution') {
    const multiplier = out / channels;
    return (weight) => Math.floor((weight % out) / multiplier);
  }
  const perRow = layer.weights.kernel.shape.at(-2);
  return perRow === channels ? (weight) => Math.floor(weight / out) % channels : undefined;
}

function withWeights(
  layer: Weighted,
  x: Value,
  weights: { readonly kernel: Tensor; readonly bias: Tensor },
  activation: Weighted['attributes']['activation'],
): Value {
  switch (layer.op) {
    case 'Convolution':
      return make(layer.layer, convolution, { x }, { ...layer.attributes, activation }, weights);
    case 'ConvolutionTranspose':
      return make(layer.layer, convolutionTranspose, { x }, { ...layer.attributes, activation }, weights);
    case 'DepthwiseConvolution':
      return make(layer.layer, depthwiseConvolution, { x }, { ...layer.attributes, activation }, weights);
    case 'Dense':
      return make(layer.layer, dense, { x }, { activation }, weights);
  }
}
