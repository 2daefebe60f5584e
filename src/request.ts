/** What main.ts asks of the converter and what it gets back: bytes in, bytes out, no disk between. */

import type { Pieces } from './1-read/pieces.ts';
import type { ModelSource } from './2-import/index.ts';
import type { OverviewAssets } from './5-emit/description/overview.ts';
import type { ModelName } from './model-name.ts';

/** The stages after which a conversion can stop and print its graph. */
export const stages = ['import', 'optimize', 'plan'] as const;
export type Stage = (typeof stages)[number];

/** Where the generated crate gets tf-layers from. */
export type TfLayers =
  /** Its own copy: the paths below `tf-layers/`, with their bytes. */
  | { readonly kind: 'vendored'; readonly files: ReadonlyMap<string, Uint8Array> }
  /** A folder, as the generated Cargo.toml has to write it. */
  | { readonly kind: 'path'; readonly path: string }
  /** A version of the registry, as Cargo.toml writes it: `0.1`. */
  | { readonly kind: 'version'; readonly version: string };

/** Where the weights of the crate are: in the program, or in a file that it opens. */
export type WeightsPlace = 'embed' | 'file';

export interface ConvertRequest {
  readonly model: ModelSource;
  /** The last part of the model's path, for comments and messages: `mlperf_kws`. */
  readonly modelFile: string;
  readonly name: ModelName;
  /** The version of tf2rust. */
  readonly version: string;
  readonly binaryClassification: boolean;
  readonly enableInplace: boolean;
  readonly enableMemdrop: boolean;
  /** The lengths of inputs that the model leaves open, by the input's name, batch first. */
  readonly inputShapes: ReadonlyMap<string, readonly number[]>;
  /** The signature to convert, if not the default one. */
  readonly signature?: string;
  /** How many samples the evaluator computes, if the user said so. */
  readonly samples?: number;
  readonly stopAfter?: Stage;
  /** Where the weights go, if the user said so. */
  readonly weights?: WeightsPlace;
  readonly tfLayers: TfLayers;
  /** The bytes of `--path_to_fv`, and its path for messages. */
  readonly features?: { readonly path: string; readonly bytes: Uint8Array };
  /** The `thresholds.json` of the crate that this one replaces, to be written again as it is. */
  readonly thresholds?: Uint8Array;
  /** What the picture is drawn with. */
  readonly assets: OverviewAssets;
  /** Called at the beginning of each stage with what it does: `importing the graph`. */
  progress(stage: string): void;
}

export type ConvertResult =
  | {
      readonly kind: 'crate';
      /** What to write, by its path below `--path_to_save` with `/` between the parts. */
      readonly files: ReadonlyMap<string, Pieces>;
      readonly summary: Summary;
      readonly warnings: readonly string[];
    }
  /** The graph or plan in text, for `--stop_after`. */
  | { readonly kind: 'printed'; readonly text: string; readonly warnings: readonly string[] };

/** What the user is told at the end; sizes are in bytes. */
export interface Summary {
  /** Keras layers, or operators where the model has no layers. */
  readonly layers: number;
  readonly parameters: number;
  /** The scratch memory of `predict`. */
  readonly predictBytes: number;
  readonly weightBytes: number;
  readonly weights: WeightsPlace;
  /** Everything under `rust_generated_code`. */
  readonly crateBytes: number;
  /** Samples in `testdata/features.npz`. */
  readonly samples: number;
  readonly sampleSource: 'features.npz' | 'evaluator';
  /** Of the evaluator against the `predictions` of features.npz, as DESIGN §5 defines the error. */
  readonly largestError?: number;
  /** How far rounding alone takes the predictions, where that is further than usual. */
  readonly rounding?: number;
}
