/** A model of Keras that computes with bfloat16: its weights are read to the bit, its predictions as far as it rounds. */

import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { readNpz } from '../../src/1-read/npz.ts';
import { convertModel } from '../crates/convert-model.ts';
import { inRepository, needs } from '../crates/places.ts';

const files = ['fixtures/formats/bfloat16.keras', 'fixtures/formats/bfloat16.npz'];
const [model, features] = files.map((file) => inRepository(file)) as [string, string];

test('the weights of layers of bfloat16 are those of the file', needs(...files), async () => {
  const converted = await convertModel({
    name: 'Half',
    model,
    // The conversion compares the evaluator's predictions with TensorFlow's.
    features: new Uint8Array(fs.readFileSync(features)),
  });
  assert.equal(converted.kind, 'crate');
  const file = (name: string) => converted.crate.files.get(name) ?? assert.fail(`no ${name}`);
  assert.match(new TextDecoder().decode(file('src/lib.rs')), /rounds each result to 16 bits/);
  const arrays = readNpz(file('model/model_weights.npz'), 'model_weights.npz');
  const kernelOf = (layer: string) => {
    const { data } = arrays.get(`${layer}_weight_0`) ?? assert.fail(`${[...arrays.keys()]}`);
    return Array.from(data, Number);
  };
  assert.ok(kernelOf('dense').every(isOf16Bits));
  assert.ok(new Set(kernelOf('dense')).size > 50);
  // Mixed precision keeps its weights as floats.
  assert.ok(!kernelOf('dense_1').every(isOf16Bits));
});

/** Whether the lower half of a float is zeros, as in one that was a bfloat16. */
function isOf16Bits(number: number): boolean {
  return (new Uint32Array(Float32Array.of(number).buffer)[0]! & 0xffff) === 0;
}
