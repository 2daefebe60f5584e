/** An `.h5` file: the config of a model in an attribute, and a group of named weights for each of its layers. */

import type { Source } from '../../1-read/files.ts';
import { type Dataset, type Group, openHdf5 } from '../../1-read/hdf5/index.ts';
import { isList, isObject, type Json, parseJson, valueAt } from '../../1-read/json.ts';
import { Refusal, refuse } from '../../errors.ts';
import type { Tensor } from '../../ir/types.ts';
import { weightFile as byPlaces, containerOf } from './archive.ts';
import { isModel, type LayerConfig, layerConfig } from './config.ts';
import type { KerasModel, WeightFile, Weights } from './keras-model.ts';

/** The text of `model.to_json()`, for a file that holds weights alone. */
export interface Architecture {
  readonly file: string;
  readonly bytes: Uint8Array;
}

export function readH5(source: Source, architecture: Architecture | undefined): KerasModel {
  const root = openHdf5(source);
  const inModel = root.child('model_weights');
  const weights = inModel?.kind === 'group' ? inModel : root;
  const own = root.text('model_config');
  const isNamed = namesAt(weights, 'layer_names') !== undefined;
  if (!isNamed && !containerOf(root)) {
    return refuse(source.name, 'has no layer_names, and so is no model or weights of Keras');
  }
  if (own === undefined && architecture === undefined) {
    return refuse(
      source.name,
      'holds weights alone, without the layers that they belong to; write model.to_json() to a file and pass it as --path_to_architecture model.json, or save the whole model with model.save(...)',
    );
  }
  const given = architecture && parseJson(architecture.bytes, architecture.file);
  const config = given ?? parseJson(new TextEncoder().encode(own), `${source.name}, model_config`);
  if (!isNamed) {
    // `save_weights` of Keras 3 lays them down as in a `.keras` file.
    const inPlaces = byPlaces(root, source.name, () => undefined);
    return {
      file: source.name,
      config,
      version: versionIn(config) ?? '3',
      weights: inPlaces,
      size: source.size,
    };
  }
  const version = weights.text('keras_version') ?? root.text('keras_version') ?? versionIn(config) ?? '1';
  const backend = weights.text('backend') ?? root.text('backend');
  if (backend === 'theano') {
    refuse(
      source.name,
      'was written by Keras on Theano, whose kernels stand the other way round; load it in Keras on TensorFlow and save it again',
    );
  }
  return { file: source.name, config, version, weights: weightFile(weights, source.name), size: source.size };
}

function versionIn(config: Json): string | undefined {
  const version = isObject(config) ? valueAt(config, 'keras_version') : undefined;
  return typeof version === 'string' ? version : undefined;
}

/** A list of names; a long one is written in parts: `weight_names0`, `weight_names1`, …. */
function namesAt(group: Group, attribute: string): readonly string[] | undefined {
  const whole = group.texts(attribute);
  if (whole) return whole;
  const parts: string[] = [];
  for (let i = 0; ; i++) {
    const part = group.texts(`${attribute}${i}`);
    if (!part) return i === 0 ? undefined : parts;
    parts.push(...part);
  }
}

/** A weight by its path: `dense/kernel:0` is `['dense', 'kernel']`. */
interface NamedWeight {
  readonly path: readonly string[];
  readonly dataset: Dataset;
}

/** Weights as `keras/src/legacy/saving/legacy_h5_format.py` lays them down. */
function weightFile(root: Group, file: string): WeightFile {
  const read = new Set<Dataset>();
  const groups = new Map<string, readonly NamedWeight[]>();
  for (const name of [...namesAt(root, 'layer_names')!, 'top_level_model_weights']) {
    const group = root.child(name);
    if (group?.kind === 'group') groups.set(name, namedWeights(group));
  }
  const none: Weights = weightsOf([], file, read);
  return {
    weights: { ...none, ofLayers: () => (layer) => weightsOf(groups.get(layer.name) ?? [], file, read) },
    unread: () =>
      [...groups.values()]
        .flat()
        .filter(({ path, dataset }) => !read.has(dataset) && !isRandomState(path))
        .map(({ dataset }) => dataset.path),
  };
}

/** Where dropout has come to among its random numbers. */
function isRandomState(path: readonly string[]): boolean {
  return path.some((part) => part === 'seed_generator_state' || part === 'StateVar');
}

function namedWeights(group: Group): readonly NamedWeight[] {
  const names = namesAt(group, 'weight_names') ?? [];
  return names.map((name) => ({ path: pathOf(name), dataset: group.dataset(name) }));
}

/** `dense/kernel:0`, or as Keras 1 has it `dense_1_W:0`, which is weight W of dense_1. */
function pathOf(name: string): readonly string[] {
  const path = name.replace(/:\d+$/, '').split('/');
  const [, layer, weight] =
    /^(.+?)_([WUb](?:_[a-z])?|gamma|beta|running_(?:mean|std)|alphas)$/.exec(path.at(-1)!) ?? [];
  return layer === undefined || weight === undefined ? path : [...path.slice(0, -1), layer, weight];
}

function weightsOf(named: readonly NamedWeight[], file: string, read: Set<Dataset>): Weights {
  return {
    count: named.length,
    asset: () => undefined,
    own: (names) => inOrder(named, names).map(({ dataset }) => tensorOf(dataset, file, read)),
    inner({ attribute, name }) {
      const inside = named.filter(({ path }) => path.slice(0, -1).includes(name ?? attribute));
      // Old files do not name the cell of a recurrent layer, or the layer in a wrapper.
      return weightsOf(inside.length > 0 ? inside : named, file, read);
    },
    ofLayers(layers) {
      const claims = layers.map((layer) => ({ layer, names: namesWithin(layer) }));
      const byLayer = new Map<string, NamedWeight[]>();
      for (const weight of named) {
        const claiming = claims.filter(({ names }) =>
          weight.path.slice(0, -1).some((part) => names.has(part)),
        );
        const [first, second] = claiming;
        if (first && second) {
          const both = `"${first.layer.name}" and "${second.layer.name}"`;
          refuse(file, `its weight ${weight.path.join('/')} may belong to either of the layers ${both}`);
        }
        if (first) byLayer.set(first.layer.name, [...(byLayer.get(first.layer.name) ?? []), weight]);
      }
      return ({ name }) => weightsOf(byLayer.get(name) ?? [], file, read);
    },
  };
}

/** The names that the weights of a layer may have: its own, and those of the layers in a model. */
function namesWithin(layer: LayerConfig): ReadonlySet<string> {
  const names = new Set([layer.name]);
  const inside = isModel(layer) ? valueAt(layer.config, 'layers') : undefined;
  if (isList(inside)) {
    for (const json of inside) {
      for (const name of namesWithin(layerConfig(json, `model "${layer.name}"`))) names.add(name);
    }
  }
  return names;
}

/** The weights of these names. Before Keras 2 they had others, and only their order counts. */
function inOrder(named: readonly NamedWeight[], names: readonly string[]): readonly NamedWeight[] {
  const found = names.map((name) => named.filter(({ path }) => path.at(-1) === name));
  const exact = found.flatMap((weights) => (weights.length === 1 ? weights : []));
  if (exact.length === names.length) return exact;
  // What has one of the names must stand at its place.
  const isInPlace = found.every((weights, i) => weights.length === 0 || weights.includes(named[i]!));
  if (isInPlace && named.length === names.length) return named;
  const there = named.map(({ path }) => path.join('/')).join(', ') || 'none';
  throw new Refusal(`its weights are ${names.join(', ')}, and those of it in the file are: ${there}`);
}

function tensorOf(dataset: Dataset, file: string, read: Set<Dataset>): Tensor {
  read.add(dataset);
  const tensor = dataset.tensor();
  return tensor.dtype === 'string' ? refuse(file, `"${dataset.path}" holds strings, not weights`) : tensor;
}
