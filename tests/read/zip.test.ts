import assert from 'node:assert/strict';
import test from 'node:test';
import { crc32, crc32c, masked } from '../../src/1-read/crc32.ts';
import { bytesSource } from '../../src/1-read/files.ts';
import { openZip, readZip } from '../../src/1-read/zip.ts';
import { zipOf } from '../crates/npz-writers.ts';
import { format, readDamaged, refusal } from './formats.ts';

const text = (value: string) => new Uint8Array(Buffer.from(value));

test('checksums', () => {
  for (const { bytes, zip, castagnoli } of [
    { bytes: text(''), zip: 0, castagnoli: 0 },
    { bytes: text('123456789'), zip: 0xcbf43926, castagnoli: 0xe3069283 },
    { bytes: new Uint8Array(32), zip: 0x190a55ad, castagnoli: 0x8a9136aa },
    { bytes: new Uint8Array(32).fill(255), zip: 0xff6cab0b, castagnoli: 0x62a8ab43 },
  ]) {
    assert.equal(crc32(bytes), zip);
    assert.equal(crc32(bytes.subarray(3), crc32(bytes.subarray(0, 3))), zip);
    assert.equal(crc32c(bytes), castagnoli);
  }
  assert.equal(masked(0), 0xa282ead8);
});

test('what is written is read back', () => {
  const members = [
    { name: 'a.txt', bytes: text('some text') },
    { name: 'folder/日本.txt', bytes: text('') },
  ];
  const zip = readZip(zipOf(members), 'a.zip');
  assert.deepEqual(
    [...zip].map(([name, member]) => ({ name, bytes: member.read() })),
    members,
  );
  assert.equal(readZip(zipOf([]), 'empty.zip').size, 0);
});

test('a member that is not compressed is read by range, and verified first', () => {
  const bytes = zipOf([{ name: 'a.txt', bytes: text('some text') }]);
  const reads: number[] = [];
  const zip = bytesSource(bytes, 'a.zip');
  const counted = {
    ...zip,
    read(offset: number, length: number) {
      reads.push(length);
      return zip.read(offset, length);
    },
  };
  const member = openZip(counted).get('a.txt')?.open();
  assert.equal(member?.name, 'a.zip, member "a.txt"');
  assert.equal(member.size, 9);
  reads.length = 0;
  assert.deepEqual(member.read(5, 4), text('text'));
  assert.deepEqual(reads, [4]);

  const damaged = bytes.slice();
  damaged[Buffer.from(bytes).indexOf('some text')] = 0;
  assert.equal(
    refusal(() => readZip(damaged, 'a.zip').get('a.txt')?.open()),
    'a.zip, member "a.txt": damaged: its checksum is wrong',
  );
});

test('a compressed member is opened, too', () => {
  for (const member of readZip(format('compressed.npz'), 'a.npz').values()) {
    assert.deepEqual(member.open().read(0, member.size), member.read());
  }
});

test('a member that becomes longer than it says is refused', () => {
  const bytes = format('compressed.npz');
  const view = new DataView(bytes.buffer);
  const entry = Buffer.from(bytes).indexOf('PK\x01\x02', 'latin1');
  view.setUint32(entry + 24, 10, true);
  const [member] = readZip(bytes, 'bomb.npz').values();
  assert.match(
    refusal(() => member?.read()),
    /bomb.npz, member "f2.npy": damaged: its bytes cannot be decompressed to the 10 that it declares/,
  );
  view.setUint32(entry + 24, 2 ** 31, true);
  const [liar] = readZip(bytes, 'bomb.npz').values();
  assert.match(
    refusal(() => liar?.read()),
    /compressed bytes become 2147483648, which is impossible/,
  );
});

test('members that share bytes are refused', () => {
  const bytes = zipOf([
    { name: 'a', bytes: text('a') },
    { name: 'b', bytes: text('b') },
  ]);
  const second = Buffer.from(bytes).lastIndexOf('PK\x01\x02', undefined, 'latin1');
  new DataView(bytes.buffer).setUint32(second + 42, 0, true);
  assert.equal(
    refusal(() => readZip(bytes, 'a.zip')),
    'a.zip: truncated or damaged: two members share the byte 0',
  );
});

test('zip64', () => {
  const zip = zipOf([{ name: 'a', bytes: text('text') }]);
  const start = zip.length - 22 - 47;
  const entry = Buffer.concat([zip.subarray(start, start + 47), Buffer.alloc(28)]);
  entry.writeUInt16LE(28, 30);
  for (const at of [20, 24, 42]) entry.writeUInt32LE(0xffffffff, at);
  entry.writeUInt16LE(1, 47);
  entry.writeUInt16LE(24, 49);
  entry.writeBigUInt64LE(4n, 51);
  entry.writeBigUInt64LE(4n, 59);
  const end64 = Buffer.alloc(56);
  end64.write('PK\x06\x06', 'latin1');
  end64.writeBigUInt64LE(1n, 32);
  end64.writeBigUInt64LE(BigInt(entry.length), 40);
  end64.writeBigUInt64LE(BigInt(start), 48);
  const locator = Buffer.alloc(20);
  locator.write('PK\x06\x07', 'latin1');
  locator.writeBigUInt64LE(BigInt(start + entry.length), 8);
  const bytes = new Uint8Array(
    Buffer.concat([zip.subarray(0, start), entry, end64, locator, zip.subarray(-22)]),
  );
  assert.deepEqual(readZip(bytes, 'a.zip').get('a')?.read(), text('text'));
  readDamaged(bytes, (damaged) => [...readZip(damaged, 'a.zip').values()].map((member) => member.read()));
});
