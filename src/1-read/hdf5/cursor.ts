/** Little-endian numbers of a stretch of an HDF5 file, one after the other; none is read past its end. */

import { refuse } from '../../errors.ts';

export interface Cursor {
  readonly bytes: Uint8Array;
  /** Where the next number is. */
  at: number;
  /** The file, or the object in it, and what the bytes are: `the object header at byte 96`. */
  readonly where: string;
  readonly what: string;
}

export function cursorOf(bytes: Uint8Array, where: string, what: string): Cursor {
  return { bytes, at: 0, where, what };
}

/** The next bytes, shared with the file's. */
export function take(cursor: Cursor, length: number): Uint8Array {
  const { bytes, at } = cursor;
  if (!(length >= 0 && length <= bytes.length - at)) damaged(cursor, 'is shorter than what it holds');
  cursor.at += length;
  return bytes.subarray(at, cursor.at);
}

/** A number of up to eight bytes; Infinity if it is 2^53 or more, which no length or offset can be. */
export function integer(cursor: Cursor, width: number): number {
  const bytes = take(cursor, width);
  let value = 0;
  for (let i = width - 1; i >= 0; i--) value = value * 256 + bytes[i]!;
  return value <= Number.MAX_SAFE_INTEGER ? value : Infinity;
}

/** Refuses the file unless the next bytes are the text. */
export function expectText(cursor: Cursor, text: string): void {
  const found = Buffer.from(take(cursor, text.length)).toString('latin1');
  if (found !== text) damaged(cursor, `does not begin with ${text}`);
}

/** Refuses versions of a structure other than the known ones. */
export function expectVersion(cursor: Cursor, known: readonly number[]): number {
  const version = integer(cursor, 1);
  if (known.includes(version)) return version;
  const supported = known.length === 1 ? `${known[0]} is` : `${known.join(', ')} are`;
  return refuse(cursor.where, `${cursor.what} has version ${version}, and only ${supported} supported`);
}

/** A name of so many bytes. */
export function nameOf(cursor: Cursor, length: number): string {
  if (length > longestName) damaged(cursor, `has a name of ${length} bytes`);
  return Buffer.from(take(cursor, length)).toString();
}

/** A name that a zero follows, which is passed over. */
export function nameUntilZero(cursor: Cursor): string {
  const end = cursor.bytes.indexOf(0, cursor.at);
  if (end < 0) damaged(cursor, 'has a name without an end');
  const name = nameOf(cursor, end - cursor.at);
  cursor.at++;
  return name;
}

/** Layers are called by what fits on a line. */
const longestName = 2 ** 16;

/** All of them, unless there are more than any model has. */
export function collected<T>(items: Iterable<T>, most: number, cursor: Cursor, what: string): readonly T[] {
  const list: T[] = [];
  for (const item of items) {
    if (list.length >= most) damaged(cursor, `has more than ${most} ${what}`);
    list.push(item);
  }
  return list;
}

export function damaged({ where, what }: Cursor, problem: string): never {
  refuse(where, `truncated or damaged: ${what} ${problem}`);
}
