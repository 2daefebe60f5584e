/** `exp(x − max) / Σ exp(x − max)` along an axis → `Softmax`. */

import type { Value } from '../ir/graph.ts';
import { sameExpression } from '../ops/expression.ts';
import { softmax } from '../ops/softmax.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const recognizeSoftmax: Rewrite = (node) => {
  const quotient = binary(node, 'divide');
  const sum = nodeOf(quotient?.[1], 'Reduce');
  if (!quotient || !sum || sum.attributes.kind !== 'sum' || !sum.attributes.keepsAxes) return undefined;
  const [axis, ...others] = sum.attributes.axes;
  const exp = nodeOf(quotient[0], 'Elementwise');
  if (!exp || sum.inputs.x !== exp || axis === undefined || others.length > 0) return undefined;
  const shifted = shiftedByMax(exp, axis);
  return (
    shifted &&
    make(node.kind === 'node' ? node.layer : exp.layer, softmax, { x: shifted }, { axis, isLog: false }, {})
  );
};

/** The two values of `f(x0, x1)`. */
function binary(value: Value | undefined, name: string): readonly [Value, Value] | undefined {
  const step = nodeOf(value, 'Elementwise');
  const expression = step?.attributes.expression;
  if (expression?.kind !== 'call' || expression.name !== name) return undefined;
  const inputs = Object.values<Value>(step!.inputs);
  const [a, b] = expression.arguments.map((side) => (side.kind === 'input' ? inputs[side.index] : undefined));
  return a && b ? [a, b] : undefined;
}

/** The `x` of `exp(x − max(x))`, in one step or two. */
function shiftedByMax(exp: Extract<Value, { op: 'Elementwise' }>, axis: number): Value | undefined {
  const { expression } = exp.attributes;
  if (expression.kind !== 'call' || expression.name !== 'exp') return undefined;
  const inputs = Object.values<Value>(exp.inputs);
  const [inner] = expression.arguments;
  let pair: readonly [Value, Value] | undefined;
  if (inner?.kind === 'input') pair = binary(inputs[inner.index], 'subtract');
  const plain = { kind: 'call', name: 'subtract', dtype: 'f32' } as const;
  const both = [0, 1].map((index) => ({ kind: 'input', index, dtype: 'f32' }) as const);
  if (inner && sameExpression(inner, { ...plain, arguments: both })) pair = [inputs[0]!, inputs[1]!];
  const max = nodeOf(pair?.[1], 'Reduce');
  const isMax =
    max?.attributes.kind === 'max' && max.attributes.keepsAxes && `${max.attributes.axes}` === `${[axis]}`;
  return isMax && max.inputs.x === pair![0] ? pair![0] : undefined;
}
