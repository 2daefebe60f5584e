/** Zip files, in memory. Reading trusts the central directory; writing gives the same bytes for the same members. */

import { inflateRawSync } from 'node:zlib';
import { refuse } from '../errors.ts';
import { crc32 } from './crc32.ts';

/** A file in a zip file. */
export interface ZipMember {
  /** In bytes, when read. */
  readonly size: number;
  /** Its bytes, checked against their checksum; those of a member that isn't compressed are shared with the zip file. */
  read(): Uint8Array;
}

/** The members by name; of two with one name the last one counts. `file` names the zip file in errors. */
export function readZip(bytes: Uint8Array, file: string): ReadonlyMap<string, ZipMember> {
  const zip: Zip = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length),
    file,
  };
  const directory = findDirectory(zip);
  const members: Member[] = [];
  for (let at = directory.start; members.length < directory.members; ) {
    const { member, next } = readMember(zip, at, directory.end);
    members.push(member);
    at = next;
  }
  refuseOverlaps(zip, members);
  return new Map(
    members.map((member) => [member.name, { size: member.size, read: () => extract(zip, member) }]),
  );
}

interface Zip {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly file: string;
}

interface Directory {
  readonly start: number;
  readonly end: number;
  readonly members: number;
}

/** An entry of the central directory. */
interface Member {
  readonly name: string;
  readonly flags: number;
  readonly method: number;
  readonly checksum: number;
  readonly compressedSize: number;
  readonly size: number;
  /** Of the local header. */
  readonly offset: number;
}

const localSignature = 0x04034b50;
const memberSignature = 0x02014b50;
const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;

/** Stands for a size or an offset that is in the zip64 extra field. */
const see64 = 0xffffffff;

/** The record at the end says where the directory is; a comment of up to 64 KiB may follow it. */
function findDirectory(zip: Zip): Directory {
  const { bytes, view } = zip;
  for (let at = bytes.length - 22; at >= Math.max(0, bytes.length - 22 - 0xffff); at--) {
    if (view.getUint32(at, true) !== endSignature) continue;
    if (at + 22 + view.getUint16(at + 20, true) !== bytes.length) continue;
    const members = view.getUint16(at + 10, true);
    const size = view.getUint32(at + 12, true);
    const start = view.getUint32(at + 16, true);
    if (at >= 20 && view.getUint32(at - 20, true) === locator64Signature) return readEnd64(zip, at);
    return checkedDirectory(zip, { members, start, end: start + size }, at);
  }
  refuse(zip.file, 'truncated, or no zip file: the record at its end is missing');
}

function readEnd64(zip: Zip, end: number): Directory {
  const at = number64(zip, end - 20 + 8);
  if (at + 56 > end || zip.view.getUint32(at, true) !== end64Signature) {
    damaged(zip, 'its zip64 record is not where it should be');
  }
  const start = number64(zip, at + 48);
  return checkedDirectory(
    zip,
    { members: number64(zip, at + 32), start, end: start + number64(zip, at + 40) },
    end,
  );
}

function checkedDirectory(zip: Zip, directory: Directory, end: number): Directory {
  if (directory.end > end) damaged(zip, 'its directory reaches past its end');
  return directory;
}

function readMember(zip: Zip, at: number, end: number): { readonly member: Member; readonly next: number } {
  const { bytes, view } = zip;
  if (at + 46 > end || view.getUint32(at, true) !== memberSignature)
    damaged(zip, `no entry at byte ${at} of its directory`);
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > end) damaged(zip, `the entry at byte ${at} of its directory reaches past the end`);
  const sizes = [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ] as const;
  const [size, compressedSize, offset] = widened(zip, sizes, nameEnd, extraEnd);
  const member = {
    name: Buffer.from(bytes.subarray(at + 46, nameEnd)).toString(),
    flags: view.getUint16(at + 8, true),
    method: view.getUint16(at + 10, true),
    checksum: view.getUint32(at + 16, true),
    compressedSize,
    size,
    offset,
  };
  return { member, next };
}

type Sizes = readonly [size: number, compressedSize: number, offset: number];

/** Each of the numbers is replaced by the next one of the zip64 extra field if it doesn't fit. */
function widened(zip: Zip, sizes: Sizes, start: number, end: number): Sizes {
  if (!sizes.includes(see64)) return sizes;
  for (let at = start; at + 4 <= end; at += 4 + zip.view.getUint16(at + 2, true)) {
    if (zip.view.getUint16(at, true) !== 1) continue;
    const fieldEnd = Math.min(end, at + 4 + zip.view.getUint16(at + 2, true));
    let from = at + 4;
    const widen = (size: number) => {
      if (size !== see64) return size;
      if (from + 8 > fieldEnd) damaged(zip, `the zip64 field at byte ${at} is too short`);
      from += 8;
      return number64(zip, from - 8);
    };
    const [size, compressedSize, offset] = sizes;
    return [widen(size), widen(compressedSize), widen(offset)];
  }
  damaged(zip, 'a zip64 field is missing');
}

/** Members that share bytes are how small zip files claim endless memory. */
function refuseOverlaps(zip: Zip, members: readonly Member[]): void {
  let end = 0;
  for (const { offset, compressedSize } of [...members].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) damaged(zip, `two members share the byte ${offset}`);
    end = offset + 30 + compressedSize;
  }
}

const stored = 0;
const deflated = 8;

/** Deflate can't do better than this: a longer member is a lie. */
const bestRatio = 1032;

function extract(zip: Zip, member: Member): Uint8Array {
  const where = `${zip.file}, member "${member.name}"`;
  const { size, compressedSize } = member;
  if (member.flags & 1) refuse(where, 'is encrypted; save it without a password');
  const compressed = compressedBytes(zip, member, where);
  let bytes: Uint8Array;
  switch (member.method) {
    case stored:
      bytes = compressed;
      break;
    case deflated:
      if (size > compressedSize * bestRatio) {
        refuse(
          where,
          `damaged: says that ${compressedSize} compressed bytes become ${size}, which is impossible`,
        );
      }
      bytes = inflated(compressed, size, where);
      break;
    default:
      refuse(
        where,
        `is compressed by method ${member.method}, and only stored and deflated members are supported`,
      );
  }
  if (bytes.length !== size) refuse(where, `damaged: has ${bytes.length} bytes instead of ${size}`);
  if (crc32(bytes) !== member.checksum) refuse(where, 'damaged: its checksum is wrong');
  return bytes;
}

function compressedBytes(
  { bytes, view }: Zip,
  { offset, compressedSize }: Member,
  where: string,
): Uint8Array {
  if (offset + 30 > bytes.length || view.getUint32(offset, true) !== localSignature) {
    refuse(where, `damaged: its header is not at byte ${offset}`);
  }
  const start = offset + 30 + view.getUint16(offset + 26, true) + view.getUint16(offset + 28, true);
  if (start + compressedSize > bytes.length) {
    refuse(
      where,
      `truncated: lies at bytes ${start} to ${start + compressedSize}, but the file has ${bytes.length}`,
    );
  }
  return bytes.subarray(start, start + compressedSize);
}

function inflated(compressed: Uint8Array, size: number, where: string): Uint8Array {
  try {
    return inflateRawSync(compressed, { maxOutputLength: Math.max(size, 1) });
  } catch {
    refuse(where, `damaged: its bytes cannot be decompressed to the ${size} that it declares`);
  }
}

function number64({ view, bytes, file }: Zip, at: number): number {
  if (at + 8 > bytes.length) refuse(file, `truncated or damaged: no number at byte ${at}`);
  const number = Number(view.getBigUint64(at, true));
  return number <= Number.MAX_SAFE_INTEGER ? number : Infinity;
}

function damaged({ file }: Zip, what: string): never {
  refuse(file, `truncated or damaged: ${what}`);
}

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
export function writeZip(
  members: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Uint8Array {
  const parts: Uint8Array[] = [];
  const directory: Uint8Array[] = [];
  let offset = 0;
  for (const { name, bytes } of members) {
    const encoded = Buffer.from(name);
    const unpadded = offset + 30 + encoded.length + paddingHeader;
    const padding = paddingHeader + ((alignment - (unpadded % alignment)) % alignment);
    const checksum = crc32(bytes);
    parts.push(localHeader(encoded, bytes.length, checksum, padding), bytes);
    directory.push(directoryEntry(encoded, bytes.length, checksum, offset));
    offset += 30 + encoded.length + padding + bytes.length;
  }
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  if (members.length > 0xffff || offset + size + 22 >= see64) {
    refuse('zip file', `${members.length} members of ${offset} bytes are more than 65535 of 4 GiB`);
  }
  return joined([...parts, ...directory, endRecord(members.length, size, offset)]);
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

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
