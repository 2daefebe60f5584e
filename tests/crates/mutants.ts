/** Crates that are a little wrong: their tests have to fail, or they test nothing. */

import { readZip } from '../../src/1-read/zip.ts';
import { zipOf } from './npz-writers.ts';
import type { GeneratedCrate } from './shards.ts';

const WEIGHTS = 'model/model_weights.npz';
const SAMPLES = 'testdata/features.npz';

/**
 * A mutant for every tensor of weights, scaled by 1.01; without weights one whose samples are not in their order.
 * Zeros stay zeros, such as the bias of a layer without one.
 */
export function mutantsOf(crate: GeneratedCrate): readonly GeneratedCrate[] {
  const weights = crate.files.get(WEIGHTS);
  if (!weights)
    return [mutant(crate, `${crate.name}_shifted`, SAMPLES, withArray(crate, SAMPLES, 0, shifted))];
  return arraysOf(weights)
    .filter(
      ([, npy]) =>
        /'descr': '<f[48]'/.test(headerOf(npy)) && !scaled(npy).every((byte, i) => byte === npy[i]),
    )
    .map(([name], i) =>
      mutant(crate, `${crate.name}_scaled_${i}`, WEIGHTS, withArray(crate, WEIGHTS, name, scaled)),
    );
}

/** The crate under another name, with one file changed. */
function mutant(
  { name: original, files }: GeneratedCrate,
  name: string,
  changed: string,
  bytes: Uint8Array,
): GeneratedCrate {
  const renamed = new Map(files);
  const text = { from: new TextDecoder(), to: new TextEncoder() };
  for (const [file, content] of files) {
    if (file.endsWith('.rs')) {
      renamed.set(
        file,
        text.to.encode(text.from.decode(content).replaceAll(`${original}.bin`, `${name}.bin`)),
      );
    }
  }
  return { name, files: renamed.set(changed, bytes) };
}

function arraysOf(npz: Uint8Array): readonly (readonly [string, Uint8Array])[] {
  return [...readZip(npz, 'npz')].map(([name, member]) => [name, member.read()]);
}

/** The npz file with one array changed, that of the name or number. */
function withArray(
  { files }: GeneratedCrate,
  file: string,
  which: string | number,
  change: (npy: Uint8Array) => Uint8Array,
): Uint8Array {
  const arrays = arraysOf(files.get(file)!);
  return zipOf(
    arrays.map(([name, npy], i) => ({ name, bytes: which === name || which === i ? change(npy) : npy })),
  );
}

function headerOf(npy: Uint8Array): string {
  return Buffer.from(npy.subarray(0, startOf(npy))).toString('latin1');
}

/** Where the numbers of a .npy file of version 1 start. */
function startOf(npy: Uint8Array): number {
  return 10 + npy[8]! + 256 * npy[9]!;
}

function scaled(npy: Uint8Array): Uint8Array {
  const bytes = npy.slice();
  const view = new DataView(bytes.buffer);
  const isDouble = headerOf(npy).includes("'<f8'");
  for (let at = startOf(npy); at < bytes.length; at += isDouble ? 8 : 4) {
    if (isDouble) view.setFloat64(at, view.getFloat64(at, true) * 1.01, true);
    else view.setFloat32(at, view.getFloat32(at, true) * 1.01, true);
  }
  return bytes;
}

/** Sample 1 first, then 2, …, and 0 at the end. */
function shifted(npy: Uint8Array): Uint8Array {
  const start = startOf(npy);
  const rows = Number(/'shape': \((\d+),/.exec(headerOf(npy))![1]);
  const row = (npy.length - start) / rows;
  const bytes = npy.slice();
  bytes.set(npy.subarray(start + row), start);
  bytes.set(npy.subarray(start, start + row), npy.length - row);
  return bytes;
}
