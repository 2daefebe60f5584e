/**
 * LevelDB's sorted table, the file format of `variables.index`: blocks of entries, and a block that lists the blocks.
 * https://github.com/google/leveldb/blob/main/doc/table_format.md
 */

import { refuse } from '../errors.ts';
import { crc32c, masked } from './crc32.ts';
import { uncompress } from './snappy.ts';

/** All entries, in the order of their keys; each character of a key is a byte. Checksums are verified. */
export function readTable(bytes: Uint8Array, file: string): ReadonlyMap<string, Uint8Array> {
  const table: Table = { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length), file };
  const entries = new Map<string, Uint8Array>();
  let end = 0;
  let keyBytes = 0;
  for (const [, value] of entriesOf(readBlock(table, indexHandle(table)), file)) {
    const handle = readHandle(startOf(value, file));
    if (handle.offset < end) damaged(file, 'its blocks overlap');
    end = handle.offset + handle.size;
    for (const [key, bytesOfEntry] of entriesOf(readBlock(table, handle), file)) {
      keyBytes += key.length;
      if (keyBytes > mostKeyBytes) damaged(file, `its keys take more than ${mostKeyBytes} bytes`);
      entries.set(key, bytesOfEntry);
    }
  }
  return entries;
}

/** Far more than any model's; entries share their keys' beginnings, so a small file could hold endless keys. */
const mostKeyBytes = 2 ** 26;

interface Table {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly file: string;
}

/** Where a block lies, without its type and checksum. */
interface Handle {
  readonly offset: number;
  readonly size: number;
}

/** A place in a block that is being read. */
interface Cursor {
  readonly bytes: Uint8Array;
  readonly file: string;
  at: number;
}

const footerSize = 48;
const trailerSize = 5;

/** The footer is the handles of two blocks, padding, and a magic number. */
function indexHandle({ bytes, view, file }: Table): Handle {
  if (bytes.length < footerSize)
    refuse(file, `truncated: has ${bytes.length} bytes, fewer than the footer of an index`);
  if (view.getBigUint64(bytes.length - 8, true) !== 0xdb4775248b80fb57n) {
    refuse(file, 'truncated, or no index of a TensorFlow checkpoint: the magic number at its end is missing');
  }
  const footer = startOf(bytes.subarray(bytes.length - footerSize, bytes.length - 8), file);
  readHandle(footer);
  return readHandle(footer);
}

function startOf(bytes: Uint8Array, file: string): Cursor {
  return { bytes, file, at: 0 };
}

function readHandle(cursor: Cursor): Handle {
  return { offset: readVarint(cursor), size: readVarint(cursor) };
}

/** A block's bytes are followed by its type and a checksum over both. */
function readBlock({ bytes, view, file }: Table, { offset, size }: Handle): Uint8Array {
  const end = offset + size;
  if (end + trailerSize > bytes.length - footerSize)
    damaged(file, `the block at byte ${offset} reaches past the end`);
  if (masked(crc32c(bytes.subarray(offset, end + 1))) !== view.getUint32(end + 1, true)) {
    refuse(file, `damaged: the checksum of the block at byte ${offset} is wrong`);
  }
  const block = bytes.subarray(offset, end);
  const type = bytes[end]!;
  if (type > 1)
    refuse(file, `the block at byte ${offset} is compressed by method ${type}, and only snappy is supported`);
  return type === 1 ? uncompress(block, `${file}, block at byte ${offset}`) : block;
}

/** Each entry repeats only the end of its key, from where it differs from the key before it. */
function* entriesOf(block: Uint8Array, file: string): Generator<readonly [string, Uint8Array], void> {
  if (block.length < 4) damaged(file, 'a block is too short');
  const restarts = new DataView(block.buffer, block.byteOffset, block.length).getUint32(
    block.length - 4,
    true,
  );
  const end = block.length - 4 - 4 * restarts;
  if (end < 0) damaged(file, 'a block is shorter than its list of restarts');
  const cursor = startOf(block.subarray(0, end), file);
  let key = '';
  while (cursor.at < end) {
    const shared = readVarint(cursor);
    const unshared = readVarint(cursor);
    const valueSize = readVarint(cursor);
    if (shared > key.length) damaged(file, 'a key shares more than there is');
    key = key.slice(0, shared) + Buffer.from(take(cursor, unshared)).toString('latin1');
    yield [key, take(cursor, valueSize)];
  }
}

function take(cursor: Cursor, length: number): Uint8Array {
  if (length > cursor.bytes.length - cursor.at)
    damaged(cursor.file, 'an entry reaches past the end of its block');
  cursor.at += length;
  return cursor.bytes.subarray(cursor.at - length, cursor.at);
}

/** Seven bits a byte, the lowest first; a number that no length can be is Infinity. */
function readVarint(cursor: Cursor): number {
  let value = 0;
  let scale = 1;
  for (;;) {
    const byte =
      cursor.bytes[cursor.at++] ?? damaged(cursor.file, 'a number reaches past the end of its block');
    value += (byte & 127) * scale;
    if (byte < 128) return value <= Number.MAX_SAFE_INTEGER ? value : Infinity;
    scale *= 128;
  }
}

function damaged(file: string, what: string): never {
  refuse(file, `truncated or damaged: ${what}`);
}
