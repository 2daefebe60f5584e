/** `Embedding(select(x < 0, x + words, x))` → `Embedding` that wraps: Keras 3 lets negative numbers count from the end. */

import type { Value } from '../ir/graph.ts';
import { elementwise } from '../ops/elementwise.ts';
import { embedding } from '../ops/embedding.ts';
import type { Expression } from '../ops/expression.ts';
import { sameExpression, substitute } from '../ops/expression.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const recognizeEmbedding: Rewrite = (node) => {
  const layer = nodeOf(node, 'Embedding');
  const step = nodeOf(layer?.inputs.x, 'Elementwise');
  if (!layer || !step || layer.attributes.wraps || layer.type.dtype !== 'f32') return undefined;
  const number = wrapped(step.attributes.expression, layer.weights.table.shape[0]!);
  if (!number) return undefined;
  const x = computed(number, Object.values<Value>(step.inputs), step);
  return x && make(layer.layer, embedding, { x }, { wraps: true }, layer.weights);
};

/** The `i` of `select(i < 0, i + words, i)`. */
function wrapped(expression: Expression, words: number): Expression | undefined {
  if (expression.kind !== 'call' || expression.name !== 'select') return undefined;
  const [condition, negative, index] = expression.arguments;
  if (condition?.kind !== 'call' || condition.name !== 'less' || negative?.kind !== 'call') return undefined;
  if (negative.name !== 'add' || !index) return undefined;
  const isZero = isNumber(condition.arguments[1], 0) && sameExpression(condition.arguments[0]!, index);
  const [a, b] = negative.arguments;
  const isShifted =
    (sameExpression(a!, index) && isNumber(b, words)) || (sameExpression(b!, index) && isNumber(a, words));
  return isZero && isShifted ? index : undefined;
}

function isNumber(expression: Expression | undefined, value: number): boolean {
  return expression?.kind === 'number' && Number(expression.value) === value;
}

/** The value of an expression of one input. */
function computed(
  expression: Expression,
  inputs: readonly Value[],
  step: Extract<Value, { kind: 'node' }>,
): Value | undefined {
  if (expression.kind === 'input') return inputs[expression.index];
  if (inputs.length !== 1) return undefined;
  return make(
    step.layer,
    elementwise,
    { x0: inputs[0]! },
    { expression: substitute(expression, [{ kind: 'input', index: 0, dtype: inputs[0]!.type.dtype }]) },
    {},
  );
}
