/** The files that the picture of a model is drawn with: fonts of our package, and the renderer of another. */

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { OverviewAssets } from '../5-emit/description/overview.ts';
import { packageFolder } from './package-files.ts';

export function readOverviewAssets(): OverviewAssets {
  const wasm = createRequire(import.meta.url).resolve('@resvg/resvg-wasm/index_bg.wasm');
  return {
    wasm: new Uint8Array(fs.readFileSync(wasm)),
    regular: readFont('DejaVuSans.ttf'),
    bold: readFont('DejaVuSans-Bold.ttf'),
  };
}

function readFont(name: string): Uint8Array {
  return new Uint8Array(fs.readFileSync(path.join(packageFolder(), 'assets', 'fonts', name)));
}
