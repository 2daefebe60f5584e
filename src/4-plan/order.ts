/** Orders in which the nodes can run. How much memory they need depends on it. */

import { type Graph, inputsOf, type Node, nodesOf, resultsOf, type Value } from '../ir/graph.ts';
import { bytesOf, lengthOfSample } from '../ir/types.ts';

/** Every node after those that it reads: as the graph has them, the greediest first, and the branches that free most. */
export function ordersOf(graph: Graph): readonly (readonly Node[])[] {
  const nodes = nodesOf(graph);
  return [nodes, largestBranchFirst(graph, nodes), freeingMost(graph, nodes)];
}

const bytes = ({ type }: Value) => lengthOfSample(type) * bytesOf(type.dtype);

/**
 * Of the branches that a node reads, first the one whose computation needs most beyond its result: that memory is free
 * again for the others. Sethi and Ullman order registers so, https://doi.org/10.1145/321607.321620.
 */
function largestBranchFirst(graph: Graph, nodes: readonly Node[]): readonly Node[] {
  const needs = new Map<Value, number>();
  const byNeed = (node: Node) =>
    inputsOf(node)
      .filter((input) => input.kind === 'node')
      .map((input) => ({ input, beyond: needs.get(input)! - bytes(input) }))
      .sort((a, b) => b.beyond - a.beyond);
  for (const node of nodes) {
    let held = 0;
    let most = 0;
    for (const { input } of byNeed(node)) {
      most = Math.max(most, held + needs.get(input)!);
      held += bytes(input);
    }
    needs.set(node, Math.max(most, held + bytes(node)));
  }

  const order = new Set<Node>();
  const stack = resultsOf(graph)
    .map((value) => ({ value, isRead: false }))
    .reverse();
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { value, isRead } = top;
    if (value.kind !== 'node' || order.has(value)) continue;
    if (isRead) {
      order.add(value);
    } else {
      stack.push({ value, isRead: true });
      for (const { input } of byNeed(value).reverse()) stack.push({ value: input, isRead: false });
    }
  }
  return [...order];
}

/** At every step the node that leaves least memory in use; of equals, the one that the graph has first. */
function freeingMost(graph: Graph, nodes: readonly Node[]): readonly Node[] {
  const results = new Set(resultsOf(graph));
  const readers = new Map<Value, Set<Node>>(nodes.map((node) => [node, new Set()]));
  const unread = new Map<Node, number>();
  for (const node of nodes) {
    const inputs = new Set(inputsOf(node).filter((input) => input.kind === 'node'));
    unread.set(node, inputs.size);
    for (const input of inputs) readers.get(input)!.add(node);
  }
  const waiting = new Map<Value, number>([...readers].map(([value, { size }]) => [value, size]));
  const growth = (node: Node) => {
    const freed = [...new Set(inputsOf(node))].filter(
      (input) => waiting.get(input) === 1 && !results.has(input),
    );
    return bytes(node) - freed.reduce((sum, input) => sum + bytes(input), 0);
  };

  const places = new Map(nodes.map((node, i) => [node, i]));
  const ready = new Set(nodes.filter((node) => unread.get(node) === 0));
  const order: Node[] = [];
  while (ready.size > 0) {
    const [next] = [...ready].sort((a, b) => growth(a) - growth(b) || places.get(a)! - places.get(b)!);
    ready.delete(next!);
    order.push(next!);
    for (const input of new Set(inputsOf(next!))) {
      if (waiting.has(input)) waiting.set(input, waiting.get(input)! - 1);
    }
    for (const reader of readers.get(next!)!) {
      unread.set(reader, unread.get(reader)! - 1);
      if (unread.get(reader) === 0) ready.add(reader);
    }
  }
  return order;
}
