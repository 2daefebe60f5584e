/** `Convolution` with a group for each channel → `DepthwiseConvolution`, which takes less time. ConvNeXt is written so. */

import { depthwiseConvolution } from '../ops/depthwise-convolution.ts';
import { channels } from '../ops/window.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const depthwiseGroups: Rewrite = (node) => {
  const grouped = nodeOf(node, 'Convolution');
  if (!grouped) return undefined;
  const { kernel, bias } = grouped.weights;
  const sizes = kernel.shape.slice(0, -2);
  const groups = channels(grouped.inputs.x.type.shape);
  if (kernel.shape.at(-2) !== 1 || groups === 1 || sizes.length > 2) return undefined;
  // The filters of a group follow each other, as those of a channel do.
  const shape = [groups, bias.data.length / groups];
  return make(grouped.layer, depthwiseConvolution, { x: grouped.inputs.x }, grouped.attributes, {
    kernel: { ...kernel, shape: [...sizes, ...shape] },
    bias: { ...bias, shape },
  });
};
