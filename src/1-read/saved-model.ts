/**
 * saved_model.pb as plain data: graphs, functions, signatures, and the objects that say which variable is which.
 * Field numbers are those of tensorflow/core/protobuf/{saved_model,meta_graph,saved_object_graph}.proto
 * and tensorflow/core/framework/{graph,node_def,attr_value,function}.proto.
 */

import { refuse } from '../errors.ts';
import { type Shape, type TypeName, typeName } from './element-types.ts';
import {
  boolOf,
  bytesOf,
  entryOf,
  type Field,
  fieldsOf,
  floatOf,
  floatsOf,
  int32Of,
  int32sOf,
  int64Of,
  int64sOf,
  type Message,
  messageOf,
  textOf,
} from './protobuf.ts';
import { readShape, readTensorProto, type TensorProto } from './tensor-proto.ts';

export interface SavedModelFile {
  readonly metaGraphs: readonly MetaGraph[];
}

/** One graph of the file with all that belongs to it; most files have one, with the tag `serve`. */
export interface MetaGraph {
  readonly tags: readonly string[];
  readonly tensorflowVersion: string;
  readonly graph: GraphBody;
  /** Bodies are decoded when they are first read. */
  readonly functions: ReadonlyMap<string, FunctionDef>;
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

export interface GraphBody {
  readonly nodes: readonly NodeDef[];
}

export interface NodeDef {
  readonly name: string;
  readonly op: string;
  /** `node`, `node:1`, in functions `node:output:0`; control inputs are `^node`. */
  readonly inputs: readonly string[];
  /** Those that have their default value may be missing. Decoded when they are first read. */
  readonly attributes: Attributes;
}

export type Attributes = ReadonlyMap<string, Attribute>;

export type Attribute =
  | { readonly kind: 'string'; readonly value: string; readonly bytes: Uint8Array }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'type'; readonly value: TypeName }
  | { readonly kind: 'shape'; readonly value: Shape }
  | { readonly kind: 'tensor'; readonly value: TensorProto }
  | { readonly kind: 'func'; readonly name: string; readonly attributes: Attributes }
  /** Values of one kind. */
  | { readonly kind: 'list'; readonly values: readonly Attribute[] }
  /** Stands for an attribute of the function that is being called. */
  | { readonly kind: 'placeholder'; readonly name: string }
  | { readonly kind: 'none' };

export interface FunctionDef {
  readonly name: string;
  readonly inputs: readonly FunctionInput[];
  readonly outputs: readonly FunctionOutput[];
  readonly nodes: readonly NodeDef[];
  /** By the output's name: `node:output:0`, or the name of an input. */
  readonly returns: ReadonlyMap<string, string>;
  /** Nodes that run although no output needs them. */
  readonly controlReturns: ReadonlyMap<string, string>;
  readonly attributes: Attributes;
}

export interface FunctionInput {
  readonly name: string;
  readonly type: TypeName;
  /** `_output_shapes`, `_user_specified_name`. */
  readonly attributes: Attributes;
}

export interface FunctionOutput {
  readonly name: string;
  readonly type: TypeName;
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

export interface ObjectGraph {
  readonly nodes: readonly SavedObject[];
  /** By function name: the objects that are passed to the function behind its own arguments. */
  readonly concreteFunctions: ReadonlyMap<string, { readonly boundInputs: readonly number[] }>;
}

export type SavedObject = ObjectContent & { readonly children: readonly ObjectReference[] };

/** An attribute of a Python object: its name, and the object's index in the graph. */
export interface ObjectReference {
  readonly name: string;
  readonly id: number;
}

export type ObjectContent =
  | { readonly kind: 'user'; readonly identifier: string; readonly metadata: string }
  | { readonly kind: 'asset'; readonly index: number }
  | { readonly kind: 'function'; readonly concreteFunctions: readonly string[] }
  | { readonly kind: 'bare-function'; readonly concreteFunction: string }
  | {
      readonly kind: 'variable';
      readonly name: string;
      readonly type: TypeName;
      readonly shape: Shape;
      readonly trainable: boolean;
    }
  | { readonly kind: 'constant'; readonly operation: string }
  | { readonly kind: 'resource' }
  | { readonly kind: 'captured'; readonly name: string; readonly concreteFunction: string }
  | { readonly kind: 'none' };

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

function readGraph(message: Message): Pick<MetaGraph, 'graph' | 'functions'> {
  const nodes: NodeDef[] = [];
  const functions = new Map<string, FunctionDef>();
  for (const field of fieldsOf(message)) {
    if (field.number === 1) nodes.push(readNode(field));
    if (field.number !== 2) continue;
    for (const entry of fieldsOf(field)) {
      if (entry.number !== 1) continue;
      const definition = readFunction(entry);
      functions.set(definition.name, definition);
    }
  }
  return { graph: { nodes }, functions };
}

function readNode(message: Message): NodeDef {
  let name = '';
  let op = '';
  const inputs: string[] = [];
  const attributes: Field[] = [];
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        name = textOf(field);
        break;
      case 2:
        op = textOf(field);
        break;
      case 3:
        inputs.push(textOf(field));
        break;
      case 5:
        attributes.push(field);
        break;
    }
  }
  const decoded = once(() => readAttributes(attributes));
  return {
    name,
    op,
    inputs,
    get attributes() {
      return decoded();
    },
  };
}

/** What `read` returns, read when it is first asked for. */
function once<T>(read: () => T): () => T {
  let value: { readonly read: T } | undefined;
  return () => {
    value ??= { read: read() };
    return value.read;
  };
}

function readAttributes(entries: readonly Field[]): Attributes {
  const attributes = new Map<string, Attribute>();
  for (const entry of entries) {
    const { key, value } = entryOf(entry);
    attributes.set(key, readAttribute(value));
  }
  return attributes;
}

function readAttribute(message: Message): Attribute {
  let attribute: Attribute = { kind: 'none' };
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        attribute = { kind: 'list', values: readList(field) };
        break;
      case 2:
        attribute = stringAttribute(field);
        break;
      case 3:
        attribute = { kind: 'int', value: int64Of(field) };
        break;
      case 4:
        attribute = { kind: 'float', value: floatOf(field) };
        break;
      case 5:
        attribute = { kind: 'bool', value: boolOf(field) };
        break;
      case 6:
        attribute = { kind: 'type', value: typeName(int32Of(field)) };
        break;
      case 7:
        attribute = { kind: 'shape', value: readShape(field) };
        break;
      case 8:
        attribute = { kind: 'tensor', value: readTensorProto(field) };
        break;
      case 9:
        attribute = { kind: 'placeholder', name: textOf(field) };
        break;
      case 10:
        attribute = readCallee(field);
        break;
    }
  }
  return attribute;
}

function readList(message: Message): readonly Attribute[] {
  const values: Attribute[] = [];
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 2:
        values.push(stringAttribute(field));
        break;
      case 3:
        for (const value of int64sOf(field)) values.push({ kind: 'int', value });
        break;
      case 4:
        for (const value of floatsOf(field)) values.push({ kind: 'float', value });
        break;
      case 5:
        for (const value of int64sOf(field)) values.push({ kind: 'bool', value: value !== 0n });
        break;
      case 6:
        for (const number of int32sOf(field)) values.push({ kind: 'type', value: typeName(number) });
        break;
      case 7:
        values.push({ kind: 'shape', value: readShape(field) });
        break;
      case 8:
        values.push({ kind: 'tensor', value: readTensorProto(field) });
        break;
      case 9:
        values.push(readCallee(field));
        break;
    }
  }
  return values;
}

function stringAttribute(field: Field): Attribute {
  return { kind: 'string', value: textOf(field), bytes: bytesOf(field) };
}

/** NameAttrList: the function that a node calls. */
function readCallee(message: Message): Attribute {
  let name = '';
  const attributes: Field[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === 1) name = textOf(field);
    if (field.number === 2) attributes.push(field);
  }
  return { kind: 'func', name, attributes: readAttributes(attributes) };
}

/** Only the name is read at once: most functions of a file are copies for training that nothing here calls. */
function readFunction(message: Message): FunctionDef {
  let name = '';
  for (const field of fieldsOf(message)) {
    if (field.number !== 1) continue;
    for (const part of fieldsOf(field)) {
      if (part.number === 1) name = textOf(part);
    }
  }
  const body = once(() => readBody(message));
  return {
    name,
    get inputs() {
      return body().inputs;
    },
    get outputs() {
      return body().outputs;
    },
    get nodes() {
      return body().nodes;
    },
    get returns() {
      return body().returns;
    },
    get controlReturns() {
      return body().controlReturns;
    },
    get attributes() {
      return body().attributes;
    },
  };
}

function readBody(message: Message): Omit<FunctionDef, 'name'> {
  const inputs: FunctionOutput[] = [];
  const outputs: FunctionOutput[] = [];
  const nodes: NodeDef[] = [];
  const returns = new Map<string, string>();
  const controlReturns = new Map<string, string>();
  const attributes: Field[] = [];
  const inputAttributes = new Map<number, Attributes>();
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        for (const part of fieldsOf(field)) {
          if (part.number === 2) inputs.push(readArgument(part));
          if (part.number === 3) outputs.push(readArgument(part));
        }
        break;
      case 3:
        nodes.push(readNode(field));
        break;
      case 4:
        setText(returns, field);
        break;
      case 5:
        attributes.push(field);
        break;
      case 6:
        setText(controlReturns, field);
        break;
      case 7:
        inputAttributes.set(...readInputAttributes(field));
        break;
    }
  }
  return {
    inputs: inputs.map((input, i) => ({
      ...input,
      attributes: inputAttributes.get(i) ?? new Map<string, Attribute>(),
    })),
    outputs,
    nodes,
    returns,
    controlReturns,
    attributes: readAttributes(attributes),
  };
}

/** OpDef.ArgDef */
function readArgument(message: Message): FunctionOutput {
  let name = '';
  let type = typeName(0);
  for (const field of fieldsOf(message)) {
    if (field.number === 1) name = textOf(field);
    if (field.number === 3) type = typeName(int32Of(field));
  }
  return { name, type };
}

/** An entry of a map from text to text. */
function setText(texts: Map<string, string>, entry: Field): void {
  texts.set(readText(entry, 1), readText(entry, 2));
}

/** An entry of the map from an input's index to its attributes. */
function readInputAttributes(entry: Field): [number, Attributes] {
  let index = 0;
  const attributes: Field[] = [];
  for (const field of fieldsOf(entry)) {
    if (field.number === 1) index = int32Of(field);
    if (field.number !== 2) continue;
    for (const attribute of fieldsOf(field)) {
      if (attribute.number === 1) attributes.push(attribute);
    }
  }
  return [index, readAttributes(attributes)];
}

function readSaver(message: Message): NonNullable<MetaGraph['saver']> {
  return { filenameTensor: readText(message, 1), restoreOp: readText(message, 3) };
}

/** The node names of a collection; a collection of something else has none. */
function readNodeList(message: Message): readonly string[] {
  const nodes: string[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number !== 1) continue;
    for (const node of readTexts(field, 1)) nodes.push(node);
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

function readObjectGraph(message: Message): ObjectGraph {
  const nodes: SavedObject[] = [];
  const concreteFunctions = new Map<string, { readonly boundInputs: readonly number[] }>();
  for (const field of fieldsOf(message)) {
    if (field.number === 1) nodes.push(readObject(field));
    if (field.number !== 2) continue;
    const { key, value } = entryOf(field);
    concreteFunctions.set(key, { boundInputs: readBoundInputs(value) });
  }
  return { nodes, concreteFunctions };
}

function readObject(message: Message): SavedObject {
  const children: ObjectReference[] = [];
  let content: ObjectContent = { kind: 'none' };
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        children.push(readReference(field));
        break;
      case 4:
        content = readUserObject(field);
        break;
      case 5:
        content = readAssetObject(field);
        break;
      case 6:
        content = { kind: 'function', concreteFunctions: readTexts(field, 1) };
        break;
      case 7:
        content = readVariable(field);
        break;
      case 8:
        content = { kind: 'bare-function', concreteFunction: readText(field, 1) };
        break;
      case 9:
        content = { kind: 'constant', operation: readText(field, 1) };
        break;
      case 10:
        content = { kind: 'resource' };
        break;
      case 12:
        content = { kind: 'captured', name: readText(field, 1), concreteFunction: readText(field, 2) };
        break;
    }
  }
  return { ...content, children };
}

function readReference(message: Message): ObjectReference {
  let name = '';
  let id = 0;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) id = int32Of(field);
    if (field.number === 2) name = textOf(field);
  }
  return { name, id };
}

function readUserObject(message: Message): ObjectContent {
  return { kind: 'user', identifier: readText(message, 1), metadata: readText(message, 3) };
}

function readAssetObject(message: Message): ObjectContent {
  let index = 0;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) index = int32Of(field);
  }
  return { kind: 'asset', index };
}

function readVariable(message: Message): ObjectContent {
  let name = '';
  let type = typeName(0);
  let shape: Shape = 'unknown';
  let trainable = false;
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        type = typeName(int32Of(field));
        break;
      case 2:
        shape = readShape(field);
        break;
      case 3:
        trainable = boolOf(field);
        break;
      case 6:
        name = textOf(field);
        break;
    }
  }
  return { kind: 'variable', name, type, shape, trainable };
}

function readBoundInputs(message: Message): readonly number[] {
  const boundInputs: number[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number !== 2) continue;
    for (const id of int32sOf(field)) boundInputs.push(id);
  }
  return boundInputs;
}

function readText(message: Message, number: number): string {
  return readTexts(message, number).at(-1) ?? '';
}

function readTexts(message: Message, number: number): readonly string[] {
  const texts: string[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === number) texts.push(textOf(field));
  }
  return texts;
}
