/** Opens a model on the disk. What kind it is shows in its bytes, not in its name. */

import { constants } from 'node:buffer';
import fs from 'node:fs';
import path from 'node:path';
import { type Files, sourceOf } from '../1-read/files.ts';
import type { ModelSource } from '../2-import/index.ts';
import { refuse, UsageError } from '../errors.ts';
import { isSystemError } from './system-error.ts';

/** A model of a kind that can be converted. */
export interface OpenedModel {
  /** The last part of its path: `mlperf_kws`. */
  readonly name: string;
  readonly source: ModelSource;
}

/**
 * Opens the model at `location`; what cannot be converted is refused by the name of what it is. `architecture` is
 * the file with the layers of a model whose own file has only weights.
 */
export function openModel(location: string, architecture?: string): OpenedModel {
  const opened = openLocation(location);
  if (architecture === undefined) return opened;
  const { source } = opened;
  if (source.kind !== 'hdf5') {
    throw new UsageError('--path_to_architecture is for .h5 files of weights; leave it out');
  }
  const bytes = readWholeFile('--path_to_architecture', architecture);
  return { ...opened, source: { ...source, architecture: { file: path.basename(architecture), bytes } } };
}

function openLocation(location: string): OpenedModel {
  const stats = statsOf(location);
  if (stats === undefined) throw new UsageError(`--path_to_tf_model: there is no file or folder ${location}`);
  if (stats.isDirectory()) return openFolder(location);
  if (!stats.isFile()) {
    throw new UsageError(
      `--path_to_tf_model: ${location} is neither a file nor a folder; give a SavedModel folder, a .keras or an .h5 file`,
    );
  }

  const files = fileBytes(path.dirname(location));
  const name = path.basename(location);
  const kind = kindOfFile(files, name);
  const file = sourceOf(files, name)!;
  if (kind === 'keras' || kind === 'hdf5' || kind === 'frozen-graph') return { name, source: { kind, file } };
  if (kind === 'saved-model' && name === 'saved_model.pb') {
    return openFolder(path.dirname(location));
  }
  return refuse(location, refusals[kind]);
}

function openFolder(folder: string): OpenedModel {
  const files = fileBytes(folder);
  if (files.size('saved_model.pb') !== undefined) {
    const kind = kindOfFile(files, 'saved_model.pb');
    if (kind === 'lfs') refuse(path.join(folder, 'saved_model.pb'), refusals.lfs);
    return { name: path.basename(fs.realpathSync(folder)), source: { kind: 'saved-model', files } };
  }
  return refuse(
    folder,
    strangeFolder(fs.readdirSync(folder).sort(), (name) => files.size(name) !== undefined),
  );
}

/** What to say of a folder without `saved_model.pb` that holds `names`. */
function strangeFolder(names: readonly string[], isFile: (name: string) => boolean): string {
  const has = (pattern: RegExp) => names.find((name) => pattern.test(name));
  if (names.includes('saved_model.pbtxt')) {
    return `saved_model.pbtxt is a SavedModel as text, which is not read; load it in TensorFlow and save it again with tf.saved_model.save(...), which writes saved_model.pb`;
  }
  const version = names.find((name) => isFile(`${name}/saved_model.pb`));
  if (version) return `no saved_model.pb here, but one in "${version}"; give that folder`;
  if (names.includes('model.weights.h5') && names.includes('config.json')) {
    return 'an unpacked .keras file; give the .keras file itself';
  }
  if (names.includes('model.json') && has(/\.bin$/)) return `a TensorFlow.js model, which is ${notYet}`;
  if (has(/\.index$/) && has(/\.data-\d+-of-\d+$/)) {
    return `a checkpoint: weights without a graph; load them into the model in TensorFlow and export a SavedModel with model.export(...)`;
  }
  const model = has(/\.(keras|h5|hdf5|pb)$/i);
  if (model) return `no saved_model.pb here, but the file ${model}; give that file`;
  const file = has(/\.(tflite|onnx)$/i);
  if (file) return `no saved_model.pb here, but the file ${file}, and such files are ${notYet}`;
  return `no model: looked for saved_model.pb, and found ${found(names)}; give ${readable}`;
}

function found(names: readonly string[]): string {
  if (names.length === 0) return 'an empty folder';
  return names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '');
}

type Kind =
  | 'saved-model'
  | 'saved-model-text'
  | 'keras'
  | 'hdf5'
  | 'frozen-graph'
  | 'tflite'
  | 'onnx'
  | 'archive'
  | 'arrays'
  | 'lfs'
  | 'empty'
  | 'unknown';

const readable =
  'the folder that model.export(...) or tf.saved_model.save(...) wrote, or a .keras, .h5 or frozen .pb file';
const notYet = 'not read yet; export a SavedModel with model.export(...)';
const elsewhere = 'which tf2rust does not read; export a SavedModel from the TensorFlow model it was made of';

/** Why a file of the kind cannot be converted, and what would do. */
const refusals: { readonly [K in Exclude<Kind, 'keras' | 'hdf5' | 'frozen-graph'>]: string } = {
  'saved-model':
    'the graph of a SavedModel; name it saved_model.pb, and give the folder with its "variables" folder',
  'saved-model-text':
    'a graph as text, which is not read; save the model again with tf.saved_model.save(...)',
  tflite: `a TensorFlow Lite model, ${elsewhere}`,
  onnx: `an ONNX model, ${elsewhere}`,
  archive: 'a packed archive; unpack it, and give the folder that holds saved_model.pb',
  arrays:
    'an .npz of arrays, and no model; samples go to --path_to_fv, and the SavedModel folder to --path_to_tf_model',
  lfs: 'a pointer of Git LFS instead of the file itself; fetch the file with `git lfs pull`',
  empty: `an empty file; give ${readable}`,
  unknown: `no model that tf2rust knows; give ${readable}`,
};

function kindOfFile(files: Files, name: string): Kind {
  const size = files.size(name) ?? 0;
  const start = files.read(name, 0, Math.min(size, 4096));
  const tail = Math.min(size, 1 << 20);
  return kindOf(start, () => files.read(name, size - tail, tail));
}

/** What a file is by its first 4 KiB, and, for a zip, by the names in the directory at its end. */
export function kindOf(start: Uint8Array, end: () => Uint8Array): Kind {
  const text = latin1(start);
  if (text === '') return 'empty';
  if (text.startsWith('version https://git-lfs')) return 'lfs';
  if (text.startsWith('PK\x03\x04') || text.startsWith('PK\x05\x06')) {
    const names = latin1(end());
    if (names.includes('config.json') && names.includes('model.weights.h5')) return 'keras';
    return names.includes('.npy') ? 'arrays' : 'archive';
  }
  if (text.startsWith('\x1f\x8b') || text.slice(257, 262) === 'ustar') return 'archive';
  // An HDF5 file may begin with a block of the user's, of 512 bytes or a power of two more.
  if ([0, 512, 1024, 2048].some((at) => text.startsWith('\x89HDF\r\n\x1a\n', at))) return 'hdf5';
  if (text.slice(4, 8) === 'TFL3') return 'tflite';
  // Protobuf: field 1 of a SavedModel is its schema version, 1; of an ONNX model its version, from 3 on.
  if (text.startsWith('\x08\x01\x12')) return 'saved-model';
  if (start[0] === 0x08 && start[1]! >= 3 && start[1]! < 32 && [0x12, 0x1a, 0x3a, 0x42].includes(start[2]!)) {
    return 'onnx';
  }
  if (isGraph(start)) return 'frozen-graph';
  if (/^\s*(saved_model_schema_version|meta_graphs|node)\s*[:{]/.test(text)) return 'saved-model-text';
  return 'unknown';
}

/** A GraphDef begins with a node (field 1), which begins with a name (field 1) and an op (field 2). */
function isGraph(start: Uint8Array): boolean {
  if (start[0] !== 0x0a) return false;
  const node = start.subarray(start.findIndex((byte, i) => i > 0 && byte < 0x80) + 1);
  return node[0] === 0x0a && node[1]! < 0x80 && node[2 + node[1]!] === 0x12;
}

function latin1(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
}

/** The most that one call of the operating system reads; Node stops at 2 GiB. */
const PIECE = 1 << 30;

/** The files of a folder, by their path in it. Names that lead out of the folder name nothing. */
function fileBytes(folder: string): Files {
  const place = (name: string) => {
    const inside = !path.isAbsolute(name) && !name.split(/[/\\]/).includes('..') && !name.includes('\0');
    return inside ? path.join(folder, name) : undefined;
  };
  return {
    size(name) {
      const file = place(name);
      const stats = file === undefined ? undefined : statsOf(file);
      return stats?.isFile() ? stats.size : undefined;
    },
    read(name, offset, length) {
      const file = place(name) ?? refuse(name, 'a file outside the folder of the model');
      return readRange(file, offset, length);
    },
  };
}

/** What the system knows of a file; nothing if there is none, or its path leads through another file. */
function statsOf(file: string): fs.Stats | undefined {
  try {
    return fs.statSync(file);
  } catch (error) {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) return undefined;
    throw error;
  }
}

function readRange(file: string, offset: number, length: number): Uint8Array {
  if (length > constants.MAX_LENGTH) refuse(file, `${length} bytes are more than Node can hold in one piece`);
  const descriptor = fs.openSync(file, 'r');
  try {
    const bytes = new Uint8Array(new ArrayBuffer(length));
    for (let at = 0; at < length; ) {
      const count = fs.readSync(descriptor, bytes, at, Math.min(PIECE, length - at), offset + at);
      if (count === 0)
        refuse(file, `ends at byte ${offset + at}, before byte ${offset + length}; is it being written?`);
      at += count;
    }
    return bytes;
  } finally {
    fs.closeSync(descriptor);
  }
}

/** A whole file that a flag names, like `features.npz`. */
export function readWholeFile(flag: string, file: string): Uint8Array {
  const stats = statsOf(file);
  if (stats === undefined) throw new UsageError(`${flag}: there is no file ${file}`);
  if (!stats.isFile()) throw new UsageError(`${flag}: ${file} is no file`);
  return readRange(file, 0, stats.size);
}
