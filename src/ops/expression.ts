/** Formulas of single numbers: what an element-wise step does to each element. */

import { Refusal } from '../errors.ts';
import { type DType, isFloat, type TensorData, zeros } from '../ir/types.ts';
import { type FunctionName, type RustPiece, scalarFunction, strength } from './functions.ts';

export type Expression =
  | { readonly kind: 'input'; readonly index: number; readonly dtype: DType }
  | { readonly kind: 'number'; readonly value: number | bigint; readonly dtype: DType }
  | { readonly kind: 'cast'; readonly from: Expression; readonly dtype: DType }
  | {
      readonly kind: 'call';
      readonly name: FunctionName;
      readonly arguments: readonly Expression[];
      readonly dtype: DType;
    };

export function input(index: number, dtype: DType): Expression {
  return { kind: 'input', index, dtype };
}

export function number(value: number | bigint, dtype: DType): Expression {
  return { kind: 'number', value, dtype };
}

export function cast(from: Expression, dtype: DType): Expression {
  return from.dtype === dtype ? from : { kind: 'cast', from, dtype };
}

/** A function of expressions. Throws a `Refusal` where their types do not fit. */
export function call(name: FunctionName, ...args: readonly Expression[]): Expression {
  const { of, result, arity } = scalarFunction(name);
  const like = result === 'select' ? args.slice(1) : args;
  const dtype = like[0]?.dtype;
  if (args.length !== arity || dtype === undefined) {
    throw new Refusal(`${name} takes ${arity} arguments, and there are ${args.length}`);
  }
  const fits =
    like.every((arg) => arg.dtype === dtype) &&
    (of === 'any' ||
      (of === 'floats' && isFloat(dtype)) ||
      (of === 'f32' && dtype === 'f32') ||
      (of === 'integers' && dtype !== 'bool' && !isFloat(dtype)) ||
      (of === 'numbers' && dtype !== 'bool') ||
      (of === 'booleans' && dtype === 'bool'));
  if (!fits) throw new Refusal(`${name} of ${args.map((arg) => arg.dtype).join(' and ')} is not supported`);
  const own = result === 'bool' || result === 'i32' ? result : dtype;
  return { kind: 'call', name, arguments: args, dtype: own };
}

/** The expression with other expressions in place of its inputs. */
export function substitute(expression: Expression, inputs: readonly Expression[]): Expression {
  switch (expression.kind) {
    case 'input':
      return inputs[expression.index]!;
    case 'number':
      return expression;
    case 'cast':
      return { ...expression, from: substitute(expression.from, inputs) };
    case 'call':
      return { ...expression, arguments: expression.arguments.map((arg) => substitute(arg, inputs)) };
  }
}

/** How often each input occurs, and how many functions there are. */
export function measure(expression: Expression): {
  readonly uses: ReadonlyMap<number, number>;
  readonly calls: number;
} {
  const uses = new Map<number, number>();
  let calls = 0;
  const visit = (part: Expression): void => {
    if (part.kind === 'input') uses.set(part.index, (uses.get(part.index) ?? 0) + 1);
    if (part.kind === 'cast') visit(part.from);
    if (part.kind === 'call') part.arguments.forEach(visit);
    if (part.kind === 'cast' || part.kind === 'call') calls++;
  };
  visit(expression);
  return { uses, calls };
}

export function sameExpression(a: Expression, b: Expression): boolean {
  if (a.dtype !== b.dtype) return false;
  if (a.kind === 'input') return b.kind === 'input' && a.index === b.index;
  if (a.kind === 'number') return b.kind === 'number' && a.value === b.value;
  if (a.kind === 'cast') return b.kind === 'cast' && sameExpression(a.from, b.from);
  return (
    b.kind === 'call' &&
    a.name === b.name &&
    a.arguments.every((arg, i) => sameExpression(arg, b.arguments[i]!))
  );
}

/** `relu(add(x0, 3))`, as the printed graph has it. */
export function printExpression(expression: Expression): string {
  switch (expression.kind) {
    case 'input':
      return `x${expression.index}`;
    case 'number':
      return `${expression.value}`;
    case 'cast':
      return `${expression.dtype}(${printExpression(expression.from)})`;
    case 'call':
      return `${expression.name}(${expression.arguments.map(printExpression).join(', ')})`;
  }
}

/** The values for inputs that have been broadcast to `length` elements; each step is rounded to its type. */
export function evaluateExpression(
  expression: Expression,
  inputs: readonly TensorData[],
  length: number,
): TensorData {
  switch (expression.kind) {
    case 'input':
      return inputs[expression.index]!;
    case 'number': {
      const data = zeros(expression.dtype, length);
      return data instanceof BigInt64Array
        ? data.fill(BigInt(expression.value))
        : data.fill(Number(expression.value));
    }
    case 'cast':
      return castData(
        evaluateExpression(expression.from, inputs, length),
        expression.from.dtype,
        expression.dtype,
      );
    case 'call': {
      const args = expression.arguments.map((arg) => evaluateExpression(arg, inputs, length));
      return apply(expression.name, args, expression.dtype, length);
    }
  }
}

function apply(name: FunctionName, args: readonly TensorData[], dtype: DType, length: number): TensorData {
  const { number, integer } = scalarFunction(name);
  const data = zeros(dtype, length);
  if (args.some((arg) => arg instanceof BigInt64Array)) {
    if (integer === undefined) throw new Refusal(`${name} of i64 is not supported`);
    for (let i = 0; i < length; i++) {
      const result = integer(...args.map((arg) => BigInt(arg[i]!)));
      if (data instanceof BigInt64Array) data[i] = BigInt(result);
      else data[i] = Number(result);
    }
    return data;
  }
  if (data instanceof BigInt64Array) throw new Error(`${name} makes i64 of other numbers`);
  const numbers = args as readonly Exclude<TensorData, BigInt64Array>[];
  const [a, b, c] = numbers;
  if (name === 'multiply' && dtype === 'i32')
    for (let i = 0; i < length; i++) data[i] = Math.imul(a![i]!, b![i]!);
  else if (args.length === 1) for (let i = 0; i < length; i++) data[i] = number(a![i]!);
  else if (args.length === 2) for (let i = 0; i < length; i++) data[i] = number(a![i]!, b![i]!);
  else for (let i = 0; i < length; i++) data[i] = number(a![i]!, b![i]!, c![i]!);
  return data;
}

const I64_MIN = -(2n ** 63n);

/** As TensorFlow casts on x86: towards zero, and NaN and what does not fit become the least integer. */
function castData(data: TensorData, from: DType, to: DType): TensorData {
  const result = zeros(to, data.length);
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (result instanceof BigInt64Array) {
      const whole = typeof x === 'bigint' ? x : Math.trunc(x);
      result[i] = typeof whole === 'bigint' ? whole : Math.abs(whole) < 2 ** 63 ? BigInt(whole) : I64_MIN;
    } else if (to === 'bool') {
      result[i] = Number(typeof x === 'bigint' ? x !== 0n : x !== 0);
    } else if (typeof x === 'bigint') {
      result[i] = isFloat(to) ? Number(x) : Number(BigInt.asIntN(32, x));
    } else if (to === 'i32' && isFloat(from)) {
      result[i] = x > -(2 ** 31) - 1 && x < 2 ** 31 ? x : -(2 ** 31);
    } else {
      result[i] = x;
    }
  }
  return result;
}

/** The Rust of an expression whose inputs have these names. */
export function rustExpression(expression: Expression, names: readonly string[]): RustPiece {
  switch (expression.kind) {
    case 'input':
      return { text: names[expression.index]!, strength: strength.method };
    case 'number':
      return rustNumber(expression.value, expression.dtype);
    case 'cast':
      return rustCast(rustExpression(expression.from, names), expression.from.dtype, expression.dtype);
    case 'call': {
      const args = expression.arguments.map((arg) => rustExpression(arg, names));
      const of = expression.arguments.at(-1)!.dtype;
      return scalarFunction(expression.name).rust(args, of);
    }
  }
}

function rustCast(x: RustPiece, from: DType, to: DType): RustPiece {
  if (to === 'bool') {
    const zero = isFloat(from) ? '0.0' : '0';
    return { text: `${x.text} != ${zero}`, strength: strength.compare };
  }
  const isMethod = (isFloat(from) && !isFloat(to)) || (from === 'bool' && isFloat(to));
  if (isMethod) return { text: `math::${from}_to_${to}(${x.text})`, strength: strength.method };
  const lossless =
    (from === 'f32' && to === 'f64') || (from === 'i32' && to === 'i64') || from === 'bool' || from === 'u8';
  if (lossless) return { text: `${to}::from(${x.text})`, strength: strength.method };
  return {
    text: `${x.strength < strength.unary ? `(${x.text})` : x.text} as ${to}`,
    strength: strength.product,
  };
}

/** The constants that `clippy::approx_constant` wants to see by their names. */
const named: readonly (readonly [number, string])[] = [
  [Math.PI, 'PI'],
  [Math.PI / 2, 'FRAC_PI_2'],
  [Math.PI / 3, 'FRAC_PI_3'],
  [Math.PI / 4, 'FRAC_PI_4'],
  [Math.PI / 6, 'FRAC_PI_6'],
  [Math.PI / 8, 'FRAC_PI_8'],
  [2 * Math.PI, 'TAU'],
  [1 / Math.PI, 'FRAC_1_PI'],
  [2 / Math.PI, 'FRAC_2_PI'],
  [2 / Math.sqrt(Math.PI), 'FRAC_2_SQRT_PI'],
  [Math.SQRT2, 'SQRT_2'],
  [Math.SQRT1_2, 'FRAC_1_SQRT_2'],
  [Math.E, 'E'],
  [Math.LN2, 'LN_2'],
  [Math.LN10, 'LN_10'],
  [Math.LOG2E, 'LOG2_E'],
  [Math.LOG10E, 'LOG10_E'],
  [Math.log10(2), 'LOG10_2'],
  [Math.log2(10), 'LOG2_10'],
];

/** A literal: the shortest that is the same number. */
export function rustNumber(value: number | bigint, dtype: DType): RustPiece {
  if (dtype === 'bool') return { text: `${Number(value) !== 0}`, strength: strength.method };
  const sign = value < 0 || Object.is(value, -0) ? '-' : '';
  const negative = sign === '' ? strength.method : strength.unary;
  if (!isFloat(dtype)) {
    const isMin = (dtype === 'i64' && value === I64_MIN) || (dtype === 'i32' && Number(value) === -(2 ** 31));
    if (isMin) return { text: `${dtype}::MIN`, strength: strength.method };
    return { text: `${value}`, strength: negative };
  }
  const x = Math.abs(Number(value));
  if (Number.isNaN(x)) return { text: `${dtype}::NAN`, strength: strength.method };
  if (x === Number.POSITIVE_INFINITY) {
    return { text: `${dtype}::${sign === '' ? 'INFINITY' : 'NEG_INFINITY'}`, strength: strength.method };
  }
  const round = dtype === 'f32' ? Math.fround : (y: number) => y;
  if (round(x) === round(dtype === 'f32' ? 3.4028234663852886e38 : Number.MAX_VALUE)) {
    return { text: `${dtype}::${sign === '' ? 'MAX' : 'MIN'}`, strength: strength.method };
  }
  const constant = named.find(([exact]) => round(exact) === round(x));
  if (constant) return { text: `${sign}std::${dtype}::consts::${constant[1]}`, strength: negative };
  return { text: `${sign}${floatDigits(x, round)}`, strength: negative };
}

function floatDigits(x: number, round: (y: number) => number): string {
  let digits = `${x}`;
  for (let precision = 1; precision <= 17; precision++) {
    digits = Number(x.toPrecision(precision)).toString();
    if (round(Number(digits)) === round(x)) break;
  }
  // An exponent keeps clippy from taking a number that only begins like π for it.
  const nearConstant = named.some(([exact]) => digits.length > 3 && `${exact}`.startsWith(digits));
  if (nearConstant) return `${digits}e0`;
  if (digits.includes('e')) return digits.replace('e+', 'e');
  return digits.includes('.') ? digits : `${digits}.0`;
}
