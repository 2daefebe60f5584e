/** computation_graph.json: which layer feeds which. */

import { printJson } from './json.ts';
import type { LayerSummary } from './layers.ts';

export function computationGraph(layers: readonly LayerSummary[]): string {
  return printJson(
    new Map(
      layers.map(({ name, inbounds, outbounds }) => [name, new Map(Object.entries({ inbounds, outbounds }))]),
    ),
  );
}
