/** The files that the picture of a model is drawn with: fonts of our package, and the renderer of another. */

import fs from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { OverviewAssets } from './5-emit/overview.ts';

export function readOverviewAssets(): OverviewAssets {
  const wasm = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
  return {
    wasm: new Uint8Array(fs.readFileSync(wasm)),
    regular: readFont('DejaVuSans.ttf'),
    bold: readFont('DejaVuSans-Bold.ttf'),
  };
}

/** `assets/` is beside `dist/` when installed, and above `build/src/` in tests. */
function readFont(name: string): Uint8Array {
  for (const folder of ['../assets/fonts/', '../../assets/fonts/']) {
    const place = fileURLToPath(new URL(folder + name, import.meta.url));
    if (fs.existsSync(place)) return new Uint8Array(fs.readFileSync(place));
  }
  throw new Error(
    `the package of tf2rust is not complete: assets/fonts/${name} is missing; install it again`,
  );
}
