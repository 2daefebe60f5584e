/** B-trees of version 2, which newer files list names, attributes and chunks in. */

import { type Cursor, damaged, expectVersion, integer, take } from './cursor.ts';
import { address, addressOf, checkedStructureAt, type OpenFile } from './file.ts';

/** The records of the tree at the address, each as its bytes; `kind` is what they are of. */
export function* recordsOf(file: OpenFile, at: number, kinds: readonly number[]): Generator<Cursor, void> {
  const head = checkedStructureAt(
    file,
    at,
    22 + file.addressBytes + file.lengthBytes,
    'BTHD',
    'the head of a B-tree',
  );
  expectVersion(head, [0]);
  const kind = integer(head, 1);
  if (!kinds.includes(kind)) damaged(head, `has records of the kind ${kind}`);
  const nodeBytes = integer(head, 4);
  const recordBytes = integer(head, 2);
  const depth = integer(head, 2);
  take(head, 2);
  const root = address(file, head);
  const records = integer(head, 2);
  if (root === undefined || records === 0) return;
  if (depth > deepest || recordBytes < shortestRecord) {
    damaged(head, `has ${depth} levels of records of ${recordBytes} bytes`);
  }
  const levels = levelsOf(file, nodeBytes, recordBytes, depth);
  const pending = [{ at: root, level: depth, records }];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const { level, records } = node;
    const { countBytes, pointerBytes } = levels[level]!;
    const used = nodePrefixBytes + records * recordBytes + (level === 0 ? 0 : (records + 1) * pointerBytes);
    const signature = level === 0 ? 'BTLF' : 'BTIN';
    const cursor = checkedStructureAt(file, node.at, used, signature, 'the B-tree node');
    expectVersion(cursor, [0]);
    if (integer(cursor, 1) !== kind) damaged(cursor, 'is of another kind of tree');
    for (let i = 0; i < records; i++) yield { ...cursor, bytes: take(cursor, recordBytes), at: 0 };
    if (level === 0) continue;
    for (let i = 0; i <= records; i++) {
      const child = addressOf(file, cursor, 'a child');
      pending.push({ at: child, level: level - 1, records: integer(cursor, countBytes) });
      take(cursor, pointerBytes - file.addressBytes - countBytes);
    }
  }
}

/** Nodes have room for tens of records, so that eight levels hold more than a file can. */
const deepest = 8;

/** That of a link: a hash, and where the link lies in a heap. */
const shortestRecord = 11;

/** Signature, version, kind and, at the end, the checksum. */
const nodePrefixBytes = 10;

interface Level {
  /** What a node takes to say how many records a child has. */
  readonly countBytes: number;
  /** What it takes for a child: address, records, and, if that has children, all records below it. */
  readonly pointerBytes: number;
}

/** How the nodes of each level point to those below: H5B2_hdr_init. The leaves are level 0. */
function levelsOf(file: OpenFile, nodeBytes: number, recordBytes: number, depth: number): readonly Level[] {
  const mostInLeaf = Math.floor((nodeBytes - nodePrefixBytes) / recordBytes);
  const countBytes = bytesFor(mostInLeaf);
  const levels: Level[] = [{ countBytes, pointerBytes: 0 }];
  let mostBelow = mostInLeaf;
  for (let level = 1; level <= depth; level++) {
    const pointerBytes = file.addressBytes + countBytes + (level === 1 ? 0 : bytesFor(mostBelow));
    levels.push({ countBytes, pointerBytes });
    const most = Math.floor((nodeBytes - nodePrefixBytes - pointerBytes) / (recordBytes + pointerBytes));
    mostBelow = (most + 1) * mostBelow + most;
  }
  return levels;
}

/** How many bytes a number takes that is at most this. */
function bytesFor(most: number): number {
  return most < 1 ? 1 : Math.floor(Math.log2(most) / 8) + 1;
}
