/** The beginning of an HDF5 file: what tells it from others, and where its root group lies. */

import { refuse } from '../../errors.ts';
import type { Source } from '../files.ts';
import { cursorOf, integer, take } from './cursor.ts';
import { address, addressOf, checkSum, type OpenFile } from './file.ts';

/** Opens the file, and finds the object header of its root group. */
export function readSuperblock(source: Source): { readonly file: OpenFile; readonly root: number } {
  const base = findSignature(source);
  const cursor = cursorOf(
    source.read(base, Math.min(longestSuperblock, source.size - base)),
    source.name,
    'the superblock',
  );
  take(cursor, signature.length);
  const version = integer(cursor, 1);
  if (version > 3) {
    refuse(source.name, `is an HDF5 file of version ${version}, and only 0 to 3 are supported`);
  }
  if (version < 2) take(cursor, 4);
  const addressBytes = width(integer(cursor, 1), source);
  const lengthBytes = width(integer(cursor, 1), source);
  const file = { source, base, addressBytes, lengthBytes, structureBytes: 0, globalHeaps: new Map() };
  if (version < 2) take(cursor, version === 0 ? 9 : 13);
  else take(cursor, 1);

  address(file, cursor);
  address(file, cursor);
  const end = addressOf(file, cursor, 'the end of the file');
  if (version < 2) {
    // The driver's block, and the name of the root group, which has none.
    address(file, cursor);
    address(file, cursor);
  }
  const root = addressOf(file, cursor, 'the root group');
  if (version >= 2) checkSum({ ...cursor, bytes: cursor.bytes.subarray(0, cursor.at + 4) });
  if (base + end > source.size) {
    refuse(source.name, `truncated: has ${source.size} bytes, and says that it has ${base + end}`);
  }
  return { file, root };
}

/** Where the file begins: at its first byte, or behind a block of the user's of 512 bytes or a power of two more. */
function findSignature(source: Source): number {
  for (let at = 0; at + signature.length < source.size; at = at === 0 ? 512 : 2 * at) {
    if (signature.equals(source.read(at, signature.length))) return at;
  }
  return refuse(source.name, 'truncated, or no HDF5 file: the signature at its start is missing');
}

const signature = Buffer.from('\x89HDF\r\n\x1a\n', 'latin1');

/** Of version 1, with addresses of eight bytes. */
const longestSuperblock = 100;

function width(bytes: number, { name }: Source): number {
  if (bytes === 2 || bytes === 4 || bytes === 8) return bytes;
  return refuse(name, `truncated or damaged: the superblock has addresses or lengths of ${bytes} bytes`);
}
