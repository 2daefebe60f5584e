/** The formats that can be fuzzed: which models are damaged, in which of their files, and how. */

import fs from 'node:fs';
import path from 'node:path';
import { inRepository } from '../crates/places.ts';
import { damagedIndex } from './bundle.ts';
import { damaged } from './bytes.ts';
import { damagedHdf5, type Stretch, structuresOf } from './hdf5.ts';
import { damagedJson } from './json.ts';
import { damagedProtobuf } from './protobuf.ts';
import type { Random } from './random.ts';
import { damagedNpz, damagedZip, membersOf, zipOf } from './zip.ts';

export const formats = ['protobuf', 'bundle', 'hdf5', 'zip', 'npz', 'json'] as const;
export type Format = (typeof formats)[number];

/** A good model: its files by their paths, below the folder of a case, and what is given to `--path_to_tf_model`. */
export interface Seed {
  readonly name: string;
  readonly model: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

/** The samples of a case, for `--path_to_fv`. */
export const FEATURES = 'features.npz';

/** The models that are damaged: of the fixtures, and of `folder`, which has a folder for each model. */
export function seedsOf(format: Format, folder: string): readonly Seed[] {
  const folders = [inRepository('fixtures', 'models'), ...(folder === '' ? [] : [folder])];
  return folders
    .flatMap((root) => fs.readdirSync(root).map((name) => path.join(root, name)))
    .flatMap((model) => seedsIn(format, model))
    .filter(({ files }) => [...files.values()].reduce((sum, { length }) => sum + length, 0) < mostBytes);
}

/** Larger models take too long to write for each case. */
const mostBytes = 2 ** 20;

function seedsIn(format: Format, folder: string): readonly Seed[] {
  if (!fs.statSync(folder).isDirectory()) return [];
  const entries = fs.readdirSync(folder).filter((entry) => entriesOf[format].test(entry));
  const features = format === 'npz' && fs.existsSync(path.join(folder, FEATURES)) ? [FEATURES] : [];
  if (format === 'npz' && features.length === 0) return [];
  return entries.map((entry) => {
    const files = [...filesBelow(folder, entry), ...features];
    return {
      name: `${path.basename(folder)}/${entry}`,
      model: entry,
      files: new Map(files.map((file) => [file, new Uint8Array(fs.readFileSync(path.join(folder, file)))])),
    };
  });
}

const entriesOf: { readonly [F in Format]: RegExp } = {
  protobuf: /^saved_model/,
  bundle: /^saved_model/,
  hdf5: /\.(h5|keras)$/,
  zip: /\.keras$/,
  npz: /^saved_model/,
  json: /\.keras$/,
};

function filesBelow(folder: string, entry: string): readonly string[] {
  const place = path.join(folder, entry);
  if (!fs.statSync(place).isDirectory()) return [entry];
  return fs.readdirSync(place).flatMap((name) => filesBelow(folder, path.join(entry, name)));
}

/** The files of the seed with one of them damaged. */
export function damagedSeed(format: Format, seed: Seed, random: Random): ReadonlyMap<string, Uint8Array> {
  const [name, bytes] = random.pick([...seed.files].filter(([file]) => files[format].test(file)));
  return new Map([...seed.files, [name, damagedFile(format, name, bytes, random)]]);
}

const files: { readonly [F in Format]: RegExp } = {
  protobuf: /\.pb$/,
  bundle: /variables\./,
  hdf5: /\.(h5|keras)$/,
  zip: /\.keras$/,
  npz: /\.npz$/,
  json: /\.keras$/,
};

function damagedFile(format: Format, name: string, bytes: Uint8Array, random: Random): Uint8Array {
  switch (format) {
    case 'protobuf':
      return damagedProtobuf(bytes, random);
    case 'bundle':
      return name.endsWith('.index') ? damagedIndex(bytes, random) : damaged(bytes, random);
    case 'hdf5':
      if (!name.endsWith('.keras')) return damagedHdf5(bytes, structures(bytes), random);
      return withMember(bytes, /\.h5$/, (weights) => damagedHdf5(weights, structuresOf(weights), random));
    case 'zip':
      return damagedZip(bytes, random);
    case 'npz':
      return damagedNpz(bytes, random);
    case 'json':
      return withMember(bytes, /^config\.json$/, (config) => damagedJson(config, random));
  }
}

/** The zip file with another content of the members of that name. */
function withMember(zip: Uint8Array, name: RegExp, change: (bytes: Uint8Array) => Uint8Array): Uint8Array {
  return zipOf(
    membersOf(zip).map((member) =>
      name.test(member.name) ? { name: member.name, bytes: change(member.bytes) } : member,
    ),
  );
}

/** Those of a seed are found once. */
const known = new WeakMap<Uint8Array, readonly Stretch[]>();

function structures(file: Uint8Array): readonly Stretch[] {
  const found = known.get(file) ?? structuresOf(file);
  known.set(file, found);
  return found;
}
