/** Writing zip files, in pieces: the same bytes for the same members. */

import { refuse } from '../errors.ts';
import { crc32 } from './crc32.ts';
import { joined, type Pieces, sizeOf } from './pieces.ts';
import { endSignature, localSignature, memberSignature, see64, stored } from './zip.ts';

/** What a member's bytes start at a multiple of, so that they can be used where they lie. */
const alignment = 64;

/** The extra field that Android's zipalign pads with: the alignment, then zeros. */
const paddingField = 0xd935;
const paddingHeader = 6;

/** Version 2.0 of the format, names in UTF-8. */
const version = 20;
const utf8Flag = 0x800;

/** 1980-01-01, the first day that a zip file knows. */
const firstDay = 0x21;

/** A zip file of members that are not compressed. */
export function writeZip(members: readonly { readonly name: string; readonly pieces: Pieces }[]): Pieces {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, pieces } of members) {
    const length = sizeOf(pieces);
    const encoded = Buffer.from(name);
    const unpadded = offset + 30 + encoded.length + paddingHeader;
    const padding = paddingHeader + ((alignment - (unpadded % alignment)) % alignment);
    const checksum = pieces.reduce((before, bytes) => crc32(bytes, before), 0);
    parts.push(localHeader(encoded, length, checksum, padding), ...pieces);
    directory.push(directoryEntry(encoded, length, checksum, offset));
    offset += 30 + encoded.length + padding + length;
  }
  const size = sizeOf(directory);
  if (members.length > 0xffff || offset + size + 22 >= see64) {
    refuse('zip file', `${members.length} members of ${offset} bytes are more than 65535 of 4 GiB`);
  }
  return [...parts, ...directory, endRecord(members.length, size, offset)];
}

/** Fields of little-endian numbers, by their width in bytes. */
function record(fields: readonly (readonly [width: 2 | 4, value: number])[]): Buffer {
  const bytes = Buffer.alloc(fields.reduce((sum, [width]) => sum + width, 0));
  let at = 0;
  for (const [width, value] of fields) at = bytes.writeUIntLE(value, at, width);
  return bytes;
}

function localHeader(name: Uint8Array, size: number, checksum: number, padding: number): Uint8Array {
  const header = record([
    [4, localSignature],
    [2, version],
    [2, utf8Flag],
    [2, stored],
    [2, 0],
    [2, firstDay],
    [4, checksum],
    [4, size],
    [4, size],
    [2, name.length],
    [2, padding],
  ]);
  const extra = record([
    [2, paddingField],
    [2, padding - 4],
    [2, alignment],
  ]);
  return joined([header, name, extra, new Uint8Array(padding - paddingHeader)]);
}

function directoryEntry(name: Uint8Array, size: number, checksum: number, offset: number): Uint8Array {
  const entry = record([
    [4, memberSignature],
    [2, version],
    [2, version],
    [2, utf8Flag],
    [2, stored],
    [2, 0],
    [2, firstDay],
    [4, checksum],
    [4, size],
    [4, size],
    [2, name.length],
    [2, 0],
    [2, 0],
    [2, 0],
    [2, 0],
    [4, 0],
    [4, offset],
  ]);
  return joined([entry, name]);
}

function endRecord(members: number, size: number, offset: number): Uint8Array {
  return record([
    [4, endSignature],
    [2, 0],
    [2, 0],
    [2, members],
    [2, members],
    [4, size],
    [4, offset],
    [2, 0],
  ]);
}
