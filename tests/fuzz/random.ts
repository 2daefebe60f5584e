/** Random choices that a seed repeats. */

export interface Random {
  /** A whole number from 0 to below `end`. */
  below(end: number): number;
  pick<T>(items: readonly T[]): T;
  /** True once in so many times. */
  once(times: number): boolean;
}

/** Marsaglia's xorshift of 32 bits, from a state that the seed is mixed into. */
export function randomOf(seed: number): Random {
  let state = (Math.imul(seed + 1, 0x9e3779b1) ^ 0x85ebca6b) >>> 0 || 1;
  const next = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state = (state ^ (state << 5)) >>> 0;
    return state / 2 ** 32;
  };
  for (let i = 0; i < 8; i++) next();
  const below = (end: number) => Math.floor(next() * end);
  return { below, pick: (items) => items[below(items.length)]!, once: (times) => below(times) === 0 };
}
