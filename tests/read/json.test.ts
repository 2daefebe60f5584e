import assert from 'node:assert/strict';
import test from 'node:test';
import { parseJson } from '../../src/1-read/json.ts';
import { refusal } from './formats.ts';

const parsed = (text: string) => parseJson(new Uint8Array(Buffer.from(text)), 'config.json');

test('texts may be long, and hold brackets and quotes', () => {
  const long = 'x'.repeat(20_000_000);
  assert.deepEqual(parsed(JSON.stringify({ long })), { long });
  const brackets = `${'[{"'.repeat(500)}\\`;
  assert.deepEqual(parsed(JSON.stringify([brackets])), [brackets]);
});

test('what is too deep, too long, or no JSON is refused at once', () => {
  const deep = (depth: number) => '['.repeat(depth) + ']'.repeat(depth);
  assert.doesNotThrow(() => parsed(deep(200)));
  assert.equal(
    refusal(() => parsed(deep(201))),
    'config.json: its JSON nests more than 200 deep, which is not supported',
  );
  assert.equal(
    refusal(() => parsed(' '.repeat(2 ** 25 + 1))),
    'config.json: has 33554433 bytes of JSON, and at most 33554432 are supported',
  );
  assert.equal(
    refusal(() => parsed(`{"a":"${'\\"'.repeat(300_000)}`)),
    'config.json: damaged: it is no JSON',
  );
  assert.equal(
    refusal(() => parseJson(Uint8Array.of(0x22, 0xff, 0x22), 'config.json')),
    'config.json: damaged: it should be JSON, and is not even text (UTF-8)',
  );
});
