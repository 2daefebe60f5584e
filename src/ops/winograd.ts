/**
 * Which convolutions the crate computes by Winograd's method, with fewer products than the definition takes: the layers
 * `WinogradConv1D` and `WinogradConv2D` of tf-layers. They have more weights and move more numbers about, so that they
 * are faster only where each weight and each number is used often.
 */

import { elements } from '../ir/types.ts';

export interface Winograd {
  /** The layer, with its parameters. */
  readonly rustType: string;
  /** Numbers to compute in. */
  readonly work: number;
}

/** F(outputs, taps) in one direction: so many outputs of so many places of a window, by outputs + taps − 1 products. */
interface Method {
  readonly outputs: number;
  readonly taps: number;
}

/** A method for each direction, and the time that it takes, in multiplications. */
interface Candidate extends Winograd {
  readonly time: number;
}

/** Those for windows of steps: others lose more digits, or are slower. */
const STEPS: readonly Method[] = [
  { outputs: 4, taps: 3 },
  { outputs: 5, taps: 4 },
  { outputs: 4, taps: 5 },
];

/** The time to read a weight, and to transform a number, in multiplications: measured. */
const TIME = { weight: 11, number: 8 };

/** How many times as fast as the definition it has to be, and wide tiles as narrow ones, for more weights. */
const GAIN = { definition: 1.25, narrow: 1.1 };

/** Weights of a row: there have to be as many channels, of the input and of the output. */
const LANES = 16;

/** Numbers of a block of tiles, and the fewest tiles, as `kernels/winograd.rs` has them. */
const BLOCK = 96 * 1024;
const FEWEST_TILES = 16;

/** For windows of these sizes that are neither strided, dilated nor grouped; undefined if it would not be faster. */
export function winograd(
  sizes: readonly number[],
  lengthsOut: readonly number[],
  channels: number,
  filters: number,
): Winograd | undefined {
  if (channels < LANES || filters < LANES) return undefined;
  const times = elements(sizes) * channels * filters * (elements(lengthsOut) + TIME.weight);
  const best = fastest(sizes, lengthsOut, channels, filters);
  return best && best.time * GAIN.definition < times ? best : undefined;
}

function fastest(
  sizes: readonly number[],
  lengthsOut: readonly number[],
  channels: number,
  filters: number,
): Candidate | undefined {
  const candidate = (name: string, parameters: readonly number[], methods: readonly Method[]): Candidate => {
    const places = product(methods, ({ outputs, taps }) => outputs + taps - 1);
    const depth = product(methods, ({ taps }, i) => Math.ceil(sizes[i]! / taps)) * channels;
    const tiles = product(methods, ({ outputs }, i) => Math.ceil(lengthsOut[i]! / outputs));
    const rows = places * Math.ceil(filters / LANES) * (1 + depth);
    const tilesOfBlock = Math.max(FEWEST_TILES, Math.floor(BLOCK / places / (depth + filters) / 8) * 8);
    return {
      rustType: `${name}<${[...parameters, channels, filters, rows].join(', ')}>`,
      work: places * (channels + tilesOfBlock * (depth + filters) + 2 * LANES),
      time:
        places *
        (tiles * (depth * filters + TIME.number * (depth + filters)) + TIME.weight * depth * filters),
    };
  };
  const [height, width] = sizes;
  if (sizes.length === 1) {
    const all = STEPS.map((method) =>
      candidate('WinogradConv1D', [method.outputs, method.taps, height!], [method]),
    );
    return all.reduce((best, other) => (other.time < best.time ? other : best));
  }
  if (sizes.length !== 2 || height !== 3 || width !== 3) return undefined;
  const [narrow, wide] = [2, 4].map((across) =>
    candidate(
      'WinogradConv2D',
      [across],
      [2, across].map((outputs) => ({ outputs, taps: 3 })),
    ),
  ) as [Candidate, Candidate];
  return wide.time * GAIN.narrow < narrow.time ? wide : narrow;
}

function product<T>(items: readonly T[], factor: (item: T, i: number) => number): number {
  return items.reduce((all, item, i) => all * factor(item, i), 1);
}
