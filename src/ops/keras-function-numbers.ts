/** Functions of `keras.ops` of single numbers. */

import { Refusal } from '../errors.ts';
import { apply, compute } from './elementwise.ts';
import { call, type Expression, input, number } from './expression.ts';
import { asFloat, asType, binary, dtypeNamed, firstAt, operandAt, pair, pairAt } from './function-call.ts';
import type { FunctionName } from './functions.ts';
import type { KerasLayer, KerasLayers, KerasLowering } from './keras.ts';
import { activationFormula } from './keras-activation.ts';
import type { Operand } from './tensorflow.ts';

const unary =
  (name: FunctionName): KerasLowering =>
  (layer) =>
    apply(layer, name, firstAt(layer));

/** A function that makes fractions of integers. */
const float =
  (name: FunctionName): KerasLowering =>
  (layer) =>
    apply(layer, name, asFloat(layer, firstAt(layer)));

const formula =
  (write: (layer: KerasLayer) => (x: Expression) => Expression): KerasLowering =>
  (layer) => {
    const operand = firstAt(layer);
    return compute(layer, [operand], write(layer)(input(0, operand.type.dtype)));
  };

/** An activation by its name, with Keras's defaults. */
const activation = (name: string): KerasLowering => formula(({ keras }) => activationFormula(name, keras)!);

/** NaN and infinities as numbers: by default 0, and the largest and the least that the type has. */
function withoutNan(layer: KerasLayer): Operand {
  const operand = firstAt(layer);
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
  const operand = firstAt(layer);
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

const rounded: KerasLowering = (layer) => {
  if (layer.number('decimals', 0) !== 0) throw new Refusal('rounding to decimals is not supported');
  return apply(layer, 'round', firstAt(layer));
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

export const numberFunctions: KerasLayers = {
  Absolute: unary('abs'),
  Add: binary('add', pair),
  Cast: (layer) => asType(layer, firstAt(layer), dtypeNamed(layer.value('dtype'))),
  Ceil: float('ceil'),
  Clip: clipped,
  Cos: float('cos'),
  Divide: divided,
  Elu: formula((layer) => (f) => call('elu', f, number(layer.number('alpha', 1), f.dtype))),
  Equal: binary('equal', pair),
  Erf: float('erf'),
  Exp: float('exp'),
  Expm1: float('expm1'),
  Floor: float('floor'),
  FloorDivide: floorDivided,
  Gelu: formula((layer) => {
    const name = layer.flag('approximate', true) ? 'gelu_tanh' : 'gelu';
    return (f) => call(name, f);
  }),
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
  LogicalAnd: logical('logical_and'),
  LogicalNot: (layer) => apply(layer, 'logical_not', asType(layer, firstAt(layer), 'bool')),
  LogicalOr: logical('logical_or'),
  Maximum: binary('maximum', pair),
  Minimum: binary('minimum', pair),
  Mod: (layer) => layer.tensorflow('FloorMod', [...pairAt(layer, pair)]),
  Multiply: binary('multiply', pair),
  NanToNum: withoutNan,
  Negative: unary('negative'),
  NotEqual: binary('not_equal', pair),
  Power: binary('power', pair),
  Reciprocal: (layer) => layer.tensorflow('Reciprocal', [asFloat(layer, firstAt(layer))]),
  Relu: activation('relu'),
  Relu6: activation('relu6'),
  Round: rounded,
  Rsqrt: float('rsqrt'),
  Selu: activation('selu'),
  Sigmoid: activation('sigmoid'),
  Sign: unary('sign'),
  Silu: activation('silu'),
  Sin: float('sin'),
  Softplus: activation('softplus'),
  Softsign: activation('softsign'),
  Sqrt: float('sqrt'),
  Square: formula(() => (f) => call('multiply', f, f)),
  Subtract: binary('subtract', pair),
  Tan: float('tan'),
  Tanh: float('tanh'),
  TrueDivide: divided,
  Where: chosen,
};
