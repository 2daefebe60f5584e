/** The graph that flows through the stages: nodes hold the values they read, so a graph is its outputs. */

import type { ops } from '../ops/index.ts';
import type { Op } from '../ops/op.ts';
import type { StaticType, Tensor, TensorType } from './types.ts';

/** The Keras layer (or the name scope) that a value comes from: for names and for messages. */
export interface Layer {
  readonly name: string;
  /** `Conv1D`; undefined where the model does not say. */
  readonly className?: string;
  /** No layer, but a function that was called between layers: its steps are called for what they do. */
  readonly isFunction?: true;
}

/** What flows in at every prediction. */
export interface Input {
  readonly kind: 'input';
  /** The name of the InputLayer. */
  readonly name: string;
  readonly type: TensorType;
}

/** What is the same at every prediction. */
export interface Constant {
  readonly kind: 'constant';
  readonly type: StaticType;
  readonly tensor: Tensor;
  /** The variable it was trained as, such as `dense/kernel`. */
  readonly variable?: string;
}

type NodeOf<O> =
  O extends Op<infer Name, infer InputName, infer Weight, infer Attributes>
    ? {
        readonly kind: 'node';
        readonly op: Name;
        readonly inputs: Readonly<Record<InputName, Value>>;
        readonly weights: Readonly<Record<Weight, Tensor>>;
        readonly attributes: Attributes;
        readonly type: TensorType;
        readonly layer: Layer;
      }
    : never;

/** One step of the model: a union with a member for every operator in `ops/`. */
export type Node = NodeOf<(typeof ops)[keyof typeof ops]>;

/** The node of one operator: `NodeWith<'Dense'>`. */
export type NodeWith<Name extends Node['op']> = Extract<Node, { op: Name }>;

export type Value = Input | Constant | Node;

/** A result of the model, under the name that its author or exporter gave it. */
export interface Output {
  readonly name: string;
  readonly value: Value;
}

/** A value that a prediction leaves to the next one, such as the state of a recurrent layer. */
export interface State {
  /** What the nodes read of it: what the prediction before has left. */
  readonly input: Input;
  /** What the next prediction will read. */
  readonly next: Value;
  /** What the first one reads, with a row for each sample of the batch. */
  readonly initial: Tensor;
}

/** What a model keeps from one prediction to the next. */
export interface Memory {
  /** How many samples it predicts at once: as many as each state has rows. */
  readonly batch: number;
  readonly states: readonly State[];
}

export interface Graph {
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
  readonly memory?: Memory;
}

/** How many samples a prediction is for: one, or the batch of a model with a memory. */
export function rowsOfCall({ memory }: Graph): number {
  return memory?.batch ?? 1;
}

/** All that the graph computes: its outputs, and what it leaves to the next prediction. */
export function resultsOf({ outputs, memory }: Graph): readonly Value[] {
  return [...outputs.map(({ value }) => value), ...(memory?.states ?? []).map(({ next }) => next)];
}

/** The graph with what it keeps, as far as something reads it, in the order of the reads. */
export function withMemory(graph: Graph, memory: Memory | undefined): Graph {
  if (!memory) return graph;
  const whole = { ...graph, memory };
  const reads: readonly Value[] = [...nodesOf(whole).flatMap(inputsOf), ...resultsOf(whole)];
  const read = memory.states.filter(({ input }) => reads.includes(input));
  if (read.length < memory.states.length) {
    return withMemory(graph, read.length === 0 ? undefined : { ...memory, states: read });
  }
  const states = read.toSorted((a, b) => reads.indexOf(a.input) - reads.indexOf(b.input));
  return { ...graph, memory: { ...memory, states } };
}

/** The same graph, with other values for what it computes. `name` is that of an output, or of a state. */
export function mapResults(graph: Graph, map: (value: Value, name: string) => Value): Graph {
  const { inputs, memory } = graph;
  const outputs = graph.outputs.map(({ name, value }) => ({ name, value: map(value, name) }));
  if (!memory) return { inputs, outputs };
  const states = memory.states.map((state) => ({ ...state, next: map(state.next, state.input.name) }));
  return { inputs, outputs, memory: { ...memory, states } };
}

/** The values that a node reads, in the order of their names. */
export function inputsOf(node: Node): readonly Value[] {
  return Object.values(node.inputs);
}

/** Every node that the results need, each after those it reads. */
export function nodesOf(graph: Graph): readonly Node[] {
  const order: Node[] = [];
  const seen = new Set<Value>();
  const stack: { readonly value: Value; readonly read: boolean }[] = [];
  for (const value of [...resultsOf(graph)].reverse()) stack.push({ value, read: false });
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { value, read } = top;
    if (value.kind !== 'node') continue;
    if (read) {
      order.push(value);
    } else if (!seen.has(value)) {
      seen.add(value);
      stack.push({ value, read: true });
      for (const input of [...inputsOf(value)].reverse()) stack.push({ value: input, read: false });
    }
  }
  return order;
}

/** How often each value is read, by nodes and as a result. */
export function countReaders(graph: Graph): ReadonlyMap<Value, number> {
  const counts = new Map<Value, number>();
  const count = (value: Value) => counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const node of nodesOf(graph)) inputsOf(node).forEach(count);
  for (const value of resultsOf(graph)) count(value);
  return counts;
}
