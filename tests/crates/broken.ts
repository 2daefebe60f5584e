/** `fixtures/broken`: what tf2rust has to refuse, and the words for it. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { type Ran, tf2rust } from './command.ts';
import { inRepository } from './places.ts';

export interface BrokenCase {
  readonly name: string;
  readonly folder: string;
  /** `error.txt`: what has to be said. */
  readonly expected: string;
}

export function brokenCases(): readonly BrokenCase[] {
  const root = inRepository('fixtures', 'broken');
  return fs
    .readdirSync(root)
    .map((name) => ({ name, folder: path.join(root, name), expected: path.join(root, name, 'error.txt') }))
    .filter(({ folder }) => fs.existsSync(path.join(folder, 'case.json')));
}

/** Runs tf2rust on the case, in its folder, and says whether anything was written. */
export function refuseCase({ folder }: BrokenCase): Ran & { readonly written: readonly string[] } {
  const { model, flags }: CaseFile = JSON.parse(fs.readFileSync(path.join(folder, 'case.json'), 'utf8'));
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'tf2rust-broken-'));
  try {
    const mandatory = { path_to_tf_model: model, path_to_save: path.join(place, 'out'), model_name: 'Test' };
    const args = Object.entries({ ...mandatory, ...flags }).flatMap(([name, value]) => [`--${name}`, value]);
    return { ...tf2rust(folder, args), written: fs.readdirSync(place) };
  } finally {
    fs.rmSync(place, { recursive: true });
  }
}

interface CaseFile {
  readonly model: string;
  readonly flags: Readonly<Record<string, string>>;
}
