/**
 * The order of a model's outputs. TensorFlow sorts the outputs of a signature by their names, so that `output_10` comes
 * before `output_2`, and Keras 2's are in the order of their layers' names; what Keras 2 writes beside the graph has
 * the order of `model.outputs`.
 */

import type { Files } from '../../1-read/files.ts';
import { isList, isObject, parseJson, valueAt } from '../../1-read/json.ts';
import { bytesOf, fieldsOf, messageOf, textOf } from '../../1-read/protobuf.ts';
import { ConversionError } from '../../errors.ts';

const FILE = 'keras_metadata.pb';

/** The names in the order of the model's outputs, as far as it is known. */
export function inModelOrder(names: readonly string[], files: Files): readonly string[] {
  const numbers = names.map((name) => name.match(/^output_(\d+)$/)?.[1]);
  if (numbers.every((number) => number !== undefined)) {
    return [...names].sort((a, b) => Number(a.slice(7)) - Number(b.slice(7)));
  }
  const known = names.length > 1 ? outputNames(files) : [];
  const isSame = known.length === names.length && names.every((name) => known.includes(name));
  return isSame ? known : names;
}

/** The names of the outputs by Keras 2's metadata: a hint only, so that damage to it does no harm. */
function outputNames(files: Files): readonly string[] {
  const size = files.size(FILE);
  if (size === undefined) return [];
  try {
    const root = parseJson(rootMetadata(files.read(FILE, 0, size)), FILE);
    const config = isObject(root) ? valueAt(root, 'config') : undefined;
    const places = isObject(config) ? valueAt(config, 'output_layers') : undefined;
    const layers = isList(places) ? places.map((place) => (isList(place) ? place[0] : undefined)) : [];
    return layers.every((layer) => typeof layer === 'string') ? numbered(layers) : [];
  } catch (error) {
    if (error instanceof ConversionError) return [];
    throw error;
  }
}

/** `lstm`, `lstm_1`, …: what Keras 2 calls outputs by their layers, of which one may have several. */
export function numbered(layers: readonly string[]): readonly string[] {
  const names = new Set<string>();
  const counts = new Map<string, number>();
  for (const layer of layers) {
    let name = layer;
    while (names.has(name)) {
      const count = counts.get(layer) ?? 1;
      name = `${layer}_${count}`;
      counts.set(layer, count + 1);
    }
    names.add(name);
  }
  return [...names];
}

/** The JSON of the whole model: `SavedMetadata { SavedObject nodes = 1 { node_path = 3, metadata = 5 } }`. */
function rootMetadata(bytes: Uint8Array): Uint8Array {
  for (const node of fieldsOf(messageOf(bytes, FILE))) {
    let path = '';
    let metadata: Uint8Array = new Uint8Array();
    for (const field of fieldsOf(node)) {
      if (field.number === 3) path = textOf(field);
      if (field.number === 5) metadata = bytesOf(field);
    }
    if (path === 'root') return metadata;
  }
  return new Uint8Array();
}
