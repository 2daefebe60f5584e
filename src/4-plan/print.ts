/** The text of a plan: a line for every step. */

import { printGraph } from '../ir/print.ts';
import type { Plan } from './plan.ts';

/** What is in no buffer of its own. */
const elsewhere = { over: 'over its input', view: 'a view', bands: 'in bands, as it is read' };

/** The printed graph, each node with the place of its result. */
export function printPlan({ graph, steps, buffers, tile, work }: Plan): string {
  const nodes = steps.map(({ node }) => node);
  const lines = printGraph(graph, nodes).split('\n');
  const first = graph.inputs.length + (graph.memory?.states ?? []).length;
  for (const [i, { place }] of steps.entries()) {
    const text = place.kind === 'buffer' ? `buffer ${place.buffer}` : elsewhere[place.kind];
    lines[first + i] += `  → ${text}`;
  }
  const memory = buffers.map(({ dtype, length }, i) => `buffer ${i}: ${dtype} × ${length}`);
  if (work > 0) memory.push(`work: f32 × ${work}, for all samples`);
  return [...lines.slice(0, -1), `tile: ${tile}`, ...memory, ''].join('\n');
}
