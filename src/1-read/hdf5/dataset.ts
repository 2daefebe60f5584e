/** The elements of datasets and attributes: gathered from where they lie, and decoded. */

import { refuse } from '../../errors.ts';
import { elements, printShape } from '../../ir/types.ts';
import { type AnyTensor, mostStrings, reversed, tensorOfBytes } from '../element-types.ts';
import type { StoredChunk } from './b-tree-1.ts';
import { cursorOf } from './cursor.ts';
import type { Datatype, Padding } from './datatype.ts';
import { type OpenFile, spend } from './file.ts';
import { type Filter, unfiltered } from './filters.ts';
import { globalObject, referenceBytes } from './global-heap.ts';
import { chunksOf, gridOf, type Layout } from './layout.ts';

/** What the header of a dataset says of it. */
export interface StoredArray {
  readonly datatype: Datatype;
  readonly shape: readonly number[];
  readonly largestShape: readonly number[];
  readonly layout: Layout;
  readonly filters: readonly Filter[];
}

/** The bytes of the elements, in row-major order. */
export function readBytes(file: OpenFile, array: StoredArray, where: string): Uint8Array {
  const { datatype, shape, layout } = array;
  const size = elements(shape) * datatype.bytesPerElement;
  if (size === 0) return new Uint8Array(0);
  switch (layout.kind) {
    case 'compact':
      if (layout.bytes.length < size) wrongSize(array, size, layout.bytes.length, where);
      return layout.bytes.subarray(0, size);
    case 'contiguous':
      if (layout.size !== size) wrongSize(array, size, layout.size, where);
      return bytesAt(file, layout.address, size, where);
    case 'chunked':
      return assembled(file, array, layout, where);
  }
}

function wrongSize({ shape }: StoredArray, size: number, found: number, where: string): never {
  refuse(where, `damaged: ${printShape(shape)} takes ${size} bytes, but there are ${found}`);
}

function bytesAt(file: OpenFile, address: number | undefined, size: number, where: string): Uint8Array {
  const { source, base } = file;
  if (address === undefined) refuse(where, 'was never written: there are no bytes for its elements');
  const start = base + address;
  if (start + size > source.size) {
    refuse(where, `truncated: lies at bytes ${start} to ${start + size}, but the file has ${source.size}`);
  }
  return source.read(start, size);
}

/** Puts the chunks together. */
function assembled(
  file: OpenFile,
  array: StoredArray,
  layout: Layout & { readonly kind: 'chunked' },
  where: string,
): Uint8Array {
  const { datatype, shape, filters } = array;
  const { chunk } = layout;
  const width = datatype.bytesPerElement;
  const bytesPerChunk = elements(chunk) * width;
  const bytes = new Uint8Array(elements(shape) * width);
  for (const stored of storedChunks(file, array, layout, bytesPerChunk, where)) {
    const { address, size, skippedFilters, start } = stored;
    const content = unfiltered(
      bytesAt(file, address, size, where),
      filters,
      skippedFilters,
      bytesPerChunk,
      where,
    );
    const within = chunk.map((length, i) => Math.min(length, shape[i]! - start[i]!));
    const row = within.at(-1)! * width;
    for (const { from, to } of rowsOf(within, start, chunk, shape)) {
      bytes.set(content.subarray(from * width, from * width + row), to * width);
    }
  }
  return bytes;
}

/** The chunks of the array, each of them once. */
function storedChunks(
  file: OpenFile,
  { shape, largestShape, filters }: StoredArray,
  { chunk, index, address }: Layout & { readonly kind: 'chunked' },
  bytesPerChunk: number,
  where: string,
): readonly StoredChunk[] {
  if (chunk.length !== shape.length) {
    refuse(where, `damaged: has chunks of ${chunk.length} dimensions, and is ${printShape(shape)}`);
  }
  const count = elements(gridOf(shape, chunk));
  if (count > mostChunks) refuse(where, `has ${count} chunks, and at most ${mostChunks} are supported`);
  if (address === undefined) refuse(where, 'was never written: there are no bytes for its elements');
  const isFiltered = filters.length > 0;
  const array = { shape, largestShape, chunk, index, address, bytesPerChunk, isFiltered };
  const places = new Set<string>();
  const found: StoredChunk[] = [];
  let size = 0;
  for (const stored of chunksOf(file, array)) {
    const { start } = stored;
    // A dataset that was made smaller may keep chunks outside of it.
    if (start.some((at, i) => at >= shape[i]!)) continue;
    places.add(start.join());
    found.push(stored);
    size += stored.size;
    if (places.size < found.length || start.some((at, i) => at % chunk[i]! !== 0)) {
      refuse(where, 'damaged: its chunks overlap');
    }
  }
  if (found.length !== count) refuse(where, `was not written whole: has ${found.length} of ${count} chunks`);
  const most = Math.max(mostDecodedBytes, 4 * file.source.size);
  if (size > file.source.size || count * bytesPerChunk > most) {
    refuse(where, 'damaged: its chunks come to more bytes than the file can have');
  }
  return found;
}

/** Those that h5py chooses have 16 KiB and more. */
const mostChunks = 2 ** 20;

/** What the datasets of a small file may take: compressed ones can take a thousand times as much as they are stored in. */
export const mostDecodedBytes = 2 ** 30;

/** Where each row of what is `within` the array begins in the chunk, and in the array. */
function* rowsOf(
  within: readonly number[],
  start: readonly number[],
  chunk: readonly number[],
  shape: readonly number[],
): Generator<{ readonly from: number; readonly to: number }, void> {
  const outer = within.slice(0, -1);
  for (let row = 0; row < elements(outer); row++) {
    let rest = row;
    let from = 0;
    let to = start.at(-1)!;
    let [chunkStride, stride] = [chunk.at(-1)!, shape.at(-1)!];
    for (let i = outer.length - 1; i >= 0; i--) {
      const place = rest % outer[i]!;
      rest = Math.floor(rest / outer[i]!);
      from += place * chunkStride;
      to += (start[i]! + place) * stride;
      chunkStride *= chunk[i]!;
      stride *= shape[i]!;
    }
    yield { from, to };
  }
}

/** The tensor of the elements that these bytes are; `where` names it in errors. */
export function decoded(
  file: OpenFile,
  datatype: Datatype,
  shape: readonly number[],
  bytes: Uint8Array,
  where: string,
): AnyTensor {
  const { kind, bytesPerElement } = datatype;
  const count = elements(shape);
  if (count * bytesPerElement !== bytes.length) {
    refuse(
      where,
      `damaged: ${printShape(shape)} takes ${count * bytesPerElement} bytes, but there are ${bytes.length}`,
    );
  }
  if (kind !== 'numbers' && count > mostStrings) {
    refuse(where, `has ${count} strings, and at most ${mostStrings} are supported`);
  }
  switch (kind) {
    case 'numbers': {
      const { type, isBigEndian } = datatype;
      const ordered = isBigEndian && bytesPerElement > 1 ? reversed(bytes, bytesPerElement) : bytes;
      return tensorOfBytes(type, shape, ordered, where);
    }
    case 'strings': {
      const { padding } = datatype;
      const data = Array.from({ length: count }, (_, i) =>
        unpadded(bytes.subarray(i * bytesPerElement, (i + 1) * bytesPerElement), padding),
      );
      return { dtype: 'string', shape, data };
    }
    case 'heap strings': {
      const { padding } = datatype;
      if (bytesPerElement !== referenceBytes(file)) refuse(where, 'damaged: its strings are of another size');
      const references = cursorOf(bytes, where, 'a string');
      const data = Array.from({ length: count }, () => {
        const text = unpadded(globalObject(file, references), padding);
        spend(file, text.length);
        return text;
      });
      return { dtype: 'string', shape, data };
    }
    case 'opaque':
      return refuse(
        where,
        `holds opaque elements of ${bytesPerElement} bytes, which are not supported; write numbers`,
      );
    case 'other':
      return refuse(where, `holds ${datatype.what}, which is not supported; write plain numbers or strings`);
  }
}

function unpadded(text: Uint8Array, padding: Padding): Uint8Array {
  if (padding === 'terminated') {
    const end = text.indexOf(0);
    return end < 0 ? text : text.subarray(0, end);
  }
  const filler = padding === 'zeros' ? 0 : 0x20;
  let end = text.length;
  while (end > 0 && text[end - 1] === filler) end--;
  return text.subarray(0, end);
}
