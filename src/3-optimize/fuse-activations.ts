/** `Convolution → Relu` → `Convolution` with an activation; the same for Dense, depthwise and normalization layers. */

import type { Node, Value } from '../ir/graph.ts';
import { activationOf, linear } from '../ops/activation.ts';
import { nodeOf, type Rewrite } from './rewrite.ts';

export const fuseActivations: Rewrite = (node, { isReadOnce }) => {
  const step = nodeOf(node, 'Elementwise');
  const activation = step && activationOf(step.attributes.expression);
  const layer = activation && step.inputs.x0;
  if (!layer || !canActivate(layer) || !isReadOnce(layer) || layer.attributes.activation !== linear)
    return undefined;
  return { ...layer, attributes: { ...layer.attributes, activation } } as Node;
};

type Activated = Extract<
  Node,
  { op: 'BatchNormalization' | 'Convolution' | 'ConvolutionTranspose' | 'Dense' | 'DepthwiseConvolution' }
>;

function canActivate(value: Value): value is Activated {
  const names = [
    'BatchNormalization',
    'Convolution',
    'ConvolutionTranspose',
    'Dense',
    'DepthwiseConvolution',
  ];
  return value.kind === 'node' && names.includes(value.op);
}
