/** `Convolution, Add` → `ResidualConvolution`, and the same for Dense: the sum is not a step of its own. */

import { inputsOf, type NodeWith, type Value } from '../ir/graph.ts';
import { sameShape } from '../ir/types.ts';
import { linear } from '../ops/activation.ts';
import { winogradOf } from '../ops/convolution.ts';
import { residualConvolution, residualDense } from '../ops/residual.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const fuseResiduals: Rewrite = (node, { isReadOnce }) => {
  const sum = nodeOf(node, 'Elementwise');
  const [x0, x1] = sum && isSum(sum) ? Object.values<Value>(sum.inputs) : [];
  // What is added to itself is one input.
  if (!x0 || !x1 || x0 === x1 || !sameShape(x0.type.shape, x1.type.shape)) return undefined;
  const fused = (layer: Value, residual: Value) => {
    // Only what a step has written can be written over, and what the layer reads itself cannot.
    const isFree = residual.kind === 'node' && layer.kind === 'node' && !inputsOf(layer).includes(residual);
    return isFree && isReadOnce(layer) ? added(layer, residual) : undefined;
  };
  return fused(x1, x0) ?? fused(x0, x1);
};

const isSum = ({ attributes: { expression } }: NodeWith<'Elementwise'>) =>
  expression.kind === 'call' &&
  expression.name === 'add' &&
  expression.dtype === 'f32' &&
  expression.arguments.every(({ kind }) => kind === 'input') &&
  expression.arguments.length === 2;

function added(value: Value, residual: Value): Value | undefined {
  const convolution = nodeOf(value, 'Convolution');
  if (convolution && canAdd(convolution)) {
    const { layer, inputs, attributes, weights } = convolution;
    return make(layer, residualConvolution, { residual, ...inputs }, attributes, weights);
  }
  const dense = nodeOf(value, 'Dense');
  if (dense && dense.attributes.activation === linear) {
    const { layer, inputs, attributes, weights } = dense;
    return make(layer, residualDense, { residual, ...inputs }, attributes, weights);
  }
  return undefined;
}

/** Grouped convolutions, those over volumes and Winograd's write their sums otherwise. */
function canAdd({ inputs, weights, attributes, type }: NodeWith<'Convolution'>): boolean {
  const isPlain = type.shape.length < 5 && weights.kernel.shape.at(-2) === inputs.x.type.shape.at(-1);
  return (
    isPlain && attributes.activation === linear && !winogradOf({ x: inputs.x.type, ...weights }, attributes)
  );
}
