/** The formulas as which TensorFlow writes activations → the activations: `x · sigmoid(x)` → `silu(x)`. */

import type { Value } from '../ir/graph.ts';
import { recognizedActivation } from '../ops/activation-formulas.ts';
import { elementwise } from '../ops/elementwise.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const recognizeActivations: Rewrite = (node) => {
  const step = nodeOf(node, 'Elementwise');
  const inputs = step && Object.values<Value>(step.inputs);
  if (!step || inputs?.length !== 1 || inputs[0]!.type.dtype !== 'f32') return undefined;
  const expression = recognizedActivation(step.attributes.expression);
  return expression && make(step.layer, elementwise, step.inputs, { expression }, {});
};
