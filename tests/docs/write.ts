/** `npm run docs`: writes the parts of the documents that the code writes. */

import fs from 'node:fs';
import { inRepository } from '../crates/places.ts';
import { documents, refreshed, writtenBlocks } from './blocks.ts';

const blocks = await writtenBlocks();
for (const document of documents) {
  const place = inRepository(document);
  const before = fs.readFileSync(place, 'utf8');
  const after = refreshed(before, blocks);
  if (after === before) continue;
  fs.writeFileSync(place, after);
  console.log(`${document}: written`);
}
