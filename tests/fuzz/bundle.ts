/** Damage to the index of a checkpoint: its entries are damaged, and the table is written again with good checksums. */

import { crc32c, masked } from '../../src/1-read/crc32.ts';
import { readTable } from '../../src/1-read/level-table.ts';
import { joined } from '../../src/1-read/pieces.ts';
import { damaged } from './bytes.ts';
import { damagedProtobuf, varintBytes } from './protobuf.ts';
import type { Random } from './random.ts';

export function damagedIndex(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.once(6)) return damaged(bytes, random);
  const entries = [...readTable(bytes, 'index')];
  for (let changes = random.below(3); changes >= 0; changes--) {
    const at = random.below(entries.length);
    const [key, value] = entries[at]!;
    switch (random.below(6)) {
      case 0:
        entries.splice(at, 1);
        break;
      case 1:
        entries[at] = [key, random.pick(entries)[1]];
        break;
      case 2:
        entries[at] = [Buffer.from(damaged(Buffer.from(key, 'latin1'), random)).toString('latin1'), value];
        break;
      default:
        entries[at] = [key, damagedProtobuf(value, random)];
    }
    if (entries.length === 0) break;
  }
  const block = blockOf(entries);
  return tableOf(random.once(4) ? damaged(block, random) : block);
}

/** A block of entries that share nothing. */
function blockOf(entries: readonly (readonly [key: string, value: Uint8Array])[]): Uint8Array {
  const parts = entries.flatMap(([key, value]) => [
    varintBytes(0n),
    varintBytes(BigInt(key.length)),
    varintBytes(BigInt(value.length)),
    Buffer.from(key, 'latin1'),
    value,
  ]);
  return joined([...parts, Uint8Array.of(0, 0, 0, 0, 1, 0, 0, 0)]);
}

/** A table of one block of entries: that, the block of its metadata, the block that lists it, and the footer. */
function tableOf(entries: Uint8Array): Uint8Array {
  const sealed = (block: Uint8Array) => {
    const content = joined([block, Uint8Array.of(0)]);
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32LE(masked(crc32c(content)));
    return joined([content, checksum]);
  };
  const handle = (at: number, block: Uint8Array) =>
    joined([varintBytes(BigInt(at)), varintBytes(BigInt(block.length))]);
  const nothing = blockOf([]);
  const list = blockOf([['\xff', handle(0, entries)]]);
  const nothingAt = entries.length + 5;
  const listAt = nothingAt + nothing.length + 5;
  const handles = joined([handle(nothingAt, nothing), handle(listAt, list)]);
  const magic = Buffer.from('57fb808b247547db', 'hex');
  return joined([
    sealed(entries),
    sealed(nothing),
    sealed(list),
    handles,
    new Uint8Array(40 - handles.length),
    magic,
  ]);
}
