/** The samples of a crate's tests: inputs by name, and the predictions for them. */

import type { Tensor } from '../ir/types.ts';

/** Who made the expected predictions. */
export type SampleSource =
  /** TensorFlow: they come from the user's features.npz. */
  | { readonly kind: 'features' }
  /** Our own evaluator, for inputs that were drawn. */
  | { readonly kind: 'evaluator' };

export interface Samples {
  readonly source: SampleSource;
  readonly count: number;
  /** By the names of the model's inputs. */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** In the order of the model's outputs. */
  readonly predictions: readonly Tensor[];
  /** How far rounding alone takes the predictions, if that is further than of other models. */
  readonly rounding?: number;
}

export function hasNaN({ data }: Tensor): boolean {
  return data.some((x: number | bigint) => Number.isNaN(x));
}
