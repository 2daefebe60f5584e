/** The functions of single numbers from which element-wise steps are built. */

import type { DType } from '../ir/types.ts';

/** Binding strengths of Rust's operators, from the weakest. */
export const strength = { compare: 1, or: 2, sum: 4, product: 5, unary: 6, method: 7 } as const;

/** A piece of Rust, and how strongly it holds together. */
export interface RustPiece {
  readonly text: string;
  readonly strength: number;
}

/** One function of numbers. */
export interface ScalarFunction {
  readonly arity: number;
  /** The result in f64, rounded to the type of the result afterwards. Booleans are 0 and 1. */
  readonly number: (...x: number[]) => number;
  /** The same for 64-bit integers, where the function has a meaning for them. */
  readonly integer?: (...x: bigint[]) => bigint | boolean;
  /** `same`: that of the arguments, which are alike; `bool`: a truth; `select`: that of the last two; `i32`: that. */
  readonly result: 'same' | 'bool' | 'select' | 'i32';
  /** The types of the arguments it is for. */
  readonly of: 'floats' | 'f32' | 'integers' | 'numbers' | 'booleans' | 'any';
  /** The Rust of it for arguments of that type, each strong enough to be used as it stands with a method. */
  readonly rust: (x: readonly RustPiece[], dtype: DType) => RustPiece;
}

const wrap = (piece: RustPiece, atLeast: number) =>
  piece.strength >= atLeast ? piece.text : `(${piece.text})`;

const isInteger = (dtype: DType) => dtype === 'i32' || dtype === 'i64' || dtype === 'u8';

/** `a + b` */
const infix =
  (operator: string, own: number) =>
  ([a, b]: readonly RustPiece[]): RustPiece => ({
    text: `${wrap(a!, own)} ${operator} ${wrap(b!, own + 1)}`,
    strength: own,
  });

/** `a + b` for floats; integers wrap around as TensorFlow's do. */
const arithmetic =
  (operator: string, own: number, wrapping: string) =>
  (x: readonly RustPiece[], dtype: DType): RustPiece =>
    isInteger(dtype) ? method(wrapping)(x, dtype) : infix(operator, own)(x);

/** `a < b` */
const comparison = (operator: string) => infix(operator, strength.compare);

/** `a.sqrt()`. A literal says its type, for the method to be looked up in. */
const method =
  (name: string) =>
  ([a, ...rest]: readonly RustPiece[], dtype: DType): RustPiece => {
    const receiver = /^\d/.test(a!.text) ? `${a!.text}_${dtype}` : wrap(a!, strength.method);
    return {
      text: `${receiver}.${name}(${rest.map(({ text }) => text).join(', ')})`,
      strength: strength.method,
    };
  };

/** `math::tanh(a)` */
const call =
  (name: string) =>
  (x: readonly RustPiece[]): RustPiece => ({
    text: `math::${name}(${x.map(({ text }) => text).join(', ')})`,
    strength: strength.method,
  });

const float = (
  number: (...x: number[]) => number,
  rust: (x: readonly RustPiece[], dtype: DType) => RustPiece,
): ScalarFunction => ({ arity: number.length, number, result: 'same', of: 'floats', rust });

const compare = (
  number: (a: number, b: number) => boolean,
  integer: (a: bigint, b: bigint) => boolean,
  operator: string,
): ScalarFunction => ({
  arity: 2,
  number: (a, b) => Number(number(a, b)),
  integer: (a, b) => integer(a, b),
  result: 'bool',
  of: 'any',
  rust: comparison(operator),
});

const bitwise = (
  number: (a: number, b: number) => number,
  integer: (a: bigint, b: bigint) => bigint,
  operator: string,
): ScalarFunction => ({
  arity: 2,
  number,
  integer,
  result: 'same',
  of: 'integers',
  rust: infix(operator, strength.or),
});

const logic = (
  number: (...x: number[]) => number,
  rust: (x: readonly RustPiece[]) => RustPiece,
): ScalarFunction => ({
  arity: number.length,
  number,
  result: 'bool',
  of: 'booleans',
  rust,
});

const predicate = (number: (x: number) => boolean, name: string): ScalarFunction => ({
  arity: 1,
  number: (x) => Number(number(x)),
  result: 'bool',
  of: 'floats',
  rust: method(name),
});

const SELU_SCALE = 1.0507009873554805;
const SELU_ALPHA = 1.6732632423543772;

export const erf = (x: number): number => (x < 0 ? -erfPositive(-x) : erfPositive(x));

/** 1 − erf, without the loss of digits where erf is near 1. */
export const erfc = (x: number): number => (x < 2 ? 1 - erf(x) : erfcTail(x));

/** The Maclaurin series (Abramowitz and Stegun 7.1.6) up to 2, where it still converges without cancellation. */
function erfPositive(x: number): number {
  if (Number.isNaN(x)) return x;
  if (x >= 2) return 1 - erfcTail(x);
  let term = x;
  let sum = x;
  for (let n = 1; n < 100 && Math.abs(term) > 1e-18 * sum; n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

/** The continued fraction (Abramowitz and Stegun 7.1.14) from 2 on. */
function erfcTail(x: number): number {
  if (x > 30) return 0;
  let fraction = 0;
  for (let n = 60; n > 0; n--) fraction = n / 2 / (x + fraction);
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction);
}

/** Half to even, as TensorFlow's Round. */
function roundHalfToEven(x: number): number {
  const floor = Math.floor(x);
  const rest = x - floor;
  if (rest !== 0.5) return Math.round(x);
  return floor % 2 === 0 ? floor : floor + 1;
}

const sigmoid = (x: number) => 1 / (1 + Math.exp(-x));
const softplus = (x: number) => (x > 30 ? x : Math.log1p(Math.exp(x)));
const clamp = (x: number, from: number, to: number) => Math.min(Math.max(x, from), to);
const hardSigmoid = (x: number) => clamp(x + 3, 0, 6) / 6;
const gelu = (x: number) => 0.5 * x * erfc(-x * Math.SQRT1_2);
const geluTanh = (x: number) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3)));
const floorMod = (a: number, b: number) => {
  const rest = a % b;
  return rest !== 0 && rest < 0 !== b < 0 ? rest + b : rest;
};
const largerOf = (a: bigint, b: bigint) => (a < b ? b : a);
const smallerOf = (a: bigint, b: bigint) => (a < b ? a : b);
const bigFloorDivide = (a: bigint, b: bigint) => {
  const quotient = a / b;
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
};

/** Every scalar function by its name, which is TensorFlow's, or Keras's for the activations. */
export const functions = {
  add: {
    arity: 2,
    number: (a, b) => a + b,
    integer: (a, b) => a + b,
    result: 'same',
    of: 'numbers',
    rust: arithmetic('+', strength.sum, 'wrapping_add'),
  },
  subtract: {
    arity: 2,
    number: (a, b) => a - b,
    integer: (a, b) => a - b,
    result: 'same',
    of: 'numbers',
    rust: arithmetic('-', strength.sum, 'wrapping_sub'),
  },
  multiply: {
    arity: 2,
    number: (a, b) => a * b,
    integer: (a, b) => a * b,
    result: 'same',
    of: 'numbers',
    rust: arithmetic('*', strength.product, 'wrapping_mul'),
  },
  divide: float((a, b) => a / b, infix('/', strength.product)),
  floor_divide: {
    arity: 2,
    number: (a, b) => Math.floor(a / b),
    integer: (a, b) => bigFloorDivide(a, b),
    result: 'same',
    of: 'integers',
    rust: (x, dtype) => call(`floor_divide_${dtype}`)(x),
  },
  floor_mod: {
    arity: 2,
    number: (a, b) => floorMod(a, b),
    integer: (a, b) => a - b * bigFloorDivide(a, b),
    result: 'same',
    of: 'numbers',
    rust: (x, dtype) => call(isInteger(dtype) ? `floor_mod_${dtype}` : 'floor_mod')(x),
  },
  maximum: {
    arity: 2,
    number: (a, b) => Math.max(a, b),
    integer: largerOf,
    result: 'same',
    of: 'numbers',
    rust: (x, dtype) => (isInteger(dtype) ? method('max') : call('maximum'))(x, dtype),
  },
  minimum: {
    arity: 2,
    number: (a, b) => Math.min(a, b),
    integer: smallerOf,
    result: 'same',
    of: 'numbers',
    rust: (x, dtype) => (isInteger(dtype) ? method('min') : call('minimum'))(x, dtype),
  },
  power: float((a, b) => a ** b, method('powf')),
  negative: {
    arity: 1,
    number: (x) => -x,
    integer: (x) => -x,
    result: 'same',
    of: 'numbers',
    rust: ([x], dtype) =>
      isInteger(dtype)
        ? method('wrapping_neg')([x!], dtype)
        : { text: `-${wrap(x!, strength.unary)}`, strength: strength.unary },
  },
  abs: {
    arity: 1,
    number: (x) => Math.abs(x),
    integer: (x) => (x < 0n ? -x : x),
    result: 'same',
    of: 'numbers',
    rust: (x, dtype) => method(isInteger(dtype) ? 'wrapping_abs' : 'abs')(x, dtype),
  },
  sign: {
    arity: 1,
    number: (x) => Math.sign(x),
    integer: (x) => (x > 0n ? 1n : x < 0n ? -1n : 0n),
    result: 'same',
    of: 'numbers',
    rust: (x, dtype) => (isInteger(dtype) ? method('signum') : call('sign'))(x, dtype),
  },
  sqrt: float((x) => Math.sqrt(x), method('sqrt')),
  rsqrt: float((x) => 1 / Math.sqrt(x), call('rsqrt')),
  exp: float((x) => Math.exp(x), call('exp')),
  expm1: float((x) => Math.expm1(x), call('expm1')),
  log: float((x) => Math.log(x), call('log')),
  log1p: float((x) => Math.log1p(x), call('log1p')),
  sin: float((x) => Math.sin(x), method('sin')),
  cos: float((x) => Math.cos(x), method('cos')),
  tan: float((x) => Math.tan(x), method('tan')),
  floor: float((x) => Math.floor(x), method('floor')),
  ceil: float((x) => Math.ceil(x), method('ceil')),
  round: float((x) => roundHalfToEven(x), method('round_ties_even')),
  erf: float((x) => erf(x), call('erf')),
  erfc: float((x) => erfc(x), call('erfc')),

  relu: {
    arity: 1,
    number: (x) => Math.max(x, 0),
    integer: (x) => (x > 0n ? x : 0n),
    result: 'same',
    of: 'numbers',
    rust: (x, dtype) =>
      isInteger(dtype)
        ? method('max')([x[0]!, { text: '0', strength: strength.method }], dtype)
        : call('relu')(x),
  },
  relu6: float((x) => clamp(x, 0, 6), call('relu6')),
  leaky_relu: float((x, slope) => (x < 0 ? x * slope : x), call('leaky_relu')),
  elu: float((x, alpha) => (x < 0 ? alpha * Math.expm1(x) : x), call('elu')),
  selu: float((x) => SELU_SCALE * (x < 0 ? SELU_ALPHA * Math.expm1(x) : x), call('selu')),
  gelu: float((x) => gelu(x), call('gelu')),
  gelu_tanh: float((x) => geluTanh(x), call('gelu_tanh')),
  silu: float((x) => x * sigmoid(x), call('silu')),
  sigmoid: float((x) => sigmoid(x), call('sigmoid')),
  hard_sigmoid: float((x) => hardSigmoid(x), call('hard_sigmoid')),
  hard_sigmoid_of_keras_2: float(
    (x) => Math.min(Math.max(0.2 * x + 0.5, 0), 1),
    ([x]) => ({
      text: `math::clip(0.2 * ${wrap(x!, strength.unary)} + 0.5, 0.0, 1.0)`,
      strength: strength.method,
    }),
  ),
  hard_silu: float((x) => x * hardSigmoid(x), call('hard_silu')),
  softplus: float((x) => softplus(x), call('softplus')),
  softsign: float((x) => x / (1 + Math.abs(x)), call('softsign')),
  tanh: float((x) => Math.tanh(x), call('tanh')),
  mish: float((x) => x * Math.tanh(softplus(x)), call('mish')),

  bits: {
    arity: 1,
    number: (x) => new Int32Array(Float32Array.of(x).buffer)[0]!,
    result: 'i32',
    of: 'f32',
    rust: ([x]) => ({
      text: `${wrap(x!, strength.method)}.to_bits().cast_signed()`,
      strength: strength.method,
    }),
  },
  bitwise_and: bitwise(
    (a, b) => a & b,
    (a, b) => a & b,
    '&',
  ),
  bitwise_or: bitwise(
    (a, b) => a | b,
    (a, b) => a | b,
    '|',
  ),
  bitwise_xor: bitwise(
    (a, b) => a ^ b,
    (a, b) => a ^ b,
    '^',
  ),

  equal: compare(
    (a, b) => a === b,
    (a, b) => a === b,
    '==',
  ),
  not_equal: compare(
    (a, b) => a !== b,
    (a, b) => a !== b,
    '!=',
  ),
  less: compare(
    (a, b) => a < b,
    (a, b) => a < b,
    '<',
  ),
  less_equal: compare(
    (a, b) => a <= b,
    (a, b) => a <= b,
    '<=',
  ),
  greater: compare(
    (a, b) => a > b,
    (a, b) => a > b,
    '>',
  ),
  greater_equal: compare(
    (a, b) => a >= b,
    (a, b) => a >= b,
    '>=',
  ),
  logical_and: logic((a, b) => a! & b!, infix('&', strength.or)),
  logical_or: logic((a, b) => a! | b!, infix('|', strength.or)),
  logical_not: logic((x) => 1 - x!, call('not')),
  is_nan: predicate(Number.isNaN, 'is_nan'),
  is_finite: predicate(Number.isFinite, 'is_finite'),
  is_inf: predicate((x) => Math.abs(x) === Number.POSITIVE_INFINITY, 'is_infinite'),
  select: {
    arity: 3,
    number: (condition, a, b) => (condition ? a : b),
    integer: (condition, a, b) => (condition ? a : b),
    result: 'select',
    of: 'any',
    rust: call('select'),
  },
} as const satisfies Record<string, ScalarFunction>;

export type FunctionName = keyof typeof functions;

/** The function of that name, in the general form. */
export function scalarFunction(name: FunctionName): ScalarFunction {
  return functions[name];
}
