/**
 * Images that no memory holds: the layer that alone reads one has its rows computed as it needs them, band by band,
 * while they are in the cache.
 */

import type { TensorType } from '../ir/types.ts';
import { channels, spatial, type Window } from './window.ts';

/** Bytes of the rows of a band, as `kernels/chain.rs` has them. */
const BAND = 384 * 1024;

/** How many numbers the rows of a band are, of an image that windows of these sizes see. */
export function workOfBands({ shape }: TensorType, window: Window, sizes: readonly number[]): number {
  const [height, width] = spatial(shape) as [number, number];
  const line = width * channels(shape);
  const least = (sizes[0]! - 1) * window.dilations[0]! + 1 + window.strides[0]!;
  return Math.min(Math.max(Math.floor(BAND / 4 / line), least), height) * line;
}
