/** The functions of `keras.ops` that were called between layers, which Keras 3 saves as nodes of their own. */

import { isList, type Json } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { tensor } from '../ir/types.ts';
import { dotProductAttention } from './attention.ts';
import { axisOf } from './axes.ts';
import { joined } from './concatenate.ts';
import { apply, compute } from './elementwise.ts';
import { select } from './embedding.ts';
import { call, cast, type Expression, input, number } from './expression.ts';
import {
  asFloat,
  asType,
  axesFrom,
  binary,
  integersFrom,
  itemsOf,
  operandAt,
  operandsAt,
  pairAt,
  plainValue,
} from './function-call.ts';
import type { FunctionName } from './functions.ts';
import type { KerasLayer, KerasLayers, KerasLowering } from './keras.ts';
import { activationFormula } from './keras-activation.ts';
import { unitLength } from './normalizing.ts';
import { type ReduceAttributes, reduce } from './reduce.ts';
import { repeat } from './repeat.ts';
import { reshaped } from './reshape.ts';
import { imageResized } from './resize.ts';
import { steps } from './slice.ts';
import { softmaxOver } from './softmax.ts';
import { constantOf, type Operand } from './tensorflow.ts';
import { transpose } from './transpose.ts';

/** The first argument. */
function x(layer: KerasLayer): Operand {
  return operandAt(layer, 'x', 0) ?? layer.input(0);
}

const pair = ['x1', 'x2'] as const;

const unary =
  (name: FunctionName): KerasLowering =>
  (layer) =>
    apply(layer, name, x(layer));

/** A function that makes fractions of integers. */
const float =
  (name: FunctionName): KerasLowering =>
  (layer) =>
    apply(layer, name, asFloat(layer, x(layer)));

const formula =
  (write: (layer: KerasLayer) => (x: Expression) => Expression): KerasLowering =>
  (layer) => {
    const operand = x(layer);
    return compute(layer, [operand], write(layer)(input(0, operand.type.dtype)));
  };

/** An activation by its name, with Keras's defaults. */
const activation = (name: string): KerasLowering => formula(({ keras }) => activationFormula(name, keras)!);

const reduction =
  (kind: ReduceAttributes['kind']): KerasLowering =>
  (layer) => {
    const given = x(layer);
    const isTruth = kind === 'any' || kind === 'all';
    const operand = isTruth ? asType(layer, given, 'bool') : kind === 'mean' ? asFloat(layer, given) : given;
    const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
    return layer.add(reduce, { x: operand }, { kind, axes, keepsAxes: layer.flag('keepdims', false) }, {});
  };

function variance(layer: KerasLayer): Operand {
  const operand = asFloat(layer, x(layer));
  const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
  const mean = layer.tensorflow('Mean', [operand, axes], { keep_dims: true });
  const squares = layer.tensorflow('SquaredDifference', [operand, mean]);
  return layer.tensorflow('Mean', [squares, axes], { keep_dims: layer.flag('keepdims', false) });
}

/** `log Σ exp(x)`, with the largest taken out first. */
function logSumExp(layer: KerasLayer): Operand {
  const operand = asFloat(layer, x(layer));
  const { dtype } = operand.type;
  const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
  const keeps = layer.flag('keepdims', false);
  const largest = layer.tensorflow('Max', [operand, axes], { keep_dims: true });
  const finite = compute(
    layer,
    [largest],
    call('select', call('is_finite', input(0, dtype)), input(0, dtype), number(0, dtype)),
  );
  const powers = compute(
    layer,
    [operand, finite],
    call('exp', call('subtract', input(0, dtype), input(1, dtype))),
  );
  const sum = layer.tensorflow('Sum', [powers, axes], { keep_dims: true });
  const y = compute(layer, [sum, finite], call('add', call('log', input(0, dtype)), input(1, dtype)));
  const { shape } = y.type;
  return keeps
    ? y
    : reshaped(
        layer,
        y,
        shape.filter((_, i) => !axes.includes(i)),
      );
}

const argument =
  (op: 'ArgMax' | 'ArgMin'): KerasLowering =>
  (layer) => {
    const operand = x(layer);
    const axis = layer.number('axis');
    const y = layer.tensorflow(op, [operand, axis], { output_type: { dtype: 'i32' } });
    return layer.flag('keepdims', false) ? layer.tensorflow('ExpandDims', [y, axis]) : y;
  };

/** The numbers along an axis, or their places, from the smallest to the largest. */
const sorted =
  (result: 'values' | 'indices'): KerasLowering =>
  (layer) => {
    const operand = x(layer);
    const rank = operand.type.shape.length;
    const axis = axisOf(layer.number('axis', -1), rank);
    const last = swapped(layer, operand, axis, rank - 1);
    const length = last.type.shape[rank - 1];
    if (typeof length !== 'number') throw new Refusal('sorting the batch mixes the samples');
    const [values, indices] = layer.tensorflowAll('TopKV2', [apply(layer, 'negative', last), length]);
    return swapped(layer, result === 'values' ? apply(layer, 'negative', values!) : indices!, axis, rank - 1);
  };

function swapped(layer: KerasLayer, operand: Operand, a: number, b: number): Operand {
  if (a === b) return operand;
  const axes = operand.type.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return layer.add(transpose, { x: operand }, { axes }, {});
}

function moved(layer: KerasLayer): Operand {
  const operand = x(layer);
  const rank = operand.type.shape.length;
  const axesAt = (key: string) => integersFrom(layer.value(key), key).map((axis) => axisOf(axis, rank));
  const [from, to] = [axesAt('source'), axesAt('destination')];
  const rest = operand.type.shape.map((_, i) => i).filter((i) => !from.includes(i));
  const places = [...to].map((place, i) => [place, from[i]!] as const).sort((a, b) => a[0] - b[0]);
  const axes = places.reduce((order, [place, axis]) => order.toSpliced(place, 0, axis), rest);
  return layer.add(transpose, { x: operand }, { axes }, {});
}

function split(layer: KerasLayer): readonly Operand[] {
  const operand = x(layer);
  const axis = axisOf(layer.number('axis', 0), operand.type.shape.length);
  const length = operand.type.shape[axis];
  if (typeof length !== 'number') throw new Refusal('a split of the batch mixes the samples');
  const sections = layer.value('indices_or_sections');
  const bounds = isList(sections)
    ? [0, ...integersFrom(sections, 'indices_or_sections'), length]
    : Array.from({ length: Number(sections) + 1 }, (_, i) => (i * length) / Number(sections));
  return bounds.slice(1).map((end, i) => steps(layer, operand, axis, bounds[i]!, end - bounds[i]!));
}

function take(layer: KerasLayer): Operand {
  const operand = x(layer);
  const axis = axisOf(layer.number('axis', 0), operand.type.shape.length);
  const indices = operandAt(layer, 'indices', 1, 'i32');
  const length = operand.type.shape[axis];
  if (!indices || typeof length !== 'number')
    throw new Refusal('chosen samples of the batch mix the samples');
  const { dtype } = indices.type;
  // Negative ones count from the end.
  const fromEnd = call('add', input(0, dtype), number(length, dtype));
  const isNegative = call('less', input(0, dtype), number(0, dtype));
  const places = compute(layer, [indices], call('select', isNegative, fromEnd, input(0, dtype)));
  return layer.tensorflow('GatherV2', [operand, places, axis]);
}

function padded(layer: KerasLayer): Operand {
  const operand = x(layer);
  const width = layer.value('pad_width');
  const borders = isList(width) ? width.flatMap((sides) => integersFrom(sides, 'pad_width')) : [];
  if (borders.length !== 2 * operand.type.shape.length) throw new Refusal('a border of that form');
  const mode = layer.text('mode', 'constant');
  const given = operandAt(layer, 'constant_values', 1, operand.type.dtype);
  if (mode !== 'constant')
    return layer.tensorflow('MirrorPad', [operand, borders], { mode: mode.toUpperCase() });
  return layer.tensorflow(given ? 'PadV2' : 'Pad', [operand, borders, ...(given ? [given] : [])]);
}

/** The numbers whose places are one apart in both axes, as the last axis. */
function diagonal(layer: KerasLayer): Operand {
  const operand = x(layer);
  const rank = operand.type.shape.length;
  const offset = layer.number('offset', 0);
  const pairOfAxes = [layer.number('axis1', 0), layer.number('axis2', 1)].map((axis) => axisOf(axis, rank));
  const rest = operand.type.shape.map((_, i) => i).filter((i) => !pairOfAxes.includes(i));
  const turned = layer.add(transpose, { x: operand }, { axes: [...rest, ...pairOfAxes] }, {});
  const [rows, columns] = turned.type.shape.slice(-2);
  if (typeof rows !== 'number' || typeof columns !== 'number') throw new Refusal('a diagonal of the batch');
  const flat = reshaped(layer, turned, [...turned.type.shape.slice(0, -2), rows * columns]);
  const indices = Array.from({ length: rows }, (_, i) => i)
    .filter((i) => i + offset >= 0 && i + offset < columns)
    .map((i) => i * columns + i + offset);
  return layer.add(select, { x: flat }, { axis: rest.length, indices }, {});
}

const triangle =
  (isKept: (row: number, column: number, k: number) => boolean): KerasLowering =>
  (layer) => {
    const operand = x(layer);
    const [rows, columns] = operand.type.shape.slice(-2);
    const k = layer.number('k', 0);
    if (typeof rows !== 'number' || typeof columns !== 'number') throw new Refusal('a triangle of the batch');
    const cells = Array.from({ length: rows * columns }, (_, i) =>
      Number(isKept(Math.floor(i / columns), i % columns, k)),
    );
    const { dtype } = operand.type;
    const kept = constantOf(tensor('bool', [rows, columns], cells));
    return compute(
      layer,
      [operand, kept],
      call('select', input(1, 'bool'), input(0, dtype), number(0, dtype)),
    );
  };

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

function stacked(layer: KerasLayer): Operand {
  const parts = operandsAt(layer, 'x', 0);
  const axis = axisOf(layer.number('axis', 0), parts[0]!.type.shape.length + 1);
  return joined(
    layer,
    parts.map((part) => reshaped(layer, part, part.type.shape.toSpliced(axis, 0, 1))),
    axis,
  );
}

function concatenated(layer: KerasLayer): Operand {
  const parts = operandsAt(layer, 'xs', 0);
  return joined(layer, parts, axisOf(layer.number('axis', 0), parts[0]!.type.shape.length));
}

function unstacked(layer: KerasLayer): readonly Operand[] {
  const operand = x(layer);
  const axis = axisOf(layer.number('axis', 0), operand.type.shape.length);
  const length = operand.type.shape[axis];
  const count = layer.value('num') === undefined ? length : layer.number('num');
  if (typeof count !== 'number') throw new Refusal('the parts of the batch are its samples');
  return layer.tensorflowAll('Unpack', [operand], { axis, num: count });
}

function differences(layer: KerasLayer): Operand {
  const operand = x(layer);
  const axis = axisOf(layer.number('axis', -1), operand.type.shape.length);
  return Array.from({ length: layer.number('n', 1) }).reduce((part: Operand) => {
    const length = Number(part.type.shape[axis]) - 1;
    return apply(layer, 'subtract', steps(layer, part, axis, 1, length), steps(layer, part, axis, 0, length));
  }, operand);
}

function norm(layer: KerasLayer): Operand {
  const operand = asFloat(layer, x(layer));
  const order = layer.value('ord');
  if (order !== undefined && order !== 2 && order !== 'fro') throw new Refusal('a norm of that order');
  const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
  if (order === 2 && axes.length > 1) throw new Refusal('the norm of a matrix is not supported');
  const squares = layer.tensorflow('Square', [operand]);
  const sum = layer.tensorflow('Sum', [squares, axes], { keep_dims: layer.flag('keepdims', false) });
  return layer.tensorflow('Sqrt', [sum]);
}

function normalized(layer: KerasLayer): Operand {
  const operand = asFloat(layer, x(layer));
  if (layer.number('order', 2) !== 2)
    throw new Refusal('normalizing by another order than 2 is not supported');
  const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
  return unitLength(
    layer,
    operand,
    axes,
    layer.value('epsilon') === undefined ? 1e-7 : layer.number('epsilon'),
  );
}

/** NaN and infinities as numbers: by default 0, and the largest and the least that the type has. */
function withoutNan(layer: KerasLayer): Operand {
  const operand = x(layer);
  const { dtype } = operand.type;
  const most = dtype === 'f64' ? Number.MAX_VALUE : 3.4028234663852886e38;
  const or = (key: string, otherwise: number) =>
    number(layer.value(key) === undefined ? otherwise : layer.number(key), dtype);
  const f = input(0, dtype);
  const isMost = call('equal', f, number(Number.POSITIVE_INFINITY, dtype));
  const isLeast = call('equal', f, number(Number.NEGATIVE_INFINITY, dtype));
  const finite = call('select', isMost, or('posinf', most), call('select', isLeast, or('neginf', -most), f));
  return compute(layer, [operand], call('select', call('is_nan', f), or('nan', 0), finite));
}

function clipped(layer: KerasLayer): Operand {
  const operand = x(layer);
  const { dtype } = operand.type;
  const [from, to] = [number(layer.number('x_min'), dtype), number(layer.number('x_max'), dtype)];
  return compute(layer, [operand], call('minimum', call('maximum', input(0, dtype), from), to));
}

function chosen(layer: KerasLayer): Operand {
  const condition = operandAt(layer, 'condition', 0);
  const [a, b] = pairAt(layer, pair, [1, 2]);
  if (!condition) throw new Refusal('it needs a condition');
  return apply(layer, 'select', asType(layer, condition, 'bool'), a, b);
}

function oneHot(layer: KerasLayer): Operand {
  const one = (value: number) => constantOf(tensor(layer.dtype, [], [value]));
  if (layer.flag('sparse', false)) throw new Refusal('sparse results are not supported');
  const axis = layer.number('axis', -1);
  return layer.tensorflow('OneHot', [x(layer), layer.number('num_classes'), one(1), one(0)], { axis });
}

/** The settings of a convolution or a pooling, which one number may stand for. */
function windowOf(layer: KerasLayer, rank: number, strides: readonly number[]) {
  const first = (layer.value('data_format') ?? 'channels_last') === 'channels_first';
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
    const operand = x(layer);
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
  const operand = x(layer);
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
  if (layer.value('data_format') === 'channels_first') throw new Refusal('channels that come first');
  const [rows, columns] = layer.list('size', 2);
  const antialias = layer.flag('antialias', false);
  return imageResized(layer, x(layer), [rows!, columns!], layer.text('interpolation', 'bilinear'), antialias);
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

const rounded: KerasLowering = (layer) => {
  if (layer.number('decimals', 0) !== 0) throw new Refusal('rounding to decimals is not supported');
  return apply(layer, 'round', x(layer));
};

/** Integers are divided as floats. */
const divided: KerasLowering = (layer) => {
  const [a, b] = pairAt(layer, pair);
  return apply(layer, 'divide', asFloat(layer, a), asFloat(layer, b));
};

const floorDivided: KerasLowering = (layer) => layer.tensorflow('FloorDiv', [...pairAt(layer, pair)]);

const logical =
  (name: 'logical_and' | 'logical_or'): KerasLowering =>
  (layer) =>
    apply(
      layer,
      name,
      ...(pairAt(layer, pair).map((each) => asType(layer, each, 'bool')) as [Operand, Operand]),
    );

export const kerasFunctions: KerasLayers = {
  Absolute: unary('abs'),
  Add: binary('add', pair),
  All: reduction('all'),
  Any: reduction('any'),
  Argmax: argument('ArgMax'),
  Argmin: argument('ArgMin'),
  Argsort: sorted('indices'),
  AveragePool: pooled('AvgPool'),
  BatchNorm: batchNormalized,
  Cast: (layer) => compute(layer, [x(layer)], cast(input(0, x(layer).type.dtype), layer.dtype)),
  Ceil: float('ceil'),
  Clip: clipped,
  Concatenate: concatenated,
  Conv: convolved,
  Cos: float('cos'),
  Cumprod: (layer) => layer.tensorflow('Cumprod', [x(layer), layer.number('axis')]),
  Cumsum: (layer) => layer.tensorflow('Cumsum', [x(layer), layer.number('axis')]),
  Diagonal: diagonal,
  Diff: differences,
  Divide: divided,
  Dot: dot,
  DotProductAttention: attended,
  Einsum: (layer) => {
    const operands = Array.from({ length: 3 }, (_, i) => operandAt(layer, '', i));
    const given = operands.filter((operand) => operand !== undefined);
    return layer.tensorflow('Einsum', given, { equation: layer.text('subscripts') });
  },
  Elu: formula((layer) => (f) => call('elu', f, number(layer.number('alpha', 1), f.dtype))),
  Equal: binary('equal', pair),
  Erf: float('erf'),
  Exp: float('exp'),
  ExpandDims: (layer) => layer.tensorflow('ExpandDims', [x(layer), layer.number('axis')]),
  Expm1: float('expm1'),
  Flip: (layer) =>
    layer.tensorflow('ReverseV2', [x(layer), axesFrom(layer.value('axis'), x(layer).type.shape.length)]),
  Floor: float('floor'),
  FloorDivide: floorDivided,
  Gelu: formula((layer) => {
    const name = layer.flag('approximate', true) ? 'gelu_tanh' : 'gelu';
    return (f) => call(name, f);
  }),
  GetItem: (layer) => itemsOf(layer, x(layer), plainValue(layer, 'key', 1)),
  Greater: binary('greater', pair),
  GreaterEqual: binary('greater_equal', pair),
  HardSigmoid: activation('hard_sigmoid'),
  HardSilu: activation('hard_silu'),
  HardTanh: activation('hard_tanh'),
  Isfinite: float('is_finite'),
  Isinf: float('is_inf'),
  Isnan: float('is_nan'),
  LeakyRelu: formula(
    (layer) => (f) => call('leaky_relu', f, number(layer.number('negative_slope', 0.2), f.dtype)),
  ),
  Less: binary('less', pair),
  LessEqual: binary('less_equal', pair),
  Log: float('log'),
  Log1p: float('log1p'),
  LogSigmoid: activation('log_sigmoid'),
  LogSoftmax: (layer) => softmaxOver(layer, x(layer), [layer.number('axis', -1)], undefined, true),
  LogicalAnd: logical('logical_and'),
  LogicalNot: (layer) => apply(layer, 'logical_not', asType(layer, x(layer), 'bool')),
  LogicalOr: logical('logical_or'),
  Logsumexp: logSumExp,
  Matmul: matmul,
  Max: reduction('max'),
  MaxPool: pooled('MaxPool'),
  Maximum: binary('maximum', pair),
  Mean: reduction('mean'),
  Min: reduction('min'),
  Minimum: binary('minimum', pair),
  Mod: (layer) => layer.tensorflow('FloorMod', [...pairAt(layer, pair)]),
  Moveaxis: moved,
  Multiply: binary('multiply', pair),
  NanToNum: withoutNan,
  Negative: unary('negative'),
  Norm: norm,
  Normalize: normalized,
  NotEqual: binary('not_equal', pair),
  OneHot: oneHot,
  Pad: padded,
  Power: binary('power', pair),
  Prod: reduction('prod'),
  Reciprocal: (layer) => layer.tensorflow('Reciprocal', [asFloat(layer, x(layer))]),
  Relu: activation('relu'),
  Relu6: activation('relu6'),
  Repeat: (layer) => {
    const operand = x(layer);
    const axis = axisOf(layer.number('axis'), operand.type.shape.length);
    const counts = operand.type.shape.map((_, i) => (i === axis ? layer.number('repeats') : 1));
    return layer.add(repeat, { x: operand }, { counts }, {});
  },
  Reshape: (layer) => layer.tensorflow('Reshape', [x(layer), layer.list('newshape')]),
  Resize: resized,
  Roll: (layer) => layer.tensorflow('Roll', [x(layer), [layer.number('shift')], [layer.number('axis')]]),
  Round: rounded,
  Rsqrt: float('rsqrt'),
  Selu: activation('selu'),
  Sigmoid: activation('sigmoid'),
  Sign: unary('sign'),
  Silu: activation('silu'),
  Sin: float('sin'),
  Softmax: (layer) =>
    softmaxOver(layer, x(layer), axesFrom(layer.value('axis') ?? -1, x(layer).type.shape.length)),
  Softplus: activation('softplus'),
  Softsign: activation('softsign'),
  Sort: sorted('values'),
  Split: split,
  Sqrt: float('sqrt'),
  Square: formula(() => (f) => call('multiply', f, f)),
  Squeeze: (layer) => {
    const axes = layer.value('axis');
    const attributes = axes === undefined ? {} : { squeeze_dims: integersFrom(axes, 'axis') };
    return layer.tensorflow('Squeeze', [x(layer)], attributes);
  },
  Stack: stacked,
  Std: (layer) => apply(layer, 'sqrt', variance(layer)),
  Subtract: binary('subtract', pair),
  Sum: reduction('sum'),
  Swapaxes: (layer) => {
    const rank = x(layer).type.shape.length;
    const [a, b] = [layer.number('axis1'), layer.number('axis2')].map((axis) => axisOf(axis, rank));
    return swapped(layer, x(layer), a!, b!);
  },
  Take: take,
  Tan: float('tan'),
  Tanh: float('tanh'),
  Tensordot: (layer) => tensorProduct(layer, layer.value('axes') ?? 2),
  Tile: (layer) => layer.tensorflow('Tile', [x(layer), layer.list('repeats')]),
  TopK: (layer) => {
    layer.ignore('sorted');
    return layer.tensorflowAll('TopKV2', [x(layer), layer.number('k')]);
  },
  Transpose: (layer) => {
    const operand = x(layer);
    const reversed = operand.type.shape.map((_, i, { length }) => length - 1 - i);
    const axes = layer.value('axes') === undefined ? reversed : layer.list('axes');
    return layer.tensorflow('Transpose', [operand, axes]);
  },
  Tril: triangle((row, column, k) => column <= row + k),
  Triu: triangle((row, column, k) => column >= row + k),
  TrueDivide: divided,
  Unstack: unstacked,
  Var: variance,
  Where: chosen,
};
