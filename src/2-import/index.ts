/** A model of any kind becomes a graph. */

import type { Files, Source } from '../1-read/files.ts';
import { readArchive } from './keras/archive.ts';
import { type Architecture, readH5 } from './keras/h5-model.ts';
import { importKeras } from './keras/index.ts';
import { importFrozenGraph } from './saved-model/frozen-graph.ts';
import { type ImportedModel, type ImportOptions, importSavedModel } from './saved-model/index.ts';

/** A model by what its files are. */
export type ModelSource =
  /** The files of its folder. */
  | { readonly kind: 'saved-model'; readonly files: Files }
  /** A `.keras` file. */
  | { readonly kind: 'keras'; readonly file: Source }
  /** A graph with its weights in it as constants. */
  | { readonly kind: 'frozen-graph'; readonly file: Source }
  /** An `.h5` file, and the layers if it has only weights. */
  | { readonly kind: 'hdf5'; readonly file: Source; readonly architecture?: Architecture };

export function importModel(model: ModelSource, options: ImportOptions): ImportedModel {
  switch (model.kind) {
    case 'saved-model':
      return importSavedModel(model.files, options);
    case 'keras':
      return importKeras(readArchive(model.file), options);
    case 'frozen-graph':
      return importFrozenGraph(model.file, options);
    case 'hdf5':
      return importKeras(readH5(model.file, model.architecture), options);
  }
}
