/**
 * A graph as plain data: its nodes, their attributes, and the functions that they call. Field numbers are those of
 * tensorflow/core/framework/{graph,node_def,attr_value,function}.proto.
 */

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
  lastTextOf,
  type Message,
  textOf,
} from './protobuf.ts';
import { readShape, readTensorProto, type TensorProto } from './tensor-proto.ts';

export interface GraphDef {
  readonly graph: GraphBody;
  /** Bodies are decoded when they are first read. */
  readonly functions: ReadonlyMap<string, FunctionDef>;
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

export function readGraph(message: Message): GraphDef {
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
  texts.set(lastTextOf(entry, 1), lastTextOf(entry, 2));
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
