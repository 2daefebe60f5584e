/** Functions of `keras.ops` along axes: sums, orders, norms. */

import { Refusal } from '../errors.ts';
import { axisOf } from './axes.ts';
import { apply, compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import { asFloat, asType, axesFrom, firstAt, swapped } from './function-call.ts';
import type { KerasLayer, KerasLayers, KerasLowering } from './keras.ts';
import { unitLength } from './normalizing.ts';
import { type ReduceAttributes, reduce } from './reduce.ts';
import { reshaped } from './reshape.ts';
import { softmaxOver } from './softmax.ts';
import type { Operand } from './tensorflow.ts';

const reduction =
  (kind: ReduceAttributes['kind']): KerasLowering =>
  (layer) => {
    const given = firstAt(layer);
    const isTruth = kind === 'any' || kind === 'all';
    const operand = isTruth ? asType(layer, given, 'bool') : kind === 'mean' ? asFloat(layer, given) : given;
    const axes = axesFrom(layer.value('axis'), operand.type.shape.length);
    return layer.add(reduce, { x: operand }, { kind, axes, keepsAxes: layer.flag('keepdims', false) }, {});
  };

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

const argument =
  (op: 'ArgMax' | 'ArgMin'): KerasLowering =>
  (layer) => {
    const operand = firstAt(layer);
    const axis = layer.number('axis');
    const y = layer.tensorflow(op, [operand, axis], { output_type: { dtype: 'i32' } });
    return layer.flag('keepdims', false) ? layer.tensorflow('ExpandDims', [y, axis]) : y;
  };

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
  Cumprod: (layer) => layer.tensorflow('Cumprod', [firstAt(layer), layer.number('axis')]),
  Cumsum: (layer) => layer.tensorflow('Cumsum', [firstAt(layer), layer.number('axis')]),
  LogSoftmax: (layer) => softmaxOver(layer, firstAt(layer), [layer.number('axis', -1)], undefined, true),
  Logsumexp: logSumExp,
  Max: reduction('max'),
  Mean: reduction('mean'),
  Min: reduction('min'),
  Norm: norm,
  Normalize: normalized,
  Prod: reduction('prod'),
  Softmax: (layer) =>
    softmaxOver(layer, firstAt(layer), axesFrom(layer.value('axis') ?? -1, firstAt(layer).type.shape.length)),
  Sort: sorted('values'),
  Std: (layer) => apply(layer, 'sqrt', variance(layer)),
  Sum: reduction('sum'),
  TopK: (layer) => {
    layer.ignore('sorted');
    return layer.tensorflowAll('TopKV2', [firstAt(layer), layer.number('k')]);
  },
  Var: variance,
};
