/**
 * `x · scale` and `x + shift`, with a number for each channel → `BatchNormalization`; one after the other → one.
 * Keras 3 writes batch normalization so.
 */

import type { Constant, Value } from '../ir/graph.ts';
import type { Tensor } from '../ir/types.ts';
import { linear } from '../ops/activation.ts';
import { batchNormalization } from '../ops/batch-normalization.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

/** What an element-wise step does to each channel. */
export interface Affine {
  readonly x: Value;
  readonly scale: readonly number[];
  readonly shift: readonly number[];
}

export const scaleAndShift: Rewrite = (node, { isReadOnce }) => {
  const affine = affineOf(node);
  // A single number for all channels is no layer of its own.
  if (affine && !(isUniform(affine.scale) && isUniform(affine.shift)))
    return normalization(node.layer, affine);

  const outer = nodeOf(node, 'BatchNormalization');
  const inner = nodeOf(outer?.inputs.x, 'BatchNormalization');
  if (!outer || !inner || !isReadOnce(inner) || inner.attributes.activation !== linear) return undefined;
  const [first, second] = [numbersOf(inner.weights), numbersOf(outer.weights)];
  const both = {
    x: inner.inputs.x,
    scale: first.scale.map((a, i) => a * second.scale[i]!),
    shift: first.shift.map((b, i) => b * second.scale[i]! + second.shift[i]!),
  };
  return make(inner.layer, batchNormalization, { x: both.x }, outer.attributes, {
    scale: vector(both.scale),
    shift: vector(both.shift),
  });
};

function numbersOf({ scale, shift }: Readonly<Record<'scale' | 'shift', Tensor>>): Omit<Affine, 'x'> {
  return { scale: Array.from(scale.data, Number), shift: Array.from(shift.data, Number) };
}

function normalization(layer: Parameters<typeof make>[0], { x, scale, shift }: Affine): Value {
  return make(
    layer,
    batchNormalization,
    { x },
    { activation: linear },
    { scale: vector(scale), shift: vector(shift) },
  );
}

const isUniform = (numbers: readonly number[]) => numbers.every((n) => n === numbers[0]);

export function vector(numbers: readonly number[]): Tensor {
  return { dtype: 'f32', shape: [numbers.length], data: Float32Array.from(numbers) };
}

/** Reads an addition, subtraction, multiplication or division with a number for each channel, or for all. */
export function affineOf(node: Value): Affine | undefined {
  const step = nodeOf(node, 'Elementwise');
  const expression = step?.attributes.expression;
  if (expression?.kind !== 'call' || expression.dtype !== 'f32' || expression.arguments.length !== 2)
    return undefined;
  const inputs = Object.values<Value>(step!.inputs);
  const sides = expression.arguments.map((side): Value | number | undefined => {
    if (side.kind === 'number') return Number(side.value);
    return side.kind === 'input' ? inputs[side.index] : undefined;
  });
  const [left, right] = sides;
  if (left === undefined || right === undefined) return undefined;
  const count = node.type.shape.at(-1);
  if (typeof count !== 'number' || node.type.shape.length < 2) return undefined;

  const [x, c, isSwapped] = isVariable(left) ? [left, right, false] : [right, left, true];
  if (!isVariable(x) || isVariable(c)) return undefined;
  if (x.type.shape.length !== node.type.shape.length || x.type.shape.at(-1) !== count) return undefined;
  const numbers = perChannel(c, count);
  if (!numbers) return undefined;
  const all = (n: number) => Array<number>(count).fill(n);
  switch (expression.name) {
    case 'add':
      return { x, scale: all(1), shift: numbers };
    case 'subtract':
      return isSwapped
        ? { x, scale: all(-1), shift: numbers }
        : { x, scale: all(1), shift: numbers.map((n) => -n) };
    case 'multiply':
      return { x, scale: numbers, shift: all(0) };
    case 'divide':
      return isSwapped ? undefined : { x, scale: numbers.map((n) => 1 / n), shift: all(0) };
    default:
      return undefined;
  }
}

const isVariable = (side: Value | number): side is Exclude<Value, Constant> =>
  typeof side !== 'number' && side.kind !== 'constant';

/** The number for each channel, if a constant is the same at every place. */
function perChannel(side: Value | number, count: number): readonly number[] | undefined {
  if (typeof side === 'number') return Array<number>(count).fill(side);
  if (side.kind !== 'constant') return undefined;
  const { shape, data } = side.tensor;
  if (data.length === 1) return Array<number>(count).fill(Number(data[0]));
  const isLast = shape.at(-1) === count && data.length === count;
  return isLast ? Array.from(data, Number) : undefined;
}
