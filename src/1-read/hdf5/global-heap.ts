/** The global heap: collections of strings of any length, which attributes and datasets refer to. */

import { type Cursor, damaged, expectText, integer, take } from './cursor.ts';
import { address, length, type OpenFile, structureAt } from './file.ts';

/** How many bytes refer to an object of the heap. */
export function referenceBytes(file: OpenFile): number {
  return 8 + file.addressBytes;
}

/** The bytes that the next reference names; of a string that is empty, none. */
export function globalObject(file: OpenFile, reference: Cursor): Uint8Array {
  const size = integer(reference, 4);
  const collection = address(file, reference);
  const index = integer(reference, 4);
  if (size === 0 || collection === undefined) return new Uint8Array(0);
  const object = globalHeap(file, collection).get(index);
  if (object === undefined) damaged(reference, `refers to an object ${index} that is not in its heap`);
  if (object.length < size) damaged(reference, 'is longer than the object of the heap that holds it');
  return object.subarray(0, size);
}

/** The objects of the collection at the address, by their numbers. */
function globalHeap(file: OpenFile, at: number): ReadonlyMap<number, Uint8Array> {
  const known = file.globalHeaps.get(at);
  if (known !== undefined) return known;
  const what = 'the heap collection';
  const prefixBytes = 8 + file.lengthBytes;
  const prefix = structureAt(file, at, prefixBytes, what);
  expectText(prefix, 'GCOL');
  take(prefix, 4);
  const size = length(file, prefix);
  const heap = structureAt(file, at, size, what);
  take(heap, prefixBytes);
  const objects = new Map<number, Uint8Array>();
  while (heap.bytes.length - heap.at >= prefixBytes) {
    const index = integer(heap, 2);
    take(heap, 6);
    const size = length(file, heap);
    // The object 0 is what is free, and the last.
    if (index === 0) break;
    objects.set(index, take(heap, size));
    take(heap, Math.min(-size & 7, heap.bytes.length - heap.at));
  }
  file.globalHeaps.set(at, objects);
  return objects;
}
