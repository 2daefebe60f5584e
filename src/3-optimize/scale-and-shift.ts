/**
 * `x · scale + shift`, with a number for each channel → `BatchNormalization`; one after the other → one.
 * Keras 3 writes batch normalization so.
 */

import type { Value } from '../ir/graph.ts';
import { sameShape, type Tensor } from '../ir/types.ts';
import { linear } from '../ops/activation.ts';
import { batchNormalization } from '../ops/batch-normalization.ts';
import type { Expression } from '../ops/expression.ts';
import type { FunctionName } from '../ops/functions.ts';
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

/**
 * What an element-wise step comes to if it only adds to its one computed input, multiplies it and so on by numbers
 * that are the same at every place but the channel.
 */
export function affineOf(node: Value): Affine | undefined {
  const step = nodeOf(node, 'Elementwise');
  const count = node.type.shape.at(-1);
  if (step?.type.dtype !== 'f32' || typeof count !== 'number' || node.type.shape.length < 2) return undefined;
  const inputs = Object.values<Value>(step.inputs);
  const computed = inputs.filter(({ kind }) => kind !== 'constant');
  const [x] = computed;
  if (!x || computed.length > 1 || !sameShape(x.type.shape, node.type.shape)) return undefined;
  const factors = factorsOf(step.attributes.expression, inputs, count);
  return factors && 'scale' in factors ? { x, ...factors } : undefined;
}

/** Numbers for each channel; with a `scale`, they are added to the input times that. */
type Factors = readonly number[] | Omit<Affine, 'x'>;

function factorsOf(expression: Expression, inputs: readonly Value[], count: number): Factors | undefined {
  switch (expression.kind) {
    case 'cast':
      return undefined;
    case 'number':
      return Array<number>(count).fill(Number(expression.value));
    case 'input': {
      const value = inputs[expression.index]!;
      if (value.kind === 'constant') return perChannel(value.tensor, count);
      return { scale: Array<number>(count).fill(1), shift: Array<number>(count).fill(0) };
    }
    case 'call': {
      const [a, b] = expression.arguments.map((argument) => factorsOf(argument, inputs, count));
      return a && b && combined(expression.name, a, b);
    }
  }
}

function combined(name: FunctionName, a: Factors, b: Factors): Factors | undefined {
  const isX = (side: Factors): side is Omit<Affine, 'x'> => 'scale' in side;
  if (isX(a) === isX(b)) return undefined;
  const [x, numbers] = isX(a)
    ? [a, b as readonly number[]]
    : [b as Omit<Affine, 'x'>, a as readonly number[]];
  const map = (list: readonly number[], f: (n: number, c: number) => number) =>
    list.map((n, i) => f(n, numbers[i]!));
  switch (name) {
    case 'add':
      return { ...x, shift: map(x.shift, (n, c) => n + c) };
    case 'subtract':
      return isX(a)
        ? { ...x, shift: map(x.shift, (n, c) => n - c) }
        : { scale: x.scale.map((n) => -n), shift: map(x.shift, (n, c) => c - n) };
    case 'multiply':
      return { scale: map(x.scale, (n, c) => n * c), shift: map(x.shift, (n, c) => n * c) };
    case 'divide':
      return isX(a)
        ? { scale: map(x.scale, (n, c) => n / c), shift: map(x.shift, (n, c) => n / c) }
        : undefined;
    default:
      return undefined;
  }
}

/** The number for each channel, if a constant is the same at every other place. */
function perChannel({ shape, data }: Tensor, count: number): readonly number[] | undefined {
  if (data.length === 1) return Array<number>(count).fill(Number(data[0]));
  return shape.at(-1) === count && data.length === count ? Array.from(data, Number) : undefined;
}
