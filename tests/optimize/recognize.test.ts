import assert from 'node:assert/strict';
import test from 'node:test';
import { recognize } from '../../src/3-optimize/index.ts';
import { type Graph, nodesOf, type Value } from '../../src/ir/graph.ts';
import { linear } from '../../src/ops/activation.ts';
import { call, input as read } from '../../src/ops/expression.ts';
import { input, node, weight } from '../emit/graph.ts';

const batch = { batch: 1 };
const opsOf = (value: Value) => {
  const graph: Graph = { inputs: [], outputs: [{ name: 'y', value }] };
  return nodesOf(recognize(graph)).map(({ op }) => op);
};

/** `x + bias`, as TensorFlow writes it. */
function plus(x: Value, bias: readonly number[]): Value {
  const { length } = weight(bias).data;
  const tensor = { ...weight(bias), data: Float32Array.from({ length }, (_, i) => i / 4) };
  const constant = { kind: 'constant', type: { dtype: 'f32', shape: bias }, tensor } as const;
  const expression = call('add', read(0, 'f32'), read(1, 'f32'));
  return node('Elementwise', { x0: x, x1: constant }, { expression }, {}, 'layer');
}

test('a convolution over steps has its bias and its activation, though it was saved as one over pixels', () => {
  const pixels = node('Reshape', { x: input('x', [9, 2]) }, { shape: [batch, 1, 9, 2] }, {}, 'layer');
  const one = {
    strides: [1, 1],
    dilations: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
  } as const;
  const weights = { kernel: weight([1, 3, 2, 4]), bias: weight([4]) };
  const convolution = node(
    'Convolution',
    { x: pixels },
    { window: one, activation: linear },
    weights,
    'layer',
  );
  const steps = node('Reshape', { x: convolution }, { shape: [batch, 7, 4] }, {}, 'layer');
  const relu = call('relu', read(0, 'f32'));
  const y = node('Elementwise', { x0: plus(steps, [1, 1, 4]) }, { expression: relu }, {}, 'layer');
  // The activation is taken into the layer by `optimize`.
  assert.deepEqual(opsOf(y), ['Convolution', 'Elementwise']);
});

test('the projection of attention has its bias, though that has the shape of the heads', () => {
  const dense = node(
    'Dense',
    { x: input('x', [5, 3]) },
    { activation: linear },
    { kernel: weight([3, 6]), bias: weight([6]) },
    'query',
  );
  const heads = node('Reshape', { x: dense }, { shape: [batch, 5, 2, 3] }, {}, 'query');
  assert.deepEqual(opsOf(plus(heads, [2, 3])), ['Dense', 'Reshape']);
  assert.deepEqual(opsOf(plus(heads, [1, 2, 3])), ['Dense', 'Reshape']);
  // One number for each channel of a head, or for each of the heads, is no bias of the projection.
  assert.deepEqual(opsOf(plus(heads, [3])), ['Dense', 'Reshape', 'BatchNormalization']);
  assert.deepEqual(opsOf(plus(heads, [2, 1])), ['Dense', 'Reshape', 'Elementwise']);
});
