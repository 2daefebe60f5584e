/** PNG files (https://www.w3.org/TR/png-3), of rows that come a few at a time. */

import { crc32 } from '../../1-read/crc32.ts';
import { joined } from '../../1-read/pieces.ts';
import { makeDeflater } from './deflate.ts';

/** The picture of these rows: a zero, then red, green and blue of each pixel. */
export function png(width: number, height: number, rows: Iterable<Uint8Array>): Uint8Array {
  const deflater = makeDeflater();
  let checksum = 1;
  for (const bytes of rows) {
    deflater.write(bytes);
    checksum = adler32(bytes, checksum);
  }
  const eightBitsOfThreeColours = [8, 2, 0, 0, 0];
  return joined([
    Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a),
    chunk('IHDR', [bigEndian(width), bigEndian(height), Uint8Array.from(eightBitsOfThreeColours)]),
    // The two bytes say "deflate, with a window of 32 KiB" (RFC 1950).
    chunk('IDAT', [Uint8Array.of(0x78, 0x01), deflater.end(), bigEndian(checksum)]),
    chunk('IEND', []),
  ]);
}

function chunk(name: string, content: readonly Uint8Array[]): Uint8Array {
  const named = joined([Buffer.from(name), ...content]);
  return joined([bigEndian(named.length - 4), named, bigEndian(crc32(named))]);
}

function bigEndian(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value);
  return bytes;
}

/** As many bytes can be added up before the sums have to be reduced (RFC 1950, section 9). */
const AT_ONCE = 5552;

function adler32(bytes: Uint8Array, before: number): number {
  let [a, b] = [before & 0xffff, before >>> 16];
  for (let start = 0; start < bytes.length; start += AT_ONCE) {
    const end = Math.min(start + AT_ONCE, bytes.length);
    for (let i = start; i < end; i++) {
      a += bytes[i]!;
      b += a;
    }
    a %= 65521;
    b %= 65521;
  }
  return ((b << 16) | a) >>> 0;
}
