/** How a window slides over the spatial dimensions of its input, in any number of them. */

import { Refusal } from '../errors.ts';
import { type Dim, elements } from '../ir/types.ts';

export interface Window {
  /** One of each for every spatial dimension. */
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Steps of padding before the first and after the last. */
  readonly padding: readonly (readonly [before: number, after: number])[];
}

/** The padding of TensorFlow's `SAME` and `VALID`. */
export function padding(
  kind: string,
  lengths: readonly number[],
  sizes: readonly number[],
  strides: readonly number[],
  dilations: readonly number[],
): readonly (readonly [number, number])[] {
  if (kind === 'VALID') return lengths.map(() => [0, 0] as const);
  if (kind !== 'SAME') throw new Refusal(`the padding is ${kind}, and only SAME and VALID are known`);
  return lengths.map((length, i) => samePadding(length, sizes[i]!, strides[i]!, dilations[i]!));
}

/** As few steps as let the window stand at every stride; the odd one comes after (tf.nn, "Notes on padding"). */
function samePadding(
  length: number,
  size: number,
  stride: number,
  dilation: number,
): readonly [number, number] {
  const steps = Math.ceil(length / stride);
  const total = Math.max((steps - 1) * stride + (size - 1) * dilation + 1 - length, 0);
  return [Math.floor(total / 2), Math.ceil(total / 2)];
}

/** How often the window fits, in each spatial dimension. */
export function lengthsOut(
  window: Window,
  lengths: readonly number[],
  sizes: readonly number[],
): readonly number[] {
  return lengths.map((length, i) => {
    const [before, after] = window.padding[i]!;
    const [size, stride, dilation] = [sizes[i]!, window.strides[i]!, window.dilations[i]!];
    if (![size, stride, dilation].every((number) => Number.isSafeInteger(number) && number > 0)) {
      throw new Refusal(`a window of size ${size}, stride ${stride} and dilation ${dilation} is impossible`);
    }
    const reach = (size - 1) * dilation + 1;
    const steps = Math.floor((length + before + after - reach) / stride) + 1;
    if (steps < 1) throw new Refusal(`a window of ${reach} does not fit into ${length} steps`);
    return steps;
  });
}

/** The lengths between the batch and the channels. */
export function spatial(shape: readonly Dim[]): readonly number[] {
  return shape.slice(1, -1).map((dim) => {
    if (typeof dim !== 'number') throw new Refusal('the batch stands where steps or pixels should');
    return dim;
  });
}

/** The number of channels, which come last. */
export function channels(shape: readonly Dim[]): number {
  const dim = shape.at(-1);
  if (typeof dim !== 'number') throw new Refusal('the batch stands where the channels should');
  return dim;
}

/**
 * Calls `visit` for every place of the window that is not padding: with the place of the output, that of the
 * input and that in the window, each counted in row-major order over the spatial dimensions.
 */
export function slide(
  window: Window,
  lengths: readonly number[],
  sizes: readonly number[],
  visit: (output: number, input: number, tap: number) => void,
): void {
  const out = lengthsOut(window, lengths, sizes);
  const rank = lengths.length;
  const walk = (dim: number, output: number, input: number, tap: number): void => {
    if (dim === rank) {
      visit(output, input, tap);
      return;
    }
    for (let o = 0; o < out[dim]!; o++) {
      for (let k = 0; k < sizes[dim]!; k++) {
        const at = stepUnder(window, dim, o, k);
        if (at < 0 || at >= lengths[dim]!) continue;
        walk(dim + 1, output * out[dim]! + o, input * lengths[dim]! + at, tap * sizes[dim]! + k);
      }
    }
  };
  walk(0, 0, 0, 0);
}

/** A function that writes, for a place of the output, the pixel under each tap of the window, or −1 for padding. */
export function pixelsUnder(
  window: Window,
  lengths: readonly number[],
  sizes: readonly number[],
): (output: number, pixels: Int32Array) => void {
  const out = lengthsOut(window, lengths, sizes);
  return (output, pixels) => {
    pixels[0] = 0;
    let filled = 1;
    let inner = elements(out);
    for (const [dim, size] of sizes.entries()) {
      inner /= out[dim]!;
      const o = Math.floor(output / inner) % out[dim]!;
      // Backwards, since what stands there is read until it is written over.
      for (let i = filled - 1; i >= 0; i--) {
        const outer = pixels[i]!;
        for (let k = size - 1; k >= 0; k--) {
          const at = stepUnder(window, dim, o, k);
          const isInside = outer >= 0 && at >= 0 && at < lengths[dim]!;
          pixels[i * size + k] = isInside ? outer * lengths[dim]! + at : -1;
        }
      }
      filled *= size;
    }
  };
}

/** The step of the input under tap `k` of the window, at step `o` of the output. */
function stepUnder({ strides, dilations, padding }: Window, dim: number, o: number, k: number): number {
  return o * strides[dim]! + k * dilations[dim]! - padding[dim]![0];
}

/** `Window::same().strides([2])`: only what differs from the default is said. */
export function rustWindow(
  window: Window,
  lengths: readonly number[],
  sizes: readonly number[],
  use: (...names: readonly string[]) => string,
): string {
  const { strides, dilations } = window;
  const one = (numbers: readonly number[]) => numbers.every((n) => n === 1);
  const same = lengths.map((length, i) => samePadding(length, sizes[i]!, strides[i]!, dilations[i]!));
  const pads = `${window.padding}`;
  let text = `${use('Window')}::`;
  if (one(window.padding.flat().map((n) => n + 1))) text += 'valid()';
  else if (pads === `${same}`) text += 'same()';
  else if (lengths.length === 1 && pads === `${[[(sizes[0]! - 1) * dilations[0]!, 0]]}`) text += 'causal()';
  else text += `explicit([${window.padding.map(([before, after]) => `[${before}, ${after}]`).join(', ')}])`;
  if (!one(strides)) text += `.strides([${strides.join(', ')}])`;
  if (!one(dilations)) text += `.dilations([${dilations.join(', ')}])`;
  return text;
}

/** `same strides 2,2`, as the printed graph has it. */
export function printWindow({ strides, dilations, padding }: Window): string {
  return `strides ${strides} dilations ${dilations} padding ${padding.map((pair) => pair.join('+'))}`;
}
