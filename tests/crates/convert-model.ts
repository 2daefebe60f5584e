/** Converts a model on the disk in this process, as `main.ts` does: the crate, or why there is none. */

import path from 'node:path';
import { joined, type Pieces } from '../../src/1-read/pieces.ts';
import { readOverviewAssets } from '../../src/command-line/assets.ts';
import { openModel } from '../../src/command-line/model-files.ts';
import { convert } from '../../src/convert.ts';
import { ConversionError, type Problem, UsageError } from '../../src/errors.ts';
import { modelName } from '../../src/model-name.ts';
import type { ConvertRequest, Summary } from '../../src/request.ts';
import { repository } from './places.ts';
import type { GeneratedCrate } from './shards.ts';

export interface ModelToConvert {
  /** `--model_name` */
  readonly name: string;
  /** `--path_to_tf_model` */
  readonly model: string;
  readonly features?: Uint8Array;
  readonly inputShapes?: ReadonlyMap<string, readonly number[]>;
  readonly binaryClassification?: boolean;
  readonly enableInplace?: boolean;
  readonly enableMemdrop?: boolean;
  readonly signature?: string;
  /** What the crate says that it was made from, if not the name of the file. */
  readonly modelFile?: string;
  /** `--path_to_architecture` */
  readonly architecture?: string;
}

export type Converted =
  | { readonly kind: 'crate'; readonly crate: GeneratedCrate; readonly summary: Summary }
  | { readonly kind: 'refused'; readonly problems: readonly Problem[] }
  /** A bug: an error that is not the user's. */
  | { readonly kind: 'crashed'; readonly stack: string };

const assets = readOverviewAssets();

export async function convertModel(given: ModelToConvert): Promise<Converted> {
  const name = modelName(given.name);
  try {
    const opened = openModel(given.model, given.architecture);
    const request: ConvertRequest = {
      model: opened.source,
      modelFile: given.modelFile ?? opened.name,
      name,
      version: '0.0.0',
      binaryClassification: given.binaryClassification ?? false,
      enableInplace: given.enableInplace ?? true,
      enableMemdrop: given.enableMemdrop ?? true,
      inputShapes: given.inputShapes ?? new Map(),
      ...(given.signature !== undefined && { signature: given.signature }),
      ...(given.features && { features: { path: 'features.npz', bytes: given.features } }),
      tfLayers: { kind: 'path', path: path.join(repository, 'crates', 'tf-layers').replaceAll('\\', '/') },
      assets,
      progress() {},
    };
    const result = await convert(request);
    if (result.kind === 'printed') throw new Error('nobody asked for text');
    return {
      kind: 'crate',
      crate: { name: name.crate, files: crateFiles(result.files) },
      summary: result.summary,
    };
  } catch (error) {
    if (error instanceof ConversionError) return { kind: 'refused', problems: error.problems };
    if (error instanceof UsageError)
      return { kind: 'refused', problems: [{ where: '', what: error.message }] };
    return {
      kind: 'crashed',
      stack: error instanceof Error ? (error.stack ?? error.message) : String(error),
    };
  }
}

/** Those under `rust_generated_code/`. */
export function crateFiles(files: ReadonlyMap<string, Pieces>): ReadonlyMap<string, Uint8Array> {
  const root = 'rust_generated_code/';
  return new Map(
    [...files]
      .filter(([file]) => file.startsWith(root))
      .map(([file, pieces]) => [file.slice(root.length), joined(pieces)]),
  );
}
