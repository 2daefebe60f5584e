/** The conformance suite: which cases there are, where they lie, and what belongs to a case in a format. */

import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { isObject, parseJson, valueAt } from '../../src/1-read/json.ts';
import { readNpz } from '../../src/1-read/npz.ts';
import { readZip } from '../../src/1-read/zip.ts';
import { zipOf } from '../crates/npz-writers.ts';
import { inRepository } from '../crates/places.ts';

export const suite = '../shared/conformance';

/** The forms of a case, by who saved them. */
export const formats = [
  'saved_model.k3export',
  'saved_model.k3save',
  'saved_model.k2',
  'model.k3.keras',
  'model.k3.h5',
  'model.k2.keras',
  'model.k2.h5',
] as const;
export type Format = (typeof formats)[number];

export interface Case {
  readonly name: string;
  readonly format: Format;
  /** The model's folder or file. */
  readonly model: string;
  readonly features: Uint8Array;
  /** For a case with open dimensions, by input. */
  readonly inputShapes: ReadonlyMap<string, readonly number[]>;
}

/** The cases of the first milestone, or all of them. */
export function caseNames(folder: string, which: 'issue1' | 'all'): readonly string[] {
  if (which === 'all') {
    const entries = fs.readdirSync(folder, { withFileTypes: true });
    return entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort();
  }
  return fs.readFileSync(inRepository(suite, 'issue1.txt'), 'utf8').trim().split('\n');
}

/** Those of the cases that TensorFlow could save in the format; of a few it left a file behind when it gave up. */
export function readCases(folder: string, names: readonly string[], format: Format): readonly Case[] {
  const unsaved = parseJson(fs.readFileSync(path.join(folder, `skipped.${kerasOf(format)}.json`)), 'skipped');
  if (!isObject(unsaved)) throw new Error('the list of cases that could not be saved is no object');
  return names
    .filter((name) => fs.existsSync(path.join(folder, name, format)))
    .filter((name) => valueAt(unsaved, `${name}/${format}`) === undefined)
    .map((name) => readCase(folder, name, format));
}

function kerasOf(format: Format): 'k2' | 'k3' {
  return format.includes('.k2') ? 'k2' : 'k3';
}

function readCase(folder: string, name: string, format: Format): Case {
  const file = path.join(folder, name, `features.${kerasOf(format)}.npz`);
  const bytes = new Uint8Array(fs.readFileSync(file));
  const features = withNamesOf(format, name, bytes, file);
  const inputs = [...readNpz(features, file)].filter(([array]) => !array.startsWith('predictions'));
  const inputShapes = new Map(inputs.map(([array, { shape }]) => [array, [1, ...shape.slice(1)]]));
  return {
    name,
    format,
    model: path.join(folder, name, format),
    features,
    inputShapes: /_dyn/.test(name) ? inputShapes : new Map(),
  };
}

/**
 * The samples under the names that the inputs have in the format: `tf.saved_model.save` calls them `inputs`,
 * `inputs_1`, … in the order of the arrays, and `export` those of a class of one's own, without InputLayers, `args_0`, ….
 */
function withNamesOf(format: Format, name: string, bytes: Uint8Array, file: string): Uint8Array {
  if (format === 'saved_model.k3save') {
    return renamed(bytes, file, (index) => (index === 0 ? 'inputs' : `inputs_${index}`));
  }
  const isClass = format === 'saved_model.k3export' && name === 'subclassed';
  return isClass ? renamed(bytes, file, (index) => `args_${index}`) : bytes;
}

function renamed(bytes: Uint8Array, file: string, nameOf: (index: number) => string): Uint8Array {
  let index = 0;
  const members = [...readZip(bytes, file)].map(([name, member]) => ({
    name: name.startsWith('predictions') ? name : `${nameOf(index++)}.npy`,
    bytes: member.read(),
  }));
  return zipOf(members);
}

/** Unpacks the suite under the system's temporary folder, unless it is there already. */
export function unpackSuite(): string {
  const archive = inRepository(suite, 'cases.tar.xz');
  const hash = createHash('sha256').update(fs.readFileSync(archive)).digest('hex').slice(0, 16);
  const folder = path.join(os.tmpdir(), `tf2rust-conformance-${hash}`);
  if (fs.existsSync(folder)) return folder;
  const unfinished = fs.mkdtempSync(`${folder}-`);
  execFileSync('tar', ['-xJf', archive, '-C', unfinished], { stdio: 'inherit' });
  fs.renameSync(unfinished, folder);
  return folder;
}
