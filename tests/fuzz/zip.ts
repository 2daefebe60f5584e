/** Damage to zip files and to the arrays in them: to the fields of their records, and to their members. */

import { joined } from '../../src/1-read/pieces.ts';
import { writeZip } from '../../src/1-read/write-zip.ts';
import { readZip } from '../../src/1-read/zip.ts';
import { damaged, texts, withNumber } from './bytes.ts';
import type { Random } from './random.ts';

interface Member {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export function membersOf(zip: Uint8Array): readonly Member[] {
  return [...readZip(zip, 'seed')].map(([name, member]) => ({ name, bytes: member.read() }));
}

export function zipOf(members: readonly Member[]): Uint8Array {
  return joined(writeZip(members.map(({ name, bytes }) => ({ name, pieces: [bytes] }))));
}

export function damagedZip(zip: Uint8Array, random: Random): Uint8Array {
  switch (random.below(4)) {
    case 0:
      return damaged(zip, random);
    case 1:
      return zipOf(exchanged(membersOf(zip), random));
  }
  let bytes = zip;
  for (let changes = random.below(3); changes >= 0; changes--) bytes = damagedRecord(bytes, random);
  return bytes;
}

/** A field of a record of the directory, of a member's header, or of the end. */
function damagedRecord(zip: Uint8Array, random: Random): Uint8Array {
  const signature = random.pick(['PK\x01\x02', 'PK\x01\x02', 'PK\x03\x04', 'PK\x05\x06']);
  const records: number[] = [];
  const bytes = Buffer.from(zip);
  for (
    let at = bytes.indexOf(signature, 0, 'latin1');
    at >= 0;
    at = bytes.indexOf(signature, at + 1, 'latin1')
  ) {
    records.push(at);
  }
  const at = records.length === 0 ? 0 : random.pick(records) + 4 + 2 * random.below(21);
  return at < zip.length ? withNumber(zip, at, random) : zip;
}

/** Members that are renamed, left out, emptied, exchanged, or damaged, with checksums that are right. */
function exchanged(members: readonly Member[], random: Random): readonly Member[] {
  const changed = [...members];
  const at = random.below(changed.length);
  const { name, bytes } = changed[at]!;
  switch (random.below(5)) {
    case 0:
      changed.splice(at, 1);
      return changed;
    case 1:
      changed[at] = { name: random.pick(texts), bytes };
      return changed;
    case 2:
      changed[at] = { name, bytes: random.pick(members).bytes };
      return changed;
    case 3:
      changed.push({ name, bytes: new Uint8Array(0) });
      return changed;
  }
  changed[at] = { name, bytes: damaged(bytes, random) };
  return changed;
}

/** An .npz with a damaged array, or a damaged zip file around it. */
export function damagedNpz(npz: Uint8Array, random: Random): Uint8Array {
  if (random.once(4)) return damagedZip(npz, random);
  const members = [...membersOf(npz)];
  for (let changes = random.below(2); changes >= 0; changes--) {
    const at = random.below(members.length);
    const { name, bytes } = members[at]!;
    members[at] = { name, bytes: random.once(3) ? damaged(bytes, random) : withHeader(bytes, random) };
  }
  return zipOf(members);
}

/** An array whose header says something else, and is as long as it says, or isn't. */
function withHeader(npy: Uint8Array, random: Random): Uint8Array {
  const end = 10 + npy[8]! + 256 * npy[9]!;
  let header = Buffer.from(npy.subarray(10, end)).toString('latin1');
  switch (random.below(5)) {
    case 0:
      header = header.replace(/'[<>|=][a-zA-Z]\d+'/, `'${random.pick(descrs)}'`);
      break;
    case 1:
      header = header.replace(/False|True/, random.pick(['True', 'None', '1', "'F'", '[]']));
      break;
    case 2:
      header = header.replace(/\([\d, ]*\)/, random.pick(shapes));
      break;
    case 3:
      header = header.replace(/\d+/, `${random.pick([0, 1, 2, 7, 2 ** 31, 2 ** 53, 10 ** 20])}`);
      break;
    case 4:
      header = Buffer.from(damaged(Buffer.from(header, 'latin1'), random)).toString('latin1');
  }
  const bytes = Buffer.from(header, 'latin1');
  const length = random.once(6) ? random.below(2 ** 16) : bytes.length;
  const start = Buffer.from(npy.subarray(0, 10));
  start.writeUInt16LE(length & 0xffff, 8);
  return new Uint8Array(Buffer.concat([start, bytes, npy.subarray(end)]));
}

const descrs = [
  '<f2',
  '<f4',
  '<f8',
  '>f4',
  '|u1',
  '|b1',
  '<i8',
  '<u8',
  '<c8',
  '|S3',
  '<U2',
  '|S0',
  '|O',
  '<f16',
  '|V4',
  '<M8[ns]',
  '<f4294967296',
];
const shapes = [
  '()',
  '(0,)',
  '(1,)',
  '(7, 0)',
  '(-1,)',
  '(3, 3, 3)',
  `(${'1, '.repeat(80)})`,
  '(2, 4611686018427387904)',
  '(0, 9007199254740993)',
  '((1,),)',
];
