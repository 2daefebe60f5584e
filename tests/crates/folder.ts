/** Folders of files on the disk, for the tests. */

import fs from 'node:fs';
import path from 'node:path';

/** Writes the files that differ from those there, so that cargo builds only those again. */
export function writeChanged(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  for (const [name, bytes] of files) {
    const place = path.join(folder, name);
    if (fs.existsSync(place) && fs.readFileSync(place).equals(bytes)) continue;
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.writeFileSync(place, bytes);
  }
}

/** Everything in a folder, by path in it. */
export function readFolder(folder: string): ReadonlyMap<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const entry of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const place = path.join(entry.parentPath, entry.name);
    files.set(path.relative(folder, place).replaceAll('\\', '/'), new Uint8Array(fs.readFileSync(place)));
  }
  return files;
}
