/** The spectrum of real numbers, and the numbers of such a spectrum. */

import { Refusal } from '../errors.ts';
import { elements } from '../ir/types.ts';
import { type ComplexOps, zerosLike } from './complex.ts';
import { concatenate } from './concatenate.ts';
import { defineOp } from './op.ts';
import { pad } from './pad.ts';
import { reshaped } from './reshape.ts';
import { steps } from './slice.ts';
import type { Builder, Operand } from './tensorflow.ts';

export interface FourierAttributes {
  /** How many numbers there are, of which the spectrum has `length / 2 + 1`. */
  readonly length: number;
  /** Whether the numbers follow from the spectrum. */
  readonly isInverse: boolean;
}

/** A larger one would take long to check. */
export const MOST_NUMBERS = 2 ** 16;

/**
 * `Σ x[j] · e^(−2πi·jk/length)`: (…, length) → (…, length / 2 + 1, 2), real and imaginary parts side by side; and the
 * inverse, of which it is assumed that the first and the last number have no imaginary part.
 */
export const fourier = defineOp({
  name: 'Fourier',
  inputs: ['x'],
  weights: [],

  infer({ x }, { length, isInverse }: FourierAttributes) {
    const bins = Math.floor(length / 2) + 1;
    if (x.dtype !== 'f32') throw new Refusal(`a spectrum computes with f32, and its input is ${x.dtype}`);
    if (!(length >= 1 && length <= MOST_NUMBERS)) throw new Refusal(`a spectrum of ${length} numbers`);
    const [before, after] = isInverse ? [[bins, 2], [length]] : [[length], [bins, 2]];
    if (x.shape.length <= before.length || `${x.shape.slice(-before.length)}` !== `${before}`) {
      throw new Refusal(`a spectrum of ${length} numbers, and there are ${x.shape.slice(1)}`);
    }
    return { dtype: 'f32', shape: [...x.shape.slice(0, -before.length), ...after] };
  },

  evaluate({ x }, { length, isInverse }, output) {
    const bins = Math.floor(length / 2) + 1;
    const data = x.data as Float32Array;
    const angles = Array.from({ length }, (_, i) => (2 * Math.PI * i) / length);
    const [cosines, sines] = [angles.map(Math.cos), angles.map(Math.sin)];
    const result = new Float32Array(elements(output.shape));
    const [from, to] = isInverse ? [2 * bins, length] : [length, 2 * bins];
    for (let row = 0; row * to < result.length; row++) {
      const numbers = data.subarray(row * from, (row + 1) * from);
      const results = result.subarray(row * to, (row + 1) * to);
      if (isInverse) inverse(numbers, cosines, sines, results);
      else forward(numbers, cosines, sines, results);
    }
    return result;
  },

  emit({ inputs, into, layer }, { length, isInverse }) {
    const field = layer({
      rustType: `Fourier<${length}, ${2 * Math.ceil(length / 16)}>`,
      doc: `The sines and cosines of ${length} angles.`,
      pack: [],
    });
    return `${field}.${isInverse ? 'inverse' : 'apply'}(${inputs.x}, ${into})`;
  },

  className: ({ isInverse }) => (isInverse ? 'irfft' : 'rfft'),
  operations: ({ x }, { length }) => length * elements(x.shape.slice(1) as number[]),
});

function forward(
  x: Float32Array,
  cosines: readonly number[],
  sines: readonly number[],
  spectrum: Float32Array,
): void {
  for (let k = 0; 2 * k < spectrum.length; k++) {
    let [real, imaginary] = [0, 0];
    for (let j = 0; j < x.length; j++) {
      const angle = (j * k) % x.length;
      real += x[j]! * cosines[angle]!;
      imaginary -= x[j]! * sines[angle]!;
    }
    spectrum[2 * k] = real;
    spectrum[2 * k + 1] = imaginary;
  }
}

/** Every number of the spectrum but the first, and the last of an even length, stands for two. */
function inverse(
  spectrum: Float32Array,
  cosines: readonly number[],
  sines: readonly number[],
  y: Float32Array,
): void {
  for (let j = 0; j < y.length; j++) {
    let sum = 0;
    for (let k = 0; 2 * k < spectrum.length; k++) {
      const angle = (j * k) % y.length;
      const isSingle = k === 0 || 2 * k === y.length;
      const term = spectrum[2 * k]! * cosines[angle]! - spectrum[2 * k + 1]! * sines[angle]!;
      sum += isSingle ? spectrum[2 * k]! * cosines[angle]! : 2 * term;
    }
    y[j] = sum / y.length;
  }
}

/** The first `length` numbers of the last axis, with zeros behind them if there are not as many. */
function fitted(node: Builder, x: Operand, axis: number, length: number): Operand {
  const found = x.type.shape[axis];
  if (typeof found !== 'number') throw new Refusal('a spectrum over the batch mixes the samples');
  if (found > length) return steps(node, x, axis, 0, length);
  if (found === length) return x;
  const borders = x.type.shape.map((_, i) => [0, i === axis ? length - found : 0] as const);
  return node.add(pad, { x }, { borders, value: 0 }, {});
}

/** One of the two numbers of the last axis, without that axis. */
function part(node: Builder, pairs: Operand, index: number): Operand {
  const { shape } = pairs.type;
  return reshaped(node, steps(node, pairs, shape.length - 1, index, 1), shape.slice(0, -1));
}

/** The real and the imaginary parts of the spectrum of the first `length` numbers of the last axis. */
export function spectrum(node: Builder, x: Operand, length: number): readonly [Operand, Operand] {
  const fit = fitted(node, x, x.type.shape.length - 1, length);
  const pairs = node.add(fourier, { x: fit }, { length, isInverse: false }, {});
  return [part(node, pairs, 0), part(node, pairs, 1)];
}

export const fourierTensorflow: ComplexOps = {
  IRFFT: (node, [imaginary]) => {
    const length = node.integers(1)[0]!;
    const bins = Math.floor(length / 2) + 1;
    const pairs = [node.input(0), imaginary ?? zerosLike(node, node.input(0))].map((x) => {
      const { shape } = x.type;
      return reshaped(node, fitted(node, x, shape.length - 1, bins), [...shape.slice(0, -1), bins, 1]);
    });
    const [real, other] = pairs as [Operand, Operand];
    const axis = real.type.shape.length - 1;
    const x = node.add(concatenate, { x0: real, x1: other }, { axis }, {});
    return node.add(fourier, { x }, { length, isInverse: true }, {});
  },
  RFFT: (node) => {
    const [real, imaginary] = spectrum(node, node.input(0), node.integers(1)[0]!);
    return { kind: 'complex', real, imaginary };
  },
};
