/** The fonts that the picture of a model is drawn with. */

import fs from 'node:fs';
import path from 'node:path';
import type { OverviewAssets } from '../5-emit/description/overview.ts';
import { packageFolder } from './package-files.ts';

export function readOverviewAssets(): OverviewAssets {
  return {
    regular: readFont('DejaVuSans.ttf'),
    bold: readFont('DejaVuSans-Bold.ttf'),
  };
}

function readFont(name: string): Uint8Array {
  return new Uint8Array(fs.readFileSync(path.join(packageFolder(), 'assets', 'fonts', name)));
}
