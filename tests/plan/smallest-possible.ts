/** The least memory that any sharing of buffers needs, by trying all: for a few lifetimes. */

import type { Lifetime } from '../../src/4-plan/buffers.ts';

export function smallestPossible(lifetimes: readonly Lifetime[]): number {
  const groups: Lifetime[][] = [];
  let smallest = Number.POSITIVE_INFINITY;
  const place = (i: number): void => {
    const lifetime = lifetimes[i];
    if (lifetime === undefined) {
      const lengths = groups.map((group) => Math.max(...group.map(({ length }) => length)));
      smallest = Math.min(
        smallest,
        lengths.reduce((sum, length) => sum + length, 0),
      );
      return;
    }
    for (const group of groups) {
      if (group.some(({ first, last }) => first <= lifetime.last && lifetime.first <= last)) continue;
      group.push(lifetime);
      place(i + 1);
      group.pop();
    }
    groups.push([lifetime]);
    place(i + 1);
    groups.pop();
  };
  place(0);
  return smallest;
}
