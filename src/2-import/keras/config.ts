/** The config of a Keras model as plain data, the same for all versions: its layers, and who calls them with what. */

import { narrowIntegers } from '../../1-read/element-types.ts';
import { isList, isObject, type Json, type JsonObject, printJson, valueAt } from '../../1-read/json.ts';
import { Refusal, refuse, within } from '../../errors.ts';

/** One result of one call of a layer. */
export interface TensorPlace {
  readonly layer: string;
  readonly call: number;
  readonly output: number;
}

export interface TensorArgument {
  readonly kind: 'tensor';
  readonly at: TensorPlace;
  /** The type of its numbers, which Keras 3 writes down. */
  readonly type?: string;
}

export type Argument =
  | TensorArgument
  | { readonly kind: 'list'; readonly items: readonly Argument[] }
  | { readonly kind: 'value'; readonly value: Json };

export interface Call {
  readonly positional: readonly Argument[];
  readonly named: ReadonlyMap<string, Argument>;
}

/** A layer, or a function of `keras.ops` or of TensorFlow that was called between layers. */
export interface LayerConfig {
  readonly className: string;
  /** `keras.layers`; undefined in old files. */
  readonly module: string | undefined;
  /** A function that was called between layers, as far as the file says. */
  readonly isFunction: boolean;
  /** How a class of the author's own is registered; undefined for Keras's own. */
  readonly registeredName: string | undefined;
  readonly name: string;
  readonly config: JsonObject;
  readonly calls: readonly Call[];
  /** The shapes that it was built with, where the file says. */
  readonly buildConfig: JsonObject | undefined;
}

export interface ModelConfig {
  readonly name: string;
  readonly layers: readonly LayerConfig[];
  readonly inputs: readonly TensorPlace[];
  readonly outputs: readonly TensorPlace[];
}

/** The classes of models, which are layers of other models too. */
export function isModel({ className, config }: Pick<LayerConfig, 'className' | 'config'>): boolean {
  return ['Functional', 'Model', 'Sequential'].includes(className) && valueAt(config, 'layers') !== undefined;
}

/** A layer as it is written in the config of a model or of a layer around it. */
export function layerConfig(json: Json, where: string): LayerConfig {
  const className = isObject(json) ? valueAt(json, 'class_name') : undefined;
  if (!isObject(json) || typeof className !== 'string') {
    return refuse(where, `damaged: a layer has no class name, but is ${printJson(json)}`);
  }
  const inner = valueAt(json, 'config');
  // Keras 1 and early Keras 2 write a Sequential as the list of its layers.
  const config = isList(inner) ? { layers: inner } : inner;
  if (!isObject(config)) {
    return refuse(
      where,
      `the ${className} has no config, as a class of the author's own without get_config() has none; export a SavedModel with model.export(...)`,
    );
  }
  const text = (key: string) => {
    const value = valueAt(json, key);
    return typeof value === 'string' ? value : undefined;
  };
  const ownName = valueAt(config, 'name');
  const name = text('name') ?? (typeof ownName === 'string' ? ownName : className.toLowerCase());
  const itself = `layer "${name}" (${className})`;
  const nodes = valueAt(json, 'inbound_nodes');
  const module = text('module');
  const buildConfig = valueAt(json, 'build_config');
  const isCalled = isFunction(className, module, config, nodes);
  const calls = isList(nodes) ? nodes.map((node) => within(itself, () => callOf(node, itself))) : [];
  if (isCalled && growing.has(className)) refuseNarrow(calls, itself);
  return {
    className,
    module,
    isFunction: isCalled,
    registeredName: text('registered_name'),
    name,
    config,
    calls,
    buildConfig: isObject(buildConfig) ? buildConfig : undefined,
  };
}

/** Functions of `keras.ops` whose results may be out of the range of their arguments. */
const growing: ReadonlySet<string> = new Set([
  'Absolute',
  'Add',
  'Cumprod',
  'Cumsum',
  'Diff',
  'FloorDivide',
  'Multiply',
  'Negative',
  'Prod',
  'Square',
  'Subtract',
  'Sum',
]);

/** Refuses integers that wrap around where the wider ones that they are read as do not. */
function refuseNarrow(calls: readonly Call[], where: string): void {
  const types = calls.flatMap(tensorsIn).map(({ type }) => type);
  const narrow = types.find((type) => type !== undefined && narrowIntegers.has(type));
  if (narrow === undefined) return;
  refuse(where, `numbers of type ${narrow} are not computed; cast them to int32 or int64 in the model`);
}

/** The tensors among the arguments of a call. */
export function tensorsIn({ positional, named }: Call): readonly TensorArgument[] {
  const inside = (argument: Argument): readonly TensorArgument[] => {
    switch (argument.kind) {
      case 'tensor':
        return [argument];
      case 'list':
        return argument.items.flatMap(inside);
      case 'value':
        return [];
    }
  };
  return [...positional, ...named.values()].flatMap(inside);
}

/**
 * Functions of `keras.ops` are in a module of that name, which an `.h5` file leaves out: they have neither `trainable`
 * nor a dtype policy, of which most layers have one.
 */
function isFunction(
  className: string,
  module: string | undefined,
  config: JsonObject,
  nodes: Json | undefined,
): boolean {
  if (['TFOpLambda', 'SlicingOpLambda'].includes(className)) return true;
  if (module !== undefined) return module.includes('.ops.');
  const hasSettings = valueAt(config, 'trainable') !== undefined || isObject(valueAt(config, 'dtype'));
  return isList(nodes) && nodes.some(isObject) && !hasSettings;
}

/** The layers of a model, and how they are connected. */
export function modelConfig({ className, name, config, buildConfig }: LayerConfig): ModelConfig {
  const where = `model "${name}" (${className})`;
  const listed = valueAt(config, 'layers');
  if (!isList(listed)) {
    return refuse(
      where,
      'it is a class of its own, whose config does not list its layers; export a SavedModel with model.export(...)',
    );
  }
  const layers = listed.map((layer) => layerConfig(layer, where));
  if (className === 'Sequential') return chain(name, layers, config, buildConfig, where);
  refuseTwins(layers, where);
  const places = (key: string) => tensorPlaces(valueAt(config, key), `${where}: ${key}`);
  return { name, layers, inputs: places('input_layers'), outputs: places('output_layers') };
}

function refuseTwins(layers: readonly LayerConfig[], where: string): void {
  const names = new Set<string>();
  for (const { name } of layers) {
    if (names.has(name)) refuse(where, `damaged: two of its layers are called "${name}"`);
    names.add(name);
  }
}

/** A Sequential model as layers that call each other. */
function chain(
  name: string,
  layers: readonly LayerConfig[],
  config: JsonObject,
  buildConfig: JsonObject | undefined,
  where: string,
): ModelConfig {
  const [first] = layers;
  if (first === undefined) return refuse(where, 'it has no layers');
  const all =
    first.className === 'InputLayer' ? layers : [inputBefore(first, config, buildConfig), ...layers];
  refuseTwins(all, where);
  const linked = all.map((layer, i): LayerConfig => {
    if (i === 0) return { ...layer, calls: [{ positional: [], named: new Map() }] };
    const at = { layer: all[i - 1]!.name, call: 0, output: 0 };
    return { ...layer, calls: [{ positional: [{ kind: 'tensor', at }], named: new Map() }] };
  });
  const place = (layer: LayerConfig) => ({ layer: layer.name, call: 0, output: 0 });
  return { name, layers: linked, inputs: [place(linked[0]!)], outputs: [place(linked.at(-1)!)] };
}

/** The InputLayer that Keras makes for a model which begins with another layer. */
function inputBefore(
  first: LayerConfig,
  config: JsonObject,
  buildConfig: JsonObject | undefined,
): LayerConfig {
  const shape =
    valueAt(first.config, 'batch_input_shape') ??
    valueAt(first.config, 'batch_shape') ??
    valueAt(config, 'build_input_shape') ??
    (buildConfig && valueAt(buildConfig, 'input_shape')) ??
    (isModel(first) ? shapeOfFirst(first.config) : null);
  const dtype = valueAt(first.config, 'input_dtype') ?? (first.className === 'Embedding' ? 'float32' : null);
  return {
    className: 'InputLayer',
    module: 'keras.layers',
    isFunction: false,
    registeredName: undefined,
    name: `${first.name}_input`,
    config: { name: `${first.name}_input`, batch_shape: shape, dtype: dtype ?? 'float32' },
    calls: [],
    buildConfig: undefined,
  };
}

/** The shape of the input of a model inside a model. */
function shapeOfFirst(config: JsonObject): Json {
  const layers = valueAt(config, 'layers');
  const first = isList(layers) ? layers[0] : undefined;
  const inner = isObject(first) ? valueAt(first, 'config') : undefined;
  if (!isObject(inner)) return null;
  return valueAt(inner, 'batch_input_shape') ?? valueAt(inner, 'batch_shape') ?? null;
}

/** `["x", 0, 0]`, a list of such, or a dictionary of such, whose keys Keras sorts. */
function tensorPlaces(json: Json | undefined, where: string): readonly TensorPlace[] {
  const single = placeOf(json);
  if (single) return [single];
  if (isList(json)) return json.flatMap((item) => tensorPlaces(item, where));
  if (isObject(json)) {
    return Object.keys(json)
      .sort()
      .flatMap((key) => tensorPlaces(json[key], where));
  }
  return refuse(where, `damaged: it should name results of layers, and is ${printJson(json)}`);
}

/** `["x", 0, 0]`, to which Keras 2 adds the arguments of the call. */
function placeOf(json: Json | undefined): TensorPlace | undefined {
  if (!isList(json) || (json.length !== 3 && json.length !== 4)) return undefined;
  const [layer, call, output] = json;
  const isPlace =
    typeof layer === 'string' &&
    Number.isSafeInteger(call) &&
    Number.isSafeInteger(output) &&
    layer !== CONSTANT;
  return isPlace ? { layer, call: Number(call), output: Number(output) } : undefined;
}

/** What Keras 2 writes in place of a layer's name before an argument that is no tensor. */
const CONSTANT = '_CONSTANT_VALUE';

function callOf(node: Json, where: string): Call {
  if (isObject(node)) return callOfKeras3(node, where);
  if (!isList(node)) return refuse(where, `damaged: a call of it is ${printJson(node)}`);
  // A function of TensorFlow has its first argument one level higher.
  const isFlat = typeof node[0] === 'string';
  const entries = isFlat ? [node] : node;
  const first = entries.map((entry) => firstArgument(entry, where));
  const named = new Map<string, Argument>();
  for (const entry of entries) {
    const options = isList(entry) ? entry[3] : undefined;
    if (!isObject(options)) continue;
    for (const [key, value] of Object.entries(options)) named.set(key, argumentOfKeras2(value));
  }
  const only = first.length === 1 ? first[0] : undefined;
  return { positional: [only ?? { kind: 'list', items: first }], named };
}

function firstArgument(entry: Json, where: string): Argument {
  const at = placeOf(entry);
  if (at) return { kind: 'tensor', at };
  if (isList(entry) && entry[0] === CONSTANT) return { kind: 'value', value: entry[2] ?? null };
  return refuse(where, `damaged: it is called with ${printJson(entry)}`);
}

function argumentOfKeras2(json: Json): Argument {
  const at = placeOf(json);
  if (at) return { kind: 'tensor', at };
  if (isList(json) && json[0] === CONSTANT) return { kind: 'value', value: json[2] ?? null };
  return listOrValue(json, argumentOfKeras2);
}

function callOfKeras3(node: JsonObject, where: string): Call {
  const [positional, named] = [valueAt(node, 'args'), valueAt(node, 'kwargs')];
  if (!isList(positional) || !isObject(named)) {
    return refuse(where, `damaged: a call of it is ${printJson(node)}`);
  }
  return {
    positional: positional.map(argumentOfKeras3),
    named: new Map(Object.entries(named).map(([key, value]) => [key, argumentOfKeras3(value)])),
  };
}

function argumentOfKeras3(json: Json): Argument {
  if (isObject(json) && valueAt(json, 'class_name') === '__keras_tensor__') {
    const config = valueAt(json, 'config');
    const at = isObject(config) ? placeOf(valueAt(config, 'keras_history')) : undefined;
    if (!at) throw new Refusal(`damaged: a tensor is ${printJson(json)}`);
    const type = isObject(config) ? valueAt(config, 'dtype') : undefined;
    return { kind: 'tensor', at, ...(typeof type === 'string' && { type }) };
  }
  return listOrValue(json, argumentOfKeras3);
}

/** A list is one of arguments if there are tensors in it, and else a value. */
function listOrValue(json: Json, read: (item: Json) => Argument): Argument {
  if (isList(json)) {
    const items = json.map(read);
    return items.some(({ kind }) => kind !== 'value')
      ? { kind: 'list', items }
      : { kind: 'value', value: json };
  }
  if (isObject(json) && Object.values(json).some((value) => read(value).kind !== 'value')) {
    throw new Refusal('a dictionary of tensors as an argument is not supported');
  }
  return { kind: 'value', value: json };
}
