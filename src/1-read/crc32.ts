/** The checksums of zip files (CRC-32) and of TensorFlow's checkpoints (CRC-32C, which is Castagnoli's polynomial). */

import zlib from 'node:zlib';

/** Node's own is quicker, and there from 20.15 on. */
const quickCrc32: typeof zlib.crc32 | undefined = zlib.crc32;

/** Of these bytes, or of bytes with the checksum `before` and these behind them. */
export function crc32(bytes: Uint8Array, before = 0): number {
  // Node's own forgets what came before if some arrays have no bytes.
  if (bytes.length === 0) return before;
  return quickCrc32 ? quickCrc32(bytes, before) : checksum(zipTables, bytes, before);
}

export function crc32c(bytes: Uint8Array): number {
  return checksum(castagnoliTables, bytes, 0);
}

/** LevelDB stores checksums in this form, so that a checksum over data that hold checksums stays a good one. */
export function masked(crc: number): number {
  return (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0;
}

const zipTables = tablesOf(0xedb88320);
const castagnoliTables = tablesOf(0x82f63b78);

/** Table k, entry b: what the byte b does to the checksum when k more bytes follow it. Eight tables of 256 in a row. */
function tablesOf(polynomial: number): Int32Array {
  const tables = new Int32Array(8 * 256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ polynomial : crc >>> 1;
    tables[byte] = crc;
  }
  for (let i = 256; i < tables.length; i++) {
    const crc = tables[i - 256]!;
    tables[i] = (crc >>> 8) ^ tables[crc & 255]!;
  }
  return tables;
}

/** Eight bytes at a time (Kounavis and Berry, "A systematic approach to building high performance CRC"). */
function checksum(tables: Int32Array, bytes: Uint8Array, before: number): number {
  const inEights = bytes.length - (bytes.length % 8);
  let crc = before ^ -1;
  let i = 0;
  for (; i < inEights; i += 8) {
    crc ^= bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
    crc =
      tables[1792 + (crc & 255)]! ^
      tables[1536 + ((crc >>> 8) & 255)]! ^
      tables[1280 + ((crc >>> 16) & 255)]! ^
      tables[1024 + (crc >>> 24)]! ^
      tables[768 + bytes[i + 4]!]! ^
      tables[512 + bytes[i + 5]!]! ^
      tables[256 + bytes[i + 6]!]! ^
      tables[bytes[i + 7]!]!;
  }
  for (; i < bytes.length; i++) crc = (crc >>> 8) ^ tables[(crc ^ bytes[i]!) & 255]!;
  return (crc ^ -1) >>> 0;
}
