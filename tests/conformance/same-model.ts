/** How many cases come to the same `src/model.rs`, whichever way their model was saved. */

import type { GeneratedCrate } from '../crates/shards.ts';
import type { Case, Format } from './cases.ts';

/** Ways to save one and the same model. `tf.saved_model.save` forgets the names of the inputs, so that it can be in none. */
const ways: readonly (readonly Format[])[] = [
  ['model.k3.keras', 'model.k3.h5', 'saved_model.k3export'],
  ['model.k2.keras', 'model.k2.h5', 'saved_model.k2'],
];

/** The crates by their cases, all of them converted under the name of the case. */
export type Crates = ReadonlyMap<Case, GeneratedCrate>;

/** A line for each of the ways, and the names of the cases whose models differ. */
export function printSameModels(crates: Crates): string {
  return ways
    .map((formats) => {
      const texts = textsOf(crates, formats);
      const several = [...texts].filter(([, models]) => models.length > 1);
      const differing = several.filter(([, models]) => new Set(models).size > 1).map(([name]) => name);
      const same = several.length - differing.length;
      const share = several.length === 0 ? '' : ` (${((100 * same) / several.length).toFixed(1)} %)`;
      const others = differing.length === 0 ? '' : `; not ${differing.join(', ')}`;
      return `${formats.join(', ')}: the same src/model.rs for ${same} of ${several.length} cases${share}${others}`;
    })
    .join('\n');
}

/** `src/model.rs` in each of the formats, by the names of the cases. */
function textsOf(crates: Crates, formats: readonly Format[]): ReadonlyMap<string, readonly string[]> {
  const texts = new Map<string, string[]>();
  for (const [{ name, format }, { files }] of crates) {
    const model = files.get('src/model.rs');
    if (!formats.includes(format) || !model) continue;
    texts.set(name, [...(texts.get(name) ?? []), new TextDecoder().decode(model)]);
  }
  return texts;
}
