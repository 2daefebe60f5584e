/** How far predictions are from those expected. */

import type { TensorData } from '../ir/types.ts';

/**
 * `max |x − e| / max(max |e|, 1e-6)`: the largest error in proportion to the largest number expected.
 * Infinite if a NaN or an infinity stands in another place, or integers differ at all.
 */
export function largestError(predicted: TensorData, expected: TensorData): number {
  if (predicted.length !== expected.length) return Number.POSITIVE_INFINITY;
  let [difference, scale] = [0, 1e-6];
  for (let i = 0; i < expected.length; i++) {
    const [x, e] = [predicted[i]!, expected[i]!];
    if (typeof x === 'bigint' || typeof e === 'bigint') {
      if (x !== e) return Number.POSITIVE_INFINITY;
    } else if (Number.isFinite(e) && Number.isFinite(x)) {
      difference = Math.max(difference, Math.abs(x - e));
      scale = Math.max(scale, Math.abs(e));
    } else if (!Object.is(x, e)) {
      return Number.POSITIVE_INFINITY;
    }
  }
  const isInteger = !(expected instanceof Float32Array || expected instanceof Float64Array);
  return isInteger && difference > 0 ? Number.POSITIVE_INFINITY : difference / scale;
}
