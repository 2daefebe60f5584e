/** A loop over the steps of a sequence → one step of the graph that is that loop, if it carries floats of each sample. */

import { Refusal } from '../../errors.ts';
import { asValue, constant } from '../../ir/builder.ts';
import { type Input, inputsOf, type Node, nodesOf, type Value } from '../../ir/graph.ts';
import { type Dim, tensor } from '../../ir/types.ts';
import {
  type LoopAttributes,
  type LoopPart,
  type LoopRole,
  loop as loopOp,
  partsOf,
} from '../../ops/loop.ts';
import { reshaped } from '../../ops/reshape.ts';
import { steps } from '../../ops/slice.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import { type Imported, isOperand } from './imported.ts';
import type { Body, Loop } from './loop-body.ts';
import { timeMajor } from './tensor-lists.ts';

/** What the methods of a loop in Rust take without being long-winded. */
const MOST_STATES = 6;
const MOST_OTHERS = 4;

/** Steps of all rounds, with those of loops inside: the evaluator has to run them for every sample. */
const MOST_STEPS = 2 ** 20;

/** What the loop leaves behind; undefined if it is not of this kind. */
export function generalLoop(loop: Loop, body: Body, rounds: number): readonly Imported[] | undefined {
  const states = statesOf(body);
  const shown = shownBy(body);
  if (!states || !shown) return undefined;
  const graph = bodyGraph(loop, body, [...states.values(), ...shown.values()], [...states.keys()], rounds);
  if (!graph || stepsOf(graph.attributes) > MOST_STEPS) return undefined;
  try {
    const output = loop.builder.add(loopOp, graph.inputs, graph.attributes, {});
    const { shown: shownParts, states: stateParts } = partsOf(graph.attributes);
    const partOf = new Map<number, LoopPart>([
      ...[...shown.keys()].map((place, i) => [place, shownParts[i]!] as const),
      ...[...states.keys()].map((place, i) => [place, stateParts[i]!] as const),
    ]);
    return resultsOf(loop, body, output, partOf, rounds);
  } catch (error) {
    if (error instanceof Refusal) return undefined;
    throw error;
  }
}

function stepsOf({ rounds, body }: LoopAttributes): number {
  const ofNode = (node: Node) => (node.op === 'Loop' ? stepsOf(node.attributes) : 1);
  return nodesOf(body).reduce((sum, node) => sum + rounds * ofNode(node), 0);
}

/** What each state is after a round, by the places of the states; undefined if one is no tensor. */
function statesOf({ given, before, after, time }: Body): ReadonlyMap<number, Operand> | undefined {
  const states = new Map<number, Operand>();
  for (const [i, value] of before.entries()) {
    if (value.kind !== 'input' || value === time || value === given[i]) continue;
    const next = after[i];
    if (!next || !isOperand(next)) return undefined;
    states.set(i, next);
  }
  return states;
}

/** What each round writes to a list, by the places of the lists. */
function shownBy({ before, after }: Body): ReadonlyMap<number, Operand> | undefined {
  const shown = new Map<number, Operand>();
  for (const [i, value] of before.entries()) {
    const list = after[i];
    if (value.kind !== 'list' || value.of !== 'writes' || list === value) continue;
    if (list?.kind !== 'list' || list.of !== 'writes' || !list.written) return undefined;
    shown.set(i, list.written.item);
  }
  return shown;
}

interface BodyGraph {
  readonly inputs: Readonly<Record<string, Operand>>;
  readonly attributes: LoopAttributes;
}

/** The body as a graph by itself: what does not change from round to round is computed before the loop, and flows in. */
function bodyGraph(
  { builder, layer }: Loop,
  { given, before, sequences, time }: Body,
  results: readonly Operand[],
  states: readonly number[],
  rounds: number,
): BodyGraph | undefined {
  const values = results.map((result) => asValue(result, layer));
  const outputs = values.map((value, i) => ({ name: `y${i}`, value }));
  const own = new Set<Value>([...states.map((place) => before[place] as Input), ...sequences.keys()]);
  const nodes = nodesOf({ inputs: [], outputs }).filter((node) => {
    const reads = inputsOf(node);
    const isOwn = reads.some((value) => own.has(value) || value === time);
    if (isOwn) own.add(node);
    return isOwn;
  });
  if (values.includes(time) || nodes.some((node) => inputsOf(node).includes(time))) return undefined;

  const unique = uniqueNames();
  const inputs: Record<string, Operand> = {};
  const roles: LoopRole[] = [];
  const replaced = new Map<Value, Value>();
  const inner: Input[] = [];
  const enters = (value: Value, role: LoopRole, operand: Operand) => {
    if (replaced.has(value)) return;
    const name = unique({ state: 'state', item: 'step', same: 'given' }[role]);
    roles.push(role);
    const input: Input = { kind: 'input', name, type: value.type };
    inputs[name] = operand;
    inner.push(input);
    replaced.set(value, input);
  };
  for (const place of states) enters(before[place] as Input, 'state', given[place] as Operand);
  const read = new Set<Value>([...nodes.flatMap(inputsOf), ...values]);
  for (const [item, sequence] of sequences) {
    if (read.has(item)) enters(item, 'item', timeMajor(builder, sequence));
  }
  for (const value of read) {
    if (value.kind !== 'constant' && !own.has(value)) enters(value, 'same', value);
  }
  if (states.length > MOST_STATES || roles.length - states.length > MOST_OTHERS) return undefined;
  for (const node of nodes) replaced.set(node, withInputs(node, replaced));
  return {
    inputs,
    attributes: {
      rounds,
      roles,
      body: {
        inputs: inner,
        outputs: outputs.map(({ name, value }) => ({ name, value: replaced.get(value) ?? value })),
      },
    },
  };
}

/** `state`, `state_1`, … */
function uniqueNames(): (name: string) => string {
  const counts = new Map<string, number>();
  return (name) => {
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    return count === 0 ? name : `${name}_${count}`;
  };
}

function withInputs(node: Node, replaced: ReadonlyMap<Value, Value>): Node {
  const entries = Object.entries<Value>(node.inputs).map(([name, value]) => [
    name,
    replaced.get(value) ?? value,
  ]);
  return { ...node, inputs: Object.fromEntries(entries) } as Node;
}

/** What the loop leaves behind in each place; undefined if one is not known. */
function resultsOf(
  { builder }: Loop,
  body: Body,
  output: Operand,
  partOf: ReadonlyMap<number, LoopPart>,
  rounds: number,
): readonly Imported[] | undefined {
  const [batch] = output.type.shape as readonly [Dim];
  const part = (start: number, length: number, shape: readonly Dim[]) =>
    reshaped(builder, steps(builder, output, 1, start, length), [batch, ...shape]);
  const results = body.before.map((before, i): Imported | undefined => {
    const after = body.after[i]!;
    const found = partOf.get(i);
    if (before === body.time) return constant(tensor('i32', [], [rounds]));
    if (found && after.kind === 'list' && after.of === 'writes' && after.written) {
      const { start, length, value } = found;
      const shape = value.type.shape.slice(1);
      if (after.written.index === body.time && after.length === rounds) {
        const sequence = part(start, rounds * length, [rounds, ...shape]);
        return { kind: 'list', of: 'tensor', tensor: timeMajor(builder, sequence) };
      }
      const { index } = after.written;
      const isLast = after.length === 1 && index.kind === 'constant' && Number(index.tensor.data[0]) === 0;
      const last = part(start + (rounds - 1) * length, length, shape);
      return isLast ? { kind: 'list', of: 'items', items: [last] } : undefined;
    }
    if (found) return part(found.start, found.length, found.value.type.shape.slice(1));
    const isKept = before === after || before.kind === 'constant';
    return isKept || (before.kind === 'list' && before.of === 'rounds') ? body.given[i] : undefined;
  });
  return results.every((result) => result !== undefined) ? results : undefined;
}
