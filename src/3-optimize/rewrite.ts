/** Applies a rewrite to every node of a graph, each after those it reads. */

import { builderFor } from '../ir/builder.ts';
import {
  countReaders,
  type Graph,
  type Layer,
  mapResults,
  type Node,
  nodesOf,
  type Value,
} from '../ir/graph.ts';
import type { Tensor } from '../ir/types.ts';
import type { Op } from '../ops/op.ts';

export interface Context {
  /** Whether one step alone reads a value: it can be taken into that step. */
  readonly isReadOnce: (value: Value) => boolean;
}

/** What a node becomes; undefined if it stays as it is. */
export type Rewrite = (node: Node, context: Context) => Value | undefined;

/** The graph with the rewrites applied, in turn, until none of them finds anything. */
export function rewriteAll(graph: Graph, rewrites: readonly Rewrite[]): Graph {
  let current = graph;
  for (let before: Graph | undefined; before !== current; ) {
    before = current;
    for (const rewrite of rewrites) current = rewriteOnce(current, rewrite);
  }
  return current;
}

/** The same graph if the rewrite finds nothing. */
function rewriteOnce(graph: Graph, rewrite: Rewrite): Graph {
  const readers = countReaders(graph);
  const counts = new Map<Value, number>(readers);
  const replaced = new Map<Value, Value>();
  let isChanged = false;
  for (const node of nodesOf(graph)) {
    const current = withInputs(node, replaced);
    counts.set(current, readers.get(node) ?? 0);
    const result = rewrite(current, { isReadOnce: (value) => counts.get(value) === 1 });
    if (result) {
      isChanged = true;
      counts.set(result, Math.max(counts.get(result) ?? 0, readers.get(node) ?? 0));
    }
    const value = result ?? current;
    if (value !== node) replaced.set(node, value);
  }
  if (!isChanged) return graph;
  return mapResults(graph, (value) => replaced.get(value) ?? value);
}

function withInputs(node: Node, replaced: ReadonlyMap<Value, Value>): Node {
  const entries = Object.entries<Value>(node.inputs);
  if (!entries.some(([, input]) => replaced.has(input))) return node;
  const inputs = Object.fromEntries(entries.map(([name, input]) => [name, replaced.get(input) ?? input]));
  return { ...node, inputs } as Node;
}

/** A new node of a layer, or the constant that it comes to. */
export function make<Name extends string, Input extends string, Weight extends string, Attributes>(
  layer: Layer,
  op: Op<Name, Input, Weight, Attributes>,
  inputs: Readonly<Record<Input, Value>>,
  attributes: Attributes,
  weights: Readonly<Record<Weight, Tensor>>,
): Value {
  const made = builderFor(layer).add(op, inputs, attributes, weights);
  if (made.kind === 'by batch') throw new Error(`${op.name} of constants depends on the batch`);
  return made;
}

/** A node of the operator; undefined for anything else. */
export function nodeOf<Name extends Node['op']>(
  value: Value | undefined,
  op: Name,
): Extract<Node, { op: Name }> | undefined {
  return value?.kind === 'node' && value.op === op ? (value as Extract<Node, { op: Name }>) : undefined;
}
