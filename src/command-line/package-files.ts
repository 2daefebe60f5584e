/** What tf2rust brings along in its own package: its version, and the source of tf-layers. */

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

/** The folder with our package.json: above `dist/` when installed, above `build/src/` in tests. */
export function packageFolder(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(folder, 'package.json'))) {
    const above = path.dirname(folder);
    if (above === folder) throw new Error('the package of tf2rust is not complete: install it again');
    folder = above;
  }
  return folder;
}

export function packageVersion(): string {
  const { version }: { version?: unknown } = Object(
    JSON.parse(fs.readFileSync(path.join(packageFolder(), 'package.json'), 'utf8')),
  );
  return String(version);
}

/** Cargo.toml and src/ of tf-layers, and the licences under which it may be copied, by their path in its folder. */
export function tfLayersSource(): ReadonlyMap<string, Uint8Array> {
  const folder = path.join(packageFolder(), 'crates', 'tf-layers');
  const files = new Map<string, Uint8Array>();
  const add = (name: string) => {
    const place = path.join(folder, name);
    if (!fs.statSync(place).isDirectory()) files.set(name, new Uint8Array(fs.readFileSync(place)));
    else for (const inside of fs.readdirSync(place).sort()) add(`${name}/${inside}`);
  };
  add('Cargo.toml');
  add('src');
  for (const licence of ['LICENSE-MIT', 'LICENSE-APACHE']) {
    files.set(licence, new Uint8Array(fs.readFileSync(path.join(packageFolder(), licence))));
  }
  return files;
}
