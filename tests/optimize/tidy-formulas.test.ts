/** Formulas as they are written in a crate. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { optimize } from '../../src/3-optimize/index.ts';
import { type Graph, nodesOf, type Value } from '../../src/ir/graph.ts';
import { call, type Expression, number, input as read, rustExpression } from '../../src/ops/expression.ts';
import { input, node } from '../emit/graph.ts';

const [x, y] = [read(0, 'f32'), read(1, 'f32')];
const f = (value: number) => number(value, 'f32');

/** The formula of two inputs after it was optimized, in Rust. */
function tidied(expression: Expression): string {
  const value: Value = node(
    'Elementwise',
    { x0: input('a', [3]), x1: input('b', [3]) },
    { expression },
    {},
    'layer',
  );
  const graph: Graph = { inputs: [], outputs: [{ name: 'y', value }] };
  const [step] = nodesOf(optimize(graph));
  assert.equal(step?.op, 'Elementwise');
  return rustExpression(step.attributes.expression, ['x', 'y']).text;
}

test('numbers stand behind what they are added to or multiplied with', () => {
  assert.equal(tidied(call('multiply', call('add', f(3), x), y)), '(x + 3.0) * y');
  assert.equal(tidied(call('add', call('multiply', f(0.3), x), y)), 'x * 0.3 + y');
});

test('what is added as its negative is subtracted', () => {
  assert.equal(tidied(call('add', x, call('negative', y))), 'x - y');
  assert.equal(tidied(call('add', call('add', x, f(-2)), y)), 'x - 2.0 + y');
  assert.equal(tidied(call('subtract', call('subtract', x, f(-2)), y)), 'x + 2.0 - y');
  assert.equal(tidied(call('add', x, call('multiply', call('negative', x), y))), 'x - x * y');
});

test('a quotient by a power of two is a product, and by any other number stays', () => {
  assert.equal(tidied(call('divide', call('add', x, y), f(4))), '(x + y) * 0.25');
  assert.equal(tidied(call('divide', call('add', x, y), f(3))), '(x + y) / 3.0');
  assert.equal(tidied(call('divide', call('add', x, y), f(0))), '(x + y) / 0.0');
});

test('a square of something short is a product', () => {
  assert.equal(tidied(call('power', call('add', x, y), f(2))), '(x + y) * (x + y)');
  assert.equal(tidied(call('power', call('add', x, y), f(3))), '(x + y).powf(3.0)');
});
