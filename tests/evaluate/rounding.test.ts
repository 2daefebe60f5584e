import assert from 'node:assert/strict';
import test from 'node:test';
import { ConversionError } from '../../src/errors.ts';
import { evaluate } from '../../src/evaluate/evaluate.ts';
import type { Graph, Node } from '../../src/ir/graph.ts';
import { type Tensor, tensor } from '../../src/ir/types.ts';
import { linear } from '../../src/ops/activation.ts';
import { input as argument, call, number } from '../../src/ops/expression.ts';
import { checkSamples } from '../../src/samples/check.ts';
import { roundingError } from '../../src/samples/rounding.ts';
import { input, node } from '../emit/graph.ts';

const x = input('x', [2]);
const inputs = new Map([['x', tensor('f32', [1, 2], [1, 1])]]);

/** The second of two sums is small beside the first: rounding is large beside it. */
const sums = node(
  'Dense',
  { x },
  { activation: linear },
  { kernel: tensor('f32', [2, 2], [3, 1, 4, -1]), bias: tensor('f32', [2], [0, 1e-6]) },
  'dense',
);
const squared = call('multiply', argument(0, 'f32'), argument(0, 'f32'));
const logarithm = call('log', call('add', squared, number(1e-10, 'f32')));
const decibels = node('Elementwise', { x0: sums }, { expression: logarithm }, {}, 'decibels');

function graphOf(value: Node): Graph {
  return { inputs: [x], outputs: [{ name: 'y', value }] };
}

function samplesWith(predictions: Tensor) {
  return { source: { kind: 'features' }, count: 1, inputs, predictions: [predictions] } as const;
}

test('a sum makes little of its rounding, and a logarithm of what is nearly 0 makes much', () => {
  for (const [value, least, most] of [
    [sums, 1e-8, 2.5e-7],
    [decibels, 1e-3, 5e-3],
  ] as const) {
    const graph = graphOf(value);
    const rounding = roundingError(graph, inputs, new Map(), evaluate(graph, inputs, 1).outputs);
    assert.ok(rounding >= least && rounding <= most, `${rounding}`);
  }
});

test('predictions may be off by what rounding makes of them, and by no more', () => {
  for (const [value, off, isFine] of [
    [decibels, 1e-3, true],
    [decibels, 2e-2, false],
    [sums, 1e-4, false],
  ] as const) {
    const graph = graphOf(value);
    const [exact] = evaluate(graph, inputs, 1).outputs;
    const moved = tensor(
      'f32',
      exact!.shape,
      Array.from({ length: exact!.data.length }, (_, i) => Number(exact!.data[i]) * (1 + off)),
    );
    const check = () => checkSamples(graph, samplesWith(moved), 1e-5, 'features.npz');
    if (isFine) assert.ok(check().rounding! > off);
    else assert.throws(check, ConversionError);
  }
});
