/** The sum, the mean, … along some axes. */

import { Refusal } from '../errors.ts';
import { type Dim, elements, isFloat, type Tensor, type TensorData, tensor, zeros } from '../ir/types.ts';
import { axesOf } from './axes.ts';
import { rowMajor, stridedIndices } from './broadcasting.ts';
import { isChannelsFirstLayer, type KerasLayers, type KerasLowering } from './keras.ts';
import { defineOp } from './op.ts';
import { constantOf, type TensorflowOps } from './tensorflow.ts';

type Kind = 'sum' | 'mean' | 'max' | 'min' | 'prod' | 'any' | 'all';

export interface ReduceAttributes {
  readonly kind: Kind;
  /** From 0, which is the batch where there is one; ascending. */
  readonly axes: readonly number[];
  /** A reduced axis stays, with length 1. */
  readonly keepsAxes: boolean;
}

export const reduce = defineOp({
  name: 'Reduce',
  inputs: ['x'],
  weights: [],

  infer({ x }, { kind, axes, keepsAxes }: ReduceAttributes) {
    const isTruth = kind === 'any' || kind === 'all';
    if (isTruth !== (x.dtype === 'bool')) throw new Refusal(`${kind} of ${x.dtype} is not supported`);
    if (kind === 'mean' && !isFloat(x.dtype)) throw new Refusal(`the mean of ${x.dtype} is not supported`);
    if (axes.some((axis) => typeof x.shape[axis] !== 'number')) {
      throw new Refusal(`${kind} over the batch mixes the samples`);
    }
    const shape = x.shape.flatMap((dim, i): Dim[] => (!axes.includes(i) ? [dim] : keepsAxes ? [1] : []));
    return { dtype: x.dtype, shape };
  },

  evaluate({ x }, { kind, axes }, output) {
    const strides = rowMajor(x.shape);
    const kept = x.shape.map((_, i) => i).filter((i) => !axes.includes(i));
    const pick = <T>(list: readonly T[], which: readonly number[]) => which.map((i) => list[i]!);
    const starts = stridedIndices(pick(x.shape, kept), pick(strides, kept), 0);
    const steps = stridedIndices(pick(x.shape, axes), pick(strides, axes), 0);
    const result = zeros(output.dtype, elements(output.shape));
    for (let i = 0; i < result.length; i++) result[i] = fold(kind, x, starts[i]!, steps);
    return result;
  },

  emit({ inputs, into, use }, { kind, axes }) {
    return `${use('ops')}::reduce_${kind}(${inputs.x}, &[${axes.join(', ')}], ${into})`;
  },

  className: ({ kind, axes }, { x }) => {
    const isGlobal = axes.length === x.shape.length - 2 && axes.every((axis, i) => axis === i + 1);
    const name = { max: 'Max', mean: 'Average' }[kind as string];
    return isGlobal && name && axes.length > 0 ? `Global${name}Pooling${axes.length}D` : `reduce_${kind}`;
  },
});

/** The one number that `start + steps` come to. */
function fold(kind: Kind, { data }: Tensor, start: number, steps: Int32Array): number | bigint {
  if (data instanceof BigInt64Array) return foldIntegers(kind, data, start, steps);
  const numbers = data as Exclude<TensorData, BigInt64Array>;
  let result = {
    sum: 0,
    mean: 0,
    prod: 1,
    any: 0,
    all: 1,
    max: Number.NEGATIVE_INFINITY,
    min: Number.POSITIVE_INFINITY,
  }[kind];
  for (const step of steps) {
    const x = numbers[start + step]!;
    if (kind === 'sum' || kind === 'mean') result += x;
    else if (kind === 'prod') result *= x;
    else if (kind === 'max' || kind === 'any') result = Math.max(result, x);
    else result = Math.min(result, x);
  }
  return kind === 'mean' ? result / steps.length : result;
}

function foldIntegers(kind: Kind, data: BigInt64Array, start: number, steps: Int32Array): bigint {
  let result: bigint | undefined;
  for (const step of steps) {
    const x = data[start + step]!;
    if (result === undefined) result = x;
    else if (kind === 'sum') result += x;
    else if (kind === 'prod') result *= x;
    else if (kind === 'max') result = x > result ? x : result;
    else result = x < result ? x : result;
  }
  return result ?? (kind === 'prod' ? 1n : 0n);
}

const reduction =
  (kind: Kind): TensorflowOps[string] =>
  (node) => {
    const keepsAxes = node.flag('keep_dims', false);
    return node.add(reduce, { x: node.input(0) }, { kind, axes: axesOf(node, 1), keepsAxes }, {});
  };

export const reduceTensorflow: TensorflowOps = {
  All: reduction('all'),
  Any: reduction('any'),
  Max: reduction('max'),
  Mean: reduction('mean'),
  Min: reduction('min'),
  Prod: reduction('prod'),
  Sum: reduction('sum'),
};

/** The mean or the maximum of all steps or pixels. The mean of masked steps is that of those which count. */
const globalPooling =
  (kind: 'mean' | 'max', rank: number): KerasLowering =>
  (layer) => {
    const x = layer.input(0);
    if (x.type.shape.length !== rank + 2) throw new Refusal(`an input of ${x.type.shape.length} dimensions`);
    const first = isChannelsFirstLayer(layer);
    const axes = Array.from({ length: rank }, (_, i) => i + (first ? 2 : 1));
    const attributes = { kind, axes, keepsAxes: layer.flag('keepdims', false) };
    const mask = kind === 'mean' && rank === 1 ? layer.mask(0) : undefined;
    if (!mask) return layer.add(reduce, { x }, attributes, {});
    const { dtype } = x.type;
    const isKept = layer.tensorflow('ExpandDims', [mask, first ? 1 : 2]);
    const counts = layer.tensorflow('Cast', [isKept], { DstT: { dtype } });
    // Keras 2 multiplies, by which NaN stays.
    const kept =
      layer.keras >= 3
        ? layer.tensorflow('SelectV2', [isKept, x, constantOf(tensor(dtype, [], [0]))])
        : layer.tensorflow('Mul', [x, counts]);
    const [sum, count] = [kept, counts].map((all) =>
      layer.add(reduce, { x: all }, { ...attributes, kind: 'sum' }, {}),
    );
    return layer.tensorflow('RealDiv', [sum!, count!]);
  };

export const reduceKeras: KerasLayers = {
  GlobalAveragePooling1D: globalPooling('mean', 1),
  GlobalAveragePooling2D: globalPooling('mean', 2),
  GlobalAveragePooling3D: globalPooling('mean', 3),
  GlobalMaxPooling1D: globalPooling('max', 1),
  GlobalMaxPooling2D: globalPooling('max', 2),
  GlobalMaxPooling3D: globalPooling('max', 3),
};
