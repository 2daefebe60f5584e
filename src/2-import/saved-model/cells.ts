/** Which cell of Keras the states of a loop are computed by: LSTM, GRU or SimpleRNN, by their formulas. */

import type { Input } from '../../ir/graph.ts';
import { type Tensor, tensor } from '../../ir/types.ts';
import type { Activation } from '../../ops/activation.ts';
import { activationIn, type Part, type Term } from './terms.ts';

/** A state of a loop: what it is when a round begins, and what it becomes. */
export interface State {
  readonly before: Input;
  readonly after: Term;
}

/** A cell, by the kind of layer that it makes. */
export interface Cell {
  readonly kind: 'Lstm' | 'Gru' | 'SimpleRnn';
  /** Its states, in the order of the layer: the first is its output. */
  readonly states: readonly State[];
  /** What it reads in every round. */
  readonly x: Term;
  /** Its output in a round that counts. */
  readonly output: Term;
  /** Which samples a round counts for, if not for all. */
  readonly mask: Input | undefined;
  readonly activation: Activation;
  readonly recurrentActivation: Activation;
  readonly weights: Readonly<Record<'kernel' | 'recurrent' | 'bias', Tensor>>;
}

/** The cell whose output is one of these states; undefined if none of them is that of a known cell. */
export function cellOf(states: readonly State[]): Cell | undefined {
  for (const h of states) {
    const bare = withoutMask(h);
    for (const c of states) {
      const cell = c === h ? (gruOf(h, bare) ?? simpleRnnOf(h, bare)) : lstmOf(h, c, bare);
      if (cell) return cell;
    }
  }
  return undefined;
}

interface Bare {
  readonly term: Term;
  readonly mask: Input | undefined;
}

/** `select(mask, x, state)` is a state that stays where the mask says so. */
function withoutMask({ before, after }: State): Bare {
  if (after.kind === 'call' && after.name === 'select') {
    const [mask, term, otherwise] = after.terms;
    if (mask?.kind === 'input' && term && isInput(otherwise, before)) return { term, mask: mask.input };
  }
  return { term: after, mask: undefined };
}

const isInput = (term: Term | undefined, input: Input) => term?.kind === 'input' && term.input === input;

/** `c = f·c + i·g`, `h = o·activation(c)`. */
function lstmOf(h: State, c: State, { term, mask }: Bare): Cell | undefined {
  const cells = withoutMask(c);
  if (cells.mask !== mask) return undefined;
  for (const [o, shown] of pairs(term, 'multiply')) {
    const output = activationIn(shown, (leaf) => leaf === cells.term);
    const outputGate = gateOf(o, h);
    if (!output || !outputGate) continue;
    for (const [kept, added] of pairs(cells.term, 'add')) {
      for (const [f, before] of pairs(kept, 'multiply')) {
        const forgetGate = isInput(before, c.before) ? gateOf(f, h) : undefined;
        if (!forgetGate || !same(forgetGate.activation, outputGate.activation)) continue;
        for (const [i, g] of pairs(added, 'multiply')) {
          const [inputGate, candidate] = [gateOf(i, h), gateOf(g, h)];
          const fits =
            inputGate &&
            candidate &&
            same(inputGate.activation, outputGate.activation) &&
            same(candidate.activation, output.activation);
          const gates = fits && [inputGate, forgetGate, candidate, outputGate];
          const x = gates && commonInput(gates);
          if (!x) continue;
          return {
            kind: 'Lstm',
            states: [h, c],
            x,
            output: term,
            mask,
            activation: output.activation,
            recurrentActivation: outputGate.activation,
            weights: {
              kernel: beside(gates.map(({ x }) => x.matrix)),
              recurrent: beside(gates.map(({ h }) => h.matrix)),
              bias: vector(gates.flatMap(({ bias }) => bias)),
            },
          };
        }
      }
    }
  }
  return undefined;
}

/** `h = z·h + (1 − z)·g`, in both forms of g. */
function gruOf(h: State, { term, mask }: Bare): Cell | undefined {
  for (const [kept, added] of pairs(term, 'add')) {
    for (const [z, before] of pairs(kept, 'multiply')) {
      const update = isInput(before, h.before) ? gateOf(z, h) : undefined;
      if (!update) continue;
      for (const [rest, g] of pairs(added, 'multiply')) {
        if (!isRest(rest, z)) continue;
        const last = candidateOf(g, h);
        if (!last || !same(last.reset.activation, update.activation)) continue;
        const gates = [update, last.reset, last];
        const x = commonInput(gates);
        if (!x) continue;
        const bias = gates.flatMap(({ bias }) => bias);
        const none = [update, last.reset].flatMap(({ bias }) => bias.map(() => 0));
        const both = last.recurrentBias && [...bias, ...none, ...last.recurrentBias];
        return {
          kind: 'Gru',
          states: [h],
          x,
          output: term,
          mask,
          activation: last.activation,
          recurrentActivation: update.activation,
          weights: {
            kernel: beside(gates.map(({ x }) => x.matrix)),
            recurrent: beside(gates.map(({ h }) => h.matrix)),
            bias: both ? { ...vector(both), shape: [2, bias.length] } : vector(bias),
          },
        };
      }
    }
  }
  return undefined;
}

/** `1 − z` */
function isRest(term: Term, z: Term): boolean {
  if (term.kind !== 'call' || term.name !== 'subtract') return false;
  const [one, of] = term.terms;
  return one?.kind === 'number' && one.value === 1 && of === z;
}

interface Candidate extends Gate {
  readonly reset: Gate;
  /** Of the form that resets after the product. */
  readonly recurrentBias?: readonly number[];
}

/** The g of a GRU. */
function candidateOf(g: Term, h: State): Candidate | undefined {
  const after = activationIn(g, (leaf) => resetAfter(leaf, h) !== undefined);
  const sums = after && resetAfter(after.of, h);
  if (sums) return { activation: after.activation, ...sums };

  const before = activationIn(g, isLinear);
  if (before?.of.kind !== 'linear' || before.of.parts.length !== 2) return undefined;
  const { parts, bias } = before.of;
  for (const [ofX, ofReset] of [parts, [...parts].reverse()] as const) {
    if (!ofX || !ofReset) continue;
    for (const [r, state] of pairs(ofReset.of, 'multiply')) {
      const reset = isInput(state, h.before) ? gateOf(r, h) : undefined;
      if (reset) return { activation: before.activation, x: ofX, h: ofReset, bias, reset };
    }
  }
  return undefined;
}

/** `x·kernel + bias + r·(h·recurrent + recurrent bias)` */
function resetAfter(term: Term, h: State): Omit<Candidate, 'activation'> | undefined {
  for (const [ofX, product] of pairs(term, 'add')) {
    if (ofX.kind !== 'linear' || ofX.parts.length !== 1) continue;
    for (const [r, ofH] of pairs(product, 'multiply')) {
      if (ofH.kind !== 'linear' || ofH.parts.length !== 1 || !isInput(ofH.parts[0]!.of, h.before)) continue;
      const reset = gateOf(r, h);
      if (!reset) continue;
      return { x: ofX.parts[0]!, h: ofH.parts[0]!, bias: ofX.bias, recurrentBias: ofH.bias, reset };
    }
  }
  return undefined;
}

/** `h = activation(x·kernel + h·recurrent + bias)`. */
function simpleRnnOf(h: State, { term, mask }: Bare): Cell | undefined {
  const gate = gateOf(term, h);
  return (
    gate && {
      kind: 'SimpleRnn',
      states: [h],
      x: gate.x.of,
      output: term,
      mask,
      activation: gate.activation,
      recurrentActivation: { name: 'linear' },
      weights: { kernel: gate.x.matrix, recurrent: gate.h.matrix, bias: vector(gate.bias) },
    }
  );
}

/** `activation(x·kernel + h·recurrent + bias)` */
interface Gate {
  readonly activation: Activation;
  readonly x: Part;
  readonly h: Part;
  readonly bias: readonly number[];
}

const isLinear = (term: Term) => term.kind === 'linear' && term.parts.length > 0;

function gateOf(term: Term, h: State): Gate | undefined {
  const found = activationIn(term, isLinear);
  if (found?.of.kind !== 'linear' || found.of.parts.length !== 2) return undefined;
  const { parts, bias } = found.of;
  const ofH = parts.find(({ of }) => isInput(of, h.before));
  const ofX = parts.find((part) => part !== ofH);
  return ofH && ofX && { activation: found.activation, x: ofX, h: ofH, bias };
}

/** What all gates read. */
function commonInput(gates: readonly Gate[]): Term | undefined {
  const [first] = gates;
  return gates.every(({ x }) => x.of === first?.x.of) ? first?.x.of : undefined;
}

/** The arguments of a product or a sum, in both orders. */
function pairs(term: Term | undefined, name: 'add' | 'multiply'): readonly (readonly [Term, Term])[] {
  if (term?.kind !== 'call' || term.name !== name) return [];
  const [a, b] = term.terms;
  return a && b
    ? [
        [a, b],
        [b, a],
      ]
    : [];
}

const same = (a: Activation, b: Activation) => a.name === b.name && a.parameter === b.parameter;

function vector(numbers: readonly number[]): Tensor {
  return tensor('f32', [numbers.length], numbers);
}

/** Matrices of as many rows, one beside the other. */
function beside(matrices: readonly Tensor[]): Tensor {
  const rows = matrices[0]!.shape[0]!;
  const numbers: number[] = [];
  for (let row = 0; row < rows; row++) {
    for (const { shape, data } of matrices) {
      const width = shape[1]!;
      for (let i = 0; i < width; i++) numbers.push(Number(data[row * width + i]));
    }
  }
  return tensor('f32', [rows, numbers.length / rows], numbers);
}
