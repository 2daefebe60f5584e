/** Attributes: small arrays that a group or a dataset carries by name. */

import { refuse } from '../../errors.ts';
import { elements } from '../../ir/types.ts';
import type { AnyTensor } from '../element-types.ts';
import { recordsOf } from './b-tree-2.ts';
import { type Cursor, collected, cursorOf, damaged, expectVersion, integer, take } from './cursor.ts';
import { decoded } from './dataset.ts';
import { readDataspace, readDatatype } from './datatype.ts';
import { address, type OpenFile } from './file.ts';
import { openFractalHeap } from './fractal-heap.ts';
import { inOrder } from './links.ts';
import type { HeaderMessage } from './object-header.ts';

interface Attribute {
  readonly name: string;
  readonly order?: number;
  /** Its value; `where` names it in errors. */
  read(where: string): AnyTensor;
}

/** The attributes of an object in the order of their creation where the file keeps it, by their names otherwise. */
export function readAttributes(
  file: OpenFile,
  messages: readonly HeaderMessage[],
): ReadonlyMap<string, Attribute> {
  const attributes = messages.flatMap(({ kind, cursor }) => {
    if (kind === 'attribute') return [readAttribute(file, cursor)];
    if (kind !== 'attribute info') return [];
    return collected(attributesOfHeap(file, cursor), mostAttributes, cursor, 'attributes');
  });
  const byName = new Map(inOrder(attributes).map((attribute) => [attribute.name, attribute]));
  if (byName.size < attributes.length) damaged(messages[0]!.cursor, 'names two of its attributes alike');
  return byName;
}

/** Keras writes fewer than ten for an object. */
const mostAttributes = 2 ** 16;

function* attributesOfHeap(file: OpenFile, message: Cursor): Generator<Attribute, void> {
  expectVersion(message, [0]);
  const flags = integer(message, 1);
  if (flags & 1) take(message, 2);
  const heapAddress = address(file, message);
  const tree = address(file, message);
  // An object whose attributes are all in its header has no heap.
  if (heapAddress === undefined || tree === undefined) return;
  const objectOf = openFractalHeap(file, heapAddress);
  for (const record of recordsOf(file, tree, [8])) {
    const bytes = objectOf({ ...record, bytes: take(record, 8), at: 0 });
    const isShared = (integer(record, 1) & 2) !== 0;
    if (isShared) refuse(record.where, 'shares attributes between objects, which is not supported');
    const order = integer(record, 4);
    yield { ...readAttribute(file, cursorOf(bytes, file.source.name, 'an attribute')), order };
  }
}

function readAttribute(file: OpenFile, cursor: Cursor): Attribute {
  const version = expectVersion(cursor, [1, 2, 3]);
  const flags = integer(cursor, 1);
  const nameBytes = integer(cursor, 2);
  const datatypeBytes = integer(cursor, 2);
  const dataspaceBytes = integer(cursor, 2);
  if (version === 3) take(cursor, 1);
  const part = (size: number) => {
    const bytes = take(cursor, size);
    // The first version fills its parts up to multiples of eight bytes.
    if (version === 1) take(cursor, -size & 7);
    return bytes;
  };
  const name = Buffer.from(part(nameBytes)).toString().replace(/\0.*$/s, '');
  const datatype = cursorOf(part(datatypeBytes), cursor.where, `the datatype of the attribute "${name}"`);
  const dataspace = cursorOf(part(dataspaceBytes), cursor.where, `the shape of the attribute "${name}"`);
  const data = cursor.bytes.subarray(cursor.at);
  return {
    name,
    read(where) {
      if (version > 1 && flags & 3) refuse(where, 'shares its type with others, which is not supported');
      const type = readDatatype({ ...datatype });
      const { shape } = readDataspace({ ...dataspace }, file.lengthBytes);
      const size = elements(shape) * type.bytesPerElement;
      if (size > data.length) refuse(where, `damaged: takes ${size} bytes, but there are ${data.length}`);
      return decoded(file, type, shape, data.subarray(0, size), where);
    },
  };
}
