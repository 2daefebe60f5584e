/** The files that tell what the model is: its layers, their connections, a picture, and the weights. */

import type { AnyTensor } from '../../1-read/element-types.ts';
import { writeNpz } from '../../1-read/npz.ts';
import type { Pieces } from '../../1-read/pieces.ts';
import type { Graph } from '../../ir/graph.ts';
import type { Tensor } from '../../ir/types.ts';
import { rustName } from '../names.ts';
import { architecture } from './architecture.ts';
import { computationGraph } from './computation-graph.ts';
import { layersOf } from './layers.ts';
import { type OverviewAssets, overview } from './overview.ts';

/** A trained variable of the model, as its author knows it. */
export interface Variable {
  readonly layer: string;
  readonly name: string;
  readonly tensor: Tensor;
}

export interface Description {
  /** By their paths in `saved_model_from_tensorflow/`. */
  readonly files: ReadonlyMap<string, Pieces>;
  /** How many layers there are, inputs aside. */
  readonly layers: number;
}

export async function describeModel(
  graph: Graph,
  variables: readonly Variable[],
  assets: OverviewAssets,
): Promise<Description> {
  const layers = layersOf(graph);
  const { svg, png } = await overview(layers, assets);
  const text = (content: string) => [new TextEncoder().encode(content)];
  return {
    files: new Map<string, Pieces>([
      ['computation_graph.json', text(computationGraph(layers))],
      ['model_architecture.json', text(architecture(layers))],
      ['model_overview.svg', text(svg)],
      ['model_overview.png', [png]],
      ['model_weights.npz', writeNpz(weightArrays(variables))],
    ]),
    layers: layers.filter(({ className }) => className !== 'InputLayer').length,
  };
}

/** `dense_1_weight_0`, …: the variables of each layer in the order of their use. */
function weightArrays(
  variables: readonly Variable[],
): readonly { readonly name: string; readonly tensor: AnyTensor }[] {
  const counts = new Map<string, number>();
  return variables.map(({ layer, tensor }) => {
    const name = rustName(layer);
    const index = counts.get(name) ?? 0;
    counts.set(name, index + 1);
    return { name: `${name}_weight_${index}`, tensor };
  });
}
