/** `Pad → Convolution` → `Convolution` with padding: nothing is copied. Causal convolutions are exported so. */

import { convolution } from '../ops/convolution.ts';
import { depthwiseConvolution } from '../ops/depthwise-convolution.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const foldPadding: Rewrite = (node) => {
  const layer = nodeOf(node, 'Convolution') ?? nodeOf(node, 'DepthwiseConvolution');
  const pad = nodeOf(layer?.inputs.x, 'Pad');
  if (!layer || !pad || pad.attributes.value !== 0) return undefined;
  const { borders } = pad.attributes;
  if ([...borders[0]!, ...borders.at(-1)!].some((steps) => steps > 0)) return undefined;

  const { window } = layer.attributes;
  const padding = window.padding.map(([before, after], i) => {
    const [more, stillMore] = borders[i + 1]!;
    return [before + more, after + stillMore] as const;
  });
  const attributes = { ...layer.attributes, window: { ...window, padding } };
  return layer.op === 'Convolution'
    ? make(layer.layer, convolution, pad.inputs, attributes, layer.weights)
    : make(layer.layer, depthwiseConvolution, pad.inputs, attributes, layer.weights);
};
