/** An HDF5 file as its structures see it: where addresses count from, how wide they are, and what may still be read. */

import { refuse } from '../../errors.ts';
import type { Source } from '../files.ts';
import { lookup3 } from './checksums.ts';
import { type Cursor, cursorOf, damaged, expectText, integer } from './cursor.ts';

export interface OpenFile {
  readonly source: Source;
  /** The byte that addresses count from: a block of the user's may lie before it. */
  readonly base: number;
  /** How many bytes an address takes, and a length. */
  readonly addressBytes: number;
  readonly lengthBytes: number;
  /** How many bytes of structures were read, of `mostStructureBytes`. */
  structureBytes: number;
  /** What was read from the collections of the global heap, by their addresses. */
  readonly globalHeaps: Map<number, ReadonlyMap<number, Uint8Array>>;
}

/**
 * The bytes of a structure at an address; `what` is what it should be: `the object header`.
 * Structures that lie in one another, and are read over and over, end at the limit.
 */
export function structureAt(file: OpenFile, address: number, length: number, what: string): Cursor {
  const { source, base } = file;
  const where = source.name;
  const start = base + address;
  if (start + length > source.size) {
    const place = Number.isFinite(start) ? ` at byte ${start}` : '';
    refuse(where, `truncated or damaged: ${what}${place} reaches past the end of the file at ${source.size}`);
  }
  spend(file, length);
  return cursorOf(source.read(start, length), where, `${what} at byte ${start}`);
}

/** Counts the bytes that a structure takes, or a copy of what it holds. */
export function spend(file: OpenFile, bytes: number): void {
  file.structureBytes += bytes;
  if (file.structureBytes > mostStructureBytes(file.source.size)) {
    refuse(file.source.name, 'damaged: its structures share bytes, and come to more than all of the file');
  }
}

/** As `structureAt`, of a structure whose last four bytes are the checksum of the others. */
export function checkedStructureAt(
  file: OpenFile,
  address: number,
  length: number,
  signature: string,
  what: string,
): Cursor {
  const cursor = structureAt(file, address, length, what);
  checkSum(cursor);
  const inner = { ...cursor, bytes: cursor.bytes.subarray(0, length - 4) };
  expectText(inner, signature);
  return inner;
}

/** Refuses the structure unless its last four bytes are the checksum of the others. */
export function checkSum(cursor: Cursor): void {
  const { bytes } = cursor;
  if (bytes.length < 4) damaged(cursor, 'is shorter than its checksum');
  const stored = integer({ ...cursor, at: bytes.length - 4 }, 4);
  if (lookup3(bytes.subarray(0, -4)) !== stored) damaged(cursor, 'has a wrong checksum');
}

/** The next address; undefined stands for what is not there. */
export function address(file: OpenFile, cursor: Cursor): number | undefined {
  const width = file.addressBytes;
  const isNone = cursor.bytes.subarray(cursor.at, cursor.at + width).every((byte) => byte === 255);
  const value = integer(cursor, width);
  return isNone ? undefined : value;
}

/** The next address, of what must be there. */
export function addressOf(file: OpenFile, cursor: Cursor, what: string): number {
  return address(file, cursor) ?? damaged(cursor, `lacks ${what}`);
}

export function length(file: OpenFile, cursor: Cursor): number {
  return integer(cursor, file.lengthBytes);
}

/** A good file reads each of its structures once, or twice where it has to learn their lengths first. */
function mostStructureBytes(size: number): number {
  return 4 * size + 2 ** 16;
}
