/**
 * `Pad → SpaceToBatch → Convolution → BatchToSpace → Slice` → `Convolution` with dilations: TensorFlow deals the
 * pixels out to a sample for each place of the block, convolves each, and puts them together again. The same for
 * transposed convolutions.
 */

import type { NodeWith, Value } from '../ir/graph.ts';
import { type Dim, sameShape } from '../ir/types.ts';
import { convolution } from '../ops/convolution.ts';
import { convolutionTranspose } from '../ops/convolution-transpose.ts';
import { depthwiseConvolution } from '../ops/depthwise-convolution.ts';
import { spatial } from '../ops/window.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const dilatedConvolution: Rewrite = (node, { isReadOnce }) => {
  const crop = nodeOf(node, 'Slice');
  const back = nodeOf(crop ? crop.inputs.x : node, 'BatchToSpace');
  if (!back) return undefined;
  const sliding = isReadOnce(back.inputs.x) && isConvolution(back.inputs.x) ? back.inputs.x : undefined;
  const there = sliding && nodeOf(sliding.inputs.x, 'SpaceToBatch');
  if (!there) return undefined;
  const pad = nodeOf(there.inputs.x, 'Pad');
  const x = pad ? pad.inputs.x : there.inputs.x;

  const { block } = there.attributes;
  const { window } = sliding.attributes;
  const isPlain = `${block}` === `${back.attributes.block}` && window.strides.every((stride) => stride === 1);
  if (!isPlain || window.dilations.some((dilation) => dilation !== 1)) return undefined;

  if (sliding.op === 'ConvolutionTranspose') {
    const begin = crop?.attributes.begin.slice(1) ?? block.map(() => 0);
    const borders = pad?.attributes.borders.slice(1) ?? block.map(() => [0, 0] as const);
    const before = block.map((length, i) => window.padding[i]![0] * length + begin[i]! - borders[i]![0]);
    return dilatedTranspose(sliding, x, node.type.shape, block, before);
  }

  const lengths = back.type.shape;
  const padding = block.map((length, i) => {
    const [before, after] = pad?.attributes.borders[i + 1] ?? [0, 0];
    const [inBefore, inAfter] = window.padding[i]!;
    const [from, to] = crop ? [crop.attributes.begin[i + 1]!, crop.type.shape[i + 1]!] : [0, lengths[i + 1]!];
    const cut = Number(lengths[i + 1]) - from - Number(to);
    return [before + inBefore * length - from, after + inAfter * length - cut] as const;
  });
  if (padding.flat().some((steps) => steps < 0)) return undefined;

  const strides = block.map(() => 1);
  const attributes = { ...sliding.attributes, window: { strides, dilations: block, padding } };
  const dilated =
    sliding.op === 'Convolution'
      ? make(sliding.layer, convolution, { x }, attributes, sliding.weights)
      : make(sliding.layer, depthwiseConvolution, { x }, attributes, sliding.weights);
  return sameShape(dilated.type.shape, node.type.shape) ? dilated : undefined;
};

/** A transposed convolution of x with dilations, whose output of this shape begins `before` steps late. */
function dilatedTranspose(
  sliding: NodeWith<'ConvolutionTranspose'>,
  x: Value,
  shape: readonly Dim[],
  dilations: readonly number[],
  before: readonly number[],
): Value | undefined {
  const lengths = spatial(shape);
  const padding = spatial(x.type.shape).map((steps, i) => {
    const reach = (sliding.weights.kernel.shape[i]! - 1) * dilations[i]! + 1;
    return [before[i]!, steps - 1 + reach - lengths[i]! - before[i]!] as const;
  });
  if (padding.flat().some((steps) => steps < 0)) return undefined;
  const window = { strides: dilations.map(() => 1), dilations, padding };
  const attributes = { ...sliding.attributes, window, lengths };
  return make(sliding.layer, convolutionTranspose, { x }, attributes, sliding.weights);
}

type Sliding = NodeWith<'Convolution' | 'ConvolutionTranspose' | 'DepthwiseConvolution'>;

function isConvolution(value: Value): value is Sliding {
  const names = ['Convolution', 'ConvolutionTranspose', 'DepthwiseConvolution'];
  return value.kind === 'node' && names.includes(value.op);
}
