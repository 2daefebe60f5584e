import assert from 'node:assert/strict';
import test from 'node:test';
import { optimize } from '../../src/3-optimize/index.ts';
import { type Graph, nodesOf, type Value } from '../../src/ir/graph.ts';
import { linear } from '../../src/ops/activation.ts';
import { call, input as read } from '../../src/ops/expression.ts';
import { input, node, weight } from '../emit/graph.ts';

const opsOf = (...values: readonly Value[]) => {
  const outputs = values.map((value, i) => ({ name: `y${i}`, value }));
  const graph: Graph = { inputs: [], outputs };
  return nodesOf(optimize(graph)).map(({ op }) => op);
};

const x = input('x', [5, 3]);

const dense = (value: Value, units: number): Value => {
  const weights = { kernel: weight([value.type.shape.at(-1) as number, units]), bias: weight([units]) };
  return node('Dense', { x: value }, { activation: linear }, weights, 'dense');
};

const sum = (x0: Value, x1: Value): Value =>
  node('Elementwise', { x0, x1 }, { expression: call('add', read(0, 'f32'), read(1, 'f32')) }, {}, 'add');

const relu = (x0: Value): Value =>
  node('Elementwise', { x0 }, { expression: call('relu', read(0, 'f32')) }, {}, 'relu');

test('a layer is added to what another one made, on either side, and activated after that', () => {
  const shortcut = relu(dense(x, 4));
  for (const added of [sum(shortcut, dense(x, 4)), sum(dense(x, 4), shortcut)])
    assert.deepEqual(opsOf(relu(added)), ['Dense', 'ResidualDense']);
  assert.deepEqual(opsOf(sum(dense(x, 4), dense(x, 1))), ['Dense', 'Dense', 'Elementwise']);
});

test('a layer that is read again, or activated before the sum, is not; nor is one added to what it reads', () => {
  const [y, z] = [dense(x, 3), relu(x)];
  for (const results of [[sum(y, z), y], [sum(relu(dense(x, 3)), z)], [sum(dense(z, 3), z)], [sum(y, x)]])
    assert.ok(!opsOf(...results).includes('ResidualDense'));
});

test('a layer that is added to itself is one input of a formula', () => {
  const y = dense(x, 3);
  assert.deepEqual(opsOf(sum(y, y)), ['Dense', 'Elementwise']);
});
