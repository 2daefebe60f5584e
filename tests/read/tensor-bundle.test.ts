import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32c, masked } from '../../src/1-read/crc32.ts';
import { memoryFiles } from '../../src/1-read/files.ts';
import { openTensorBundle } from '../../src/1-read/tensor-bundle.ts';
import { ConversionError } from '../../src/errors.ts';
import { tensor } from '../../src/ir/types.ts';
import {
  counted,
  format,
  formats,
  halfPlusTwoFile,
  readDamaged,
  refusal,
  withoutHalfPlusTwo,
} from './formats.ts';

const data = 'bundle.data-00000-of-00001';
const bundle = () => openTensorBundle(formats('bundle.index', data), 'bundle');

test('reads every type', () => {
  for (const [type, dtype] of [
    ['float32', 'f32'],
    ['float64', 'f64'],
    ['float16', 'f32'],
    ['bfloat16', 'f32'],
    ['int8', 'i32'],
    ['int16', 'i32'],
    ['int32', 'i32'],
    ['int64', 'i64'],
    ['uint8', 'u8'],
    ['uint16', 'i32'],
    ['uint32', 'i64'],
    ['uint64', 'i64'],
  ] as const) {
    const numbers = type.startsWith('u') ? [0, 1, 2, 3, 4, 5] : counted(6);
    assert.deepEqual(bundle().tensor(type), tensor(dtype, [2, 3], numbers), type);
  }
  assert.deepEqual(bundle().tensor('bool'), tensor('bool', [1, 3], [1, 0, 1]));
  assert.deepEqual(bundle().tensor('scalar'), tensor('f32', [], [-2]));
  assert.deepEqual(bundle().tensor('empty'), tensor('f32', [0, 3], []));
  assert.deepEqual(bundle().tensor('é'), tensor('f32', [1], [1]));
  assert.deepEqual(bundle().entry('bfloat16'), { type: 'bfloat16', shape: [2, 3] });
});

test('reads strings', () => {
  const strings = bundle().tensor('string');
  assert(strings.dtype === 'string');
  assert.deepEqual(strings.shape, [2, 2]);
  assert.deepEqual(
    strings.data.map((text) => Buffer.from(text).toString()),
    ['-2', '-1', '', 'x'.repeat(200)],
  );
});

test('puts the parts of a variable together', () => {
  assert.deepEqual(bundle().tensor('parts\xff/p'), tensor('f32', [5, 4, 300], counted(6000)));
});

test('lists variables, not their parts', () => {
  const { keys, has } = bundle();
  assert.equal(keys.length, 19);
  assert(keys.every(has));
  assert(!keys.includes(''));
  assert(keys.includes('é') && keys.includes('parts\xff/p'));
});

test('reads the compressed index of TensorFlow 1', { skip: withoutHalfPlusTwo }, () => {
  const index = halfPlusTwoFile('variables/variables.index');
  const shard = halfPlusTwoFile('variables/variables.data-00000-of-00001');
  const files = (index: Uint8Array) =>
    memoryFiles(
      new Map([
        ['old.index', index],
        ['old.data-00000-of-00001', shard],
      ]),
    );
  const old = openTensorBundle(files(index), 'old');
  assert.deepEqual(old.keys, ['a', 'a2', 'b', 'c', 'c2']);
  assert.deepEqual(old.tensor('a'), tensor('f32', [], [0.5]));
  assert.deepEqual(old.tensor('b'), tensor('f32', [], [2]));
  readDamaged(index, (bytes) => openTensorBundle(files(bytes), 'old'));
});

test('errors name the file and the variable', () => {
  assert.equal(
    refusal(() => openTensorBundle(formats(), 'variables/variables')),
    'variables/variables.index: is missing; the weights of the model are listed there',
  );
  assert.equal(
    refusal(() => bundle().tensor('w')),
    'bundle.index: has no variable "w"',
  );
  assert.equal(
    refusal(() => openTensorBundle(formats('bundle.index'), 'bundle')),
    `${data}: is missing; bundle.index says that weights lie in it`,
  );
  assert.equal(
    refusal(() => bundle().tensor('complex64')),
    `${data}, variable "complex64": has elements of type complex64, which is not supported`,
  );
  assert.match(
    refusal(() => withData(format(data).slice(0, 100))),
    /truncated: has 100 bytes, and bundle.index says that weights lie in it up to \d+/,
  );
  const changed = format(data).map((byte) => byte ^ 1);
  for (const key of ['float32', 'string', 'parts\xff/p']) {
    assert.match(
      refusal(() => withData(changed).tensor(key)),
      /damaged: /,
      key,
    );
  }
});

test('damaged files are refused', () => {
  readDamaged(format('bundle.index'), (index) => readAll(index));
  readDamaged(format(data), (bytes) => readAll(format('bundle.index'), bytes));
});

test('damaged entries are refused when their checksums are right', () => {
  const index = format('bundle.index');
  const footer = index.subarray(-48);
  const block = (footer[0]! & 127) + footer[1]! * 128 - 5;
  readDamaged(index.slice(0, block), (entries) => {
    if (entries.length < block) return;
    const resealed = index.slice();
    resealed.set(entries);
    new DataView(resealed.buffer).setUint32(block + 1, masked(crc32c(resealed.subarray(0, block + 1))), true);
    readAll(resealed);
  });
});

/** Reads every variable; when some are refused, the others still are read. */
function readAll(index: Uint8Array, bytes = format(data)): void {
  const bundle = openTensorBundle(
    memoryFiles(
      new Map([
        ['bundle.index', index],
        [data, bytes],
      ]),
    ),
    'bundle',
  );
  for (const key of bundle.keys) {
    try {
      bundle.tensor(key);
    } catch (error) {
      if (!(error instanceof ConversionError)) throw error;
    }
  }
}

function withData(bytes: Uint8Array) {
  return openTensorBundle(
    memoryFiles(
      new Map([
        ['bundle.index', format('bundle.index')],
        [data, bytes],
      ]),
    ),
    'bundle',
  );
}
