/** Where the tests find what they need, and what they say if it is not there. */

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder of the repository: above `build/tests/crates/`. */
export const repository = fileURLToPath(new URL('../../..', import.meta.url)).replace(/[/\\]$/, '');

/** Where generated crates are built; kept, so that the next run builds only what changed. */
export function buildFolder(name: string): string {
  return path.join(repository, 'build', 'crates', name);
}

/** Where cargo puts what it builds of them: the dependencies are built once for all. */
export const targetFolder = buildFolder('target');

export function inRepository(...parts: readonly string[]): string {
  return path.join(repository, ...parts);
}

/** The options of a test that needs files: skips it, and says which, if one is not there. */
export function needs(...places: readonly string[]): { readonly skip: string | false } {
  const missing = places.find((place) => !fs.existsSync(inRepository(place)));
  return { skip: missing === undefined ? false : `${missing} is not there` };
}
