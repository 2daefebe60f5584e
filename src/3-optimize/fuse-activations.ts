/** `Convolution → Relu` → `Convolution` with an activation; the same for Dense, depthwise and normalization layers. */

import type { Node, NodeWith, Value } from '../ir/graph.ts';
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

type Activated = NodeWith<(typeof activated)[number]>;

const activated = [
  'BatchNormalization',
  'Convolution',
  'ConvolutionTranspose',
  'Dense',
  'DepthwiseConvolution',
  'ResidualConvolution',
  'ResidualDense',
] as const satisfies readonly Node['op'][];

function canActivate(value: Value): value is Activated {
  return value.kind === 'node' && activated.some((name) => name === value.op);
}
