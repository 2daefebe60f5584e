/** A loop, and what a round of it makes of what it is given: the body as it is read once, for all rounds. */

import type { Input, Layer } from '../../ir/graph.ts';
import type { Builder, Operand } from '../../ops/tensorflow.ts';
import { type Imported, isOperand, unknown } from './imported.ts';
import type { TensorList } from './tensor-lists.ts';
import { type TermReader, termReader } from './terms.ts';

/** The functions of a loop. `wanted` are the results that are needed; the others need not be computed. */
export interface Loop {
  readonly name: string;
  condition(values: readonly Imported[]): Imported;
  body(values: readonly Imported[], wanted?: readonly number[]): readonly Imported[];
  /** Reads the body for a try: undefined, and no problem told, if it cannot be read. */
  tryBody(values: readonly Imported[]): readonly Imported[] | undefined;
  readonly nodesOfBody: number;
  readonly layer: Layer;
  readonly builder: Builder;
}

/** The counters in every round. */
export type Rounds = readonly ReadonlyMap<number, Imported>[];

/** The body of a loop, read once for all rounds. */
export interface Body {
  /** What the loop is given. */
  readonly given: readonly Imported[];
  /** What stands for it in the body, and what the body makes of it. */
  readonly before: readonly Imported[];
  readonly after: readonly Imported[];
  readonly time: Input;
  /** The lists of what the rounds read, by the items. */
  readonly sequences: ReadonlyMap<Input, Operand>;
  readonly read: TermReader;
}

/** Reads the body with inputs in place of what changes from round to round; undefined if it cannot be read so. */
export function readBody(loop: Loop, given: readonly Imported[], rounds: Rounds): Body | undefined {
  const time: Input = { kind: 'input', name: 'time', type: { dtype: 'i32', shape: [] } };
  const sequences = new Map<Input, Operand>();
  const counters = rounds[0]!;
  const trial = given.map((value, i): Imported => {
    if (counters.has(i)) {
      const numbers = rounds.map((round) => numberOf(round.get(i)));
      if (numbers.every((number) => number === numbers[0])) return value;
      return numbers.every((number, round) => number === round) ? time : unknown;
    }
    return value.kind === 'list' ? listInBody(value, time, rounds.length, sequences) : value;
  });
  const first = loop.tryBody(trial);
  if (!first) return undefined;
  // What comes out as it went in is the same in every round.
  const before = trial.map((value, i): Imported => {
    const isState = isOperand(value) && value !== time && first[i] !== value;
    return isState ? { kind: 'input', name: `state ${i}`, type: value.type } : value;
  });
  const after = loop.tryBody(before);
  return after && { given, before, after, time, sequences, read: termReader() };
}

function numberOf(value: Imported | undefined): number | undefined {
  return value?.kind === 'constant' ? Number(value.tensor.data[0]) : undefined;
}

function listInBody(
  list: TensorList,
  time: Input,
  rounds: number,
  sequences: Map<Input, Operand>,
): TensorList | typeof unknown {
  switch (list.of) {
    case 'tensor': {
      const [length, ...shape] = list.tensor.type.shape;
      if (length !== rounds) return unknown;
      const item: Input = { kind: 'input', name: 'item', type: { dtype: list.tensor.type.dtype, shape } };
      sequences.set(item, list.tensor);
      return { kind: 'list', of: 'rounds', time, item };
    }
    case 'items':
      return list.items.every((item) => item === undefined)
        ? { kind: 'list', of: 'writes', length: list.items.length }
        : unknown;
    case 'rounds':
    case 'writes':
      return unknown;
  }
}
