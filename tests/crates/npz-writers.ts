/** Writes .npz files: as numpy can and we never do, compressed and in Fortran's order; and in one piece. */

import zlib from 'node:zlib';
import { crc32 } from '../../src/1-read/crc32.ts';
import { joined } from '../../src/1-read/pieces.ts';
import { writeZip } from '../../src/1-read/write-zip.ts';

/** A .npy file of floats with the first index fastest; `data` is in row-major order. */
export function fortranNpy(shape: readonly number[], data: Float32Array): Uint8Array {
  const header = `{'descr': '<f4', 'fortran_order': True, 'shape': (${shape.join(', ')}${shape.length === 1 ? ',' : ''}), }`;
  const padded = `${header}${' '.repeat(63 - ((10 + header.length) % 64))}\n`;
  const file = Buffer.alloc(10 + padded.length + 4 * data.length);
  file.write('\x93NUMPY\x01\x00', 'latin1');
  file.writeUInt16LE(padded.length, 8);
  file.write(padded, 10, 'latin1');
  const start = 10 + padded.length;
  for (let i = 0; i < data.length; i++) file.writeFloatLE(data[rowMajorIndex(i, shape)]!, start + 4 * i);
  return new Uint8Array(file);
}

/** Where number `i` in Fortran's order stands in row-major order. */
function rowMajorIndex(i: number, shape: readonly number[]): number {
  let [rest, index] = [i, 0];
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, length) => product * length, 1),
  );
  for (const [axis, length] of shape.entries()) {
    index += (rest % length) * strides[axis]!;
    rest = Math.floor(rest / length);
  }
  return index;
}

/** A zip file of deflated members, as `savez_compressed` writes it. */
export function compressedZip(
  members: readonly { readonly name: string; readonly bytes: Uint8Array }[],
): Uint8Array {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, bytes } of members) {
    const content = zlib.deflateRawSync(bytes);
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(8, 4);
    fields.writeUInt32LE(crc32(bytes) >>> 0, 10);
    fields.writeUInt32LE(content.length, 14);
    fields.writeUInt32LE(bytes.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04', 'latin1'), fields, Buffer.from(name), content]);
    const rest = Buffer.alloc(14);
    rest.writeUInt32LE(offset, 10);
    const version = Buffer.from([20, 0]);
    directory.push(
      Buffer.concat([Buffer.from('PK\x01\x02', 'latin1'), version, fields, rest, Buffer.from(name)]),
    );
    locals.push(local);
    offset += local.length;
  }
  const end = Buffer.alloc(18);
  const size = directory.reduce((sum, { length }) => sum + length, 0);
  end.writeUInt16LE(members.length, 4);
  end.writeUInt16LE(members.length, 6);
  end.writeUInt32LE(size, 8);
  end.writeUInt32LE(offset, 12);
  return new Uint8Array(Buffer.concat([...locals, ...directory, Buffer.from('PK\x05\x06', 'latin1'), end]));
}

/** A zip file of members that are not compressed. */
export function zipOf(members: readonly { readonly name: string; readonly bytes: Uint8Array }[]): Uint8Array {
  return joined(writeZip(members.map(({ name, bytes }) => ({ name, pieces: [bytes] }))));
}
