import assert from 'node:assert/strict';
import test from 'node:test';
import { memoryFiles } from '../../src/1-read/files.ts';
import { inModelOrder } from '../../src/2-import/saved-model/output-order.ts';

test('outputs of Keras 3 are in the order of their numbers', () => {
  const names = ['output_0', 'output_1', 'output_10', 'output_2'];
  assert.deepEqual(inModelOrder(names, memoryFiles(new Map())), [
    'output_0',
    'output_1',
    'output_2',
    'output_10',
  ]);
});

test('outputs of Keras 2 are in the order of its metadata, if that is about them', () => {
  const names = ['age', 'name'];
  const of = (json: string) =>
    inModelOrder(names, memoryFiles(new Map([['keras_metadata.pb', metadata(json)]])));
  assert.deepEqual(of('{"config": {"output_layers": [["name", 0, 0], ["age", 0, 0]]}}'), ['name', 'age']);
  assert.deepEqual(of('{"config": {"output_layers": [["name", 0, 0], ["other", 0, 0]]}}'), names);
  assert.deepEqual(of('{"config": {}}'), names);
  assert.deepEqual(of('{"config": {"output_layers": [["name", 0, 0], 3]}}'), names);
  assert.deepEqual(of('no JSON'), names);
  assert.deepEqual(inModelOrder(names, memoryFiles(new Map())), names);
});

test('several outputs of a layer of Keras 2 are numbered as it does', () => {
  const places = ['state', 'lstm', 'lstm', 'lstm_1', 'lstm'].map((layer) => [layer, 0, 0]);
  const json = JSON.stringify({ config: { output_layers: places } });
  const inOrder = ['state', 'lstm', 'lstm_1', 'lstm_1_1', 'lstm_2'];
  const files = memoryFiles(new Map([['keras_metadata.pb', metadata(json)]]));
  assert.deepEqual(inModelOrder([...inOrder].sort(), files), inOrder);
});

/** `SavedMetadata` with the root alone. */
function metadata(json: string): Uint8Array {
  const text = (field: number, value: string) => [field * 8 + 2, value.length, ...Buffer.from(value)];
  const node = [...text(3, 'root'), ...text(5, json)];
  return Uint8Array.of(10, node.length, ...node);
}
