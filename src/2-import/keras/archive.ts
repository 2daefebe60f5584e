/** A `.keras` file: a zip of the model's config and of its weights, which lie by classes and places, not by names. */

import type { Source } from '../../1-read/files.ts';
import { type Dataset, type Group, openHdf5 } from '../../1-read/hdf5/index.ts';
import { isObject, parseJson, valueAt } from '../../1-read/json.ts';
import { openZip } from '../../1-read/zip.ts';
import { Refusal, refuse } from '../../errors.ts';
import type { Tensor } from '../../ir/types.ts';
import type { LayerConfig } from './config.ts';
import type { KerasModel, WeightFile, Weights } from './keras-model.ts';

const WEIGHTS = 'model.weights.h5';

export function readArchive(source: Source): KerasModel {
  const { name: file, size } = source;
  const members = openZip(source);
  const member = (name: string) =>
    members.get(name) ?? refuse(file, `has no ${name}, and so is no Keras model`);
  const json = (name: string) => parseJson(member(name).read(), `${file}, ${name}`);
  const metadata = json('metadata.json');
  const version = isObject(metadata) ? valueAt(metadata, 'keras_version') : undefined;
  if (typeof version !== 'string')
    return refuse(`${file}, metadata.json`, 'does not say which Keras wrote it');
  // The weights stay in the zip file until a layer asks for them: usually they are not compressed.
  const weights = { ...member(WEIGHTS).open(), name: `${file}, ${WEIGHTS}` };
  return {
    file,
    config: json('config.json'),
    version,
    weights: weightFile(openHdf5(weights), weights.name, (path) => members.get(`assets/${path}`)?.read()),
    size,
  };
}

/** Weights as `keras/src/saving/saving_lib.py` lays them down, since Keras 2.12. */
export function weightFile(root: Group, file: string, asset: Assets): WeightFile {
  const read = new Set<string>();
  return {
    weights: weightsOf(root, file, read, asset),
    unread: () => {
      const layers = containerOf(root);
      return layers ? datasetsIn(layers).filter((path) => !read.has(path) && !isRandomState(path)) : [];
    },
  };
}

/** Where dropout has come to among its random numbers. */
function isRandomState(path: string): boolean {
  return /seed_generator|random_generator/.test(path);
}

function datasetsIn(group: Group): readonly string[] {
  return group.children.flatMap((name) => {
    const child = group.child(name)!;
    return child.kind === 'group' ? datasetsIn(child) : [child.path];
  });
}

/** The group of the layers of a model; undefined if the file has none, and so was not laid down like this. */
export function containerOf(model: Group): Group | undefined {
  for (const name of ['layers', '_layer_checkpoint_dependencies']) {
    const child = model.child(name);
    if (child?.kind === 'group') return child;
  }
  return undefined;
}

/** A file of the archive's folder `assets`. */
type Assets = (path: string) => Uint8Array | undefined;

function weightsOf(group: Group | undefined, file: string, read: Set<string>, asset: Assets): Weights {
  const stored = group?.child('vars');
  const variables = stored?.kind === 'group' ? stored : undefined;
  const count = variables?.children.length ?? 0;
  return {
    count,
    asset: (name) => group && asset(`${group.path.replace(/^\//, '')}/${name}`),
    own(names) {
      const where = group ? `${file}, "${group.path}"` : file;
      if (count !== names.length) {
        throw new Refusal(`its weights are ${names.join(', ')}, and the file has ${count} of it`);
      }
      // Keras calls them by numbers, and those of look-ups by names.
      const nameAt = (name: string, i: number) => (variables?.children.includes(name) ? name : `${i}`);
      return names.map((name, i) => tensorOf(variables!.dataset(nameAt(name, i)), where, read));
    },
    inner({ attribute }) {
      const found = group?.child(attribute) ?? group?.child(`_${attribute}`);
      return weightsOf(found?.kind === 'group' ? found : undefined, file, read, asset);
    },
    ofLayers(layers) {
      const groups = group ? layerGroups(group, layers, file) : new Map<string, Group>();
      return ({ name }) => weightsOf(groups.get(name), file, read, asset);
    },
  };
}

function tensorOf(dataset: Dataset, where: string, read: Set<string>): Tensor {
  read.add(dataset.path);
  const tensor = dataset.tensor();
  return tensor.dtype === 'string' ? refuse(where, 'holds strings instead of weights') : tensor;
}

/** The group of each layer, by the layer's name: the groups say it since Keras 3.13. */
function layerGroups(model: Group, layers: readonly LayerConfig[], file: string): ReadonlyMap<string, Group> {
  const container = containerOf(model);
  if (!container) return new Map();
  const groups = container.children.flatMap((name) => {
    const child = container.child(name)!;
    return child.kind === 'group' ? [child] : [];
  });
  const named = new Map<string, Group>();
  for (const group of groups) {
    const name = nameOf(group);
    if (name !== undefined) named.set(name, group);
  }
  return named.size === groups.length ? named : groupsByClass(container, layers, file);
}

/**
 * Groups are called by the layers' classes, counted in the order of the layers: `dense`, `dense_1`, …. Keras 2 counts
 * a layer with weights twice, so only their order counts.
 */
function groupsByClass(
  container: Group,
  layers: readonly LayerConfig[],
  file: string,
): ReadonlyMap<string, Group> {
  const found = new Map<string, Group>();
  const byClass = new Map<string, LayerConfig[]>();
  for (const layer of layers) {
    // Functions of keras.ops are no layers.
    if (layer.isFunction && layer.module?.includes('.ops.')) continue;
    const key = snakeCase(layer.className);
    byClass.set(key, [...(byClass.get(key) ?? []), layer]);
  }
  for (const [key, members] of byClass) {
    const groups = groupsOf(container, key, (other) => byClass.has(other));
    if (groups.length !== members.length && groups.length > 0) {
      refuse(
        `${file}, "${container.path}"`,
        `holds ${groups.length} layers called ${key}, and the model has ${members.length}`,
      );
    }
    for (const [i, group] of groups.entries()) found.set(members[i]!.name, group);
  }
  return found;
}

/** `dense`, `dense_1`, …, in the order of their numbers. */
function groupsOf(container: Group, key: string, isClass: (name: string) => boolean): readonly Group[] {
  return container.children
    .flatMap((name) => {
      const number = name === key ? 0 : numberAfter(name, key);
      const child = number === undefined ? undefined : container.child(name);
      // A class may be called as another one with a number.
      const isOther = name !== key && isClass(name);
      return child?.kind === 'group' && !isOther ? [{ number: number!, child }] : [];
    })
    .sort((a, b) => a.number - b.number)
    .map(({ child }) => child);
}

function numberAfter(name: string, key: string): number | undefined {
  const rest = name.startsWith(`${key}_`) ? name.slice(key.length + 1) : '';
  return /^[1-9]\d*$/.test(rest) ? Number(rest) : undefined;
}

function nameOf(group: Group): string | undefined {
  const variables = group.child('vars');
  return variables?.kind === 'group' ? variables.text('name') : undefined;
}

/** `SeparableConv2D` → `separable_conv2d`, as `keras/src/utils/naming.py` has it. */
function snakeCase(className: string): string {
  return className
    .replace(/\W+/g, '')
    .replace(/(.)([A-Z][a-z]+)/g, '$1_$2')
    .replace(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase();
}
