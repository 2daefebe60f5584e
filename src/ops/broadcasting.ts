/** numpy's broadcasting: dimensions are matched from the last; a 1 stretches. */

import { Refusal } from '../errors.ts';
import { type Dim, elements, printShape, sameDim, type Tensor, type TensorData, zeros } from '../ir/types.ts';

/** The shape that all the shapes stretch to. Throws a `Refusal` where there is none. */
export function broadcastShape(shapes: readonly (readonly Dim[])[]): readonly Dim[] {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  return Array.from({ length: rank }, (_, i) => {
    let result: Dim = 1;
    for (const shape of shapes) {
      const dim = shape[shape.length - rank + i] ?? 1;
      if (sameDim(dim, 1) || sameDim(dim, result)) continue;
      if (!sameDim(result, 1)) {
        throw new Refusal(`the shapes ${shapes.map(printShape).join(' and ')} do not fit together`);
      }
      result = dim;
    }
    return result;
  });
}

/** The index into a tensor of shape `from` for every element of shape `to`. */
export function broadcastIndices(from: readonly number[], to: readonly number[]): Int32Array {
  const offset = to.length - from.length;
  const strides = to.map((_, i) => {
    const dim = from[i - offset];
    return dim === undefined || dim === 1 ? 0 : elements(from.slice(i - offset + 1));
  });
  return stridedIndices(to, strides, 0);
}

/** `start + Σ iₖ·stridesₖ` for every place of the shape, in row-major order. */
export function stridedIndices(
  shape: readonly number[],
  strides: readonly number[],
  start: number,
): Int32Array {
  const indices = new Int32Array(elements(shape));
  const place = shape.map(() => 0);
  let at = start;
  for (let i = 0; i < indices.length; i++) {
    indices[i] = at;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      at += strides[dim]!;
      if (++place[dim]! < shape[dim]!) break;
      at -= strides[dim]! * shape[dim]!;
      place[dim] = 0;
    }
  }
  return indices;
}

/** `data[indices[i]]` for every i. */
export function take({ dtype, data }: Tensor, indices: ArrayLike<number>): TensorData {
  const taken = zeros(dtype, indices.length);
  if (taken instanceof BigInt64Array && data instanceof BigInt64Array) {
    for (let i = 0; i < taken.length; i++) taken[i] = data[indices[i]!]!;
  } else {
    for (let i = 0; i < taken.length; i++) taken[i] = Number(data[indices[i]!]);
  }
  return taken;
}

/** How far apart neighbours are in each dimension of a row-major tensor. */
export function rowMajor(shape: readonly number[]): readonly number[] {
  return shape.map((_, i) => elements(shape.slice(i + 1)));
}
