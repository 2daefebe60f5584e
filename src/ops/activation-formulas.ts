/** The formulas as which TensorFlow writes activations. */

import { call, type Expression, input, number } from './expression.ts';
import type { FunctionName } from './functions.ts';

/** Written by hand, with `x` for what the activation is of: in any order of the factors and terms. */
type Formula = (x: Expression) => Expression;

const f = (value: number) => number(value, 'f32');
const times = (...factors: Expression[]) => factors.reduce((a, b) => call('multiply', a, b));
const plus = (...terms: Expression[]) => terms.reduce((a, b) => call('add', a, b));
const hardSigmoid: Formula = (x) => call('divide', call('relu6', plus(x, f(3))), f(6));

const formulas: readonly (readonly [FunctionName, Formula])[] = [
  ['gelu', (x) => times(f(0.5), x, plus(f(1), call('erf', times(x, f(Math.SQRT1_2)))))],
  ['gelu', (x) => times(f(0.5), x, plus(f(1), call('erf', call('divide', x, f(Math.SQRT2)))))],
  ['gelu', (x) => times(f(0.5), x, call('erfc', times(call('negative', x), f(Math.SQRT1_2))))],
  [
    'gelu_tanh',
    (x) =>
      times(
        f(0.5),
        x,
        plus(
          f(1),
          call('tanh', times(f(Math.sqrt(2 / Math.PI)), plus(x, times(f(0.044715), call('power', x, f(3)))))),
        ),
      ),
  ],
  ['hard_silu', (x) => times(x, hardSigmoid(x))],
  ['hard_silu', (x) => times(x, call('relu6', plus(x, f(3))), f(1 / 6))],
  ['hard_silu', (x) => times(x, call('hard_sigmoid', x))],
  ['hard_sigmoid', hardSigmoid],
  ['hard_sigmoid', (x) => times(call('relu6', plus(x, f(3))), f(1 / 6))],
  [
    'hard_sigmoid_of_keras_2',
    (x) => call('maximum', call('minimum', plus(times(f(0.2), x), f(0.5)), f(1)), f(0)),
  ],
  [
    'hard_sigmoid_of_keras_2',
    (x) => call('minimum', call('maximum', plus(times(f(0.2), x), f(0.5)), f(0)), f(1)),
  ],
  ['mish', (x) => times(x, call('tanh', call('softplus', x)))],
  ['silu', (x) => times(x, call('sigmoid', x))],
];

/** The activation that a formula of one f32 comes to: `silu(x)` for `x · sigmoid(x)`. Undefined if it is none. */
export function recognizedActivation(written: Expression): Expression | undefined {
  const x = input(0, 'f32');
  const found = formulas.find(([, formula]) => alike(written, formula(x)));
  return found && call(found[0], x);
}

/** The same formula, but for the order of factors and terms, and for digits that a float does not have. */
function alike(a: Expression, b: Expression): boolean {
  if (a.kind === 'number' && b.kind === 'number')
    return Math.fround(Number(a.value)) === Math.fround(Number(b.value));
  if (a.kind === 'input' || b.kind === 'input') return a.kind === b.kind;
  if (a.kind !== 'call' || b.kind !== 'call') return false;
  if (a.name === 'multiply' || a.name === 'add')
    return b.name === a.name && sameParts(parts(a, a.name), parts(b, a.name));
  return a.name === b.name && a.arguments.every((argument, i) => alike(argument, b.arguments[i]!));
}

/** The factors of a product of products, or the terms of a sum of sums. */
function parts(expression: Expression, name: 'multiply' | 'add'): readonly Expression[] {
  if (expression.kind !== 'call' || expression.name !== name) return [expression];
  return expression.arguments.flatMap((argument) => parts(argument, name));
}

function sameParts(a: readonly Expression[], b: readonly Expression[]): boolean {
  if (a.length !== b.length) return false;
  const rest = [...b];
  return a.every((part) => {
    const at = rest.findIndex((other) => alike(part, other));
    if (at >= 0) rest.splice(at, 1);
    return at >= 0;
  });
}
