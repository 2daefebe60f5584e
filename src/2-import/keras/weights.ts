/** The weights of a model, as its layers ask for them. How a file names them is its own affair. */

import type { Tensor } from '../../ir/types.ts';
import type { InnerPlace } from '../../ops/keras.ts';
import type { LayerConfig } from './config.ts';

/** The weights of a layer, those of the layers inside it, and so on. */
export interface Weights {
  /** How many the layer has itself. */
  readonly count: number;
  /** Its own ones, if these are the names of all of them, in the order of their making. */
  own(names: readonly string[]): readonly Tensor[];
  /** A file that is kept for the layer beside its weights. */
  asset(name: string): Uint8Array | undefined;
  /** Those of a layer inside. */
  inner(place: InnerPlace): Weights;
  /** Those of the layers of a model. */
  ofLayers(layers: readonly LayerConfig[]): (layer: LayerConfig) => Weights;
}

/** A file of weights: those of the whole model, and what of them nobody asked for. */
export interface WeightFile {
  readonly weights: Weights;
  unread(): readonly string[];
}
