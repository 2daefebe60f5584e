/** Which results share a buffer: two of them never, while both are needed. */

import type { DType } from '../ir/types.ts';

/** Memory of the model's scratch, for one type of numbers. */
export interface Buffer {
  readonly dtype: DType;
  /** Numbers for one sample. */
  readonly length: number;
}

/** What needs memory from the step that writes it first to the one that reads it last, both included. */
export interface Lifetime {
  readonly dtype: DType;
  /** Numbers for one sample. */
  readonly length: number;
  readonly first: number;
  readonly last: number;
}

export interface Assignment {
  readonly buffers: readonly Buffer[];
  /** The buffer of each lifetime, in their order. */
  readonly places: readonly number[];
}

/** After so many a choice is made again as before: every combination of these is tried. */
const CHOICES = 7;
const MOST_TRIES = 2 ** CHOICES;

/** Shares buffers among what is of one type, so that they are small together. */
export function assignBuffers(lifetimes: readonly Lifetime[]): Assignment {
  const buffers: Buffer[] = [];
  const places: number[] = [];
  for (const dtype of new Set(lifetimes.map(({ dtype }) => dtype))) {
    const indices = [...lifetimes.keys()].filter((i) => lifetimes[i]!.dtype === dtype);
    const first = buffers.length;
    for (const [number, group] of smallestGroups(lifetimes, indices).entries()) {
      buffers.push({ dtype, length: lifetimes[group[0]!]!.length });
      for (const i of group) places[i] = first + number;
    }
  }
  return inOrderOfUse(buffers, places);
}

/**
 * Numbers that no buffers can be smaller than together. What is needed at the same time is in buffers of its own, so the
 * second largest buffer, say, is as large as the second largest of any time: the "positional maximums" of Pisarchyk and
 * Lee, https://arxiv.org/abs/2001.03288.
 */
export function leastLength(lifetimes: readonly Lifetime[]): number {
  const inTurn = [...lifetimes].sort((a, b) => a.first - b.first);
  const largest: number[] = [];
  let alive: readonly Lifetime[] = [];
  for (const lifetime of inTurn) {
    // What begins with it is needed at the same time too, and comes to be counted with the last of them.
    alive = [...alive.filter(({ last }) => last >= lifetime.first), lifetime].sort(
      (a, b) => b.length - a.length,
    );
    for (const [i, { length }] of alive.entries()) largest[i] = Math.max(largest[i] ?? 0, length);
  }
  return largest.reduce((sum, length) => sum + length, 0);
}

/**
 * Lifetimes that share a buffer, the longest of each first. The longest of all are placed first, each in a buffer that is
 * free ("greedy by size" of the same paper): so a buffer is as long as what opened it. It is the smallest or the largest
 * that is free, as the bits of the try say, and what opened a buffer comes before its equals, until nothing smaller is
 * possible or the tries are used up.
 */
function smallestGroups(
  lifetimes: readonly Lifetime[],
  indices: readonly number[],
): readonly (readonly number[])[] {
  const least = leastLength(indices.map((i) => lifetimes[i]!));
  const opened = new Map(indices.map((i) => [i, 0]));
  let best: readonly (readonly number[])[] = [];
  let smallest = Number.POSITIVE_INFINITY;
  for (let tries = 0; tries < MOST_TRIES && smallest > least; tries++) {
    const order = [...indices].sort(
      (a, b) => lifetimes[b]!.length - lifetimes[a]!.length || opened.get(b)! - opened.get(a)! || a - b,
    );
    const groups = greedyGroups(lifetimes, order, tries);
    const total = groups.reduce((sum, [opener]) => sum + lifetimes[opener!]!.length, 0);
    const isFewer = total === smallest && groups.length < best.length;
    if (total < smallest || isFewer) [smallest, best] = [total, groups];
    for (const [opener] of groups) opened.set(opener!, opened.get(opener!)! + 1);
  }
  return best;
}

/** Each in the free group with the shortest opener, or with the longest where its bit of `choices` is set. */
function greedyGroups(
  lifetimes: readonly Lifetime[],
  order: readonly number[],
  choices: number,
): readonly (readonly number[])[] {
  const groups: number[][] = [];
  for (const [turn, i] of order.entries()) {
    const sign = (choices >> (turn % CHOICES)) & 1 ? -1 : 1;
    const rank = (group: readonly number[]) => sign * lifetimes[group[0]!]!.length;
    const free = groups.filter((group) => group.every((other) => !overlap(lifetimes[other]!, lifetimes[i]!)));
    if (free.length === 0) groups.push([i]);
    else free.reduce((best, group) => (rank(group) < rank(best) ? group : best)).push(i);
  }
  return groups;
}

function overlap(a: Lifetime, b: Lifetime): boolean {
  return a.first <= b.last && b.first <= a.last;
}

/** The same with the buffers in the order in which the steps come upon them. */
function inOrderOfUse(buffers: readonly Buffer[], places: readonly number[]): Assignment {
  const order = [...new Set(places)];
  return {
    buffers: order.map((place) => buffers[place]!),
    places: places.map((place) => order.indexOf(place)),
  };
}
