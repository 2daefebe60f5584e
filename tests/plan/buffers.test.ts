import assert from 'node:assert/strict';
import test from 'node:test';
import { type Assignment, assignBuffers, type Lifetime, leastLength } from '../../src/4-plan/buffers.ts';
import { smallestPossible } from './smallest-possible.ts';

const lives = (length: number, first: number, last: number, dtype: Lifetime['dtype'] = 'f32'): Lifetime => ({
  dtype,
  length,
  first,
  last,
});

for (const { title, lifetimes, lengths } of [
  { title: 'nothing', lifetimes: [], lengths: [] },
  { title: 'one', lifetimes: [lives(3, 0, 0)], lengths: [3] },
  {
    title: 'a chain takes turns',
    lifetimes: [lives(4, 0, 1), lives(2, 1, 2), lives(8, 2, 3), lives(3, 3, 4)],
    lengths: [8, 3],
  },
  {
    title: 'the largest buffer is lent to what would block another one',
    lifetimes: [lives(64, 0, 1), lives(128, 1, 3), lives(32, 3, 4), lives(64, 4, 6)],
    lengths: [64, 128],
  },
  {
    title: 'numbers of other types have their own',
    lifetimes: [lives(4, 0, 0), lives(4, 1, 1, 'i64'), lives(2, 2, 2)],
    lengths: [4, 4],
  },
  {
    title: 'what is read while another is written is not free yet',
    lifetimes: [lives(5, 0, 1), lives(5, 1, 1)],
    lengths: [5, 5],
  },
] as const) {
  test(`buffers: ${title}`, () => {
    const assignment = assignBuffers(lifetimes);
    assert.deepEqual(
      assignment.buffers.map(({ length }) => length),
      lengths,
    );
    assertApart(lifetimes, assignment);
  });
}

test('buffers of random lifetimes are apart, and nearly always the smallest possible', () => {
  const random = randomNumbers(5);
  let [best, large] = [0, 0];
  const rounds = 400;
  for (let round = 0; round < rounds; round++) {
    const lifetimes = Array.from({ length: 1 + random(7) }, () => {
      const first = random(8);
      return lives(1 + random(16), first, first + random(4));
    });
    const assignment = assignBuffers(lifetimes);
    assertApart(lifetimes, assignment);
    const total = assignment.buffers.reduce((sum, { length }) => sum + length, 0);
    const smallest = smallestPossible(lifetimes);
    assert.ok(leastLength(lifetimes) <= smallest, 'the bound is one');
    if (total === smallest) best++;
    if (total > 1.1 * smallest) large++;
  }
  assert.ok(best >= 0.97 * rounds, `${best} of ${rounds}`);
  assert.ok(large <= 0.01 * rounds, `${large} of ${rounds} are more than 10 % above`);
});

/** No buffer is shorter than what is in it, or holds two things at a time, or two types. */
function assertApart(lifetimes: readonly Lifetime[], { buffers, places }: Assignment): void {
  for (const [i, lifetime] of lifetimes.entries()) {
    const { length, dtype } = buffers[places[i]!]!;
    assert.ok(length >= lifetime.length && dtype === lifetime.dtype);
    for (const [j, other] of lifetimes.entries()) {
      const isApart = i === j || other.last < lifetime.first || lifetime.last < other.first;
      assert.ok(isApart || places[i] !== places[j], `${i} and ${j}`);
    }
  }
}

/** The same numbers below `limit` at every run: the generator of Numerical Recipes. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed;
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * limit);
  };
}
