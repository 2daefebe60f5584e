/** Fractal heaps: where newer files keep the links and attributes that object headers have no room for. */

import { refuse } from '../../errors.ts';
import { recordsOf } from './b-tree-2.ts';
import { type Cursor, damaged, expectText, expectVersion, integer, take } from './cursor.ts';
import { address, addressOf, checkedStructureAt, length, type OpenFile, structureAt } from './file.ts';

/** The objects of the heap whose head is at the address, by what a tree calls them. */
export function openFractalHeap(file: OpenFile, at: number): (id: Cursor) => Uint8Array {
  const heap = readHead(file, at);
  return (id) => {
    const kind = integer(id, 1);
    if (kind >> 6 !== 0) damaged(id, 'names an object of a heap in an unknown way');
    switch ((kind >> 4) & 3) {
      case 0:
        return managedObject(heap, integer(id, heap.offsetBytes), integer(id, heap.sizeBytes));
      case 1:
        return hugeObject(heap, integer(id, Math.min(file.lengthBytes, heap.idBytes - 1)));
      case 2:
        if (heap.idBytes > 18) damaged(id, 'names a tiny object in an unknown way');
        return take(id, (kind & 15) + 1);
    }
    return damaged(id, 'names an object of a heap in an unknown way');
  };
}

interface FractalHeap {
  readonly file: OpenFile;
  readonly head: Cursor;
  /** What names an object: so many bytes, of which so many are the offset and the size of a managed one. */
  readonly idBytes: number;
  readonly offsetBytes: number;
  readonly sizeBytes: number;
  /** Blocks per row, the size of those of the first, and of the largest that holds objects. */
  readonly columns: number;
  readonly firstBlock: number;
  readonly largestBlock: number;
  readonly root: number | undefined;
  /** Rows of the root; 0 if it is a block of objects. */
  readonly rows: number;
  readonly hugeObjects: number | undefined;
}

function readHead(file: OpenFile, at: number): FractalHeap {
  const { addressBytes, lengthBytes } = file;
  const what = 'the head of a heap';
  const filters = structureAt(file, at, 9, what);
  take(filters, 7);
  if (integer(filters, 2) !== 0)
    refuse(filters.where, `${filters.what} says that it is compressed, which is not supported`);
  const head = checkedStructureAt(file, at, 26 + 12 * lengthBytes + 3 * addressBytes, 'FRHP', what);
  expectVersion(head, [0]);
  const idBytes = integer(head, 2);
  take(head, 3);
  const largestManaged = integer(head, 4);
  length(file, head);
  const hugeObjects = address(file, head);
  length(file, head);
  address(file, head);
  take(head, 8 * lengthBytes);
  const columns = integer(head, 2);
  const firstBlock = length(file, head);
  const largestBlock = length(file, head);
  const bits = integer(head, 2);
  take(head, 2);
  const root = address(file, head);
  const rows = integer(head, 2);
  if (
    ![columns, firstBlock, largestBlock].every(isPowerOfTwo) ||
    firstBlock > largestBlock ||
    bits > 64 ||
    largestManaged === 0
  ) {
    damaged(head, 'has impossible sizes');
  }
  const offsetBytes = Math.ceil(bits / 8);
  const sizeBytes = Math.min(
    Math.ceil(Math.log2(largestBlock) / 8),
    Math.floor(Math.log2(largestManaged) / 8) + 1,
  );
  return {
    file,
    head,
    idBytes,
    offsetBytes,
    sizeBytes,
    columns,
    firstBlock,
    largestBlock,
    root,
    rows,
    hugeObjects,
  };
}

function isPowerOfTwo(value: number): boolean {
  return value >= 1 && value <= 2 ** 52 && Number.isInteger(Math.log2(value));
}

/**
 * A heap is rows of blocks: those of the first two rows have the first size, those of each further row twice the
 * size of the row above. Rows of blocks that would be larger than the largest hold heaps of the same form instead.
 */
function managedObject(heap: FractalHeap, offset: number, size: number): Uint8Array {
  const { file, head, columns, firstBlock, largestBlock } = heap;
  let block = heap.root ?? damaged(head, 'has no blocks');
  let rows = heap.rows;
  let rest = offset;
  let blockBytes = firstBlock;
  while (rows > 0) {
    const row = rest < firstBlock * columns ? 0 : Math.floor(Math.log2(rest / (firstBlock * columns))) + 1;
    const rowStart = row === 0 ? 0 : firstBlock * columns * 2 ** (row - 1);
    blockBytes = firstBlock * 2 ** Math.max(0, row - 1);
    const column = Math.floor((rest - rowStart) / blockBytes);
    if (row >= rows) damaged(head, 'has no block for an object');
    rest -= rowStart + column * blockBytes;
    block = childOf(heap, block, row * columns + column);
    if (blockBytes <= largestBlock) break;
    rows = Math.log2(blockBytes / (firstBlock * columns)) + 1;
    if (rows < 1) damaged(head, 'has impossible sizes');
  }
  if (rest + size > blockBytes) damaged(head, 'has an object that reaches past its block');
  const what = 'a block of a heap';
  expectText(structureAt(file, block, 4, what), 'FHDB');
  return structureAt(file, block + rest, size, what).bytes;
}

/** The address that a block of addresses has at the place. */
function childOf({ file, offsetBytes }: FractalHeap, block: number, place: number): number {
  const what = 'a block of a heap';
  expectText(structureAt(file, block, 4, what), 'FHIB');
  const start = 5 + file.addressBytes + offsetBytes + place * file.addressBytes;
  return addressOf(file, structureAt(file, block + start, file.addressBytes, what), 'a child');
}

/** An object that is larger than blocks are lies alone, and a tree knows where. */
function hugeObject({ file, head, hugeObjects }: FractalHeap, number: number): Uint8Array {
  for (const record of recordsOf(file, hugeObjects ?? damaged(head, 'has no large objects'), [1])) {
    const at = addressOf(file, record, 'an address');
    const size = length(file, record);
    if (length(file, record) === number) return structureAt(file, at, size, 'a large object of a heap').bytes;
  }
  return damaged(head, `has no large object ${number}`);
}
