/** Damage to JSON: values are exchanged, left out, repeated, and replaced by what nobody expects. */

import { damaged, texts } from './bytes.ts';
import type { Random } from './random.ts';

type Json = null | boolean | number | string | Json[] | { [key: string]: Json };

export function damagedJson(bytes: Uint8Array, random: Random): Uint8Array {
  if (random.once(15)) return damaged(bytes, random);
  const root: Json = JSON.parse(Buffer.from(bytes).toString());
  for (let changes = random.below(3); changes >= 0; changes--) change(root, random);
  const text = JSON.stringify(root);
  const depth = random.pick([10, 300, 20_000]);
  const nested = '['.repeat(depth) + ']'.repeat(depth);
  return new Uint8Array(Buffer.from(random.once(40) ? text.replace(/null|true|\d+/, nested) : text));
}

/** A place of a value: in a list, or in an object. */
type Place =
  | { readonly kind: 'item'; readonly holder: Json[]; readonly key: number }
  | { readonly kind: 'entry'; readonly holder: { [key: string]: Json }; readonly key: string };

function change(root: Json, random: Random): void {
  const places = [...placesOf(root)];
  if (places.length === 0) return;
  const place = random.pick(places);
  switch (random.below(6)) {
    case 0:
      if (place.kind === 'item') place.holder.splice(place.key, 1);
      else delete place.holder[place.key];
      return;
    case 1:
      if (place.kind === 'item') place.holder.splice(place.key, 0, structuredClone(valueAt(place)));
      else place.holder[random.pick(texts)] = structuredClone(valueAt(place));
      return;
    case 2:
    case 3: {
      const alike = places.filter(({ key }) => key === place.key);
      put(place, structuredClone(valueAt(random.pick(alike))));
      return;
    }
    case 4:
      put(place, structuredClone(valueAt(random.pick(places))));
      return;
  }
  put(place, structuredClone(random.pick(strangers)));
}

const strangers: readonly Json[] = [
  null,
  true,
  false,
  0,
  -1,
  1,
  2,
  3,
  0.5,
  1e9,
  2 ** 31,
  2 ** 53,
  1e308,
  -1e-300,
  [],
  {},
  [[]],
  [1, 1],
  [0, 0],
  [-1, 2 ** 40],
  'relu',
  'float16',
  'int64',
  'valid',
  'Dense',
  'Lambda',
  { class_name: 'Dense', config: {} },
  { class_name: '__tuple__', items: [1, 2] },
  ...texts,
];

function valueAt(place: Place): Json {
  return place.kind === 'item' ? place.holder[place.key]! : place.holder[place.key]!;
}

function put(place: Place, value: Json): void {
  if (place.kind === 'item') place.holder[place.key] = value;
  else place.holder[place.key] = value;
}

function* placesOf(value: Json): Generator<Place, void> {
  const pending = [value];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (next === null || typeof next !== 'object') continue;
    if (Array.isArray(next)) {
      for (const [key, item] of next.entries()) {
        yield { kind: 'item', holder: next, key };
        pending.push(item);
      }
    } else {
      for (const [key, item] of Object.entries(next)) {
        yield { kind: 'entry', holder: next, key };
        pending.push(item);
      }
    }
  }
}
