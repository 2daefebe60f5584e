/**
 * saved_model.pb as plain data: graphs, and the signatures that name their inputs and outputs. Field numbers are those
 * of tensorflow/core/protobuf/{saved_model,meta_graph}.proto.
 */

import { refuse } from '../errors.ts';
import { type Shape, type TypeName, typeName } from './element-types.ts';
import { type FunctionDef, type GraphBody, type GraphDef, readGraph } from './graph-def.ts';
import { type ObjectGraph, readObjectGraph } from './object-graph.ts';
import {
  entryOf,
  fieldsOf,
  int32Of,
  lastTextOf,
  type Message,
  messageOf,
  textOf,
  textsOf,
} from './protobuf.ts';
import { readShape } from './tensor-proto.ts';

export interface SavedModelFile {
  readonly metaGraphs: readonly MetaGraph[];
}

/** One graph of the file with all that belongs to it; most files have one, with the tag `serve`. */
export interface MetaGraph extends GraphDef {
  readonly tags: readonly string[];
  readonly tensorflowVersion: string;
  /** In the order of the file, without those that only name an initializer or a training step. */
  readonly signatures: ReadonlyMap<string, Signature>;
  /** How the graph reads its own variables: the place for the file's name, and the node that assigns them all. */
  readonly saver?: { readonly filenameTensor: string; readonly restoreOp: string };
  /** The node that fills the lookup tables. */
  readonly initOp?: string;
  /** Files of the folder `assets`, and the tensors that hold their paths. */
  readonly assets: readonly { readonly tensor: string; readonly file: string }[];
  /** The Python objects that were saved, from TensorFlow 2 on. */
  readonly objects?: ObjectGraph;
}

export interface Signature {
  readonly inputs: ReadonlyMap<string, TensorInfo>;
  readonly outputs: ReadonlyMap<string, TensorInfo>;
  readonly methodName: string;
}

export interface TensorInfo {
  /** A sparse or composite tensor is several tensors, and has no name. */
  readonly encoding: 'dense' | 'sparse' | 'composite';
  readonly name: string;
  readonly type: TypeName;
  readonly shape: Shape;
}

/** Decodes the file; `file` names it in errors. The bytes are kept, as what is large is decoded only when it is read. */
export function readSavedModel(bytes: Uint8Array, file: string): SavedModelFile {
  const metaGraphs: MetaGraph[] = [];
  for (const field of fieldsOf(messageOf(bytes, file))) {
    if (field.number === 2) metaGraphs.push(readMetaGraph(field));
  }
  if (metaGraphs.length === 0) refuse(file, 'has no graph in it, so it is no SavedModel');
  return { metaGraphs };
}

/** A graph by itself, as `tf.io.write_graph` writes it. */
export function readGraphDef(bytes: Uint8Array, file: string): MetaGraph {
  const body = readGraph(messageOf(bytes, file));
  return { tags: [], tensorflowVersion: '', ...body, signatures: new Map(), assets: [] };
}

/** Signatures that name no function of the model: tensorflow/cc/saved_model/constants.h. */
const initSignature = '__saved_model_init_op';
const trainSignature = '__saved_model_train_op';
const initCollections = ['saved_model_main_op', 'legacy_init_op'];

function readMetaGraph(message: Message): MetaGraph {
  let tags: readonly string[] = [];
  let tensorflowVersion = '';
  let graph: GraphBody = { nodes: [] };
  let functions: ReadonlyMap<string, FunctionDef> = new Map();
  let saver: MetaGraph['saver'];
  let objects: ObjectGraph | undefined;
  const collections = new Map<string, readonly string[]>();
  const signatures = new Map<string, Signature>();
  const assets: MetaGraph['assets'][number][] = [];
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        ({ tags, tensorflowVersion } = readMetaInfo(field));
        break;
      case 2:
        ({ graph, functions } = readGraph(field));
        break;
      case 3:
        saver = readSaver(field);
        break;
      case 4: {
        const { key, value } = entryOf(field);
        if (initCollections.includes(key)) collections.set(key, readNodeList(value));
        break;
      }
      case 5: {
        const { key, value } = entryOf(field);
        signatures.set(key, readSignature(value));
        break;
      }
      case 6:
        assets.push(readAsset(field));
        break;
      case 7:
        objects = readObjectGraph(field);
        break;
    }
  }
  const initOp =
    signatures.get(initSignature)?.outputs.get(initSignature)?.name ??
    initCollections.map((name) => collections.get(name)?.[0]).find((node) => node !== undefined);
  signatures.delete(initSignature);
  signatures.delete(trainSignature);
  return {
    tags,
    tensorflowVersion,
    graph,
    functions,
    signatures,
    assets,
    ...(saver === undefined ? {} : { saver }),
    ...(initOp === undefined ? {} : { initOp }),
    ...(objects === undefined ? {} : { objects }),
  };
}

function readMetaInfo(message: Message): Pick<MetaGraph, 'tags' | 'tensorflowVersion'> {
  const tags: string[] = [];
  let tensorflowVersion = '';
  for (const field of fieldsOf(message)) {
    if (field.number === 4) tags.push(textOf(field));
    if (field.number === 5) tensorflowVersion = textOf(field);
  }
  return { tags, tensorflowVersion };
}

function readSaver(message: Message): NonNullable<MetaGraph['saver']> {
  return { filenameTensor: lastTextOf(message, 1), restoreOp: lastTextOf(message, 3) };
}

/** The node names of a collection; a collection of something else has none. */
function readNodeList(message: Message): readonly string[] {
  const nodes: string[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number !== 1) continue;
    for (const node of textsOf(field, 1)) nodes.push(node);
  }
  return nodes;
}

function readSignature(message: Message): Signature {
  const inputs = new Map<string, TensorInfo>();
  const outputs = new Map<string, TensorInfo>();
  let methodName = '';
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1: {
        const { key, value } = entryOf(field);
        inputs.set(key, readTensorInfo(value));
        break;
      }
      case 2: {
        const { key, value } = entryOf(field);
        outputs.set(key, readTensorInfo(value));
        break;
      }
      case 3:
        methodName = textOf(field);
        break;
    }
  }
  return { inputs, outputs, methodName };
}

function readTensorInfo(message: Message): TensorInfo {
  let encoding: TensorInfo['encoding'] = 'dense';
  let name = '';
  let type = typeName(0);
  let shape: Shape = 'unknown';
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        name = textOf(field);
        break;
      case 2:
        type = typeName(int32Of(field));
        break;
      case 3:
        shape = readShape(field);
        break;
      case 4:
        encoding = 'sparse';
        break;
      case 5:
        encoding = 'composite';
        break;
    }
  }
  return { encoding, name, type, shape };
}

function readAsset(message: Message): MetaGraph['assets'][number] {
  let tensor = '';
  let file = '';
  for (const field of fieldsOf(message)) {
    if (field.number === 1) tensor = readTensorInfo(field).name;
    if (field.number === 2) file = textOf(field);
  }
  return { tensor, file };
}
