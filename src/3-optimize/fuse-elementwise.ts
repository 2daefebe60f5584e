/** Element-wise steps, one after the other → one step with a longer formula; constants of one number become part of it. */

import type { Layer, Value } from '../ir/graph.ts';
import { sameShape, type Tensor } from '../ir/types.ts';
import { broadcastShape } from '../ops/broadcasting.ts';
import { elementwise } from '../ops/elementwise.ts';
import { type Expression, input, measure, number, rustExpression, substitute } from '../ops/expression.ts';
import type { FunctionName } from '../ops/functions.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

/** Longer formulas are hard to read, and keep too many numbers in registers. */
const LONGEST = 64;

/** One layer's formula is longer: the activation may be recognised that it is. */
const LONGEST_OF_LAYER = 120;

/** The function `ops::map4` takes as many. */
const MOST_INPUTS = 4;

/** Takes the steps of the same layer together: TensorFlow writes an activation as several. */
export const fuseElementwiseOfLayer: Rewrite = (node, { isReadOnce }) =>
  fuse(
    node,
    (step) => isReadOnce(step) && node.kind === 'node' && sameLayer(step.layer, node.layer),
    LONGEST_OF_LAYER,
  );

/** Takes any steps together. */
export const fuseElementwise: Rewrite = (node, { isReadOnce }) => fuse(node, isReadOnce, LONGEST);

const sameLayer = (a: Layer, b: Layer) =>
  a.name === b.name || (a.isFunction === true && b.isFunction === true);

function fuse(
  value: Value,
  mayTake: (step: Extract<Value, { kind: 'node' }>) => boolean,
  longest: number,
): Value | undefined {
  const node = nodeOf(value, 'Elementwise');
  if (!node) return undefined;
  const { uses } = measure(node.attributes.expression);
  const inputs = new Inputs();
  let isChanged = false;
  const parts = Object.values<Value>(node.inputs).map((read, i): Expression => {
    const stretched = nodeOf(read, 'Broadcast');
    if (stretched?.inputs.x.kind === 'constant' && fitsWithout(node, i, stretched.inputs.x)) {
      isChanged = true;
      return inputs.expressionOf(stretched.inputs.x);
    }
    if (read.kind === 'constant' && isUniform(read.tensor) && fitsWithout(node, i)) {
      isChanged = true;
      return number(read.tensor.data[0]!, read.type.dtype);
    }
    const step = nodeOf(read, 'Elementwise');
    const isCheap = step && ((uses.get(i) ?? 0) <= 1 || measure(step.attributes.expression).calls <= 1);
    if (step && isCheap && mayTake(step) && sameShape(step.type.shape, node.type.shape)) {
      const own = Object.values<Value>(step.inputs).map((value) => inputs.expressionOf(value));
      const taken = substitute(step.attributes.expression, own);
      isChanged = true;
      return taken;
    }
    return inputs.expressionOf(read);
  });
  const expression = simplified(substitute(node.attributes.expression, parts));
  const isShort = rustExpression(expression, ['x', 'y', 'z', 'w', 'v', 'u']).text.length <= longest;
  const count = inputs.values.length;
  const isDoubled = count < Object.keys(node.inputs).length;
  if (!(isChanged || isDoubled) || !isShort || count === 0 || count > MOST_INPUTS) return undefined;
  const record = Object.fromEntries(inputs.values.map((read, i) => [`x${i}` as const, read]));
  return make(node.layer, elementwise, record, { expression }, {});
}

/** Whether all numbers of a constant are the same. */
function isUniform({ data }: Tensor): boolean {
  const [first] = data;
  for (const each of data) if (!Object.is(each, first)) return false;
  return first !== undefined;
}

/** Whether the shape stays without an input, or with another in its place. */
function fitsWithout(
  node: { readonly inputs: Readonly<Record<string, Value>>; readonly type: Value['type'] },
  index: number,
  other?: Value,
): boolean {
  const rest = Object.values(node.inputs).flatMap((value, i) =>
    i !== index ? [value] : other ? [other] : [],
  );
  if (!rest.some(({ kind }) => kind !== 'constant')) return false;
  return sameShape(broadcastShape(rest.map(({ type }) => type.shape)), node.type.shape);
}

/** Without factors of 1 and terms of 0, which change nothing but the sign of a zero. */
function simplified(expression: Expression): Expression {
  if (expression.kind === 'cast') return { ...expression, from: simplified(expression.from) };
  if (expression.kind !== 'call') return expression;
  const args = expression.arguments.map(simplified);
  const neutral = neutralNumber(expression.name);
  const isNeutral = (side: Expression | undefined) =>
    side?.kind === 'number' && neutral !== undefined && Number(side.value) === neutral;
  if (isNeutral(args[1])) return args[0]!;
  const isSymmetric = expression.name === 'multiply' || expression.name === 'add';
  return isSymmetric && isNeutral(args[0]) ? args[1]! : { ...expression, arguments: args };
}

/** What the function leaves its first argument as it is with. */
function neutralNumber(name: FunctionName): number | undefined {
  switch (name) {
    case 'multiply':
    case 'divide':
      return 1;
    case 'add':
    case 'subtract':
      return 0;
    default:
      return undefined;
  }
}

/** The values that a formula reads, each once. */
class Inputs {
  readonly values: Value[] = [];

  expressionOf(value: Value): Expression {
    const known = this.values.indexOf(value);
    const index = known >= 0 ? known : this.values.push(value) - 1;
    return input(index, value.type.dtype);
  }
}
