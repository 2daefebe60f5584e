/** Object headers: the messages that say what a group or a dataset is. */

import { refuse } from '../../errors.ts';
import { type Cursor, cursorOf, damaged, expectText, expectVersion, integer, take } from './cursor.ts';
import { addressOf, checkedStructureAt, length, type OpenFile, structureAt } from './file.ts';

/** A message of an object header; its bytes are for its kind to read. */
export interface HeaderMessage {
  readonly kind: MessageKind;
  readonly cursor: Cursor;
}

/** The messages that matter to whoever reads an object. */
export type MessageKind =
  | 'dataspace'
  | 'link info'
  | 'datatype'
  | 'link'
  | 'external files'
  | 'layout'
  | 'filters'
  | 'attribute'
  | 'symbol table'
  | 'attribute info';

const kinds: ReadonlyMap<number, MessageKind> = new Map([
  [1, 'dataspace'],
  [2, 'link info'],
  [3, 'datatype'],
  [6, 'link'],
  [7, 'external files'],
  [8, 'layout'],
  [11, 'filters'],
  [12, 'attribute'],
  [17, 'symbol table'],
  [21, 'attribute info'],
]);

/** Fill values, comments, times, counts of references, and hints for whoever writes. */
const passedOver: ReadonlySet<number> = new Set([0, 4, 5, 10, 13, 14, 18, 19, 22]);

const continuation = 16;

/** The messages of the object whose header is at the address, of all its blocks. */
export function readObjectHeader(file: OpenFile, at: number): readonly HeaderMessage[] {
  const start = structureAt(
    file,
    at,
    Math.max(0, Math.min(prefixBytes, file.source.size - file.base - at)),
    what,
  );
  const isNewer = start.bytes[0] === 0x4f;
  const { first, fields } = isNewer ? newerHeader(file, at, start) : olderHeader(file, at, start);
  const messages: HeaderMessage[] = [];
  const blocks = [first];
  // Blocks are added while the list is walked.
  for (const block of blocks) {
    while (block.bytes.length - block.at >= fields.bytes) {
      const number = integer(block, fields.isNewer ? 1 : 2);
      const size = integer(block, 2);
      const flags = integer(block, 1);
      take(block, fields.bytes - (fields.isNewer ? 4 : 5));
      const cursor = cursorOf(take(block, size), block.where, `a message of ${block.what}`);
      if (number === continuation) {
        const to = addressOf(file, cursor, 'an address');
        if (blocks.length >= mostBlocks) damaged(block, `goes on in more than ${mostBlocks} places`);
        blocks.push(continued(file, to, length(file, cursor), fields.isNewer));
        continue;
      }
      const kind = kinds.get(number);
      if (kind === undefined) {
        if (!passedOver.has(number)) damaged(block, `has a message of the unknown kind ${number}`);
      } else if (flags & sharedFlag) {
        refuse(block.where, `${block.what} shares its ${kind} with others, which is not supported`);
      } else {
        if (messages.length >= mostMessages) damaged(block, `has more than ${mostMessages} messages`);
        messages.push({ kind, cursor });
      }
    }
  }
  return messages;
}

const what = 'the object header';

/** Attributes of old files, which the header holds all, come to some hundreds. */
const mostMessages = 2 ** 16;
const mostBlocks = 2 ** 16;

/** The longest prefix, of the newer form. */
const prefixBytes = 34;

/** A message that lies elsewhere, such as a committed datatype. */
const sharedFlag = 2;

/** How the messages of a header begin. */
interface MessageFields {
  readonly isNewer: boolean;
  /** Of kind, size and flags, with what is between. */
  readonly bytes: number;
}

interface Header {
  readonly first: Cursor;
  readonly fields: MessageFields;
}

/** Version 1. */
function olderHeader(file: OpenFile, at: number, start: Cursor): Header {
  expectVersion(start, [1]);
  take(start, 7);
  const size = integer(start, 4);
  return { first: structureAt(file, at + 16, size, what), fields: { isNewer: false, bytes: 8 } };
}

/** Version 2. */
function newerHeader(file: OpenFile, at: number, start: Cursor): Header {
  expectText(start, 'OHDR');
  expectVersion(start, [2]);
  const flags = integer(start, 1);
  // Four times, and when attributes move out of the header.
  take(start, (flags & 0x20 ? 16 : 0) + (flags & 0x10 ? 4 : 0));
  const size = integer(start, 2 ** (flags & 3));
  const first = checkedStructureAt(file, at, start.at + size + 4, 'OHDR', what);
  take(first, start.at - 4);
  return { first, fields: { isNewer: true, bytes: flags & 4 ? 6 : 4 } };
}

function continued(file: OpenFile, at: number, size: number, isNewer: boolean): Cursor {
  const what = 'the continued object header';
  return isNewer ? checkedStructureAt(file, at, size, 'OCHK', what) : structureAt(file, at, size, what);
}
