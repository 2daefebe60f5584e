/** What a group holds, by name: of old files in a tree and a heap of names, of newer ones in messages or in a heap. */

import { nameNodesOf, readNameHeap, readNameNode } from './b-tree-1.ts';
import { recordsOf } from './b-tree-2.ts';
import {
  type Cursor,
  collected,
  cursorOf,
  damaged,
  expectVersion,
  integer,
  nameOf,
  nameUntilZero,
  take,
} from './cursor.ts';
import { address, addressOf, type OpenFile, spend } from './file.ts';
import { openFractalHeap } from './fractal-heap.ts';
import type { HeaderMessage } from './object-header.ts';

export type Link =
  /** To the object whose header is at the address. */
  { readonly kind: 'hard'; readonly address: number } | { readonly kind: 'soft' | 'external' };

interface NamedLink {
  readonly name: string;
  readonly link: Link;
  /** Its number in the order of creation, if the file keeps it. */
  readonly order?: number;
}

/** The links in the order of their creation where the file keeps it, by their names otherwise. */
export function readLinks(file: OpenFile, messages: readonly HeaderMessage[]): ReadonlyMap<string, Link> {
  const links = messages.flatMap((message) => linksIn(file, message));
  for (const { name } of links) {
    if (name === '' || name === '.' || name.includes('/'))
      damaged(messages[0]!.cursor, `has a child called "${name}"`);
  }
  const byName = new Map(inOrder(links).map(({ name, link }) => [name, link]));
  if (byName.size < links.length) damaged(messages[0]!.cursor, 'names two of its children alike');
  return byName;
}

function linksIn(file: OpenFile, { kind, cursor }: HeaderMessage): readonly NamedLink[] {
  switch (kind) {
    case 'symbol table':
      return collected(linksOfTable(file, cursor), mostLinks, cursor, 'children');
    case 'link info':
      return collected(linksOfHeap(file, cursor), mostLinks, cursor, 'children');
    case 'link':
      return [readLink(file, cursor)];
    default:
      return [];
  }
}

/** A model has a group for each of its layers. */
const mostLinks = 2 ** 18;

/** By their numbers if all have one, by name otherwise. */
export function inOrder<T extends { readonly name: string; readonly order?: number }>(
  items: readonly T[],
): readonly T[] {
  if (items.every(({ order }) => order !== undefined)) {
    return items.toSorted((a, b) => a.order! - b.order!);
  }
  return items.toSorted((a, b) => Buffer.compare(Buffer.from(a.name), Buffer.from(b.name)));
}

function* linksOfTable(file: OpenFile, message: Cursor): Generator<NamedLink, void> {
  const tree = addressOf(file, message, 'its tree');
  const names = readNameHeap(file, addressOf(file, message, 'its heap'));
  for (const node of nameNodesOf(file, tree)) {
    for (const { name, address, isSoftLink } of readNameNode(file, node)) {
      const text = nameUntilZero({ ...names, at: name });
      spend(file, text.length);
      const link: Link = isSoftLink ? { kind: 'soft' } : { kind: 'hard', address };
      yield { name: text, link };
    }
  }
}

function* linksOfHeap(file: OpenFile, message: Cursor): Generator<NamedLink, void> {
  expectVersion(message, [0]);
  const flags = integer(message, 1);
  if (flags & 1) take(message, 8);
  const heapAddress = address(file, message);
  const tree = address(file, message);
  // A group whose links are all in its header has no heap.
  if (heapAddress === undefined || tree === undefined) return;
  const objectOf = openFractalHeap(file, heapAddress);
  for (const record of recordsOf(file, tree, [5])) {
    take(record, 4);
    yield readLink(file, cursorOf(objectOf(record), file.source.name, 'a link'));
  }
}

function readLink(file: OpenFile, cursor: Cursor): NamedLink {
  expectVersion(cursor, [1]);
  const flags = integer(cursor, 1);
  const kind = flags & 8 ? integer(cursor, 1) : 0;
  const order = flags & 4 ? { order: integer(cursor, 8) } : {};
  if (flags & 16) take(cursor, 1);
  const name = nameOf(cursor, integer(cursor, 2 ** (flags & 3)));
  switch (kind) {
    case 0:
      return { name, link: { kind: 'hard', address: addressOf(file, cursor, 'an address') }, ...order };
    case 1:
      return { name, link: { kind: 'soft' }, ...order };
    case 64:
      return { name, link: { kind: 'external' }, ...order };
  }
  return damaged(cursor, `is of the unknown kind ${kind}`);
}
