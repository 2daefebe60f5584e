/** One formula for every element, of one input or several that broadcast. */

import { Refusal } from '../errors.ts';
import { type DType, elements, sameShape, type TensorType, tensor } from '../ir/types.ts';
import { activationOf, rustActivation } from './activation.ts';
import { broadcast } from './broadcast.ts';
import { broadcastIndices, broadcastShape, take } from './broadcasting.ts';
import {
  call,
  cast,
  type Expression,
  evaluateExpression,
  input,
  number,
  rustExpression,
} from './expression.ts';
import type { FunctionName } from './functions.ts';
import { defineOp, type EmittedStep } from './op.ts';
import {
  constantOf,
  type Lowering,
  type Operand,
  type TensorflowNode,
  type TensorflowOps,
} from './tensorflow.ts';

type InputName = `x${number}`;

const typesOf = (record: Readonly<Record<InputName, TensorType>>) => Object.values(record) as TensorType[];

/** `y = expression(x0, x1, …)`, with numpy's broadcasting. */
export const elementwise = defineOp({
  name: 'Elementwise',
  inputs: undefined as readonly InputName[] | undefined,
  weights: [],

  infer(types, { expression }: { readonly expression: Expression }) {
    return { dtype: expression.dtype, shape: broadcastShape(typesOf(types).map(({ shape }) => shape)) };
  },

  evaluate(values, { expression }, output) {
    const inputs = Object.values(values).map((value) =>
      sameShape(value.shape, output.shape)
        ? value.data
        : take(value, broadcastIndices(value.shape, output.shape)),
    );
    return evaluateExpression(expression, inputs, elements(output.shape));
  },

  emit: (step, { expression }) => statement(step, expression, '', `, ${step.into}`),

  inPlace: {
    over: 'x0',
    fits: ({ x0 }, output) => x0?.dtype === output.dtype && sameShape(x0.shape, output.shape),
    emit: (step, { expression }) => statement(step, expression, '_mut', ''),
  },

  className: ({ expression }) => classOf(expression),
});

/** `ops::map2(x, y, a, |x, y| x + y)`, or `ops::activate(x, RELU, a)`. */
function statement(
  { inputs, use }: Pick<EmittedStep<InputName, never>, 'inputs' | 'use'>,
  expression: Expression,
  suffix: string,
  into: string,
): string {
  use('ops');
  if (expression.kind === 'input') return `ops::copy(${inputs.x0}${into})`;
  const activation = activationOf(expression);
  if (activation) return `ops::activate${suffix}(${inputs.x0}, ${rustActivation(activation, use)}${into})`;

  const names = ['x', 'y', 'z', 'w'].slice(0, Object.keys(inputs).length);
  const { text } = rustExpression(expression, names);
  if (text.includes('math::')) use('math');
  const isPath = new RegExp(`^(math::\\w+|\\w+::from)\\(${names.join(', ')}\\)$`).test(text);
  const formula = isPath ? text.slice(0, text.indexOf('(')) : `|${names.join(', ')}| ${text}`;
  const count = names.length === 1 ? '' : names.length;
  return `ops::map${count}${suffix}(${Object.values(inputs).join(', ')}${into}, ${formula})`;
}

/** The Keras layers that are one function, where it is not an activation. */
const classes: Readonly<Record<string, string>> = {
  add: 'Add',
  elu: 'ELU',
  leaky_relu: 'LeakyReLU',
  maximum: 'Maximum',
  minimum: 'Minimum',
  multiply: 'Multiply',
  relu: 'ReLU',
  subtract: 'Subtract',
};

function classOf(expression: Expression): string {
  if (expression.kind !== 'call') return expression.kind === 'cast' ? 'cast' : 'Identity';
  const isLayer = expression.arguments.every(({ kind }) => kind === 'input' || kind === 'number');
  if (isLayer && Object.hasOwn(classes, expression.name)) return classes[expression.name]!;
  return activationOf(expression) ? 'Activation' : expression.name;
}

/** The function of the operands, element by element. */
export function apply(
  node: Pick<TensorflowNode, 'add'>,
  name: FunctionName,
  ...operands: readonly Operand[]
): Operand {
  return compute(node, operands, call(name, ...operands.map(({ type }, i) => input(i, type.dtype))));
}

/** An expression of the operands, element by element. */
export function compute(
  builder: Pick<TensorflowNode, 'add'>,
  operands: readonly Operand[],
  expression: Expression,
): Operand {
  const inputs = Object.fromEntries(operands.map((operand, i) => [`x${i}` as const, operand]));
  return builder.add(elementwise, inputs, { expression }, {});
}

/** A TensorFlow op that is one of our functions, argument by argument. */
const is =
  (name: FunctionName): Lowering =>
  (node) =>
    apply(node, name, ...node.inputs);

/** An activation with a parameter that TensorFlow keeps in an attribute. */
const withParameter =
  (name: FunctionName, attribute: string, otherwise: number): Lowering =>
  (node) => {
    const { dtype } = node.input(0).type;
    return compute(
      node,
      node.inputs,
      call(name, input(0, dtype), number(node.number(attribute, otherwise), dtype)),
    );
  };

/** x · x and the like: an expression of the inputs. */
const formula =
  (write: (...x: Expression[]) => Expression): Lowering =>
  (node) =>
    compute(node, node.inputs, write(...operandsOf(node)));

const one = (dtype: DType) => number(1, dtype);

/** A constant of the shape of the input. */
const filledLike =
  (value: number): Lowering =>
  (node) => {
    const { dtype, shape } = node.input(0).type;
    const scalar = tensor(dtype, [], [value]);
    return node.add(broadcast, { x: constantOf(scalar) }, { shape }, {});
  };

/** Equality may be told to compare shapes that do not broadcast: that is not a comparison of elements. */
const comparable =
  (name: 'equal' | 'not_equal'): Lowering =>
  (node) => {
    node.flag('incompatible_shape_error', true);
    return apply(node, name, ...node.inputs);
  };

/** Floats are divided and rounded down; integers need a divisor that is known, for TensorFlow fails on 0. */
const floorDivide: Lowering = (node) => {
  if (!isIntegerNode(node))
    return compute(node, node.inputs, call('floor', call('divide', ...operandsOf(node))));
  refuseZeroDivisor(node);
  return apply(node, 'floor_divide', ...node.inputs);
};

function refuseZeroDivisor(node: TensorflowNode): void {
  const divisor = node.input(1);
  const numbers = divisor.kind === 'by batch' ? [1] : Array.from(node.constant(1).data, Number);
  if (numbers.includes(0)) throw new Refusal('a division of integers by 0');
}

function operandsOf(node: TensorflowNode): readonly Expression[] {
  return node.inputs.map(({ type }, i) => input(i, type.dtype));
}

export const elementwiseTensorflow: TensorflowOps = {
  Abs: is('abs'),
  Add: is('add'),
  AddV2: is('add'),
  AddN: (node) => node.inputs.slice(1).reduce((sum, x) => apply(node, 'add', sum, x), node.input(0)),
  BiasAdd: (node) => {
    if (node.text('data_format', 'NHWC') !== 'NCHW') return apply(node, 'add', ...node.inputs);
    const rank = node.input(0).type.shape.length;
    const bias = node.constant(1);
    const column = { ...bias, shape: [bias.data.length, ...Array<number>(rank - 2).fill(1)] };
    return apply(node, 'add', node.input(0), constantOf(column));
  },
  Bitcast: (node) => {
    const to = node.dtype('type');
    if (to !== 'i32') throw new Refusal(`the bits of a number as ${to} are not supported`);
    return apply(node, 'bits', ...node.inputs);
  },
  BitwiseAnd: is('bitwise_and'),
  BitwiseOr: is('bitwise_or'),
  BitwiseXor: is('bitwise_xor'),
  Cast: (node) => {
    if (node.flag('Truncate', false)) throw new Refusal('a Cast that truncates is not supported');
    const to = node.dtype('DstT');
    return compute(node, node.inputs, cast(input(0, node.input(0).type.dtype), to));
  },
  Ceil: is('ceil'),
  Cos: is('cos'),
  Div: (node) => (isIntegerNode(node) ? floorDivide(node) : apply(node, 'divide', ...node.inputs)),
  DivNoNan: formula((x, y) =>
    call('select', call('equal', y, number(0, y.dtype)), number(0, y.dtype), call('divide', x, y)),
  ),
  Elu: formula((x) => call('elu', x, one(x.dtype))),
  Equal: comparable('equal'),
  Erf: is('erf'),
  Erfc: is('erfc'),
  Exp: is('exp'),
  Expm1: is('expm1'),
  Floor: is('floor'),
  FloorDiv: floorDivide,
  FloorMod: (node) => {
    if (isIntegerNode(node)) refuseZeroDivisor(node);
    return apply(node, 'floor_mod', ...node.inputs);
  },
  Greater: is('greater'),
  GreaterEqual: is('greater_equal'),
  Inv: formula((x) => call('divide', one(x.dtype), x)),
  IsFinite: is('is_finite'),
  IsInf: is('is_inf'),
  IsNan: is('is_nan'),
  LeakyRelu: withParameter('leaky_relu', 'alpha', 0.2),
  Less: is('less'),
  LessEqual: is('less_equal'),
  Log: is('log'),
  Log1p: is('log1p'),
  LogicalAnd: is('logical_and'),
  LogicalNot: is('logical_not'),
  LogicalOr: is('logical_or'),
  Maximum: is('maximum'),
  Minimum: is('minimum'),
  Mul: is('multiply'),
  MulNoNan: formula((x, y) =>
    call('select', call('equal', y, number(0, y.dtype)), number(0, y.dtype), call('multiply', x, y)),
  ),
  Neg: is('negative'),
  NotEqual: comparable('not_equal'),
  OnesLike: filledLike(1),
  Pow: is('power'),
  RealDiv: is('divide'),
  Reciprocal: formula((x) => call('divide', one(x.dtype), x)),
  Relu: is('relu'),
  Relu6: is('relu6'),
  Round: is('round'),
  Rsqrt: is('rsqrt'),
  Select: is('select'),
  SelectV2: is('select'),
  Selu: is('selu'),
  Sigmoid: is('sigmoid'),
  Sign: is('sign'),
  Sin: is('sin'),
  Softplus: is('softplus'),
  Softsign: is('softsign'),
  Sqrt: is('sqrt'),
  Square: formula((x) => call('multiply', x, x)),
  SquaredDifference: formula((x, y) => {
    const difference = call('subtract', x, y);
    return call('multiply', difference, difference);
  }),
  Sub: is('subtract'),
  Tan: is('tan'),
  Tanh: is('tanh'),
  Xlogy: formula((x, y) =>
    call(
      'select',
      call('equal', x, number(0, x.dtype)),
      number(0, x.dtype),
      call('multiply', x, call('log', y)),
    ),
  ),
  ZerosLike: filledLike(0),
};

function isIntegerNode(node: TensorflowNode): boolean {
  return ['i32', 'i64', 'u8'].includes(node.input(0).type.dtype);
}
