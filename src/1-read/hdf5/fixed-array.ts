/** Fixed arrays: where newer files list the chunks of a dataset that cannot grow. */

import type { StoredChunk } from './b-tree-1.ts';
import { type Cursor, damaged, expectText, expectVersion, integer, take } from './cursor.ts';
import {
  address,
  addressOf,
  checkedStructureAt,
  checkSum,
  length,
  type OpenFile,
  structureAt,
} from './file.ts';

/** The chunks in the order of the array; those that are not compressed have `bytesPerChunk`. */
export function* chunksOfFixedArray(
  file: OpenFile,
  at: number,
  bytesPerChunk: number,
): Generator<Omit<StoredChunk, 'start'>, void> {
  const { addressBytes, lengthBytes } = file;
  const head = checkedStructureAt(file, at, 12 + addressBytes + lengthBytes, 'FAHD', 'the head of an array');
  expectVersion(head, [0]);
  const isFiltered = integer(head, 1) === 1;
  const entryBytes = integer(head, 1);
  const pageEntries = 2 ** integer(head, 1);
  const entries = length(file, head);
  if (entryBytes < (isFiltered ? addressBytes + 5 : addressBytes))
    damaged(head, 'has entries that are too short');
  const block = addressOf(file, head, 'its entries');

  const readEntry = (cursor: Cursor): Omit<StoredChunk, 'start'> => {
    const entry = { ...cursor, bytes: take(cursor, entryBytes), at: 0 };
    const at = address(file, entry);
    if (!isFiltered) return { address: at, size: bytesPerChunk, skippedFilters: 0 };
    const size = integer(entry, entryBytes - addressBytes - 4);
    return { address: at, size, skippedFilters: integer(entry, 4) };
  };

  const what = 'a block of an array';
  const prefixBytes = 6 + addressBytes;
  if (entries <= pageEntries) {
    const cursor = checkedStructureAt(file, block, prefixBytes + entries * entryBytes + 4, 'FADB', what);
    take(cursor, prefixBytes - 4);
    for (let i = 0; i < entries; i++) yield readEntry(cursor);
    return;
  }
  const pages = Math.ceil(entries / pageEntries);
  const start = prefixBytes + Math.ceil(pages / 8) + 4;
  expectText(structureAt(file, block, start, what), 'FADB');
  for (let page = 0; page < pages; page++) {
    const pageBytes = pageEntries * entryBytes + 4;
    const count = Math.min(pageEntries, entries - page * pageEntries);
    const cursor = structureAt(file, block + start + page * pageBytes, count * entryBytes + 4, what);
    checkSum(cursor);
    for (let i = 0; i < count; i++) yield readEntry(cursor);
  }
}
