import assert from 'node:assert/strict';
import test from 'node:test';
import { optimize } from '../../src/3-optimize/index.ts';
import { nodesOf, type Value } from '../../src/ir/graph.ts';
import { input, node } from '../emit/graph.ts';

const x = input('x', [2, 3, 4]);

const turned = (value: Value, axes: readonly number[]): Value =>
  node('Transpose', { x: value }, { axes }, {}, 'transpose');

/** What is left of the products with `z`: for each node its operator, and whether it turns its right matrices. */
const left = (z: Value, transposeZ: boolean, others: readonly Value[] = []) => {
  const product = node('Matmul', { x, z }, { transposeX: false, transposeZ }, {}, 'product');
  const outputs = [product, ...others].map((value, i) => ({ name: `y${i}`, value }));
  return nodesOf(optimize({ inputs: [], outputs })).map((left) =>
    left.op === 'Matmul' ? left.attributes.transposeZ : left.op,
  );
};

test('a product reads its right matrices turned', () => {
  assert.deepEqual(left(turned(input('z', [2, 5, 4]), [0, 1, 3, 2]), false), [true]);
  assert.deepEqual(left(turned(input('z', [2, 4, 5]), [0, 1, 3, 2]), true), [false]);
});

test('unless other axes change places too, or something else reads them', () => {
  assert.deepEqual(left(turned(input('z', [5, 2, 4]), [0, 2, 3, 1]), false), ['Transpose', false]);
  const shared = turned(input('z', [2, 5, 4]), [0, 1, 3, 2]);
  assert.deepEqual(left(shared, false, [shared]), ['Transpose', false]);
});
