/** Functions of `keras.ops` along axes: sums, orders, norms. */

import { Refusal } from '../errors.ts';
import { tensor } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { apply, compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import { asFloat, asType, axesFrom, dtypeNamed, firstAt, swapped } from './function-call.ts';
import type { KerasLayer, KerasLayers, KerasLowering } from './keras.ts';
import { unitLength } from './normalizing.ts';
import { type ReduceAttributes, reduce } from './reduce.ts';
import { reshaped } from './reshape.ts';
import { softmaxOver } from './softmax.ts';
import { constantOf, type Operand } from './tensorflow.ts';

const reduction =
  (kind: ReduceAttributes['kind']): KerasLowering =>
  (layer) => {
    const operand = reducible(layer, kind);
    const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
    return layer.add(reduce, { x: operand }, { kind, axes, keepsAxes: layer.flag('keepdims', false) }, {});
  };

/** The first argument in the type that is computed with: sums and products are of wider integers. */
function reducible(layer: KerasLayer, kind: ReduceAttributes['kind']): Operand {
  const given = firstAt(layer);
  switch (kind) {
    case 'any':
    case 'all':
      return asType(layer, given, 'bool');
    case 'mean':
      return asFloat(layer, given);
    case 'sum':
      return widened(layer, given);
    case 'prod':
      return inOwnType(layer, given) ?? widened(layer, given);
    case 'max':
    case 'min':
      return given;
  }
}

/** Sums of `uint8` are `uint32`, which is i64 here, and those of `bool` are `int32`. */
function widened(layer: KerasLayer, x: Operand): Operand {
  const { dtype } = x.type;
  return dtype === 'u8' ? asType(layer, x, 'i64') : dtype === 'bool' ? asType(layer, x, 'i32') : x;
}

/** In the type that the function is told to compute with; undefined if it is told none. */
function inOwnType(layer: KerasLayer, x: Operand): Operand | undefined {
  const dtype = layer.value('dtype');
  return dtype === undefined ? undefined : asType(layer, x, dtypeNamed(dtype));
}

function variance(layer: KerasLayer): Operand {
  const operand = asFloat(layer, firstAt(layer));
  const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
  const mean = layer.tensorflow('Mean', [operand, axes], { keep_dims: true });
  const squares = layer.tensorflow('SquaredDifference', [operand, mean]);
  return layer.tensorflow('Mean', [squares, axes], { keep_dims: layer.flag('keepdims', false) });
}

/** `log Σ exp(x)`, with the largest taken out first. */
function logSumExp(layer: KerasLayer): Operand {
  const operand = asFloat(layer, firstAt(layer));
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

/** The place of the largest or the least number. To Keras −0 is less than 0. */
const argument =
  (op: 'ArgMax' | 'ArgMin'): KerasLowering =>
  (layer) => {
    const given = firstAt(layer);
    const operand = given.type.dtype === 'f32' ? withoutNegativeZeros(layer, given) : given;
    const axis = layer.number('axis');
    const y = layer.tensorflow(op, [operand, axis], { output_type: { dtype: 'i32' } });
    return layer.flag('keepdims', false) ? layer.tensorflow('ExpandDims', [y, axis]) : y;
  };

/** With the least normal number below 0 in place of −0, as keras/src/backend/tensorflow/numpy.py has it. */
function withoutNegativeZeros(layer: KerasLayer, x: Operand): Operand {
  const isZero = layer.tensorflow('Equal', [x, constantOf(tensor('f32', [], [0]))]);
  const bits = layer.tensorflow('Bitcast', [x], { type: { dtype: 'i32' } });
  const sign = constantOf(tensor('i32', [], [-(2 ** 31)]));
  const zero = constantOf(tensor('i32', [], [0]));
  const isNegative = layer.tensorflow('Less', [layer.tensorflow('BitwiseAnd', [bits, sign]), zero]);
  const least = constantOf(tensor('f32', [], [-(2 ** -126)]));
  return layer.tensorflow('SelectV2', [layer.tensorflow('LogicalAnd', [isZero, isNegative]), least, x]);
}

/** The numbers along an axis, or their places, from the smallest to the largest. */
const sorted =
  (result: 'values' | 'indices'): KerasLowering =>
  (layer) => {
    const operand = firstAt(layer);
    const rank = operand.type.shape.length;
    const axis = axisOf(layer.number('axis', -1), rank);
    const last = swapped(layer, operand, axis, rank - 1);
    const length = last.type.shape[rank - 1];
    if (typeof length !== 'number') throw new Refusal('sorting the batch mixes the samples');
    const [values, indices] = layer.tensorflowAll('TopKV2', [apply(layer, 'negative', last), length]);
    return swapped(layer, result === 'values' ? apply(layer, 'negative', values!) : indices!, axis, rank - 1);
  };

const cumulated =
  (op: 'Cumsum' | 'Cumprod'): KerasLowering =>
  (layer) => {
    const x = inOwnType(layer, firstAt(layer)) ?? firstAt(layer);
    return layer.tensorflow(op, [
      x.type.dtype === 'bool' ? asType(layer, x, 'i32') : x,
      layer.number('axis'),
    ]);
  };

function norm(layer: KerasLayer): Operand {
  const operand = asFloat(layer, firstAt(layer));
  const order = layer.value('ord');
  if (order !== undefined && order !== 2 && order !== 'fro') throw new Refusal('a norm of that order');
  const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
  if (order === 2 && axes.length > 1) throw new Refusal('the norm of a matrix is not supported');
  const squares = layer.tensorflow('Square', [operand]);
  const sum = layer.tensorflow('Sum', [squares, axes], { keep_dims: layer.flag('keepdims', false) });
  return layer.tensorflow('Sqrt', [sum]);
}

function normalized(layer: KerasLayer): Operand {
  const operand = asFloat(layer, firstAt(layer));
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

export const reductionFunctions: KerasLayers = {
  All: reduction('all'),
  Any: reduction('any'),
  Argmax: argument('ArgMax'),
  Argmin: argument('ArgMin'),
  Argsort: sorted('indices'),
  Cumprod: cumulated('Cumprod'),
  Cumsum: cumulated('Cumsum'),
  LogSoftmax: (layer) => {
    const axes = axesFrom(layer.value('axis'), firstAt(layer).type.shape.length);
    return softmaxOver(layer, firstAt(layer), axes, undefined, true);
  },
  Logsumexp: logSumExp,
  Max: reduction('max'),
  Mean: reduction('mean'),
  Min: reduction('min'),
  Norm: norm,
  Normalize: normalized,
  Prod: reduction('prod'),
  Softmax: (layer) =>
    softmaxOver(layer, firstAt(layer), axesFrom(layer.value('axis'), firstAt(layer).type.shape.length)),
  Sort: sorted('values'),
  Std: (layer) => apply(layer, 'sqrt', variance(layer)),
  Sum: reduction('sum'),
  TopK: (layer) =>
    layer.tensorflowAll('TopKV2', [firstAt(layer), layer.number('k')], {
      sorted: layer.flag('sorted', true),
    }),
  Var: variance,
};
