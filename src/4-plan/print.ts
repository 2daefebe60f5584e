/** The text of a plan: a line for every step. */

import { nodesOf } from '../ir/graph.ts';
import { printGraph } from '../ir/print.ts';
import type { Plan } from './plan.ts';

/** The printed graph, each node with the place of its result. */
export function printPlan({ graph, steps, buffers, tile }: Plan): string {
  const places = new Map(steps.map(({ node, place }) => [node, place]));
  const lines = printGraph(graph).split('\n');
  const first = graph.inputs.length;
  for (const [i, node] of nodesOf(graph).entries()) {
    const place = places.get(node)!;
    const text =
      place.kind === 'buffer'
        ? `buffer ${place.buffer}`
        : place.kind === 'over'
          ? 'over its input'
          : 'a view';
    lines[first + i] += `  → ${text}`;
  }
  const memory = buffers.map(({ dtype, length }, i) => `buffer ${i}: ${dtype} × ${length}`);
  return [...lines.slice(0, -1), `tile: ${tile}`, ...memory, ''].join('\n');
}
