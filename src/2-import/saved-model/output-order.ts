/**
 * The order of a model's outputs. TensorFlow sorts the outputs of a signature by their names, so that `output_10` comes
 * before `output_2`, and Keras 2's are in the order of their layers' names; what Keras 2 writes beside the graph has
 * the order of `model.outputs`.
 */

import type { Files } from '../../1-read/files.ts';
import { fieldsOf, messageOf, textOf } from '../../1-read/protobuf.ts';
import { ConversionError } from '../../errors.ts';

const FILE = 'keras_metadata.pb';

/** The names in the order of the model's outputs, as far as it is known. */
export function inModelOrder(names: readonly string[], files: Files): readonly string[] {
  const numbers = names.map((name) => name.match(/^output_(\d+)$/)?.[1]);
  if (numbers.every((number) => number !== undefined)) {
    return [...names].sort((a, b) => Number(a.slice(7)) - Number(b.slice(7)));
  }
  const layers = names.length > 1 ? outputLayers(files) : [];
  const isSame = layers.length === names.length && names.every((name) => layers.includes(name));
  return isSame ? layers : names;
}

/** The names of the output layers in Keras 2's metadata: a hint only, so that damage to it does no harm. */
function outputLayers(files: Files): readonly string[] {
  const size = files.size(FILE);
  if (size === undefined) return [];
  try {
    const config: unknown = Object(JSON.parse(rootMetadata(files.read(FILE, 0, size)))).config;
    const layers: unknown = Object(config).output_layers;
    if (!Array.isArray(layers)) return [];
    return layers.map((layer: unknown) => (Array.isArray(layer) ? `${layer[0]}` : ''));
  } catch (error) {
    if (error instanceof ConversionError || error instanceof SyntaxError) return [];
    throw error;
  }
}

/** The JSON of the whole model: `SavedMetadata { SavedObject nodes = 1 { node_path = 3, metadata = 5 } }`. */
function rootMetadata(bytes: Uint8Array): string {
  for (const node of fieldsOf(messageOf(bytes, FILE))) {
    let [path, metadata] = ['', ''];
    for (const field of fieldsOf(node)) {
      if (field.number === 3) path = textOf(field);
      if (field.number === 5) metadata = textOf(field);
    }
    if (path === 'root') return metadata;
  }
  return '{}';
}
