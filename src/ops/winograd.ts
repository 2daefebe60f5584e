/**
 * Which convolutions the crate computes by Winograd's F(2×2, 3×3), with 16 multiplications in place of 36: the layer
 * `WinogradConv2D` of tf-layers. Its weights are 16/9 as large, and it moves more numbers about, so that it is faster only
 * where each weight and each number is used often.
 */

/** The fewest channels, filters and pixels with which it measures faster. */
const FEWEST = { channels: 32, pixels: 64 };

/** Numbers of a block of tiles, and the fewest tiles, as `kernels/winograd.rs` has them. */
const BLOCK = 96 * 1024;
const FEWEST_TILES = 16;

export interface Winograd {
  /** Rows of 16 weights. */
  readonly rows: number;
  /** Numbers to compute in. */
  readonly work: number;
}

/** For windows of these sizes that are neither strided, dilated nor grouped; undefined if it would not be faster. */
export function winograd(
  sizes: readonly number[],
  lengthsOut: readonly number[],
  channels: number,
  filters: number,
): Winograd | undefined {
  const isSquare = sizes.length === 2 && sizes.every((size) => size === 3);
  const pixels = lengthsOut.reduce((product, length) => product * length, 1);
  if (!isSquare || channels < FEWEST.channels || filters < FEWEST.channels || pixels < FEWEST.pixels)
    return undefined;
  const tiles = Math.floor(BLOCK / 16 / (channels + filters) / 8) * 8;
  return {
    rows: 16 * Math.ceil(filters / 16) * (1 + channels),
    work: channels + 16 * Math.max(tiles, FEWEST_TILES) * (channels + filters),
  };
}
