import assert from 'node:assert/strict';
import test from 'node:test';
import { optimize } from '../../src/3-optimize/index.ts';
import { type Graph, nodesOf, type Value } from '../../src/ir/graph.ts';
import { call, input as read } from '../../src/ops/expression.ts';
import { input, node } from '../emit/graph.ts';

/** The pooling of x, padded by so many zeros, after the optimization. */
const pooled = (x: Value, zeros: number, kind: 'max' | 'average') => {
  const borders = [
    [0, 0],
    [zeros, 0],
    [1, 1],
    [0, 0],
  ] as const;
  const pad = node('Pad', { x }, { borders, value: 0 }, {}, 'pad');
  const window = {
    strides: [2, 2],
    dilations: [1, 1],
    padding: [
      [0, 1],
      [0, 0],
    ],
  } as const;
  const value = node('Pooling', { x: pad }, { kind, sizes: [3, 3], window }, {}, 'pool');
  const graph: Graph = { inputs: [], outputs: [{ name: 'y', value }] };
  return nodesOf(optimize(graph));
};

const x = input('x', [7, 8, 2]);
const relu = node('Elementwise', { x0: x }, { expression: call('relu', read(0, 'f32')) }, {}, 'relu');

test('zeros before a maximum of positive numbers are padding', () => {
  const [, pool] = pooled(relu, 2, 'max');
  assert.ok(pool?.op === 'Pooling');
  assert.deepEqual(pool.attributes.window.padding, [
    [2, 1],
    [1, 1],
  ]);
});

test('zeros are numbers where others are negative, where a window sees no others, and in an average', () => {
  for (const nodes of [pooled(x, 2, 'max'), pooled(relu, 3, 'max'), pooled(relu, 1, 'average')])
    assert.ok(nodes.some(({ op }) => op === 'Pad'));
});
