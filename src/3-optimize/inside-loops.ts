/** `Loop` of a graph → `Loop` of that graph, recognized or optimized as the whole one is. */

import type { Graph } from '../ir/graph.ts';
import { loop } from '../ops/loop.ts';
import { make, type Rewrite } from './rewrite.ts';

export const insideLoops =
  (improve: (graph: Graph) => Graph): Rewrite =>
  (node) => {
    if (node.op !== 'Loop') return undefined;
    const { layer, inputs, attributes, weights } = node;
    const body = improve(attributes.body);
    return body === attributes.body ? undefined : make(layer, loop, inputs, { ...attributes, body }, weights);
  };
