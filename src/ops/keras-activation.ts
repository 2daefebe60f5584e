/** The activations that layers of Keras name in their config. */

import { isObject, type Json, printJson, valueAt } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { type Activation, activationOf, linear } from './activation.ts';
import { recognizedActivation } from './activation-formulas.ts';
import { compute } from './elementwise.ts';
import { call, type Expression, input, number } from './expression.ts';
import { type KerasLayer, type KerasLayers, keepsMask } from './keras.ts';
import { softmaxOver } from './softmax.ts';
import type { Operand } from './tensorflow.ts';

/** What an activation does to a number. */
export type Formula = (x: Expression) => Expression;

const constant = (value: number, like: Expression) => number(value, like.dtype);
const plus = (x: Expression, y: Expression | number) =>
  call('add', x, typeof y === 'number' ? constant(y, x) : y);
const times = (x: Expression, y: Expression | number) =>
  call('multiply', x, typeof y === 'number' ? constant(y, x) : y);
const where = (condition: Expression, x: Expression | number, y: Expression) =>
  call('select', condition, typeof x === 'number' ? constant(x, y) : x, y);
const is = (x: Expression, relation: 'less' | 'less_equal' | 'greater' | 'greater_equal', y: number) =>
  call(relation, x, constant(y, x));
const clipped = (x: Expression, from: number, to: number) =>
  call('maximum', call('minimum', x, constant(to, x)), constant(from, x));

/** Activations of single numbers (keras/src/activations/activations.py, with its defaults). */
const formulas: Readonly<Record<string, Formula>> = {
  celu: (x) => plus(call('maximum', x, constant(0, x)), call('expm1', call('minimum', x, constant(0, x)))),
  elu: (x) => call('elu', x, constant(1, x)),
  exponential: (x) => call('exp', x),
  gelu: (x) => call('gelu', x),
  hard_shrink: (x) => where(is(call('abs', x), 'greater', 0.5), x, constant(0, x)),
  hard_sigmoid: (x) => call('hard_sigmoid', x),
  hard_silu: (x) => call('hard_silu', x),
  hard_swish: (x) => call('hard_silu', x),
  hard_tanh: (x) => clipped(x, -1, 1),
  leaky_relu: (x) => call('leaky_relu', x, constant(0.2, x)),
  linear: (x) => x,
  log_sigmoid: (x) => call('negative', call('softplus', call('negative', x))),
  mish: (x) => call('mish', x),
  relu: (x) => call('relu', x),
  relu6: (x) => call('relu6', x),
  selu: (x) => call('selu', x),
  sigmoid: (x) => call('sigmoid', x),
  silu: (x) => call('silu', x),
  soft_shrink: (x) =>
    where(
      is(x, 'greater', 0.5),
      call('subtract', x, constant(0.5, x)),
      where(is(x, 'less', -0.5), plus(x, 0.5), constant(0, x)),
    ),
  softplus: (x) => call('softplus', x),
  softsign: (x) => call('softsign', x),
  sparse_plus: (x) => {
    const square = times(plus(x, 1), plus(x, 1));
    return where(is(x, 'less_equal', -1), 0, where(is(x, 'less', 1), times(square, 0.25), x));
  },
  sparse_sigmoid: (x) =>
    where(is(x, 'less_equal', -1), 0, where(is(x, 'greater_equal', 1), 1, times(plus(x, 1), 0.5))),
  squareplus: (x) => times(plus(x, call('sqrt', plus(times(x, x), 4))), 0.5),
  swish: (x) => call('silu', x),
  tanh: (x) => call('tanh', x),
  tanh_shrink: (x) => call('subtract', x, call('tanh', x)),
};

/** Before Keras 3 it is steeper: 0.2 x + 0.5, between 0 and 1. */
const oldHardSigmoid: Formula = (x) => clipped(plus(times(x, 0.2), 0.5), 0, 1);

/** The formula of an activation; undefined for one that is none of single numbers. */
export function activationFormula(name: string, keras: number): Formula | undefined {
  if (name === 'hard_sigmoid' && keras < 3) return oldHardSigmoid;
  return Object.hasOwn(formulas, name) ? formulas[name] : undefined;
}

/** The activation in the config of the layer, of `x`. */
export function activated(layer: KerasLayer, x: Operand, key = 'activation'): Operand {
  const activation = layer.value(key);
  if (activation === undefined) return x;
  if (typeof activation === 'string') return activate(layer, x, activation);
  const name = functionName(activation);
  if (name !== undefined) return activate(layer, x, name);
  const [result] = layer.callInner(activation, { attribute: key }, { operand: x }).outputs;
  return result!;
}

/** The formula of the activation in the config of a layer that applies it itself, as a recurrent one does. */
export function formulaSetting(layer: KerasLayer, key: string): Formula {
  const setting = layer.value(key);
  const name = (typeof setting === 'object' ? functionName(setting) : setting) ?? 'linear';
  const formula = typeof name === 'string' ? activationFormula(name, layer.keras) : undefined;
  if (!formula) throw new Refusal(`the activation ${String(name)} of a recurrent layer is not supported`);
  return formula;
}

/** The same, if it is one of those that layers of vectors apply at once. */
export function activationSetting(layer: KerasLayer, key: string): Activation {
  const expression = formulaSetting(layer, key)(input(0, 'f32'));
  if (expression.kind === 'input') return linear;
  const activation = activationOf(recognizedActivation(expression) ?? expression);
  if (!activation) throw new Refusal(`the ${key} of a recurrent layer is not supported`);
  return activation;
}

/** The name of a function of Keras that is written as an object; undefined for a layer. */
function functionName(json: Json): string | undefined {
  if (!isObject(json)) throw new Refusal(`the activation ${printJson(json)} is not supported`);
  const [className, name, registered] = ['class_name', 'config', 'registered_name'].map((key) =>
    valueAt(json, key),
  );
  if (className !== 'function' || typeof name !== 'string') return undefined;
  if (typeof registered === 'string' && registered.includes('>')) {
    throw new Refusal(
      `the activation ${registered} is the author's own, which only its Python code explains`,
    );
  }
  return name;
}

function activate(layer: KerasLayer, x: Operand, name: string): Operand {
  const formula = activationFormula(name, layer.keras);
  if (formula) return name === 'linear' ? x : compute(layer, [x], formula(input(0, x.type.dtype)));
  switch (name) {
    case 'softmax':
      return softmaxOver(layer, x, [-1]);
    case 'log_softmax':
      return softmaxOver(layer, x, [-1], undefined, true);
    case 'glu': {
      const [values, gates] = layer.tensorflowAll('Split', [-1, x], { num_split: 2 });
      const gate = call('sigmoid', input(1, x.type.dtype));
      return compute(layer, [values!, gates!], times(input(0, x.type.dtype), gate));
    }
    case 'sparsemax':
      return sparsemax(layer, x);
    default:
      throw new Refusal(`the activation ${name} is not known`);
  }
}

/**
 * `max(x − τ, 0)`, after Martins and Astudillo (2016), but with the τ of Keras, which adds up what the largest that
 * stay above it come to one after the other (keras/src/backend/tensorflow/nn.py).
 */
function sparsemax(layer: KerasLayer, x: Operand): Operand {
  const count = x.type.shape.at(-1);
  const { dtype } = x.type;
  if (typeof count !== 'number') throw new Refusal('sparsemax over the batch mixes the samples');
  const sorted = layer.tensorflowAll('TopKV2', [x, count])[0]!;
  const sums = layer.tensorflow('Cumsum', [sorted, -1]);
  const ranks = layer.tensorflow('Cast', [Array.from({ length: count }, (_, i) => i + 1)], {
    DstT: { dtype },
  });
  const [a, b, c] = [input(0, dtype), input(1, dtype), input(2, dtype)];
  const isInside = call('greater', call('subtract', a, call('divide', plus(b, -1), c)), constant(0, a));
  const [size, sum] = [where(isInside, 1, constant(0, a)), where(isInside, b, constant(0, a))].map((each) =>
    layer.tensorflow('Sum', [compute(layer, [sorted, sums, ranks], each), [-1]], { keep_dims: true }),
  );
  const threshold = call('divide', plus(b, -1), c);
  return compute(layer, [x, sum!, size!], call('maximum', call('subtract', a, threshold), constant(0, a)));
}

/** `max_value`, `negative_slope` and `threshold` of a ReLU. */
function reluOf(x: Expression, max: number | undefined, slope: number, threshold: number): Expression {
  if (threshold === 0 && slope === 0) {
    if (max === 6) return call('relu6', x);
    const relu = call('relu', x);
    return max === undefined ? relu : call('minimum', relu, constant(max, x));
  }
  if (threshold === 0 && max === undefined) return call('leaky_relu', x, constant(slope, x));
  const above = max === undefined ? x : call('minimum', x, constant(max, x));
  const below = slope === 0 ? constant(0, x) : times(plus(x, -threshold), slope);
  // What is the threshold itself is not above it, whatever Keras's documentation says.
  return where(is(x, 'greater', threshold), above, below);
}

const formulaOf =
  (write: (layer: KerasLayer) => Formula) =>
  (layer: KerasLayer): Operand => {
    const x = layer.input(0);
    return compute(layer, [x], write(layer)(input(0, x.type.dtype)));
  };

export const activationKeras: KerasLayers = {
  Activation: keepsMask((layer) => activated(layer, layer.input(0))),
  ELU: keepsMask(
    formulaOf((layer) => {
      const alpha = layer.number('alpha', 1);
      return (x) => call('elu', x, constant(alpha, x));
    }),
  ),
  LeakyReLU: keepsMask(
    formulaOf((layer) => {
      const isOld = layer.value('alpha') !== undefined;
      const slope = isOld ? layer.number('alpha') : layer.number('negative_slope', 0.3);
      return (x) => call('leaky_relu', x, constant(slope, x));
    }),
  ),
  PReLU: keepsMask((layer) => {
    layer.ignore('shared_axes');
    const [x, { alpha }] = [layer.input(0), layer.weights('alpha')];
    const [f, slope] = [input(0, x.type.dtype), input(1, x.type.dtype)];
    const negative = call('multiply', call('negative', slope), call('relu', call('negative', f)));
    return compute(layer, [x, alpha], plus(call('relu', f), negative));
  }),
  ReLU: keepsMask(
    formulaOf((layer) => {
      const max = layer.value('max_value') === undefined ? undefined : layer.number('max_value');
      const [slope, threshold] = [layer.number('negative_slope', 0), layer.number('threshold', 0)];
      return (x) => reluOf(x, max, slope, threshold);
    }),
  ),
  ThresholdedReLU: keepsMask(
    formulaOf((layer) => {
      const theta = layer.number('theta', 1);
      return (x) => where(is(x, 'greater', theta), x, constant(0, x));
    }),
  ),
};
