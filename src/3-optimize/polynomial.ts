/** What an element-wise formula comes to if it only adds and multiplies: a polynomial of a few values. */

import type { Value } from '../ir/graph.ts';
import { sameShape } from '../ir/types.ts';
import type { Expression } from '../ops/expression.ts';
import { nodeOf } from './rewrite.ts';

/**
 * The coefficient of every product of letters, such as `mx` for m·x; `''` is that of the number alone. A coefficient
 * is one number for all places, or one for each place of the last axes.
 */
export type Polynomial = ReadonlyMap<string, readonly number[]>;

/** The values that have a letter, and the last axes that coefficients may differ along. */
export interface Variables {
  readonly letterOf: (value: Value) => string | undefined;
  readonly lengths: readonly number[];
  /** Whether a polynomial is the one whose root is called `s`, and the inverse of that `r`. */
  readonly isUnderRoot?: (polynomial: Polynomial) => boolean;
}

/** Products of more letters are not followed. */
const MOST_LETTERS = 3;

/** The inverse of the letter `r`. */
const INVERSE: Readonly<Record<string, string>> = { r: 's', s: 'r' };

/** Longer chains of steps are not followed. */
const MOST_STEPS = 16;

/** The polynomial of a value; undefined if it is none, or not of these variables alone. */
export function polynomialOf(value: Value, variables: Variables): Polynomial | undefined {
  const known = new Map<Value, Polynomial | undefined>();
  const follow = (value: Value, steps: number): Polynomial | undefined => {
    if (!known.has(value)) known.set(value, ofValue(value, variables, steps, follow));
    return known.get(value);
  };
  return follow(value, MOST_STEPS);
}

function ofValue(
  value: Value,
  variables: Variables,
  steps: number,
  follow: (value: Value, steps: number) => Polynomial | undefined,
): Polynomial | undefined {
  const letter = variables.letterOf(value);
  if (letter !== undefined) return new Map([[letter, [1]]]);
  if (value.kind === 'constant') return constantOf(value, variables.lengths);
  const step = nodeOf(value, 'Elementwise');
  if (!step || steps === 0 || step.type.dtype !== 'f32') return undefined;
  const inputs = Object.values<Value>(step.inputs);
  return ofExpression(step.attributes.expression, variables, (index) => follow(inputs[index]!, steps - 1));
}

function ofExpression(
  expression: Expression,
  variables: Variables,
  input: (index: number) => Polynomial | undefined,
): Polynomial | undefined {
  if (expression.kind === 'input') return input(expression.index);
  if (expression.kind === 'number') return new Map([['', [Number(expression.value)]]]);
  if (expression.kind === 'cast') return undefined;
  const operands = expression.arguments.map((argument) => ofExpression(argument, variables, input));
  const [a, b] = operands;
  if (!a || operands.includes(undefined)) return undefined;
  switch (expression.name) {
    case 'add':
      return sum(a, b!);
    case 'subtract':
      return sum(a, negative(b!));
    case 'negative':
      return negative(a);
    case 'multiply':
      return product(a, b!);
    case 'divide': {
      const inverse = inverseOf(b!);
      return inverse && product(a, inverse);
    }
    case 'rsqrt':
      return root(a, 'r', variables);
    case 'sqrt':
      return root(a, 's', variables);
    default:
      return undefined;
  }
}

/** Whether a polynomial has these terms and no others, but for the optional ones. */
export function hasTerms(
  polynomial: Polynomial,
  terms: readonly string[],
  optional: readonly string[],
): boolean {
  return (
    terms.every((term) => polynomial.has(term)) &&
    [...polynomial.keys()].every((term) => terms.includes(term) || optional.includes(term))
  );
}

function constantOf(value: Extract<Value, { kind: 'constant' }>, lengths: readonly number[]) {
  const { shape, data } = value.tensor;
  if (data.length === 1) return new Map([['', [Number(data[0])]]]);
  const first = shape.findIndex((dim) => dim !== 1);
  const leading = lengths.findIndex((dim) => dim !== 1);
  const fits = sameShape(shape.slice(first), lengths.slice(leading));
  return fits ? new Map([['', Array.from(data, Number)]]) : undefined;
}

function sum(a: Polynomial, b: Polynomial): Polynomial {
  const result = new Map(a);
  for (const [term, numbers] of b) {
    const known = result.get(term);
    result.set(term, known ? combined(known, numbers, (x, y) => x + y) : numbers);
  }
  return withoutZeros(result);
}

function negative(a: Polynomial): Polynomial {
  return new Map([...a].map(([term, numbers]) => [term, numbers.map((n) => -n)]));
}

function product(a: Polynomial, b: Polynomial): Polynomial | undefined {
  let result: Polynomial = new Map();
  for (const [left, x] of a) {
    for (const [right, y] of b) {
      const letters = cancelled([...left, ...right].sort());
      if (letters.length > MOST_LETTERS) return undefined;
      result = sum(result, new Map([[letters.join(''), combined(x, y, (p, q) => p * q)]]));
    }
  }
  return result;
}

/** `r` and `s` are each other's inverse. */
function cancelled(letters: readonly string[]): readonly string[] {
  if (!letters.includes('r') || !letters.includes('s')) return letters;
  return cancelled(letters.toSpliced(letters.indexOf('r'), 1).toSpliced(letters.indexOf('s') - 1, 1));
}

function inverseOf(divisor: Polynomial): Polynomial | undefined {
  const [term, ...others] = divisor;
  if (!term || others.length > 0) return undefined;
  const [letters, numbers] = term;
  const inverse = letters === '' ? '' : INVERSE[letters];
  if (inverse === undefined || numbers.includes(0)) return undefined;
  return new Map([[inverse, numbers.map((n) => 1 / n)]]);
}

function root(a: Polynomial, letter: 'r' | 's', { isUnderRoot }: Variables): Polynomial | undefined {
  return isUnderRoot?.(a) ? new Map([[letter, [1]]]) : undefined;
}

function combined(
  a: readonly number[],
  b: readonly number[],
  f: (x: number, y: number) => number,
): readonly number[] {
  const length = Math.max(a.length, b.length);
  return Array.from({ length }, (_, i) => f(a[i % a.length]!, b[i % b.length]!));
}

function withoutZeros(polynomial: Polynomial): Polynomial {
  return new Map([...polynomial].filter(([, numbers]) => numbers.some((n) => n !== 0)));
}
