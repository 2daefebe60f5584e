/**
 * Models that Keras 1 saved, in the words of Keras 2. Settings are renamed as `keras/legacy/interfaces.py` of Keras 2
 * has it, and weights turned as its `preprocess_weights_for_loading`.
 */

import { isList, isObject, type Json, type JsonObject, valueAt } from '../../1-read/json.ts';
import { Refusal } from '../../errors.ts';
import { type Tensor, zeros } from '../../ir/types.ts';
import { rowMajor, stridedIndices, take } from '../../ops/broadcasting.ts';
import { type LayerConfig, layerConfig } from './config.ts';
import type { KerasModel, Weights } from './keras-model.ts';

const ofConvolutions =
  'a file of Keras 1 does not say whether the model was trained on Theano, which turns the kernels of convolutions round; if it was, load it in Keras on TensorFlow and save it again';

/** The model as Keras 2 would have saved it. */
export function inWordsOfKeras2(model: KerasModel): KerasModel {
  const { weights } = model;
  return {
    ...model,
    version: '2',
    config: translated(model.config),
    weights: { ...weights, weights: weightsOf(undefined, weights.weights) },
    remarks: JSON.stringify(model.config).includes('Convolution') ? [ofConvolutions] : [],
  };
}

const classNames: Readonly<Record<string, string>> = {
  AtrousConvolution1D: 'Conv1D',
  AtrousConvolution2D: 'Conv2D',
  Convolution1D: 'Conv1D',
  Convolution2D: 'Conv2D',
  Convolution3D: 'Conv3D',
  SeparableConvolution2D: 'SeparableConv2D',
  TimeDistributedDense: 'Dense',
};

/** What a Merge became, by its mode. */
const merges: Readonly<Record<string, string>> = {
  ave: 'Average',
  concat: 'Concatenate',
  dot: 'Dot',
  max: 'Maximum',
  mul: 'Multiply',
  sum: 'Add',
};

/** Settings that have another name; undefined for those that say nothing about predictions. */
const settings: Readonly<Record<string, string | undefined>> = {
  atrous_rate: 'dilation_rate',
  beta_init: undefined,
  bias: 'use_bias',
  border_mode: 'padding',
  consume_less: undefined,
  dim_ordering: 'data_format',
  dropout_U: 'recurrent_dropout',
  dropout_W: 'dropout',
  filter_length: 'kernel_size',
  forget_bias_init: undefined,
  gamma_init: undefined,
  init: undefined,
  inner_activation: 'recurrent_activation',
  inner_init: undefined,
  length: 'size',
  nb_filter: 'filters',
  p: 'rate',
  pool_length: 'pool_size',
  sigma: 'stddev',
  stride: 'strides',
  subsample: 'strides',
  subsample_length: 'strides',
};

const dataFormats: Readonly<Record<string, string | null>> = {
  default: null,
  tf: 'channels_last',
  th: 'channels_first',
};

/** A layer, or a model with its layers, in the words of Keras 2. */
function translated(json: Json): Json {
  const className = isObject(json) ? valueAt(json, 'class_name') : undefined;
  const config = isObject(json) ? valueAt(json, 'config') : undefined;
  if (!isObject(json) || typeof className !== 'string' || config === undefined) return json;
  // A Sequential is the list of its layers.
  if (isList(config)) return { ...json, config: { layers: config.map(translated) } };
  if (!isObject(config)) return json;
  if (className === 'Merge') return { ...json, ...merged(config) };
  const name = Object.hasOwn(classNames, className) ? classNames[className]! : className;
  return { ...json, class_name: name, config: translatedConfig(className, config) };
}

function translatedConfig(className: string, config: JsonObject): JsonObject {
  const sizes = [
    ['nb_row', 'nb_col'],
    ['kernel_dim1', 'kernel_dim2', 'kernel_dim3'],
  ].find((keys) => keys.every((key) => valueAt(config, key) !== undefined));
  const entries = Object.entries(config).flatMap(([key, value]): readonly (readonly [string, Json])[] => {
    if (sizes?.includes(key))
      return key === sizes[0] ? [['kernel_size', sizes.map((each) => config[each]!)]] : [];
    const own = ownSetting(className, key, value);
    if (own) return own;
    if (!Object.hasOwn(settings, key)) return [[key, value]];
    const renamed = settings[key];
    if (renamed === undefined) return [];
    return [[renamed, key === 'dim_ordering' ? (dataFormats[`${value}`] ?? null) : value]];
  });
  return Object.fromEntries(entries);
}

/** Settings whose meaning depends on the class; undefined for all others. */
function ownSetting(
  className: string,
  key: string,
  value: Json,
): readonly (readonly [string, Json])[] | undefined {
  switch (key) {
    case 'layers':
      return [[key, isList(value) ? value.map(translated) : value]];
    case 'layer':
      return [[key, translated(value)]];
    case 'input_dtype':
      return className === 'InputLayer' ? [['dtype', value]] : undefined;
    case 'output_dim':
      return className === 'Embedding' ? undefined : [['units', value]];
    case 'input_dim':
    case 'input_length':
      return className === 'Embedding' ? undefined : [];
    case 'dropout':
      return className === 'Embedding' ? [] : undefined;
    case 'padding':
      return className === 'ZeroPadding2D' ? [[key, sidesOf(value)]] : undefined;
    case 'mode':
      if (className !== 'BatchNormalization') return undefined;
      if (value === 0) return [];
      throw new Refusal(
        `batch normalization of Keras 1 with mode=${String(value)} takes its statistics from the samples, which is not supported`,
      );
    default:
      return undefined;
  }
}

/** `[1, 2]`, `[top, bottom, left, right]` or a dictionary of these. */
function sidesOf(padding: Json): Json {
  if (isList(padding) && padding.length === 4) return [padding.slice(0, 2), padding.slice(2)];
  if (!isObject(padding)) return padding;
  const side = (name: string) => valueAt(padding, `${name}_pad`) ?? 0;
  return [
    [side('top'), side('bottom')],
    [side('left'), side('right')],
  ];
}

function merged(config: JsonObject): { readonly class_name: string; readonly config: JsonObject } {
  const mode = valueAt(config, 'mode');
  const isKnown = typeof mode === 'string' && Object.hasOwn(merges, mode);
  if (!isKnown || (valueAt(config, 'mode_type') ?? 'raw') !== 'raw') {
    throw new Refusal(
      `a Merge of Keras 1 with mode ${JSON.stringify(mode ?? null)} is not supported, only ${Object.keys(merges).join(', ')}`,
    );
  }
  if (isList(valueAt(config, 'layers')))
    throw new Refusal('a Merge of Keras 1 that has the layers inside which it merges is not supported');
  const own: JsonObject = {
    ...(mode === 'concat' && { axis: valueAt(config, 'concat_axis') ?? -1 }),
    ...(mode === 'dot' && { axes: valueAt(config, 'dot_axes') ?? -1 }),
  };
  return { class_name: merges[mode]!, config: { name: valueAt(config, 'name') ?? null, ...own } };
}

/** The weights as the layers of Keras 2 ask for them; `layer` is the one that they belong to. */
function weightsOf(layer: LayerConfig | undefined, stored: Weights): Weights {
  return {
    ...stored,
    own: (names) => (layer ? turned(layer, stored, names) : stored.own(names)),
    inner: (place) => weightsOf(layer && innerOf(layer), stored.inner(place)),
    ofLayers: (layers) => {
      const find = stored.ofLayers(layers);
      return (each) => weightsOf(each, find(each));
    },
  };
}

/** The layer in a wrapper; a recurrent layer is its own cell. */
function innerOf(layer: LayerConfig): LayerConfig {
  const inner = valueAt(layer.config, 'layer');
  return inner === undefined ? layer : layerConfig(inner, `layer "${layer.name}"`);
}

function turned(layer: LayerConfig, stored: Weights, names: readonly string[]): readonly Tensor[] {
  const gates = layer.className === 'GRU' ? 'zrh' : layer.className === 'LSTM' ? 'icfo' : undefined;
  if (gates !== undefined && stored.count === 3 * gates.length) return joinedGates(gates, stored);
  const [kernel, ...others] = stored.own(names);
  const isFirst = valueAt(layer.config, 'data_format') === 'channels_first';
  return kernel ? [turnedKernel(layer, kernel, isFirst), ...others] : [];
}

/** Weights of one gate each as those of all gates, which Keras 2 has in the order i, f, c, o. */
function joinedGates(gates: string, stored: Weights): readonly Tensor[] {
  const names = [...gates].flatMap((gate) => [`W_${gate}`, `U_${gate}`, `b_${gate}`]);
  const weights = stored.own(names);
  const order = gates === 'icfo' ? [0, 2, 1, 3] : [0, 1, 2];
  return [0, 1, 2].map((kind) => sideBySide(order.map((gate) => weights[3 * gate + kind]!)));
}

function turnedKernel({ className, config }: LayerConfig, kernel: Tensor, isFirst: boolean): Tensor {
  const [a, , c, d] = kernel.shape;
  switch (className) {
    case 'Conv1D': {
      if (kernel.shape.length !== 4) return kernel;
      // (filters, channels, steps, 1), as Keras 1.1 has it, or (steps, 1, channels, filters).
      const isOld = d === 1 && a === valueAt(config, 'filters') && c === valueAt(config, 'kernel_size');
      const [steps, , channels, filters] = (isOld ? transposed(kernel, [2, 3, 1, 0]) : kernel).shape;
      const data = isOld ? transposed(kernel, [2, 3, 1, 0]).data : kernel.data;
      return { dtype: kernel.dtype, shape: [steps!, channels!, filters!], data };
    }
    case 'Conv2D':
      return isFirst ? transposed(kernel, [2, 3, 1, 0]) : kernel;
    case 'Conv3D':
      return isFirst ? transposed(kernel, [2, 3, 4, 1, 0]) : kernel;
    case 'SeparableConv2D':
      if (isFirst)
        throw new Refusal('a SeparableConvolution2D of Keras 1 with dim_ordering "th" is not supported');
      return kernel;
    default:
      return kernel;
  }
}

function transposed(tensor: Tensor, axes: readonly number[]): Tensor {
  if (axes.length !== tensor.shape.length)
    throw new Refusal(`damaged: a kernel of ${axes.length} dimensions has the shape (${tensor.shape})`);
  const strides = rowMajor(tensor.shape);
  const shape = axes.map((axis) => tensor.shape[axis]!);
  const places = stridedIndices(
    shape,
    axes.map((axis) => strides[axis]!),
    0,
  );
  return { dtype: tensor.dtype, shape, data: take(tensor, places) };
}

/** Matrices of as many rows, or vectors, as one. */
function sideBySide(parts: readonly Tensor[]): Tensor {
  const [first] = parts as [Tensor, ...Tensor[]];
  const columns = first.shape.at(-1)!;
  const rows = first.data.length / columns;
  if (!parts.every(({ shape, dtype }) => `${shape}` === `${first.shape}` && dtype === 'f32'))
    throw new Refusal('damaged: the gates of a recurrent layer have weights of different shapes');
  const data = zeros('f32', parts.length * first.data.length);
  for (let i = 0; i < data.length; i++) {
    const part = Math.floor(i / columns) % parts.length;
    const row = Math.floor(i / columns / parts.length);
    data[i] = parts[part]!.data[(row % rows) * columns + (i % columns)]!;
  }
  return { dtype: 'f32', shape: first.shape.with(-1, parts.length * columns), data };
}
