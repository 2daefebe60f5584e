/** The graph that flows through the stages: nodes hold the values they read, so a graph is its outputs. */

import type { ops } from '../ops/index.ts';
import type { Op } from '../ops/op.ts';
import type { StaticType, Tensor, TensorType } from './types.ts';

/** The Keras layer (or the name scope) that a value comes from: for names and for messages. */
export interface Layer {
  readonly name: string;
  /** `Conv1D`; undefined where the model does not say. */
  readonly className?: string;
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

export interface Graph {
  readonly inputs: readonly Input[];
  readonly outputs: readonly Output[];
}

/** The values that a node reads, in the order of their names. */
export function inputsOf(node: Node): readonly Value[] {
  return Object.values(node.inputs);
}

/** Every node that the outputs need, each after those it reads. */
export function nodesOf(graph: Graph): readonly Node[] {
  const order: Node[] = [];
  const seen = new Set<Value>();
  const stack: { readonly value: Value; readonly read: boolean }[] = [];
  for (const { value } of [...graph.outputs].reverse()) stack.push({ value, read: false });
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

/** How often each value is read, by nodes and as an output. */
export function countReaders(graph: Graph): ReadonlyMap<Value, number> {
  const counts = new Map<Value, number>();
  const count = (value: Value) => counts.set(value, (counts.get(value) ?? 0) + 1);
  for (const node of nodesOf(graph)) inputsOf(node).forEach(count);
  for (const { value } of graph.outputs) count(value);
  return counts;
}
