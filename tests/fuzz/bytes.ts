/** Damage that needs no knowledge of a format, and the numbers and texts at which readers break. */

import { joined } from '../../src/1-read/pieces.ts';
import type { Random } from './random.ts';

/** Numbers at the ends of their types, and lengths that nothing can have. */
export const numbers: readonly bigint[] = [
  0n,
  1n,
  2n,
  3n,
  7n,
  -1n,
  -2n,
  127n,
  128n,
  255n,
  256n,
  65535n,
  65536n,
  2n ** 20n,
  2n ** 30n,
  2n ** 31n - 1n,
  2n ** 31n,
  2n ** 32n - 1n,
  2n ** 32n,
  2n ** 40n,
  2n ** 53n - 1n,
  2n ** 53n + 1n,
  2n ** 63n - 1n,
  -(2n ** 63n),
];

export const texts: readonly string[] = [
  '',
  'a/b',
  '../../x',
  'x\ny',
  '"*/{}',
  '\0',
  '\u001b[31m',
  '__proto__',
  'constructor',
  'toString',
  ':0',
  'x:-1',
  '^x',
  '日本😀',
  '\ud83d',
  'a'.repeat(5000),
];

/** The bytes with a few of them changed, left out, repeated, or put elsewhere. */
export function damaged(bytes: Uint8Array, random: Random): Uint8Array {
  if (bytes.length === 0) return bytes;
  const at = random.below(bytes.length);
  const length = random.below(Math.min(200, bytes.length - at)) + 1;
  const copy = bytes.slice();
  switch (random.below(7)) {
    case 0:
      for (let flips = random.below(4); flips >= 0; flips--) {
        copy[random.below(copy.length)]! ^= 1 << random.below(8);
      }
      return copy;
    case 1:
      return copy.subarray(0, at);
    case 2:
      return joined([bytes.subarray(0, at + length), bytes.subarray(at)]);
    case 3:
      return joined([bytes.subarray(0, at), bytes.subarray(at + length)]);
    case 4:
      return copy.fill(random.pick([0, 1, 127, 128, 255]), at, at + Math.min(length, 16));
    case 5:
      return withNumber(copy, at, random);
  }
  copy.copyWithin(random.below(copy.length), at, at + length);
  return copy;
}

/** The bytes with a little-endian number of any width at the place. */
export function withNumber(bytes: Uint8Array, at: number, random: Random): Uint8Array {
  const copy = bytes.slice();
  const value = random.pick(numbers);
  const width = Math.min(random.pick([1, 2, 4, 8]), bytes.length - at);
  for (let i = 0; i < width; i++) copy[at + i] = Number((value >> BigInt(8 * i)) & 255n);
  return copy;
}
