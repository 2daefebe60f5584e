/** Reading zip files, by range: what the central directory at their end says counts. */

import { inflateRawSync } from 'node:zlib';
import { refuse } from '../errors.ts';
import { crc32 } from './crc32.ts';
import { bytesSource, type Source } from './files.ts';

/** A file in a zip file. */
export interface ZipMember {
  /** In bytes, when read. */
  readonly size: number;
  /** Its bytes, checked against their checksum. */
  read(): Uint8Array;
  /** The same, to be read by range; those of a member that isn't compressed stay in the zip file. */
  open(): Source;
}

/** The members by name; of two with one name the last one counts. */
export function openZip(zip: Source): ReadonlyMap<string, ZipMember> {
  const members = readDirectory(zip, findDirectory(zip));
  refuseOverlaps(zip, members);
  return new Map(
    members.map((member) => [
      member.name,
      { size: member.size, read: () => extract(zip, member), open: () => openMember(zip, member) },
    ]),
  );
}

/** The members of a zip file that is in memory; `file` names it in errors. */
export function readZip(bytes: Uint8Array, file: string): ReadonlyMap<string, ZipMember> {
  return openZip(bytesSource(bytes, file));
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

export const localSignature = 0x04034b50;
export const memberSignature = 0x02014b50;
export const endSignature = 0x06054b50;
const end64Signature = 0x06064b50;
const locator64Signature = 0x07064b50;

/** Stands for a size or an offset that is in the zip64 extra field. */
export const see64 = 0xffffffff;

const longestComment = 0xffff;

/** What lies before the record at the end of a zip64 file, and says where its like for large numbers is. */
const locatorBytes = 20;

/** The record at the end says where the directory is; a comment may follow it. */
function findDirectory(zip: Source): Directory {
  const start = Math.max(0, zip.size - longestComment - 22);
  const { bytes, view } = stretch(zip, start, zip.size - start);
  for (let at = bytes.length - 22; at >= 0; at--) {
    if (view.getUint32(at, true) !== endSignature) continue;
    if (at + 22 + view.getUint16(at + 20, true) !== bytes.length) continue;
    const end = start + at;
    if (isLarge(zip, end)) return readEnd64(zip, end);
    const members = view.getUint16(at + 10, true);
    const size = view.getUint32(at + 12, true);
    const first = view.getUint32(at + 16, true);
    return checkedDirectory(zip, { members, start: first, end: first + size }, end);
  }
  refuse(zip.name, 'truncated, or no zip file: the record at its end is missing');
}

/** Some bytes of the file; the caller has checked that they are there. */
interface Stretch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

function stretch(zip: Source, start: number, length: number): Stretch {
  const bytes = zip.read(start, length);
  return { bytes, view: new DataView(bytes.buffer, bytes.byteOffset, bytes.length) };
}

function isLarge(zip: Source, end: number): boolean {
  if (end < locatorBytes) return false;
  return stretch(zip, end - locatorBytes, 4).view.getUint32(0, true) === locator64Signature;
}

function readEnd64(zip: Source, end: number): Directory {
  const at = number64(stretch(zip, end - locatorBytes, locatorBytes), 8);
  const record = at + 56 > end ? undefined : stretch(zip, at, 56);
  if (record?.view.getUint32(0, true) !== end64Signature) {
    damaged(zip, 'its zip64 record is not where it should be');
  }
  const start = number64(record, 48);
  return checkedDirectory(
    zip,
    { members: number64(record, 32), start, end: start + number64(record, 40) },
    end,
  );
}

function checkedDirectory(zip: Source, directory: Directory, end: number): Directory {
  if (directory.end > end) damaged(zip, 'its directory reaches past its end');
  return directory;
}

function readDirectory(zip: Source, { start, end, members }: Directory): readonly Member[] {
  const directory = stretch(zip, start, end - start);
  const found: Member[] = [];
  for (let at = 0; found.length < members; ) {
    const { member, next } = readMember(zip, directory, at, start + at);
    found.push(member);
    at = next;
  }
  return found;
}

/** The entry `at` a place of the directory, which is the byte `place` of the file. */
function readMember(
  zip: Source,
  directory: Stretch,
  at: number,
  place: number,
): { readonly member: Member; readonly next: number } {
  const { bytes, view } = directory;
  if (at + 46 > bytes.length || view.getUint32(at, true) !== memberSignature)
    damaged(zip, `no entry at byte ${place} of its directory`);
  const nameEnd = at + 46 + view.getUint16(at + 28, true);
  const extraEnd = nameEnd + view.getUint16(at + 30, true);
  const next = extraEnd + view.getUint16(at + 32, true);
  if (next > bytes.length) damaged(zip, `the entry at byte ${place} of its directory reaches past the end`);
  const sizes = [
    view.getUint32(at + 24, true),
    view.getUint32(at + 20, true),
    view.getUint32(at + 42, true),
  ] as const;
  const [size, compressedSize, offset] = widened(zip, directory, sizes, nameEnd, extraEnd);
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
function widened(zip: Source, directory: Stretch, sizes: Sizes, start: number, end: number): Sizes {
  if (!sizes.includes(see64)) return sizes;
  const { view } = directory;
  for (let at = start; at + 4 <= end; at += 4 + view.getUint16(at + 2, true)) {
    if (view.getUint16(at, true) !== 1) continue;
    const fieldEnd = Math.min(end, at + 4 + view.getUint16(at + 2, true));
    let from = at + 4;
    const widen = (size: number) => {
      if (size !== see64) return size;
      if (from + 8 > fieldEnd) damaged(zip, 'a zip64 field is too short');
      from += 8;
      return number64(directory, from - 8);
    };
    const [size, compressedSize, offset] = sizes;
    return [widen(size), widen(compressedSize), widen(offset)];
  }
  damaged(zip, 'a zip64 field is missing');
}

/** Members that share bytes are how small zip files claim endless memory. */
function refuseOverlaps(zip: Source, members: readonly Member[]): void {
  let end = 0;
  for (const { offset, compressedSize } of [...members].sort((a, b) => a.offset - b.offset)) {
    if (offset < end) damaged(zip, `two members share the byte ${offset}`);
    end = offset + 30 + compressedSize;
  }
}

export const stored = 0;
const deflated = 8;

/** Deflate can't do better than this: a longer member is a lie. */
const bestRatio = 1032;

function extract(zip: Source, member: Member): Uint8Array {
  const { where, start } = placeOf(zip, member);
  const { size, compressedSize } = member;
  const compressed = zip.read(start, compressedSize);
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
  verify(member, bytes.length, crc32(bytes), where);
  return bytes;
}

function openMember(zip: Source, member: Member): Source {
  const { where, start } = placeOf(zip, member);
  if (member.method !== stored) return bytesSource(extract(zip, member), where);
  const { compressedSize: size } = member;
  let checksum = 0;
  for (let at = 0; at < size; at += pieceBytes) {
    checksum = crc32(zip.read(start + at, Math.min(pieceBytes, size - at)), checksum);
  }
  verify(member, size, checksum, where);
  return { name: where, size, read: (offset, length) => zip.read(start + offset, length) };
}

/** How much of a member is in memory at once for its checksum. */
const pieceBytes = 2 ** 24;

function verify(member: Member, size: number, checksum: number, where: string): void {
  if (size !== member.size) refuse(where, `damaged: has ${size} bytes instead of ${member.size}`);
  if (checksum !== member.checksum) refuse(where, 'damaged: its checksum is wrong');
}

/** What errors call a member, and where its bytes start. */
function placeOf(zip: Source, member: Member): { readonly where: string; readonly start: number } {
  const where = `${zip.name}, member "${member.name}"`;
  const { offset, compressedSize } = member;
  if (member.flags & 1) refuse(where, 'is encrypted; save it without a password');
  const header = offset + 30 > zip.size ? undefined : stretch(zip, offset, 30).view;
  if (header?.getUint32(0, true) !== localSignature) {
    refuse(where, `damaged: its header is not at byte ${offset}`);
  }
  const start = offset + 30 + header.getUint16(26, true) + header.getUint16(28, true);
  if (start + compressedSize > zip.size) {
    refuse(
      where,
      `truncated: lies at bytes ${start} to ${start + compressedSize}, but the file has ${zip.size}`,
    );
  }
  return { where, start };
}

function inflated(compressed: Uint8Array, size: number, where: string): Uint8Array {
  try {
    return inflateRawSync(compressed, { maxOutputLength: Math.max(size, 1) });
  } catch {
    refuse(where, `damaged: its bytes cannot be decompressed to the ${size} that it declares`);
  }
}

function number64({ view }: Stretch, at: number): number {
  const number = Number(view.getBigUint64(at, true));
  return number <= Number.MAX_SAFE_INTEGER ? number : Infinity;
}

function damaged({ name }: Source, what: string): never {
  refuse(name, `truncated or damaged: ${what}`);
}
