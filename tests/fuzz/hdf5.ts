/** Damage to HDF5 files: to the structures that a reader comes by, whose checksums are made right again. */

import { bytesSource } from '../../src/1-read/files.ts';
import { lookup3 } from '../../src/1-read/hdf5/checksums.ts';
import { type Group, openHdf5 } from '../../src/1-read/hdf5/index.ts';
import { damaged, withNumber } from './bytes.ts';
import type { Random } from './random.ts';

/** A stretch of a file that is read at once. */
export interface Stretch {
  readonly start: number;
  readonly length: number;
}

/** The structures of a good file: what is read of it until all attributes are, and no dataset. */
export function structuresOf(file: Uint8Array): readonly Stretch[] {
  const found = new Map<string, Stretch>();
  const source = bytesSource(file, 'seed.h5');
  const root = openHdf5({
    ...source,
    read(start, length) {
      found.set(`${start} ${length}`, { start, length });
      return source.read(start, length);
    },
  });
  visit(root);
  return [...found.values()].filter(({ length }) => length > 0);
}

function visit(group: Group): void {
  for (const name of group.attributes) group.attribute(name);
  for (const name of group.children) {
    const child = group.child(name);
    if (child?.kind === 'group') visit(child);
    else for (const attribute of child?.attributes ?? []) child?.attribute(attribute);
  }
}

export function damagedHdf5(file: Uint8Array, structures: readonly Stretch[], random: Random): Uint8Array {
  if (random.once(12)) return damaged(file, random);
  const copy = file.slice();
  for (let changes = random.below(3); changes >= 0; changes--) {
    const { start, length } = random.pick(structures);
    const bytes = file.subarray(start, start + length);
    const changed = changedStructure(file, bytes, random.pick(structures), random);
    copy.set(changed, start);
    if (isSealed(bytes)) seal(copy.subarray(start, start + length));
  }
  return copy;
}

/** The structure with another number or address in it, with damage, or with the beginning of another structure. */
function changedStructure(file: Uint8Array, bytes: Uint8Array, other: Stretch, random: Random): Uint8Array {
  switch (random.below(5)) {
    case 0:
    case 1:
      return withNumber(bytes, random.below(bytes.length), random);
    case 2: {
      const copy = Buffer.from(bytes);
      const at = 8 * random.below(Math.floor(bytes.length / 8)) + random.pick([0, 0, 4]);
      if (at + 8 <= copy.length) copy.writeBigUInt64LE(BigInt(other.start), at);
      return copy;
    }
    case 3: {
      const copy = bytes.slice();
      copy.set(file.subarray(other.start, other.start + Math.min(other.length, bytes.length)));
      return copy;
    }
  }
  const shorter = damaged(bytes, random);
  return shorter.subarray(0, bytes.length);
}

/** Whether the last four bytes are the checksum of the others. */
function isSealed(bytes: Uint8Array): boolean {
  return bytes.length > 8 && lookup3(bytes.subarray(0, -4)) === view(bytes).getUint32(bytes.length - 4, true);
}

function seal(bytes: Uint8Array): void {
  view(bytes).setUint32(bytes.length - 4, lookup3(bytes.subarray(0, -4)), true);
}

function view(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
