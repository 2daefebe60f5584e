/** What the chunks of a dataset went through before they were written: compression, and what helps it. */

import { inflateSync } from 'node:zlib';
import { refuse } from '../../errors.ts';
import { fletcher32 } from './checksums.ts';
import { type Cursor, damaged, expectVersion, integer, take } from './cursor.ts';

export interface Filter {
  readonly number: number;
  readonly parameters: readonly number[];
}

/** The filters in the order in which a chunk went through them. */
export function readFilters(cursor: Cursor): readonly Filter[] {
  const version = expectVersion(cursor, [1, 2]);
  const count = integer(cursor, 1);
  if (count > mostFilters) damaged(cursor, `has ${count} filters`);
  if (version === 1) take(cursor, 6);
  return Array.from({ length: count }, () => {
    const number = integer(cursor, 2);
    const nameBytes = version === 1 || number >= 256 ? integer(cursor, 2) : 0;
    take(cursor, 2);
    const parameters = integer(cursor, 2);
    take(cursor, version === 1 ? Math.ceil(nameBytes / 8) * 8 : nameBytes);
    const filter = { number, parameters: Array.from({ length: parameters }, () => integer(cursor, 4)) };
    if (version === 1) take(cursor, 4 * (parameters % 2));
    return filter;
  });
}

/** HDF5's own limit. */
const mostFilters = 32;

/** Deflate can't do better than this: a longer chunk is a lie. */
const bestRatio = 1032;

/** The `size` bytes of a chunk as they were before the filters, but for those that `skipped` has a bit for. */
export function unfiltered(
  stored: Uint8Array,
  filters: readonly Filter[],
  skipped: number,
  size: number,
  where: string,
): Uint8Array {
  if (size > stored.length * bestRatio) {
    refuse(
      where,
      `damaged: says that a chunk of ${stored.length} bytes becomes ${size}, which is impossible`,
    );
  }
  let bytes = stored;
  for (const [i, filter] of [...filters.entries()].reverse()) {
    if ((skipped / 2 ** i) & 1) continue;
    bytes = undone(filter, bytes, size, where);
  }
  if (bytes.length !== size) refuse(where, `damaged: a chunk has ${bytes.length} bytes instead of ${size}`);
  return bytes;
}

function undone({ number, parameters }: Filter, bytes: Uint8Array, size: number, where: string): Uint8Array {
  switch (number) {
    case 1:
      return inflated(bytes, size, where);
    case 2:
      return unshuffled(bytes, parameters[0] ?? 1);
    case 3:
      return withoutChecksum(bytes, where);
  }
  return refuse(
    where,
    `is compressed by ${names.get(number) ?? `the filter ${number}`}, which is not supported; write it with gzip, or without compression`,
  );
}

const names: ReadonlyMap<number, string> = new Map([
  [4, 'szip'],
  [5, 'nbit'],
  [6, 'scale-offset'],
  [307, 'bzip2'],
  [32000, 'LZF'],
  [32001, 'Blosc'],
  [32004, 'LZ4'],
  [32015, 'Zstandard'],
]);

/** A checksum that was taken before is inside. */
function inflated(bytes: Uint8Array, size: number, where: string): Uint8Array {
  try {
    return inflateSync(bytes, { maxOutputLength: size + 4 });
  } catch {
    return refuse(where, `damaged: a chunk cannot be decompressed to its ${size} bytes`);
  }
}

/** The first bytes of all elements came first, then the second ones; what is no whole element is at the end. */
function unshuffled(bytes: Uint8Array, width: number): Uint8Array {
  if (width < 2 || width > bytes.length) return bytes;
  const count = Math.floor(bytes.length / width);
  const elements = new Uint8Array(bytes);
  for (let byte = 0; byte < width; byte++) {
    for (let i = 0; i < count; i++) elements[i * width + byte] = bytes[byte * count + i]!;
  }
  return elements;
}

function withoutChecksum(bytes: Uint8Array, where: string): Uint8Array {
  if (bytes.length < 4) refuse(where, 'damaged: a chunk is shorter than its checksum');
  const content = bytes.subarray(0, -4);
  const [a, b, c, d] = bytes.subarray(-4);
  if (fletcher32(content) !== a! + b! * 2 ** 8 + c! * 2 ** 16 + d! * 2 ** 24) {
    refuse(where, 'damaged: the checksum of a chunk is wrong');
  }
  return content;
}
