/** A loop over the steps of a sequence → the recurrent layers that it is, if it is nothing but those. */

import { constant } from '../../ir/builder.ts';
import type { Input } from '../../ir/graph.ts';
import { tensor } from '../../ir/types.ts';
import { gru } from '../../ops/gru.ts';
import { lstm } from '../../ops/lstm.ts';
import { reshaped } from '../../ops/reshape.ts';
import { simpleRnn } from '../../ops/simple-rnn.ts';
import { steps } from '../../ops/slice.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import { type Cell, cellOf, type State } from './cells.ts';
import { type Imported, isOperand } from './imported.ts';
import type { Body, Loop } from './loop-body.ts';
import { timeMajor } from './tensor-lists.ts';
import type { Term } from './terms.ts';

/** What the loop leaves behind, computed by recurrent layers; undefined if a result is not that of one. */
export function recurrentLayers(loop: Loop, body: Body, rounds: number): readonly Imported[] | undefined {
  const states = statesOf(body);
  const layers = states && layersOf(loop, body, states, rounds);
  return layers && resultsOf(loop, body, layers, rounds);
}

/** The states of the loop by their places; undefined if one is computed by something else than formulas. */
function statesOf({ before, after, read, given, time }: Body): ReadonlyMap<number, State> | undefined {
  const states = new Map<number, State>();
  for (const [i, value] of before.entries()) {
    if (value.kind !== 'input' || value === time || value === given[i]) continue;
    const next = after[i];
    const units = value.type.shape.at(-1);
    const isTensor = next?.kind === 'node' || next?.kind === 'input';
    const term = isTensor && typeof units === 'number' ? read(next, 0, units) : undefined;
    if (!term) return undefined;
    states.set(i, { before: value, after: term });
  }
  return states;
}

interface RecurrentLayer {
  readonly cell: Cell;
  readonly states: ReadonlyMap<State, number>;
  /** The outputs of all rounds, and the states after the last: (batch, rounds and states, units). */
  readonly output: Operand;
  readonly units: number;
  /** How a round that does not count is shown: what the term of the output is then. */
  readonly shown: Term;
}

function layersOf(
  loop: Loop,
  body: Body,
  states: ReadonlyMap<number, State>,
  rounds: number,
): readonly RecurrentLayer[] | undefined {
  const layers: RecurrentLayer[] = [];
  let rest = [...states.values()];
  for (let cell = cellOf(rest); cell; cell = cellOf(rest)) {
    const layer = layerOf(loop, body, states, cell, layers, rounds);
    if (!layer) return undefined;
    layers.push(layer);
    const own = cell.states;
    rest = rest.filter((state) => !own.includes(state));
  }
  return layers;
}

function layerOf(
  loop: Loop,
  body: Body,
  states: ReadonlyMap<number, State>,
  cell: Cell,
  before: readonly RecurrentLayer[],
  rounds: number,
): RecurrentLayer | undefined {
  const { builder } = loop;
  const x = sequenceOf(loop, body, cell.x, before, rounds);
  const mask = cell.mask && maskOf(loop, body, cell.mask, rounds);
  const shown = shownTerm(body, states, cell);
  if (!x || (cell.mask && !mask) || !shown) return undefined;
  const units = cell.weights.recurrent.shape[0]!;
  const places = new Map([...states].map(([place, state]) => [state, place]));
  const initial = cell.states.map((state) => body.given[places.get(state)!]!);
  const inputs: Record<string, Operand> = { x, ...(mask ? { mask } : {}) };
  if (!initial.every(isZero)) {
    for (const [i, name] of ['h', 'c'].slice(0, initial.length).entries()) {
      const value = initial[i]!;
      if (!isOperand(value)) return undefined;
      inputs[name] = value;
    }
  }
  const attributes = {
    activation: cell.activation,
    recurrentActivation: cell.recurrentActivation,
    order: 'forward',
    returns: 'sequence',
    returnsStates: true,
    zeroesMasked: shown.isZeroed,
  } as const;
  const op = { Lstm: lstm, Gru: gru, SimpleRnn: simpleRnn }[cell.kind];
  const output = builder.add(op, inputs, attributes, cell.weights);
  return {
    cell,
    states: new Map(cell.states.map((state) => [state, places.get(state)!])),
    output,
    units,
    shown: shown.term,
  };
}

/** What a layer reads, (batch, rounds, channels): a list of the loop, or what another of its layers makes of one. */
function sequenceOf(
  { builder }: Loop,
  { sequences }: Body,
  x: Term,
  layers: readonly RecurrentLayer[],
  rounds: number,
): Operand | undefined {
  const layer = layers.find(({ cell }) => cell.output === x);
  if (layer) return steps(builder, layer.output, 1, 0, rounds);
  const sequence = x.kind === 'input' ? sequences.get(x.input) : undefined;
  return sequence?.type.shape.length === 3 ? timeMajor(builder, sequence) : undefined;
}

function maskOf({ builder }: Loop, { sequences }: Body, mask: Input, rounds: number): Operand | undefined {
  const sequence = sequences.get(mask);
  const [, batch, one] = sequence?.type.shape ?? [];
  if (sequence?.type.dtype !== 'bool' || batch === undefined || one !== 1) return undefined;
  return reshaped(builder, timeMajor(builder, sequence), [batch, rounds]);
}

/**
 * What is written in every round: the output, and where a round does not count the last one again, from zeros on, or
 * zeros. Undefined if it is something else.
 */
function shownTerm(
  { given, before, after, read }: Body,
  states: ReadonlyMap<number, State>,
  { mask, output }: Cell,
): { readonly term: Term; readonly isZeroed: boolean } | undefined {
  if (!mask) return { term: output, isZeroed: false };
  for (const list of after) {
    const item = list.kind === 'list' && list.of === 'writes' ? list.written?.item : undefined;
    const units = item?.type.shape.at(-1);
    const term = item && typeof units === 'number' ? read(item, 0, units) : undefined;
    if (term?.kind !== 'call' || term.name !== 'select' || term.terms[1] !== output) continue;
    const [condition, , otherwise] = term.terms;
    if (condition?.kind !== 'input' || condition.input !== mask) return undefined;
    if (otherwise?.kind === 'number' && otherwise.value === 0) return { term, isZeroed: true };
    const repeats = [...states].some(
      ([place, state]) =>
        state.after === term &&
        otherwise?.kind === 'input' &&
        otherwise.input === before[place] &&
        isZero(given[place]),
    );
    return repeats ? { term, isZeroed: false } : undefined;
  }
  // A layer whose outputs only another layer of the loop reads.
  return { term: output, isZeroed: false };
}

function isZero(value: Imported | undefined): boolean {
  switch (value?.kind) {
    case 'constant':
      return value.tensor.data.every((x: number | bigint) => x === 0);
    case 'by batch':
      return value.tensors.every(({ data }) => data.every((x: number | bigint) => x === 0));
    default:
      return false;
  }
}

/** What the loop leaves behind in each place. */
function resultsOf(
  { builder }: Loop,
  body: Body,
  layers: readonly RecurrentLayer[],
  rounds: number,
): readonly Imported[] | undefined {
  const row = ({ output, units }: RecurrentLayer, at: number) =>
    reshaped(builder, steps(builder, output, 1, at, 1), [output.type.shape[0]!, units]);
  const results = body.before.map((value, i): Imported | undefined => {
    const after = body.after[i]!;
    if (value === body.time) return constant(tensor('i32', [], [rounds]));
    if (value === after || value.kind === 'constant') return body.given[i];
    if (value.kind === 'list' && value.of === 'rounds') return body.given[i];
    if (value.kind === 'list' && after.kind === 'list' && after.of === 'writes' && after.written) {
      const { index, item } = after.written;
      const width = item.type.shape.at(-1);
      const term = typeof width === 'number' ? body.read(item, 0, width) : undefined;
      const layer = layers.find(({ shown }) => shown === term);
      if (!layer) return undefined;
      if (index === body.time && after.length === rounds) {
        const sequence = steps(builder, layer.output, 1, 0, rounds);
        return { kind: 'list', of: 'tensor', tensor: timeMajor(builder, sequence) };
      }
      const isLast = after.length === 1 && index.kind === 'constant' && Number(index.tensor.data[0]) === 0;
      return isLast ? { kind: 'list', of: 'items', items: [row(layer, rounds - 1)] } : undefined;
    }
    for (const layer of layers) {
      const places = [...layer.states.values()];
      if (places.includes(i)) return row(layer, rounds + places.indexOf(i));
    }
    const repeated = layers.find(({ shown }) => shown === stateTerm(body, i));
    return repeated && row(repeated, rounds - 1);
  });
  return results.every((result) => result !== undefined) ? results : undefined;
}

function stateTerm({ before, after, read }: Body, place: number): Term | undefined {
  const [value, next] = [before[place], after[place]];
  const units = value?.kind === 'input' ? value.type.shape.at(-1) : undefined;
  const isTensor = next?.kind === 'node' || next?.kind === 'input';
  return isTensor && typeof units === 'number' ? read(next, 0, units) : undefined;
}
