/** Functions of `keras.ops` that do what layers do: products, convolutions, attention, images. */

import { isList, type Json } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { tensor } from '../ir/types.ts';
import { dotProductAttention } from './attention.ts';
import { axisOf } from './axes.ts';
import { apply, compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import { dtypeNamed, firstAt, integersFrom, operandAt, pair, pairAt, plainValue } from './function-call.ts';
import { isChannelsFirstLayer, type KerasLayer, type KerasLayers, type KerasLowering } from './keras.ts';
import { reshaped } from './reshape.ts';
import { imageResized } from './resize.ts';
import { constantOf, type Operand } from './tensorflow.ts';

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Sums over the last axes of the one and the first of the other, or over the axes that are listed. */
function tensorProduct(layer: KerasLayer, axes: Json): Operand {
  const [a, b] = pairAt(layer, pair);
  const [rankA, rankB] = [a.type.shape.length, b.type.shape.length];
  const count = typeof axes === 'number' ? axes : 0;
  const lists = isList(axes) ? axes.map((list) => integersFrom(list, 'axes')) : [];
  const ofA = (lists[0] ?? Array.from({ length: count }, (_, i) => rankA - count + i)).map((axis) =>
    axisOf(axis, rankA),
  );
  const ofB = (lists[1] ?? Array.from({ length: count }, (_, i) => i)).map((axis) => axisOf(axis, rankB));
  const left = LETTERS.slice(0, rankA);
  let next = rankA;
  const right = Array.from({ length: rankB }, (_, i) => {
    const at = ofB.indexOf(i);
    return at < 0 ? LETTERS[next++]! : left[ofA[at]!]!;
  }).join('');
  const kept =
    [...left].filter((_, i) => !ofA.includes(i)).join('') +
    [...right].filter((_, i) => !ofB.includes(i)).join('');
  return layer.tensorflow('Einsum', [a, b], { equation: `${left},${right}->${kept}` });
}

/** numpy's dot: over the last axis of the one, and the last but one of the other. */
function dot(layer: KerasLayer): Operand {
  const [, b] = pairAt(layer, pair);
  const rank = b.type.shape.length;
  return tensorProduct(layer, [[-1], [Math.max(rank - 2, 0)]]);
}

const matmul: KerasLowering = (layer) => layer.tensorflow('BatchMatMulV2', [...pairAt(layer, pair)]);

function oneHot(layer: KerasLayer): Operand {
  const dtype = dtypeNamed(layer.value('dtype') ?? 'float32');
  const one = (value: number) => constantOf(tensor(dtype, [], [value]));
  if (layer.flag('sparse', false)) throw new Refusal('sparse results are not supported');
  const axis = layer.number('axis', -1);
  return layer.tensorflow('OneHot', [firstAt(layer), layer.number('num_classes'), one(1), one(0)], { axis });
}

/** The settings of a convolution or a pooling, which one number may stand for. */
function windowOf(layer: KerasLayer, rank: number, strides: readonly number[]) {
  const first = isChannelsFirstLayer(layer);
  const around = (list: readonly number[]) => (first ? [1, 1, ...list] : [1, ...list, 1]);
  return {
    around,
    attributes: {
      strides: around(layer.value('strides') === undefined ? strides : layer.list('strides', rank)),
      padding: layer.text('padding', 'valid').toUpperCase(),
      data_format: first ? 'NCHW' : 'NHWC',
    },
  };
}

const pooled =
  (op: 'AvgPool' | 'MaxPool'): KerasLowering =>
  (layer) => {
    const operand = firstAt(layer);
    const rank = operand.type.shape.length - 2;
    const sizes = layer.list('pool_size', rank);
    const { around, attributes } = windowOf(layer, rank, sizes);
    return layer.tensorflow(op, [operand], { ...attributes, ksize: around(sizes) });
  };

function convolved(layer: KerasLayer): Operand {
  const [operand, kernel] = [layer.input(0), operandAt(layer, 'kernel', 1)];
  if (!kernel) throw new Refusal('it has no kernel');
  const rank = operand.type.shape.length - 2;
  const { around, attributes } = windowOf(layer, rank, Array<number>(rank).fill(1));
  const dilations = around(layer.list('dilation_rate', rank, 1));
  return layer.tensorflow('Conv2D', [operand, kernel], { ...attributes, dilations });
}

/** `(x − mean) / √(variance + ε) · scale + offset`, with a number of each for every step of the axis. */
function batchNormalized(layer: KerasLayer): Operand {
  const operand = firstAt(layer);
  const { dtype, shape } = operand.type;
  const axis = axisOf(layer.number('axis'), shape.length);
  const spread = (name: string, place: number) => {
    const given = operandAt(layer, name, place, dtype);
    return (
      given &&
      reshaped(
        layer,
        given,
        shape.map((dim, i) => (i === axis ? dim : 1)),
      )
    );
  };
  const [mean, variance_] = [spread('mean', 1), spread('variance', 2)];
  const [offset, scale] = [spread('offset', 3), spread('scale', 4)];
  const epsilon = number(layer.number('epsilon', 1e-3), dtype);
  if (!mean || !variance_) throw new Refusal('it needs a mean and a variance');
  const inverse = compute(layer, [variance_], call('rsqrt', call('add', input(0, dtype), epsilon)));
  const factor = scale ? apply(layer, 'multiply', inverse, scale) : inverse;
  const y = apply(layer, 'multiply', apply(layer, 'subtract', operand, mean), factor);
  return offset ? apply(layer, 'add', y, offset) : y;
}

function resized(layer: KerasLayer): Operand {
  for (const key of ['crop_to_aspect_ratio', 'pad_to_aspect_ratio']) {
    if (layer.flag(key, false)) throw new Refusal(`${key} is not supported`);
  }
  layer.ignore('fill_mode', 'fill_value');
  if (isChannelsFirstLayer(layer)) throw new Refusal('channels that come first are not supported');
  const [rows, columns] = layer.list('size', 2);
  const antialias = layer.flag('antialias', false);
  return imageResized(
    layer,
    firstAt(layer),
    [rows!, columns!],
    layer.text('interpolation', 'bilinear'),
    antialias,
  );
}

function attended(layer: KerasLayer): Operand {
  layer.ignore('flash_attention');
  const names = ['query', 'key', 'value'] as const;
  const [query, key, value] = names.map((name, i) => operandAt(layer, name, i));
  if (!query || !key || !value) throw new Refusal('it needs a query, a key and a value');
  if (operandAt(layer, 'bias', 3)) throw new Refusal('attention with a bias is not supported');
  const scale = plainValue(layer, 'scale', 5);
  return dotProductAttention(layer, query, key, value, {
    mask: operandAt(layer, 'mask', 4),
    isCausal: layer.flag('is_causal', false),
    scale: typeof scale === 'number' ? scale : 1 / Math.sqrt(Number(key.type.shape.at(-1))),
  });
}

export const layerFunctions: KerasLayers = {
  AveragePool: pooled('AvgPool'),
  BatchNorm: batchNormalized,
  Conv: convolved,
  Dot: dot,
  DotProductAttention: attended,
  Einsum: (layer) => {
    const operands = Array.from({ length: 3 }, (_, i) => operandAt(layer, '', i));
    const given = operands.filter((operand) => operand !== undefined);
    return layer.tensorflow('Einsum', given, { equation: layer.text('subscripts') });
  },
  Matmul: matmul,
  MaxPool: pooled('MaxPool'),
  OneHot: oneHot,
  Resize: resized,
  Tensordot: (layer) => tensorProduct(layer, layer.value('axes') ?? 2),
};
