/** The settings of a layer by Keras's names, as far as the graph still holds them. */

import type { Node, NodeWith } from '../../ir/graph.ts';
import type { Dim, DType, Tensor } from '../../ir/types.ts';
import { type Activation, activationOf } from '../../ops/activation.ts';
import { printExpression } from '../../ops/expression.ts';
import { padding, type Window } from '../../ops/window.ts';

export type Setting = string | number | boolean | null | readonly Setting[];
export type Settings = Readonly<Record<string, Setting>>;

/** What Keras would have in the config of a layer that is this node. */
export function settingsOf(node: Node): Settings {
  const settings = table[node.op] as (node: Node) => Settings;
  return settings(node);
}

/** The settings of a node that is an activation function and no more: `{ activation: 'relu' }`. */
export function activationSettings(node: Node): Settings | undefined {
  switch (node.op) {
    case 'Elementwise': {
      const activation = activationOf(node.attributes.expression);
      return activation && named(activation);
    }
    case 'Softmax': {
      const { axis, isLog } = node.attributes;
      const isLast = axis === node.type.shape.length - 1;
      return { activation: isLog ? 'log_softmax' : 'softmax', ...(isLast ? {} : { axis }) };
    }
    default:
      return undefined;
  }
}

/** A bias of zeros is the same as none: that is how a layer without one is read. */
export function isBias(bias: Tensor): boolean {
  return bias.data.some((number) => Number(number) !== 0);
}

/** A shape with null for the batch; `"128N"` is 128 times the batch. */
export function settingOfShape(shape: readonly Dim[]): readonly Setting[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : dim.batch === 1 ? null : `${dim.batch}N`));
}

/** `float32`: the name that Keras has for it. */
export function settingOfDtype(dtype: DType): string {
  const names = {
    f32: 'float32',
    f64: 'float64',
    i32: 'int32',
    i64: 'int64',
    u8: 'uint8',
    bool: 'bool',
    text: 'string',
  };
  return names[dtype];
}

function convolutionSettings(node: NodeWith<'Convolution' | 'ResidualConvolution'>): Settings {
  const { window, activation } = node.attributes;
  const { kernel, bias } = node.weights;
  const { shape } = node.inputs.x.type;
  return {
    filters: kernel.shape.at(-1)!,
    ...windowSettings('kernel_size', window, kernel.shape.slice(0, -2), shape),
    dilation_rate: window.dilations,
    groups: Number(shape.at(-1)) / kernel.shape.at(-2)!,
    ...named(activation),
    ...biasSetting(bias),
  };
}

function denseSettings({ attributes, weights }: NodeWith<'Dense' | 'ResidualDense'>): Settings {
  return {
    units: weights.kernel.shape.at(-1)!,
    ...named(attributes.activation),
    ...biasSetting(weights.bias),
  };
}

const table: { readonly [O in Node['op']]: (node: NodeWith<O>) => Settings } = {
  Arg: ({ attributes: { axis, dtype } }) => ({ axis, dtype: settingOfDtype(dtype) }),
  BatchNormalization: ({ attributes: { activation } }) =>
    activation.name === 'linear' ? { axis: -1 } : { axis: -1, ...named(activation) },
  BatchToSpace: ({ attributes: { block } }) => ({ block_shape: block }),
  Bincount: ({ attributes: { depth, isBinary } }) => ({
    num_tokens: depth,
    output_mode: isBinary ? 'multi_hot' : 'count',
  }),
  Broadcast: ({ type }) => ({ shape: settingOfShape(type.shape) }),
  Bucketize: ({ attributes: { boundaries } }) => ({ bin_boundaries: boundaries }),
  Concatenate: ({ attributes: { axis } }) => ({ axis }),
  Convolution: convolutionSettings,
  ConvolutionTranspose: ({ attributes: { window, activation, lengths }, weights: { kernel, bias } }) => ({
    filters: kernel.shape.at(-1)!,
    ...windowSettings('kernel_size', window, kernel.shape.slice(0, -2), [1, ...lengths, 1]),
    dilation_rate: window.dilations,
    ...named(activation),
    ...biasSetting(bias),
  }),
  Cumulative: ({ attributes: { axis, isExclusive, isReverse } }) => ({
    axis,
    exclusive: isExclusive,
    reverse: isReverse,
  }),
  Dense: denseSettings,
  DepthwiseConvolution: ({
    attributes: { window, activation },
    weights: { kernel, bias },
    inputs: { x },
  }) => ({
    depth_multiplier: kernel.shape.at(-1)!,
    ...windowSettings('kernel_size', window, kernel.shape.slice(0, -2), x.type.shape),
    dilation_rate: window.dilations,
    ...named(activation),
    ...biasSetting(bias),
  }),
  Elementwise: (node) => activationSettings(node) ?? { formula: printExpression(node.attributes.expression) },
  Embedding: ({ weights: { table } }) => ({ input_dim: table.shape[0]!, output_dim: table.shape[1]! }),
  Gru: (node) => ({ ...recurrentSettings(node), reset_after: node.weights.bias.shape.length === 2 }),
  Loop: ({ attributes: { rounds } }) => ({ steps: rounds }),
  Lstm: (node) => recurrentSettings(node),
  Hash: ({ attributes: { buckets, key } }) => ({ num_bins: buckets, ...(key && { salt: key.map(Number) }) }),
  HashedCrossing: ({ attributes: { buckets } }) => ({ num_bins: buckets }),
  IntegerLookup: ({ weights: { table } }) => ({ vocabulary_size: table.shape[0]! }),
  Fourier: ({ attributes: { length } }) => ({ fft_length: length }),
  GatherAlong: ({ attributes: { axis, shared } }) => ({ axis, batch_dims: shared }),
  LayerNormalization: ({ attributes: { epsilon } }) => ({ epsilon }),
  Matmul: ({ attributes: { transposeX, transposeZ } }) => ({
    transpose_a: transposeX,
    transpose_b: transposeZ,
  }),
  MirrorPad: ({ attributes: { borders, mode } }) => ({ padding: borders.slice(1), mode }),
  Pad: ({ attributes: { borders, value } }) => ({ padding: borders.slice(1), value }),
  Pooling: ({ attributes: { sizes, window }, inputs: { x } }) =>
    windowSettings('pool_size', window, sizes, x.type.shape),
  Reduce: ({ attributes: { axes, keepsAxes } }) => ({ axis: axes, keepdims: keepsAxes }),
  Repeat: ({ attributes: { counts } }) => ({ size: counts.slice(1, -1) }),
  Resampling: ({ attributes: { axis }, weights: { starts } }) => ({ axis, size: starts.shape[0]! }),
  ResidualConvolution: convolutionSettings,
  ResidualDense: denseSettings,
  Reshape: ({ type }) => ({ target_shape: settingOfShape(type.shape).slice(1) }),
  Select: ({ attributes: { axis, indices } }) => ({ axis, indices }),
  SimpleRnn: (node) => recurrentSettings(node),
  Slice: ({ attributes: { begin, steps, lengths } }) => ({
    begin,
    size: settingOfShape(lengths),
    strides: steps,
  }),
  Softmax: (node) => activationSettings(node) ?? {},
  SpaceToBatch: ({ attributes: { block } }) => ({ block_shape: block }),
  StringLookup: ({ weights: { ends } }) => ({ vocabulary_size: ends.shape[0]! }),
  TextVectorization: ({ attributes: { tokenizer, output, length }, weights: { ends } }) => ({
    vocabulary_size: ends.shape[0]!,
    split: { words: 'whitespace', characters: 'character', whole: null }[tokenizer.split],
    ngrams: tokenizer.ngrams,
    output_mode: { sequence: 'int', counts: 'count', multi_hot: 'multi_hot' }[output],
    length,
  }),
  TopK: ({ attributes: { k } }) => ({ k }),
  Transpose: ({ attributes: { axes } }) => (axes[0] === 0 ? { dims: axes.slice(1) } : { axes }),
};

/** The settings of a recurrent layer; what its last steps are is told by its output. */
function recurrentSettings({ op, attributes, weights }: NodeWith<'Gru' | 'Lstm' | 'SimpleRnn'>): Settings {
  const { activation, recurrentActivation, order, returns, returnsStates, zeroesMasked } = attributes;
  return {
    units: weights.recurrent.shape[0]!,
    ...named(activation),
    ...(op === 'SimpleRnn' ? {} : { recurrent_activation: named(recurrentActivation).activation! }),
    return_sequences: returns === 'sequence',
    return_state: returnsStates,
    go_backwards: order !== 'forward',
    ...(zeroesMasked ? { zero_output_for_mask: true } : {}),
    ...biasSetting(weights.bias),
  };
}

/** Without it nothing is said: the bias may be a step of its own. */
function biasSetting(bias: Tensor): Settings {
  return isBias(bias) ? { use_bias: true } : {};
}

/** `{ activation: 'elu', alpha: 1 }` */
function named({ name, parameter }: Activation): Settings {
  switch (name) {
    case 'exp':
      return { activation: 'exponential' };
    case 'gelu_tanh':
      return { activation: 'gelu', approximate: true };
    case 'leaky_relu':
      return { activation: name, negative_slope: parameter ?? 0.2 };
    case 'elu':
      return { activation: name, alpha: parameter ?? 1 };
    default:
      return { activation: name };
  }
}

/** The window under Keras's names; its size is the `kernel_size` or the `pool_size`. */
function windowSettings(
  sizeName: string,
  window: Window,
  sizes: readonly number[],
  shape: readonly Dim[],
): Settings {
  const lengths = shape.slice(1, -1).map(Number);
  return { [sizeName]: sizes, strides: window.strides, padding: paddingSetting(window, sizes, lengths) };
}

/** The kind of padding that comes to these steps; the steps themselves if none does. */
function paddingSetting(window: Window, sizes: readonly number[], lengths: readonly number[]): Setting {
  const { strides, dilations } = window;
  const is = (pairs: Window['padding']) => `${pairs}` === `${window.padding}`;
  if (is(sizes.map(() => [0, 0]))) return 'valid';
  if (is(padding('SAME', lengths, sizes, strides, dilations))) return 'same';
  if (sizes.length === 1 && is([[(sizes[0]! - 1) * dilations[0]!, 0]])) return 'causal';
  return window.padding;
}
