/** Where the bytes of a dataset lie: in its header, in one piece, or in chunks. */

import { refuse } from '../../errors.ts';
import { elements, printShape } from '../../ir/types.ts';
import { chunksOfTree, type StoredChunk } from './b-tree-1.ts';
import { recordsOf } from './b-tree-2.ts';
import { type Cursor, damaged, integer, take } from './cursor.ts';
import { address, length, type OpenFile } from './file.ts';
import { chunksOfFixedArray } from './fixed-array.ts';

export type Layout =
  | { readonly kind: 'compact'; readonly bytes: Uint8Array }
  /** No address if it was never written. */
  | { readonly kind: 'contiguous'; readonly address: number | undefined; readonly size: number }
  | {
      readonly kind: 'chunked';
      /** The lengths of a chunk. */
      readonly chunk: readonly number[];
      readonly index: ChunkIndex;
      readonly address: number | undefined;
    };

/** How the chunks are listed. */
type ChunkIndex =
  | { readonly kind: 'tree of version 1' | 'one after the other' | 'fixed array' | 'tree of version 2' }
  /** No size if it is not compressed. */
  | { readonly kind: 'single'; readonly size: number | undefined; readonly skippedFilters: number };

export function readLayout(file: OpenFile, cursor: Cursor): Layout {
  const version = integer(cursor, 1);
  if (version < 3 || version > 5) {
    refuse(cursor.where, `${cursor.what} has version ${version}, and only 3 to 5 are supported`);
  }
  const kind = integer(cursor, 1);
  switch (kind) {
    case 0:
      return { kind: 'compact', bytes: take(cursor, integer(cursor, 2)) };
    case 1:
      return { kind: 'contiguous', address: address(file, cursor), size: length(file, cursor) };
    case 2:
      return version === 3 ? readTreeLayout(file, cursor) : readIndexedLayout(file, cursor);
    case 3:
      return refuse(cursor.where, 'is a virtual dataset, made of others, which is not supported');
  }
  return damaged(cursor, `is of the unknown kind ${kind}`);
}

function readTreeLayout(file: OpenFile, cursor: Cursor): Layout {
  const rank = integer(cursor, 1) - 1;
  const at = address(file, cursor);
  return {
    kind: 'chunked',
    chunk: readChunk(cursor, rank, 4),
    index: { kind: 'tree of version 1' },
    address: at,
  };
}

function readIndexedLayout(file: OpenFile, cursor: Cursor): Layout {
  const flags = integer(cursor, 1);
  if (flags & 1) refuse(cursor.where, 'has chunks that skip filters, which is not supported');
  const rank = integer(cursor, 1) - 1;
  const chunk = readChunk(cursor, rank, integer(cursor, 1));
  const index = readIndex(file, cursor, (flags & 2) !== 0);
  return { kind: 'chunked', chunk, index, address: address(file, cursor) };
}

/** The lengths of a chunk; that of an element in bytes comes after them. */
function readChunk(cursor: Cursor, rank: number, width: number): readonly number[] {
  if (rank < 1 || rank > 32 || width > 8) damaged(cursor, `has chunks of ${rank} dimensions`);
  const chunk = Array.from({ length: rank }, () => integer(cursor, width));
  if (chunk.includes(0) || elements(chunk) > Number.MAX_SAFE_INTEGER) {
    damaged(cursor, `has the impossible chunks ${printShape(chunk)}`);
  }
  integer(cursor, width);
  return chunk;
}

function readIndex(file: OpenFile, cursor: Cursor, isFilteredSingle: boolean): ChunkIndex {
  const kind = integer(cursor, 1);
  switch (kind) {
    case 1:
      return {
        kind: 'single',
        size: isFilteredSingle ? length(file, cursor) : undefined,
        skippedFilters: isFilteredSingle ? integer(cursor, 4) : 0,
      };
    case 2:
      return { kind: 'one after the other' };
    case 3:
      take(cursor, 1);
      return { kind: 'fixed array' };
    case 4:
      return refuse(
        cursor.where,
        'lists its chunks in an extensible array, which is not supported; write it without maxshape',
      );
    case 5:
      take(cursor, 6);
      return { kind: 'tree of version 2' };
  }
  return damaged(cursor, `lists chunks in the unknown way ${kind}`);
}

/** An array that is written in chunks. */
export interface ChunkedArray {
  readonly shape: readonly number[];
  /** What the lengths can become; those that can become anything are Infinity. */
  readonly largestShape: readonly number[];
  readonly chunk: readonly number[];
  readonly index: ChunkIndex;
  readonly address: number;
  readonly bytesPerChunk: number;
  readonly isFiltered: boolean;
}

/** The chunks that the file lists, in no particular order. */
export function* chunksOf(file: OpenFile, array: ChunkedArray): Generator<StoredChunk, void> {
  const { shape, largestShape, chunk, index, address, bytesPerChunk } = array;
  switch (index.kind) {
    case 'tree of version 1':
      yield* chunksOfTree(file, address, shape.length);
      return;
    case 'single': {
      const { size = bytesPerChunk, skippedFilters } = index;
      yield { address, size, skippedFilters, start: shape.map(() => 0) };
      return;
    }
    case 'one after the other': {
      const grid = gridOf(shape, chunk);
      for (let place = 0; place < elements(grid); place++) {
        const start = startOf(place, grid, chunk);
        yield { address: address + place * bytesPerChunk, size: bytesPerChunk, skippedFilters: 0, start };
      }
      return;
    }
    case 'fixed array': {
      const grid = gridOf(largestShape, chunk);
      let place = 0;
      for (const stored of chunksOfFixedArray(file, address, bytesPerChunk)) {
        yield { ...stored, start: startOf(place++, grid, chunk) };
      }
      return;
    }
    case 'tree of version 2':
      for (const record of recordsOf(file, address, [array.isFiltered ? 11 : 10])) {
        yield recordedChunk(file, array, record);
      }
  }
}

/** How many chunks there are in each dimension. */
export function gridOf(shape: readonly number[], chunk: readonly number[]): readonly number[] {
  return shape.map((length, i) => Math.ceil(length / chunk[i]!));
}

/** The element that the chunk at a place of the grid begins with. */
function startOf(place: number, grid: readonly number[], chunk: readonly number[]): readonly number[] {
  const start: number[] = [];
  let rest = place;
  for (let i = grid.length - 1; i >= 0; i--) {
    start.unshift((rest % grid[i]!) * chunk[i]!);
    rest = Math.floor(rest / grid[i]!);
  }
  return start;
}

/** A chunk as a tree of version 2 has it: its address, size and skipped filters, and its place in each dimension. */
function recordedChunk(file: OpenFile, array: ChunkedArray, record: Cursor): StoredChunk {
  const { chunk, bytesPerChunk, isFiltered } = array;
  const at = address(file, record);
  const sizeBytes = record.bytes.length - file.addressBytes - 4 - 8 * chunk.length;
  if (isFiltered && (sizeBytes < 1 || sizeBytes > 8)) damaged(record, 'has records of another size');
  const size = isFiltered ? integer(record, sizeBytes) : bytesPerChunk;
  const skippedFilters = isFiltered ? integer(record, 4) : 0;
  return { address: at, size, skippedFilters, start: chunk.map((length) => integer(record, 8) * length) };
}
