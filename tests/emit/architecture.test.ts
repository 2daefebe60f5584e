import assert from 'node:assert/strict';
import test from 'node:test';
import { architecture } from '../../src/5-emit/description/architecture.ts';
import { computationGraph } from '../../src/5-emit/description/computation-graph.ts';
import { printJson } from '../../src/5-emit/description/json.ts';
import { layersOf } from '../../src/5-emit/description/layers.ts';
import { settingsOf } from '../../src/5-emit/description/settings.ts';
import { linear } from '../../src/ops/activation.ts';
import { call, number, input as x } from '../../src/ops/expression.ts';
import { input, node, weight } from './graph.ts';

const image = input('image', [28, 28, 4]);
const steps = input('steps', [10, 4]);

function conv2d(strides: number, padding: readonly [number, number], dilation = 1) {
  const pairs = [padding, padding];
  return node(
    'Convolution',
    { x: image },
    {
      window: { strides: [strides, strides], dilations: [dilation, dilation], padding: pairs },
      activation: { name: 'relu' },
    },
    { kernel: weight([3, 3, 2, 6]), bias: weight([6], 0) },
    'conv2d: Conv2D',
  );
}

function conv1d(before: number, after: number) {
  return node(
    'Convolution',
    { x: steps },
    { window: { strides: [1], dilations: [2], padding: [[before, after]] }, activation: linear },
    { kernel: weight([3, 4, 5]), bias: weight([5]) },
    'conv1d: Conv1D',
  );
}

test('computation_graph.json', () => {
  const layers = layersOf({ inputs: [image], outputs: [{ name: 'y', value: conv2d(1, [0, 0]) }] });
  assert.equal(
    computationGraph(layers),
    `{
  "image": {
    "inbounds": [],
    "outbounds": ["conv2d"]
  },
  "conv2d": {
    "inbounds": ["image"],
    "outbounds": []
  }
}
`,
  );
});

test('model_architecture.json', () => {
  const layers = layersOf({ inputs: [image], outputs: [{ name: 'y', value: conv2d(2, [1, 1]) }] });
  assert.equal(
    architecture(layers.slice(1)),
    `{
  "conv2d": {
    "class": "Conv2D",
    "settings": {
      "filters": 6,
      "kernel_size": [3, 3],
      "strides": [2, 2],
      "padding": [[1, 1], [1, 1]],
      "dilation_rate": [1, 1],
      "groups": 2,
      "activation": "relu"
    },
    "input_shapes": [[null, 28, 28, 4]],
    "output_shapes": [[null, 14, 14, 6]],
    "output_dtypes": ["float32"],
    "parameters": 108,
    "inbounds": ["image"],
    "outbounds": [],
    "is_output": true
  }
}
`,
  );
});

test('the padding has the name that Keras has for it', () => {
  const cases = [
    { node: conv2d(1, [0, 0]), padding: 'valid' },
    { node: conv2d(1, [1, 1]), padding: 'same' },
    { node: conv1d(2, 2), padding: 'same' },
    { node: conv1d(4, 0), padding: 'causal' },
    { node: conv1d(1, 0), padding: [[1, 0]] },
  ];
  for (const { node, padding } of cases) assert.deepEqual(settingsOf(node).padding, padding);
});

test('settings have the names that Keras has for them', () => {
  const f32 = x(0, 'f32');
  const elementwise = (expression: ReturnType<typeof call>) =>
    node('Elementwise', { x0: steps }, { expression }, {}, 'a');
  const cases = [
    [elementwise(call('elu', f32, number(1, 'f32'))), { activation: 'elu', alpha: 1 }],
    [elementwise(call('exp', f32)), { activation: 'exponential' }],
    [elementwise(call('add', f32, number(3, 'f32'))), { formula: 'add(x0, 3)' }],
    [node('Transpose', { x: steps }, { axes: [0, 2, 1] }, {}, 'permute'), { dims: [2, 1] }],
    [
      node('Reshape', { x: steps }, { shape: [{ batch: 1 }, 5, -1] }, {}, 'reshape'),
      { target_shape: [5, 8] },
    ],
    [node('Softmax', { x: steps }, { axis: 2, isLog: false }, {}, 'softmax'), { activation: 'softmax' }],
    [
      node('Softmax', { x: steps }, { axis: 1, isLog: true }, {}, 'softmax'),
      { activation: 'log_softmax', axis: 1 },
    ],
  ] as const;
  for (const [made, settings] of cases) assert.deepEqual(settingsOf(made), settings);
});

test('JSON keeps the order of its keys, and has words for numbers that it does not know', () => {
  const object = new Map<string, number | readonly never[]>([
    ['2', Number.NEGATIVE_INFINITY],
    ['1', []],
    ['__proto__', Number.NaN],
  ]);
  assert.equal(printJson(object), '{\n  "2": "-Infinity",\n  "1": [],\n  "__proto__": "NaN"\n}\n');
  assert.equal(printJson(new Map()), '{}\n');
  assert.equal(printJson([new Map([['a', 'b']])]), '[\n  {\n    "a": "b"\n  }\n]\n');
});
