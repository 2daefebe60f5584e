/**
 * A formula as one would write it: `3 + x` → `x + 3`, `x + −y` → `x − y`, `x / 2` → `x · 0.5`, `x²` → `x · x`:
 * the numbers stay. What the result may be written over is the first input.
 */

import type { Value } from '../ir/graph.ts';
import { isFloat, sameShape } from '../ir/types.ts';
import { elementwise } from '../ops/elementwise.ts';
import {
  call,
  type Expression,
  input,
  measure,
  number,
  sameExpression,
  substitute,
} from '../ops/expression.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const tidyFormulas: Rewrite = (node, { isReadOnce }) => {
  const step = nodeOf(node, 'Elementwise');
  if (!step) return undefined;
  const inputs = Object.values<Value>(step.inputs);
  const tidied = tidy(step.attributes.expression);
  const isReplaceable = (value: Value) =>
    value.kind === 'node' &&
    isReadOnce(value) &&
    value.type.dtype === step.type.dtype &&
    sameShape(value.type.shape, step.type.shape);
  const used = [...measure(tidied).uses.keys()];
  const places = [
    ...used.filter((i) => isReplaceable(inputs[i]!)),
    ...used.filter((i) => !isReplaceable(inputs[i]!)),
  ];
  const isInOrder = places.length === inputs.length && places.every((place, i) => place === i);
  if (isInOrder && sameExpression(tidied, step.attributes.expression)) return undefined;
  const renumbered = inputs.map((value, i) => input(places.indexOf(i), value.type.dtype));
  const record = Object.fromEntries(places.map((place, i) => [`x${i}` as const, inputs[place]!]));
  return make(step.layer, elementwise, record, { expression: substitute(tidied, renumbered) }, {});
};

function tidy(expression: Expression): Expression {
  switch (expression.kind) {
    case 'input':
    case 'number':
      return expression;
    case 'cast':
      return { ...expression, from: tidy(expression.from) };
    case 'call': {
      const [a, b, ...others] = expression.arguments.map(tidy);
      const whole = { ...expression, arguments: [a, b, ...others].filter((part) => part !== undefined) };
      return a && b && others.length === 0 ? (tidyPair(expression.name, a, b) ?? whole) : whole;
    }
  }
}

/** A function of two parts in other words; undefined if there are no better ones. */
function tidyPair(name: string, a: Expression, b: Expression): Expression | undefined {
  const isNumberFirst = a.kind === 'number' && b.kind !== 'number';
  switch (name) {
    case 'add': {
      if (isNumberFirst) return tidyPair(name, b, a) ?? call('add', b, a);
      const less = negated(b);
      if (less) return call('subtract', a, less);
      return a.kind === 'call' && a.name === 'negative' ? call('subtract', b, a.arguments[0]!) : undefined;
    }
    case 'subtract': {
      const more = negated(b);
      return more && call('add', a, more);
    }
    case 'multiply':
      return isNumberFirst ? call('multiply', b, a) : undefined;
    case 'divide': {
      const isExact = b.kind === 'number' && isFloat(b.dtype) && Number.isInteger(Math.log2(Number(b.value)));
      return isExact && Math.abs(Math.log2(Number(b.value))) < 100
        ? call('multiply', a, number(1 / Number(b.value), b.dtype))
        : undefined;
    }
    case 'power':
      return b.kind === 'number' && Number(b.value) === 2 && measure(a).calls <= 1
        ? call('multiply', a, a)
        : undefined;
    case 'logical_and':
      return [a, b].find((_, i, both) => isTrue(both[1 - i]!));
    default:
      return undefined;
  }
}

/** What a part is the negative of: `−x`, `−x · y`, or a number below 0. */
function negated(part: Expression): Expression | undefined {
  if (part.kind === 'number') {
    return isFloat(part.dtype) && part.value < 0 ? number(-Number(part.value), part.dtype) : undefined;
  }
  if (part.kind !== 'call') return undefined;
  const [first, ...others] = part.arguments;
  if (part.name === 'negative') return first;
  const isProduct = part.name === 'multiply' && first?.kind === 'call' && first.name === 'negative';
  return isProduct ? call('multiply', first.arguments[0]!, ...others) : undefined;
}

function isTrue(part: Expression): boolean {
  return part.kind === 'number' && part.dtype === 'bool' && Number(part.value) === 1;
}
