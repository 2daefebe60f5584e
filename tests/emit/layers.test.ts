import assert from 'node:assert/strict';
import test from 'node:test';
import { layersOf } from '../../src/5-emit/description/layers.ts';
import type { Graph } from '../../src/ir/graph.ts';
import { linear } from '../../src/ops/activation.ts';
import { call, input as x } from '../../src/ops/expression.ts';
import { input, node, weight } from './graph.ts';

const relu = { expression: call('relu', x(0, 'f32')) };
const add = { expression: call('add', x(0, 'f32'), x(1, 'f32')) };
const dense = (from: number, to: number) => ({ kernel: weight([from, to]), bias: weight([to]) });

function twoInputs(): Graph {
  const [image, features] = [input('image', [4, 4]), input('features', [8])];
  const flat = node('Reshape', { x: image }, { shape: [{ batch: 1 }, 16] }, {}, 'flatten: Flatten');
  const left = node('Dense', { x: flat }, { activation: linear }, dense(16, 3), 'left: Dense');
  const active = node('Elementwise', { x0: left }, relu, {}, 'left: Dense');
  const right = node('Dense', { x: features }, { activation: { name: 'tanh' } }, dense(8, 3), 'right');
  const sum = node('Elementwise', { x0: active, x1: right }, add, {}, 'add: Add');
  return {
    inputs: [image, features],
    outputs: [
      { name: 'sum', value: sum },
      { name: 'right', value: right },
    ],
  };
}

test('a layer is all its nodes', () => {
  const layers = layersOf(twoInputs());
  assert.deepEqual(
    layers.map(({ name, className, inbounds, outbounds }) => [name, className, inbounds, outbounds]),
    [
      ['image', 'InputLayer', [], ['flatten']],
      ['features', 'InputLayer', [], ['right']],
      ['flatten', 'Flatten', ['image'], ['left']],
      ['left', 'Dense', ['flatten'], ['add']],
      ['right', 'Dense', ['features'], ['add']],
      ['add', 'Add', ['left', 'right'], []],
    ],
  );
  const left = layers[3]!;
  assert.deepEqual(left.settings, { units: 3, activation: 'relu', use_bias: true });
  assert.deepEqual(left.inputs, [{ dtype: 'f32', shape: [{ batch: 1 }, 16] }]);
  assert.deepEqual(left.outputs, [{ dtype: 'f32', shape: [{ batch: 1 }, 3] }]);
  assert.equal(left.parameters, 16 * 3 + 3);
  assert.deepEqual(
    layers.filter(({ isOutput }) => isOutput).map(({ name }) => name),
    ['right', 'add'],
  );
});

test('a shared layer is one layer, and its weights count once', () => {
  const [a, b] = [input('a', [2]), input('b', [2])];
  const weights = dense(2, 2);
  const once = node('Dense', { x: a }, { activation: linear }, weights, 'shared: Dense');
  const again = node('Dense', { x: b }, { activation: linear }, weights, 'shared: Dense');
  const both = node('Concatenate', { x0: once, x1: again }, { axis: 1 }, {}, 'both');
  const layers = layersOf({ inputs: [a, b], outputs: [{ name: 'y', value: both }] });
  const { inbounds, outputs, parameters } = layers.find(({ name }) => name === 'shared')!;
  assert.deepEqual(inbounds, ['a', 'b']);
  assert.equal(outputs.length, 2);
  assert.equal(parameters, 6);
});

test('every layer comes after those that it reads, though their nodes are mingled', () => {
  const [a, b] = [input('a', [2]), input('b', [2])];
  const early = node('Elementwise', { x0: a }, relu, {}, 'late');
  const before = node('Elementwise', { x0: b }, relu, {}, 'before');
  const late = node('Elementwise', { x0: early, x1: before }, add, {}, 'late');
  const layers = layersOf({ inputs: [a, b], outputs: [{ name: 'y', value: late }] });
  assert.deepEqual(
    layers.map(({ name }) => name),
    ['a', 'b', 'before', 'late'],
  );
});

test('layers that read each other in turn are all there', () => {
  const a = input('a', [2]);
  const first = node('Elementwise', { x0: a }, relu, {}, 'outer: ReLU');
  const inner = node('Elementwise', { x0: first }, relu, {}, 'inner: ReLU');
  const second = node('Elementwise', { x0: inner }, relu, {}, 'outer: ReLU');
  const layers = layersOf({ inputs: [a], outputs: [{ name: 'y', value: second }] });
  assert.deepEqual(
    layers.map(({ name, inbounds }) => [name, inbounds]),
    [
      ['a', []],
      ['inner', ['outer']],
      ['outer', ['a', 'inner']],
    ],
  );
});

test('operators of one name that read each other through a layer are layers of their own', () => {
  const a = input('a', [2]);
  const first = node('Elementwise', { x0: a, x1: a }, add, {}, 'model');
  const block = node('Elementwise', { x0: first }, relu, {}, 'block: ReLU');
  const second = node('Elementwise', { x0: first, x1: block }, add, {}, 'model');
  const third = node('Elementwise', { x0: second, x1: second }, add, {}, 'model');
  const layers = layersOf({ inputs: [a], outputs: [{ name: 'y', value: third }] });
  assert.deepEqual(
    layers.map(({ name, inbounds }) => [name, inbounds]),
    [
      ['a', []],
      ['model', ['a']],
      ['block', ['model']],
      ['model_1', ['model', 'block']],
    ],
  );
});

test('a layer with the name of an input gets another', () => {
  const a = input('x', [2]);
  const b = node('Elementwise', { x0: a }, relu, {}, 'x');
  const c = node('Elementwise', { x0: b }, relu, {}, 'x_1');
  const layers = layersOf({ inputs: [a], outputs: [{ name: 'y', value: c }] });
  assert.deepEqual(
    layers.map(({ name, inbounds }) => [name, inbounds]),
    [
      ['x', []],
      ['x_2', ['x']],
      ['x_1', ['x_2']],
    ],
  );
});

test('an input can be a result, and one that nobody reads is still there', () => {
  const [a, b] = [input('a', [2]), input('b', [2])];
  const layers = layersOf({ inputs: [a, b], outputs: [{ name: 'y', value: a }] });
  assert.deepEqual(
    layers.map(({ name, isOutput, outputs }) => [name, isOutput, outputs.length]),
    [
      ['a', true, 1],
      ['b', false, 0],
    ],
  );
});
