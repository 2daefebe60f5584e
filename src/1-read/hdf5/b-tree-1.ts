/** B-trees of version 1: of the names of a group, and of the chunks of a dataset. */

import { type Cursor, damaged, expectText, expectVersion, integer, take } from './cursor.ts';
import { addressOf, length, type OpenFile, structureAt } from './file.ts';

/** The addresses of the nodes that hold a group's names, in the order of the names. */
export function* nameNodesOf(file: OpenFile, root: number): Generator<number, void> {
  for (const { child } of leavesOf(file, { root, kind: 0, keyBytes: file.lengthBytes })) yield child;
}

/** A chunk as a tree of either version, or an array, lists it. */
export interface StoredChunk {
  /** Where it lies; undefined if it was never written. */
  readonly address: number | undefined;
  /** Its bytes in the file. */
  readonly size: number;
  /** A bit for each filter that this chunk didn't go through. */
  readonly skippedFilters: number;
  /** The element of the dataset that it begins with. */
  readonly start: readonly number[];
}

export function* chunksOfTree(file: OpenFile, root: number, rank: number): Generator<StoredChunk, void> {
  for (const { key, child } of leavesOf(file, { root, kind: 1, keyBytes: 8 + 8 * (rank + 1) })) {
    const size = integer(key, 4);
    const skippedFilters = integer(key, 4);
    const start = Array.from({ length: rank }, () => integer(key, 8));
    yield { address: child, size, skippedFilters, start };
  }
}

interface Tree {
  readonly root: number;
  readonly kind: 0 | 1;
  readonly keyBytes: number;
}

interface Leaf {
  /** The least of what the leaf holds. */
  readonly key: Cursor;
  readonly child: number;
}

function* leavesOf(file: OpenFile, { root, kind, keyBytes }: Tree): Generator<Leaf, void> {
  const pending = [{ at: root, level: undefined as number | undefined }];
  for (let node = pending.pop(); node !== undefined; node = pending.pop()) {
    const what = 'the B-tree node';
    const headBytes = 8 + 2 * file.addressBytes;
    const head = structureAt(file, node.at, headBytes, what);
    expectText(head, 'TREE');
    if (integer(head, 1) !== kind) damaged(head, 'is of another kind of tree');
    const level = integer(head, 1);
    if (node.level !== undefined && level !== node.level) damaged(head, 'is at the wrong level');
    const entries = integer(head, 2);
    const body = structureAt(
      file,
      node.at + headBytes,
      entries * (keyBytes + file.addressBytes) + keyBytes,
      what,
    );
    const children: Leaf[] = [];
    for (let i = 0; i < entries; i++) {
      const key = { ...body, bytes: take(body, keyBytes), at: 0 };
      children.push({ key, child: addressOf(file, body, 'a child') });
    }
    if (level === 0) yield* children;
    else pending.push(...children.reverse().map(({ child }) => ({ at: child, level: level - 1 })));
  }
}

/** An entry of a group in an old file. */
export interface NamedAddress {
  /** Where its name begins in the group's heap. */
  readonly name: number;
  readonly address: number;
  readonly isSoftLink: boolean;
}

/** The entries of a node of names. */
export function readNameNode(file: OpenFile, at: number): readonly NamedAddress[] {
  const what = 'the symbol table node';
  const head = structureAt(file, at, 8, what);
  expectText(head, 'SNOD');
  expectVersion(head, [1]);
  take(head, 1);
  const entries = integer(head, 2);
  const entryBytes = 2 * file.addressBytes + 24;
  const body = structureAt(file, at + 8, entries * entryBytes, what);
  return Array.from({ length: entries }, () => {
    const name = length(file, { ...body, bytes: take(body, file.addressBytes), at: 0 });
    const address = integer(body, file.addressBytes);
    const isSoftLink = integer(body, 4) === 2;
    take(body, 20);
    return { name, address, isSoftLink };
  });
}

/** The names of a group's heap, which `NamedAddress` refers to. */
export function readNameHeap(file: OpenFile, at: number): Cursor {
  const head = structureAt(file, at, 8 + 2 * file.lengthBytes + file.addressBytes, 'the heap of names');
  expectText(head, 'HEAP');
  expectVersion(head, [0]);
  take(head, 3);
  const size = length(file, head);
  length(file, head);
  return structureAt(file, addressOf(file, head, 'its names'), size, 'the names of a group');
}
