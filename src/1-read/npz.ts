/** numpy's .npz files: zip files of .npy files, one for each array. */

import { refuse } from '../errors.ts';
import type { AnyTensor } from './element-types.ts';
import { type NpyArray, readNpy, writeNpy } from './npy.ts';
import type { Pieces } from './pieces.ts';
import { writeZip } from './write-zip.ts';
import { readZip } from './zip.ts';

/** The arrays by name, in the order of the file; `file` names it in errors. From `savez` and `savez_compressed`. */
export function readNpz(bytes: Uint8Array, file: string): ReadonlyMap<string, NpyArray> {
  const arrays = new Map<string, NpyArray>();
  let size = 0;
  for (const [name, member] of readZip(bytes, file)) {
    if (!name.endsWith('.npy')) continue;
    size += member.size;
    if (size > Math.max(MOST_BYTES, bytes.length)) {
      refuse(
        file,
        `its arrays take more than ${MOST_BYTES} bytes once they are decompressed; leave out samples`,
      );
    }
    const array = name.slice(0, -'.npy'.length);
    arrays.set(array, readNpy(member.read(), `${file}, array "${array}"`));
  }
  return arrays;
}

/** What a small file may decompress to: a thousandth of it can stand for it. */
const MOST_BYTES = 2 ** 29;

/** An .npz file that is the same, byte for byte, for the same arrays; its numbers start at multiples of 64 bytes. */
export function writeNpz(arrays: readonly { readonly name: string; readonly tensor: AnyTensor }[]): Pieces {
  return writeZip(arrays.map(({ name, tensor }) => ({ name: `${name}.npy`, pieces: writeNpy(tensor) })));
}
