import assert from 'node:assert/strict';
import test from 'node:test';
import { uncompress } from '../../src/1-read/snappy.ts';
import { readDamaged, refusal } from './formats.ts';

const a = 97;
const long = Array.from({ length: 300 }, (_, i) => i & 255);

for (const { name, block, expected } of [
  { name: 'nothing', block: [0], expected: [] },
  { name: 'literal', block: [2, 4, a, a], expected: [a, a] },
  { name: 'literal with a length of two bytes', block: [172, 2, 244, 43, 1, ...long], expected: long },
  { name: 'copy, distance of 11 bits', block: [10, 0, a, 21, 1], expected: Array(10).fill(a) },
  { name: 'copy, distance of 16 bits', block: [10, 0, a, 34, 1, 0], expected: Array(10).fill(a) },
  { name: 'copy, distance of 32 bits', block: [10, 0, a, 35, 1, 0, 0, 0], expected: Array(10).fill(a) },
]) {
  test(`uncompresses: ${name}`, () => {
    assert.deepEqual(uncompress(Uint8Array.from(block), 'block'), Uint8Array.from(expected));
    readDamaged(Uint8Array.from(block), (bytes) => uncompress(bytes, 'block'));
  });
}

test('refuses lengths and distances that lie', () => {
  for (const block of [
    [],
    [5, 0, a],
    [1, 4, a, a],
    [10, 0, a, 21, 2],
    [10, 0, a, 21, 0],
    [255, 255, 255, 255, 15, 0, a],
  ]) {
    assert.match(
      refusal(() => uncompress(Uint8Array.from(block), 'block')),
      /^block: truncated or damaged: cannot be/,
    );
  }
});
