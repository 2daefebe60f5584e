/** The functions that a layer can apply to its own output: those of `tf_layers::activation`. */

import type { Expression } from './expression.ts';
import { rustNumber } from './expression.ts';
import { type functions, scalarFunction } from './functions.ts';

/** The functions that are there, and their names: in small letters if they take a parameter. */
const members = {
  relu: 'RELU',
  relu6: 'RELU6',
  leaky_relu: 'leaky_relu',
  elu: 'elu',
  selu: 'SELU',
  gelu: 'GELU',
  gelu_tanh: 'GELU_TANH',
  silu: 'SILU',
  sigmoid: 'SIGMOID',
  hard_sigmoid: 'HARD_SIGMOID',
  hard_sigmoid_of_keras_2: 'HARD_SIGMOID_OF_KERAS_2',
  hard_silu: 'HARD_SILU',
  softplus: 'SOFTPLUS',
  softsign: 'SOFTSIGN',
  tanh: 'TANH',
  exp: 'EXPONENTIAL',
  mish: 'MISH',
} as const satisfies Partial<Record<keyof typeof functions, string>>;

type Member = keyof typeof members;

export interface Activation {
  readonly name: Member | 'linear';
  /** The slope of `leaky_relu`, the alpha of `elu`. */
  readonly parameter?: number;
}

export const linear: Activation = { name: 'linear' };

const isMember = (name: string): name is Member => name in members;

/** The activation that an expression of one f32 is, if it is one. */
export function activationOf(expression: Expression): Activation | undefined {
  if (expression.kind !== 'call' || expression.dtype !== 'f32' || !isMember(expression.name))
    return undefined;
  const [x, parameter] = expression.arguments;
  if (x?.kind !== 'input' || x.index !== 0) return undefined;
  if (parameter === undefined) return { name: expression.name };
  if (parameter.kind !== 'number') return undefined;
  return { name: expression.name, parameter: Number(parameter.value) };
}

/** What the activation makes of a number. */
export function activate({ name, parameter }: Activation): (x: number) => number {
  if (name === 'linear') return (x) => x;
  const { number } = scalarFunction(name);
  return parameter === undefined ? number : (x) => number(x, parameter);
}

/** What the activation makes of the sums of a layer, in f32. */
export function activateAll(sums: Float64Array, activation: Activation): Float32Array {
  if (activation.name === 'linear') return new Float32Array(sums);
  const finish = activate(activation);
  const results = new Float32Array(sums.length);
  for (let i = 0; i < sums.length; i++) results[i] = finish(sums[i]!);
  return results;
}

/** `RELU`, `activation::leaky_relu(0.2)`, once it is imported. */
export function rustActivation(
  { name, parameter }: Activation,
  use: (...names: readonly string[]) => string,
): string {
  if (parameter !== undefined && name !== 'linear')
    return `${use('activation')}::${members[name]}(${rustNumber(parameter, 'f32').text})`;
  return use(`activation::${name === 'linear' ? 'LINEAR' : members[name]}`);
}

export function printActivation({ name, parameter }: Activation): string {
  return parameter === undefined ? name : `${name}(${parameter})`;
}
