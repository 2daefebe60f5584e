import assert from 'node:assert/strict';
import test from 'node:test';
import type { AnyTensor } from '../../src/1-read/element-types.ts';
import { bytesSource } from '../../src/1-read/files.ts';
import { fletcher32, lookup3 } from '../../src/1-read/hdf5/checksums.ts';
import { type Dataset, type Group, openHdf5 } from '../../src/1-read/hdf5/index.ts';
import { ConversionError } from '../../src/errors.ts';
import { tensor } from '../../src/ir/types.ts';
import { counted, format, readDamaged, refusal } from './formats.ts';

/** Written with the oldest structures that HDF5 knows, and with the newest. */
const files = ['older.h5', 'newer.h5'] as const;

const open = (file: string) => openHdf5(bytesSource(format(file), file));

function strings(value: AnyTensor | undefined): readonly string[] {
  assert(value?.dtype === 'string');
  return value.data.map((text) => Buffer.from(text).toString());
}

for (const file of files) {
  test(`reads every type: ${file}`, () => {
    const types = open(file).group('types');
    for (const [type, dtype] of [
      ['f2', 'f32'],
      ['f4', 'f32'],
      ['f8', 'f64'],
      ['i1', 'i32'],
      ['i2', 'i32'],
      ['i4', 'i32'],
      ['i8', 'i64'],
    ] as const) {
      for (const name of [type, `big_${type}`]) {
        assert.deepEqual(types.dataset(name).tensor(), tensor(dtype, [2, 3], counted(6)), name);
      }
    }
    for (const [type, dtype, bits] of [
      ['u1', 'u8', 8],
      ['u2', 'i32', 16],
      ['u4', 'i64', 32],
    ] as const) {
      const numbers = counted(6).map((number) => (number + 2 ** bits) % 2 ** bits);
      assert.deepEqual(types.dataset(`big_${type}`).tensor(), tensor(dtype, [2, 3], numbers), type);
    }
    assert.deepEqual(types.dataset('bfloat16').tensor(), tensor('f32', [2, 3], counted(6)));
    assert.deepEqual(types.dataset('bool').tensor(), tensor('bool', [2, 3], [0, 1, 0, 1, 0, 1]));
    assert.deepEqual(types.dataset('scalar').tensor(), tensor('f32', [], [-2]));
    assert.deepEqual(types.dataset('empty').tensor(), tensor('f32', [0, 3], []));
    assert.deepEqual(strings(types.dataset('S').tensor()), ['-2', '-1', '0', '1', '2', '3']);
    assert.deepEqual(strings(types.dataset('texts').tensor()), ['-2', '-1', '', '日本']);
    assert.deepEqual(open(file).dataset('compact').tensor(), tensor('f32', [4], counted(4)));
  });

  test(`puts chunks together: ${file}`, () => {
    const chunks = open(file).group('chunks');
    for (const name of [
      'plain',
      'gzip',
      'all',
      'growing',
      'growing_gzip',
      'to_grow',
      'single',
      'single_gzip',
    ]) {
      assert.deepEqual(chunks.dataset(name).tensor(), tensor('f32', [12, 7], counted(84)), name);
    }
    assert.deepEqual(chunks.dataset('many').tensor(), tensor('i32', [40, 40], counted(1600)));
  });

  test(`reads attributes: ${file}`, () => {
    const root = open(file);
    assert.equal(root.text('text'), '日本');
    assert.equal(root.text('bytes'), 'tensorflow');
    assert.equal(root.text('none'), undefined);
    assert.deepEqual(root.texts('texts'), ['a', 'bb', '']);
    assert.deepEqual(root.texts('fixed_texts'), ['a', 'bb', '']);
    assert.deepEqual(root.texts('empty_list'), []);
    const long = root.texts('long_texts');
    assert.equal(long?.length, 500);
    assert.equal(long.at(-1), 'layer_00499');
    for (let i = 0; i < 9; i++) {
      assert.deepEqual(root.attribute(`number_${i}`), tensor('f32', [2], [-2, -1]));
    }
    assert.deepEqual(root.attribute('nothing'), tensor('f32', [0], []));
    assert.equal(root.attributes.length, 17);
  });

  test(`lists children by creation where it is known, by name otherwise: ${file}`, () => {
    const root = open(file);
    assert.deepEqual(root.group('ordered').children, ['c', 'a', 'b']);
    const many = root.group('many');
    assert.equal(many.children.length, 61);
    assert.deepEqual(many.children, [...many.children].sort());
    assert.deepEqual(many.dataset('3_59').tensor(), tensor('f32', [], [59]));
    assert.equal(root.group('/many/').path, '/many');
    assert.equal(root.dataset('types/f4').path, '/types/f4');
    assert.equal(root.child('types/f4/f4'), undefined);
    assert.equal(root.child('__proto__'), undefined);
  });

  test(`says what it cannot read: ${file}`, () => {
    const root = open(file);
    for (const [name, message] of [
      [
        'types/opaque',
        '"/types/opaque": holds opaque elements of 2 bytes, which are not supported; write numbers',
      ],
      [
        'types/complex',
        '"/types/complex": holds a compound, which is not supported; write plain numbers or strings',
      ],
      ['types/u8', '"/types/u8": holds a uint64 of 2^63 or more, which is not supported'],
      [
        'chunks/lzf',
        '"/chunks/lzf": is compressed by LZF, which is not supported; write it with gzip, or without compression',
      ],
      ['chunks/unwritten', '"/chunks/unwritten": was never written: there are no bytes for its elements'],
      ['unwritten', '"/unwritten": was never written: there are no bytes for its elements'],
    ] as const) {
      assert.equal(
        refusal(() => root.dataset(name).tensor()),
        `${file}, ${message}`,
      );
    }
    for (const [message, read] of [
      [`${file}: "/many_links" is a soft link, which is not supported`, () => root.child('many_links')],
      [
        `${file}: "/elsewhere" is a link to another file, which is not supported`,
        () => root.child('elsewhere'),
      ],
      [
        `${file}: has the group "/many" under another name, "/many/parent", too, which is not supported`,
        () => root.child('many/parent'),
      ],
      [`${file}, "/types": has no dataset "none"`, () => root.group('types').dataset('none')],
      [`${file}: "types" is a group instead of a dataset`, () => root.dataset('types')],
      [`${file}, "/types": "f4" is a dataset instead of a group`, () => root.group('types').group('f4')],
      [`${file}, attribute "number_1": holds numbers (f32) instead of text`, () => root.text('number_1')],
      [`${file}, attribute "texts": holds 3 strings instead of one`, () => root.text('texts')],
    ] as const) {
      assert.equal(refusal(read), message);
    }
  });

  test(`damaged files are refused: ${file}`, () => {
    readDamaged(format(file), (bytes) => readAll(openHdf5(bytesSource(bytes, file))), 150);
  });
}

test('a list of chunks that can grow in one direction', () => {
  assert.deepEqual(
    open('older.h5').dataset('chunks/growing_rows').tensor(),
    tensor('f32', [12, 7], counted(84)),
  );
  assert.equal(
    refusal(() => open('newer.h5').dataset('chunks/growing_rows').tensor()),
    'newer.h5, "/chunks/growing_rows": lists its chunks in an extensible array, which is not supported; write it without maxshape',
  );
});

test('a file behind a block of the user’s', () => {
  for (const file of files) {
    const bytes = new Uint8Array(Buffer.concat([Buffer.alloc(1024), format(file)]));
    const root = openHdf5(bytesSource(bytes, 'user.h5'));
    assert.deepEqual(root.dataset('types/f4').tensor(), tensor('f32', [2, 3], counted(6)));
  }
});

test('files that are cut off', () => {
  const cut = (length: number) =>
    refusal(() => openHdf5(bytesSource(format('older.h5').slice(0, length), 'cut.h5')));
  assert.equal(cut(0), 'cut.h5: truncated, or no HDF5 file: the signature at its start is missing');
  assert.match(cut(50), /^cut.h5: truncated or damaged: the superblock is shorter than what it holds$/);
  assert.match(cut(5000), /^cut.h5: truncated: has 5000 bytes, and says that it has \d+$/);
});

test('lengths that nothing can have are refused, also beside a length of 0', () => {
  const where = Buffer.from(format('older.h5'));
  // The only 0 and 3 that follow each other are the lengths of the dataset "empty".
  const lengths = Buffer.alloc(16);
  lengths.writeBigUInt64LE(3n, 8);
  const at = where.indexOf(lengths);
  assert.ok(at > 0);
  for (const length of [2n ** 64n - 1n, 2n ** 60n, 2n ** 53n]) {
    const bytes = Buffer.from(where);
    bytes.writeBigUInt64LE(length, at + 8);
    assert.match(
      refusal(() =>
        openHdf5(bytesSource(new Uint8Array(bytes), 'a.h5'))
          .dataset('types/empty')
          .tensor(),
      ),
      /^a.h5, "\/types\/empty": truncated or damaged: its shape has the impossible lengths /,
    );
  }
});

test('checksums', () => {
  const text = (value: string) => new Uint8Array(Buffer.from(value));
  assert.equal(lookup3(text('')), 0xdeadbeef);
  assert.equal(lookup3(text('Four score and seven years ago')), 0x17770551);
  assert.equal(fletcher32(text('')), 0);
  assert.equal(fletcher32(text('abcde')), 0x4ff029c7);
  assert.equal(fletcher32(new Uint8Array(4).fill(255)), 0xffffffff);
});

/** Reads all that there is; what is refused doesn't keep the others from being read. */
function readAll(group: Group): void {
  readAttributes(group);
  for (const name of group.children) {
    const child = orRefused(() => group.child(name));
    if (child?.kind === 'group') readAll(child);
    if (child?.kind === 'dataset') {
      readAttributes(child);
      orRefused(() => child.tensor());
    }
  }
}

function readAttributes(object: Group | Dataset): void {
  for (const name of object.attributes) orRefused(() => object.attribute(name));
}

function orRefused<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof ConversionError) return undefined;
    throw error;
  }
}
