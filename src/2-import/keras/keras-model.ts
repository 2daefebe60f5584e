/** What a file of Keras holds: a config, and weights as layers ask for them. How a file names those is its own affair. */

import type { Json } from '../../1-read/json.ts';
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

/** What a `.keras` or an `.h5` file holds. */
export interface KerasModel {
  /** The name of the file, for errors. */
  readonly file: string;
  readonly config: Json;
  /** The version of Keras that wrote it: `3.15.1`. */
  readonly version: string;
  readonly weights: WeightFile;
  /** What its user should know of it. */
  readonly remarks?: readonly string[];
  /** In bytes: a file may ask for memory as it has bytes itself. */
  readonly size: number;
}
