import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';
import type { AnyTensor } from '../../src/1-read/element-types.ts';
import { type NpyArray, readNpy } from '../../src/1-read/npy.ts';
import { readNpz, writeNpz } from '../../src/1-read/npz.ts';
import { joined } from '../../src/1-read/pieces.ts';
import { tensor } from '../../src/ir/types.ts';
import { counted, format, readDamaged, refusal } from './formats.ts';

const typedArrays = [
  ['f2', Float32Array],
  ['f4', Float32Array],
  ['f8', Float64Array],
  ['i1', Int8Array],
  ['i2', Int16Array],
  ['i4', Int32Array],
  ['u1', Uint8Array],
  ['u2', Uint16Array],
  ['u4', Uint32Array],
] as const;

for (const file of ['arrays.npz', 'compressed.npz']) {
  test(`reads every dtype of ${file}`, () => {
    const arrays = readNpz(format(file), file);
    for (const [dtype, TypedArray] of typedArrays) {
      const expected = { dtype, data: TypedArray.from(counted(6)), shape: [2, 3] };
      assert.deepEqual(arrays.get(dtype), expected, dtype);
      assert.deepEqual(arrays.get(`big_${dtype}`), expected, `big_${dtype}`);
    }
    const wide = counted(6).map(BigInt);
    for (const order of ['', 'big_']) {
      assert.deepEqual(arrays.get(`${order}i8`), {
        dtype: 'i8',
        data: BigInt64Array.from(wide),
        shape: [2, 3],
      });
      assert.deepEqual(arrays.get(`${order}u8`), {
        dtype: 'u8',
        data: BigUint64Array.from(wide),
        shape: [2, 3],
      });
    }
    assert.deepEqual(arrays.get('bool'), {
      dtype: 'b1',
      data: Uint8Array.of(0, 1, 0, 1, 0, 1),
      shape: [2, 3],
    });
  });
}

test('reads strings as UTF-8', () => {
  const arrays = readNpz(format('arrays.npz'), 'arrays.npz');
  for (const name of ['S', 'U', 'big_U', 'fortran_U'])
    assert.deepEqual(texts(arrays.get(name)), counted(6).map(String), name);
  assert.deepEqual(texts(arrays.get('accents')), ['é', '日本', '😀', '']);
});

test('reads every shape and order', () => {
  const arrays = readNpz(format('arrays.npz'), 'arrays.npz');
  assert.deepEqual(arrays.get('fortran'), {
    dtype: 'f4',
    data: Float32Array.from(counted(24)),
    shape: [2, 3, 4],
  });
  assert.deepEqual(arrays.get('scalar'), { dtype: 'f4', data: Float32Array.of(-2), shape: [] });
  assert.deepEqual(arrays.get('vector'), { dtype: 'f4', data: Float32Array.from(counted(5)), shape: [5] });
  assert.deepEqual(arrays.get('empty'), { dtype: 'f4', data: new Float32Array(), shape: [0, 3] });
});

test('reads every version', () => {
  const arrays = readNpz(format('versions.npz'), 'versions.npz');
  const expected = { dtype: 'f4', data: Float32Array.from(counted(6)), shape: [2, 3] };
  for (const version of ['v1', 'v2', 'v3']) assert.deepEqual(arrays.get(version), expected, version);
});

test('never unpickles', () => {
  assert.equal(
    refusal(() => readNpz(format('objects.npz'), 'objects.npz')),
    'objects.npz, array "a": holds Python objects, which are never unpickled; save plain numbers: array.astype("float32")',
  );
  assert.match(
    refusal(() => readNpz(format('structured.npz'), 'structured.npz')),
    /structured.npz, array "a": is a structured array, which is not supported/,
  );
});

test('refuses headers that promise too much', () => {
  const cases = [
    {
      header: `{'descr': '<f4', 'fortran_order': False, 'shape': (${2 ** 40},)}`,
      error: /takes 4398046511104 bytes/,
    },
    { header: `{'descr': '|S0', 'fortran_order': False, 'shape': (${2 ** 40},)}`, error: /empty strings/ },
    { header: `{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}`, error: /length in its shape/ },
    { header: `{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}`, error: /Python literal/ },
    {
      header: `{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}`,
      error: /dtype <c8, which is not supported/,
    },
    { header: `{'descr': '<f4', 'fortran_order': False}`, error: /no shape/ },
    { header: `{'descr': '<f4', 'fortran_order': 0, 'shape': ()}`, error: /no fortran_order/ },
    { header: '[__import__("os")]', error: /Python literal/ },
    { header: '('.repeat(60000), error: /Python literal/ },
    { header: '', error: /Python literal/ },
  ];
  for (const { header, error } of cases) {
    const bytes = Buffer.from(`\x93NUMPY\x01\x00\x00\x00${header}`, 'latin1');
    bytes.writeUInt16LE(header.length, 8);
    assert.match(
      refusal(() => readNpy(bytes, 'a.npy')),
      error,
      header,
    );
  }
});

test('damaged files are refused', () => {
  for (const file of ['arrays.npz', 'compressed.npz', 'versions.npz']) {
    readDamaged(format(file), (bytes) => readNpz(bytes, file));
  }
  const npy = format('versions.npz').slice(60);
  readDamaged(npy.subarray(npy.indexOf(0x93)), (bytes) => readNpy(bytes, 'a.npy'));
});

test('what is written is read back, and starts at multiples of 64', () => {
  const tensors: readonly { readonly name: string; readonly tensor: AnyTensor }[] = [
    { name: 'f32', tensor: tensor('f32', [2, 3], counted(6)) },
    { name: 'f64', tensor: tensor('f64', [6], counted(6)) },
    { name: 'i32', tensor: tensor('i32', [], [7]) },
    { name: 'i64', tensor: tensor('i64', [0, 2], []) },
    { name: 'u8', tensor: tensor('u8', [1], [255]) },
    { name: 'bool', tensor: tensor('bool', [2], [1, 0]) },
    { name: 'é', tensor: { dtype: 'string', shape: [2], data: [Buffer.from('long'), Buffer.from('')] } },
  ];
  const bytes = joined(writeNpz(tensors));
  assert.deepEqual(joined(writeNpz(tensors)), bytes);
  assert.equal(
    createHash('sha256').update(bytes).digest('hex'),
    '69da0bd09829f1857c04608df3f99e0f94e5818ed551f8f787c2608bd52d8e96',
  );
  const arrays = readNpz(bytes, 'out.npz');
  assert.deepEqual(
    [...arrays.keys()],
    tensors.map(({ name }) => name),
  );
  for (const { name, tensor } of tensors) {
    const array = arrays.get(name);
    assert(array);
    assert.deepEqual(array.shape, tensor.shape);
    if (tensor.dtype === 'string') assert.deepEqual(texts(array), ['long', '']);
    else assert.deepEqual(array.data, tensor.data);
    if (array.data instanceof Float32Array) assert.equal(array.data.byteOffset % 64, 0);
  }
});

function texts(array: NpyArray | undefined): readonly string[] {
  assert(array?.dtype === 'S' || array?.dtype === 'U');
  return array.data.map((text) => Buffer.from(text).toString());
}
