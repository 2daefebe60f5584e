/** Loops of a SavedModel: as the recurrent layers that they are, or else as a loop, or written out round by round. */

import { Refusal } from '../../errors.ts';
import { generalLoop } from './general-loop.ts';
import type { Imported } from './imported.ts';
import { unknown } from './imported.ts';
import { type Loop, type Rounds, readBody } from './loop-body.ts';
import { recurrentLayers } from './recurrent-loop.ts';

/** A longer loop is no sequence that a model would see. */
const MOST_ROUNDS = 2 ** 16;

/** Nodes of all rounds of a loop that is written out although it could be one step: few rounds read better so. */
const FEW_NODES = 400;

/** Nodes of all rounds of a loop that has to be written out. */
const MOST_NODES = 20_000;

export function lowerLoop(loop: Loop, inputs: readonly Imported[]): readonly Imported[] {
  const counters = countersOf(loop, inputs);
  const rounds = countRounds(loop, inputs, counters);
  const body = rounds.length > 0 ? readBody(loop, inputs, rounds) : undefined;
  const layers = body && recurrentLayers(loop, body, rounds.length);
  if (layers) return layers;
  const isLong = rounds.length * loop.nodesOfBody > FEW_NODES;
  const one = isLong && body ? generalLoop(loop, body, rounds.length) : undefined;
  return one ?? writtenOut(loop, inputs, rounds.length);
}

/** The values that depend on nothing but each other, and are known before the first prediction. */
function countersOf(loop: Loop, inputs: readonly Imported[]): readonly number[] {
  const isNumber = (value: Imported | undefined) =>
    value?.kind === 'constant' && value.type.shape.length === 0 && value.type.dtype !== 'f32';
  let counters = inputs.flatMap((value, i) => (isNumber(value) ? [i] : []));
  for (;;) {
    const next = loop.body(only(inputs, counters), counters);
    const kept = counters.filter((_, i) => isNumber(next[i]));
    if (kept.length === counters.length) return kept;
    counters = kept;
  }
}

const only = (values: readonly Imported[], kept: readonly number[]) =>
  values.map((value, i) => (kept.includes(i) ? value : unknown));

function countRounds(loop: Loop, inputs: readonly Imported[], counters: readonly number[]): Rounds {
  const rounds: ReadonlyMap<number, Imported>[] = [];
  let values = only(inputs, counters);
  for (;;) {
    const goesOn = loop.condition(values);
    if (goesOn.kind !== 'constant') {
      if (inputs.some((value) => value.kind === 'by batch' && value.type.shape.length === 0)) {
        throw new Refusal('a loop over the samples, as with time_major=True, mixes them');
      }
      throw new Refusal('how often a loop runs depends on the values of the input, which is not supported');
    }
    if (!goesOn.tensor.data[0]) return rounds;
    if (rounds.length >= MOST_ROUNDS) throw new Refusal(`a loop of more than ${MOST_ROUNDS} rounds`);
    rounds.push(new Map(counters.map((i) => [i, values[i]!])));
    const next = loop.body(values, counters);
    values = values.map((value, i) => next[counters.indexOf(i)] ?? value);
  }
}

function writtenOut(loop: Loop, inputs: readonly Imported[], rounds: number): readonly Imported[] {
  if (rounds * loop.nodesOfBody > MOST_NODES) {
    throw new Refusal(
      `a loop of ${rounds} rounds is not one of SimpleRNN, GRU or LSTM, nor one that carries floats of each sample from round to round, and it is too long to be written out; shorten the sequence with --input_shape`,
    );
  }
  let values = inputs;
  for (let round = 0; round < rounds; round++) values = loop.body(values);
  return values;
}
