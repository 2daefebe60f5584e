/** The functions of TensorFlow that were called between layers, which Keras 2 saves as layers of the class TFOpLambda. */

import { isList } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { tensor } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { joined } from './concatenate.ts';
import { apply, compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import {
  asType,
  axesFrom,
  binary,
  dtypeNamed,
  integersFrom,
  itemsOf,
  operandAt,
  operandsAt,
  pairAt,
  plainValue,
} from './function-call.ts';
import type { FunctionName } from './functions.ts';
import type { KerasLayer, KerasLayers, KerasLowering } from './keras.ts';
import { type ReduceAttributes, reduce } from './reduce.ts';
import { reshaped } from './reshape.ts';
import { imageResized } from './resize.ts';
import { softmaxOver } from './softmax.ts';
import { constantOf, type Operand } from './tensorflow.ts';

/** The first argument, whatever its name. */
function x(layer: KerasLayer): Operand {
  return operandAt(layer, 'x', 0) ?? layer.input(0);
}

const pair = ['x', 'y'] as const;

const unary =
  (name: FunctionName): KerasLowering =>
  (layer) =>
    apply(layer, name, x(layer));

/** An op with one input, and no attributes. */
const op =
  (name: string): KerasLowering =>
  (layer) =>
    layer.tensorflow(name, [x(layer)]);

const reduction =
  (kind: ReduceAttributes['kind']): KerasLowering =>
  (layer) => {
    const operand = x(layer);
    const axes = axesFrom(plainValue(layer, 'axis', 1), operand.type.shape.length);
    const keepsAxes = plainValue(layer, 'keepdims', 2) === true;
    return layer.add(reduce, { x: operand }, { kind, axes, keepsAxes }, {});
  };

function numberAt(layer: KerasLayer, name: string, place: number, otherwise: number): number {
  const value = plainValue(layer, name, place) ?? otherwise;
  if (typeof value !== 'number') throw new Refusal(`its argument "${name}" is no number`);
  return value;
}

/** Lengths, some of which may follow from the batch. */
function lengthsAt(layer: KerasLayer, name: string, place: number): Operand {
  const argument = layer.argument(name, place);
  if (argument?.kind !== 'list') {
    const whole = operandAt(layer, name, place, 'i32');
    if (!whole) throw new Refusal(`its argument "${name}" is missing`);
    return whole;
  }
  const parts = argument.items.map((item) => {
    if (item.kind === 'tensor') return asType(layer, item.operand, 'i32');
    const length = item.kind === 'value' ? item.value : undefined;
    if (typeof length !== 'number') throw new Refusal(`its argument "${name}" is no list of lengths`);
    return constantOf(tensor('i32', [], [length]));
  });
  return layer.tensorflow('Pack', parts, { axis: 0 });
}

const filled =
  (value: number): KerasLowering =>
  (layer) => {
    const dtype = dtypeNamed(plainValue(layer, 'dtype', 1) ?? 'float32');
    return layer.tensorflow('Fill', [lengthsAt(layer, 'shape', 0), constantOf(tensor(dtype, [], [value]))]);
  };

function concatenated(layer: KerasLayer): Operand {
  const parts = operandsAt(layer, 'values', 0);
  return joined(layer, parts, axisOf(numberAt(layer, 'axis', 1, 0), parts[0]!.type.shape.length));
}

function stacked(layer: KerasLayer): Operand {
  const parts = operandsAt(layer, 'values', 0);
  const axis = axisOf(numberAt(layer, 'axis', 1, 0), parts[0]!.type.shape.length + 1);
  const wide = parts.map((part) => reshaped(layer, part, part.type.shape.toSpliced(axis, 0, 1)));
  return joined(layer, wide, axis);
}

function split(layer: KerasLayer): readonly Operand[] {
  const sizes = plainValue(layer, 'num_or_size_splits', 1);
  const axis = numberAt(layer, 'axis', 2, 0);
  if (isList(sizes)) {
    const lengths = integersFrom(sizes, 'num_or_size_splits');
    return layer.tensorflowAll('SplitV', [x(layer), lengths, axis], { num_split: lengths.length });
  }
  return layer.tensorflowAll('Split', [axis, x(layer)], { num_split: Number(sizes) });
}

function unstacked(layer: KerasLayer): readonly Operand[] {
  const operand = x(layer);
  plainValue(layer, 'num', 1);
  const axis = axisOf(numberAt(layer, 'axis', 2, 0), operand.type.shape.length);
  const count = operand.type.shape[axis];
  if (typeof count !== 'number') throw new Refusal('the parts of the batch are its samples');
  return layer.tensorflowAll('Unpack', [operand], { axis, num: count });
}

function padded(layer: KerasLayer): Operand {
  const paddings = plainValue(layer, 'paddings', 1);
  const borders = isList(paddings) ? paddings.flatMap((sides) => integersFrom(sides, 'paddings')) : [];
  const operand = x(layer);
  const mode = `${plainValue(layer, 'mode', 2) ?? 'CONSTANT'}`.toUpperCase();
  const value = constantOf(tensor(operand.type.dtype, [], [numberAt(layer, 'constant_values', 4, 0)]));
  if (borders.length !== 2 * operand.type.shape.length) throw new Refusal('a border of that form');
  if (mode !== 'CONSTANT') return layer.tensorflow('MirrorPad', [operand, borders], { mode });
  return layer.tensorflow('PadV2', [operand, borders, value]);
}

function gathered(layer: KerasLayer): Operand {
  const operand = x(layer);
  const indices = operandAt(layer, 'indices', 1, 'i32');
  plainValue(layer, 'validate_indices', 2);
  const axis = numberAt(layer, 'axis', 3, 0);
  const batch = numberAt(layer, 'batch_dims', 4, 0);
  if (!indices) throw new Refusal('it has no indices');
  return layer.tensorflow('GatherV2', [operand, indices, axis], { batch_dims: batch });
}

function oneHot(layer: KerasLayer): Operand {
  const dtype = dtypeNamed(plainValue(layer, 'dtype', 5) ?? 'float32');
  const [on, off] = [numberAt(layer, 'on_value', 2, 1), numberAt(layer, 'off_value', 3, 0)];
  const values = [on, off].map((value) => constantOf(tensor(dtype, [], [value])));
  const attributes = { axis: numberAt(layer, 'axis', 4, -1) };
  return layer.tensorflow('OneHot', [x(layer), numberAt(layer, 'depth', 1, 0), ...values], attributes);
}

/** `x / √max(Σ x², ε)` */
function l2Normalized(layer: KerasLayer): Operand {
  const operand = x(layer);
  const { dtype, shape } = operand.type;
  const axes = axesFrom(plainValue(layer, 'axis', 1), shape.length);
  const squares = layer.tensorflow('Sum', [layer.tensorflow('Square', [operand]), axes], { keep_dims: true });
  const least = number(numberAt(layer, 'epsilon', 2, 1e-12), dtype);
  const inverse = compute(layer, [squares], call('rsqrt', call('maximum', input(0, dtype), least)));
  return apply(layer, 'multiply', operand, inverse);
}

function clipped(layer: KerasLayer): Operand {
  const operand = x(layer);
  const { dtype } = operand.type;
  const from = number(numberAt(layer, 'clip_value_min', 1, Number.NEGATIVE_INFINITY), dtype);
  const to = number(numberAt(layer, 'clip_value_max', 2, Number.POSITIVE_INFINITY), dtype);
  return compute(layer, [operand], call('maximum', call('minimum', input(0, dtype), to), from));
}

function chosen(layer: KerasLayer): Operand {
  const condition = operandAt(layer, 'condition', 0);
  const [a, b] = pairAt(layer, ['x', 'y'], [1, 2]);
  if (!condition) throw new Refusal('it needs a condition');
  return apply(layer, 'select', condition, a, b);
}

function product(layer: KerasLayer): Operand {
  const [a, b] = pairAt(layer, ['a', 'b']);
  const is = (name: string, place: number) => plainValue(layer, name, place) === true;
  for (const [i, name] of ['adjoint_a', 'adjoint_b', 'a_is_sparse', 'b_is_sparse'].entries()) {
    if (is(name, i + 4)) throw new Refusal(`${name} is not supported`);
  }
  return layer.tensorflow('BatchMatMulV2', [a, b], {
    adj_x: is('transpose_a', 2),
    adj_y: is('transpose_b', 3),
  });
}

function squeezed(layer: KerasLayer): Operand {
  const axes = plainValue(layer, 'axis', 1);
  return layer.tensorflow(
    'Squeeze',
    [x(layer)],
    axes === undefined ? {} : { squeeze_dims: integersFrom(axes, 'axis') },
  );
}

function transposed(layer: KerasLayer): Operand {
  const operand = x(layer);
  const axes = plainValue(layer, 'perm', 1);
  if (plainValue(layer, 'conjugate', 3) === true) throw new Refusal('conjugate is not supported');
  const reversed = operand.type.shape.map((_, i, { length }) => length - 1 - i);
  return layer.tensorflow('Transpose', [operand, axes === undefined ? reversed : integersFrom(axes, 'perm')]);
}

const cumulated =
  (name: 'Cumsum' | 'Cumprod'): KerasLowering =>
  (layer) => {
    const is = (key: string, place: number) => plainValue(layer, key, place) === true;
    const attributes = { exclusive: is('exclusive', 2), reverse: is('reverse', 3) };
    return layer.tensorflow(name, [x(layer), numberAt(layer, 'axis', 1, 0)], attributes);
  };

const place =
  (name: 'ArgMax' | 'ArgMin'): KerasLowering =>
  (layer) => {
    const dtype = dtypeNamed(plainValue(layer, 'output_type', 2) ?? 'int64');
    return layer.tensorflow(name, [x(layer), numberAt(layer, 'axis', 1, 0)], { output_type: { dtype } });
  };

function softmaxed(layer: KerasLayer, isLog: boolean): Operand {
  return softmaxOver(layer, x(layer), [numberAt(layer, 'axis', 1, -1)], undefined, isLog);
}

function resized(layer: KerasLayer): Operand {
  const [rows, columns] = integersFrom(plainValue(layer, 'size', 1), 'size');
  const method = `${plainValue(layer, 'method', 2) ?? 'bilinear'}`;
  if (plainValue(layer, 'preserve_aspect_ratio', 3) === true)
    throw new Refusal('preserve_aspect_ratio is not supported');
  const antialias = plainValue(layer, 'antialias', 4) === true;
  return imageResized(layer, x(layer), [rows!, columns!], method, antialias);
}

function leakyRelu(layer: KerasLayer): Operand {
  const operand = x(layer);
  const { dtype } = operand.type;
  const slope = number(numberAt(layer, 'alpha', 1, 0.2), dtype);
  return compute(layer, [operand], call('leaky_relu', input(0, dtype), slope));
}

const depthOp =
  (name: string): KerasLowering =>
  (layer) => {
    const data_format = `${plainValue(layer, 'data_format', 2) ?? 'NHWC'}`;
    return layer.tensorflow(name, [x(layer)], {
      block_size: numberAt(layer, 'block_size', 1, 0),
      data_format,
    });
  };

const divided: KerasLowering = (layer) => {
  const [a, b] = pairAt(layer, pair);
  const [left, right] = [a, b].map((each) => asType(layer, each, a.type.dtype === 'f64' ? 'f64' : 'f32'));
  return apply(layer, 'divide', left!, right!);
};

/** By the name below `tf`. */
const functions: KerasLayers = {
  '__operators__.add': binary('add', pair),
  '__operators__.getitem': (layer) => itemsOf(layer, layer.input(0), plainValue(layer, 'slice_spec', 1)),
  broadcast_to: (layer) => layer.tensorflow('BroadcastTo', [x(layer), lengthsAt(layer, 'shape', 1)]),
  cast: (layer) => asType(layer, x(layer), dtypeNamed(plainValue(layer, 'dtype', 1) ?? null)),
  clip_by_value: clipped,
  concat: concatenated,
  einsum: () => {
    throw new Refusal(
      'Keras 2 does not save what tf.einsum is called with; export a SavedModel with model.export(...)',
    );
  },
  expand_dims: (layer) => layer.tensorflow('ExpandDims', [x(layer), numberAt(layer, 'axis', 1, 0)]),
  gather: gathered,
  identity: (layer) => x(layer),
  'image.resize': resized,
  'linalg.matmul': product,
  'math.abs': unary('abs'),
  'math.add': binary('add', pair),
  'math.argmax': place('ArgMax'),
  'math.argmin': place('ArgMin'),
  'math.ceil': unary('ceil'),
  'math.cos': unary('cos'),
  'math.cumprod': cumulated('Cumprod'),
  'math.cumsum': cumulated('Cumsum'),
  'math.divide': divided,
  'math.equal': binary('equal', pair),
  'math.erf': unary('erf'),
  'math.exp': unary('exp'),
  'math.expm1': unary('expm1'),
  'math.floor': unary('floor'),
  'math.floordiv': (layer) => layer.tensorflow('FloorDiv', [...pairAt(layer, pair)]),
  'math.floormod': (layer) => layer.tensorflow('FloorMod', [...pairAt(layer, pair)]),
  'math.greater': binary('greater', pair),
  'math.greater_equal': binary('greater_equal', pair),
  'math.l2_normalize': l2Normalized,
  'math.less': binary('less', pair),
  'math.less_equal': binary('less_equal', pair),
  'math.log': unary('log'),
  'math.log1p': unary('log1p'),
  'math.logical_and': binary('logical_and', pair),
  'math.logical_not': unary('logical_not'),
  'math.logical_or': binary('logical_or', pair),
  'math.maximum': binary('maximum', pair),
  'math.minimum': binary('minimum', pair),
  'math.multiply': binary('multiply', pair),
  'math.negative': unary('negative'),
  'math.not_equal': binary('not_equal', pair),
  'math.pow': binary('power', pair),
  'math.reciprocal': op('Reciprocal'),
  'math.reduce_all': reduction('all'),
  'math.reduce_any': reduction('any'),
  'math.reduce_max': reduction('max'),
  'math.reduce_mean': reduction('mean'),
  'math.reduce_min': reduction('min'),
  'math.reduce_prod': reduction('prod'),
  'math.reduce_sum': reduction('sum'),
  'math.round': unary('round'),
  'math.rsqrt': unary('rsqrt'),
  'math.sigmoid': unary('sigmoid'),
  'math.sign': unary('sign'),
  'math.sin': unary('sin'),
  'math.softplus': unary('softplus'),
  'math.sqrt': unary('sqrt'),
  'math.square': op('Square'),
  'math.squared_difference': (layer) => layer.tensorflow('SquaredDifference', [...pairAt(layer, pair)]),
  'math.subtract': binary('subtract', pair),
  'math.tanh': unary('tanh'),
  'math.top_k': (layer) => layer.tensorflowAll('TopKV2', [x(layer), numberAt(layer, 'k', 1, 1)]),
  'math.truediv': divided,
  'nn.depth_to_space': depthOp('DepthToSpace'),
  'nn.elu': op('Elu'),
  'nn.gelu': (layer) => {
    const name = plainValue(layer, 'approximate', 1) === true ? 'gelu_tanh' : 'gelu';
    return apply(layer, name, x(layer));
  },
  'nn.leaky_relu': leakyRelu,
  'nn.local_response_normalization': (layer) =>
    layer.tensorflow('LRN', [x(layer)], {
      depth_radius: numberAt(layer, 'depth_radius', 1, 5),
      bias: numberAt(layer, 'bias', 2, 1),
      alpha: numberAt(layer, 'alpha', 3, 1),
      beta: numberAt(layer, 'beta', 4, 0.5),
    }),
  'nn.log_softmax': (layer) => softmaxed(layer, true),
  'nn.relu': unary('relu'),
  'nn.relu6': unary('relu6'),
  'nn.selu': op('Selu'),
  'nn.silu': unary('silu'),
  'nn.softmax': (layer) => softmaxed(layer, false),
  'nn.softplus': unary('softplus'),
  'nn.softsign': unary('softsign'),
  'nn.space_to_depth': depthOp('SpaceToDepth'),
  one_hot: oneHot,
  ones: filled(1),
  ones_like: op('OnesLike'),
  pad: padded,
  reshape: (layer) => layer.tensorflow('Reshape', [x(layer), lengthsAt(layer, 'shape', 1)]),
  reverse: (layer) =>
    layer.tensorflow('ReverseV2', [x(layer), integersFrom(plainValue(layer, 'axis', 1), 'axis')]),
  shape: (layer) => {
    const dtype = dtypeNamed(plainValue(layer, 'out_type', 1) ?? 'int32');
    return layer.tensorflow('Shape', [x(layer)], { out_type: { dtype } });
  },
  split,
  squeeze: squeezed,
  stack: stacked,
  tile: (layer) => layer.tensorflow('Tile', [x(layer), lengthsAt(layer, 'multiples', 1)]),
  transpose: transposed,
  unstack: unstacked,
  where: chosen,
  zeros: filled(0),
  zeros_like: op('ZerosLike'),
};

const calledFunction: KerasLowering = (layer) => {
  const name = layer.text('function');
  layer.argument('name', -1);
  // `compat.v1` marks functions that TensorFlow 2 has by the same name.
  const known = name.replace(/^compat\.v1\./, '');
  const lowering = Object.hasOwn(functions, known) ? functions[known] : undefined;
  if (!lowering) throw new Refusal(`the function tf.${name} is not supported`);
  return lowering(layer);
};

export const tensorflowFunctions: KerasLayers = {
  SlicingOpLambda: calledFunction,
  TFOpLambda: calledFunction,
};
