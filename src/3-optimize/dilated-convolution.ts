/**
 * `Pad → SpaceToBatch → Convolution → BatchToSpace → Slice` → `Convolution` with dilations: TensorFlow deals the
 * pixels out to a sample for each place of the block, convolves each, and puts them together again.
 */

import type { Node, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/types.ts';
import { convolution } from '../ops/convolution.ts';
import { depthwiseConvolution } from '../ops/depthwise-convolution.ts';
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

function isConvolution(value: Value): value is Extract<Node, { op: 'Convolution' | 'DepthwiseConvolution' }> {
  return value.kind === 'node' && (value.op === 'Convolution' || value.op === 'DepthwiseConvolution');
}
