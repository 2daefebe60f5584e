/**
 * The Python objects that were saved: how they name each other says which variable is which. Field numbers are those of
 * tensorflow/core/protobuf/saved_object_graph.proto.
 */

import { entryOf, fieldsOf, int32Of, int32sOf, type Message, textOf } from './protobuf.ts';

export interface ObjectGraph {
  readonly nodes: readonly SavedObject[];
  /** By function name: the objects that are passed to the function behind its own arguments. */
  readonly concreteFunctions: ReadonlyMap<string, { readonly boundInputs: readonly number[] }>;
}

export interface SavedObject {
  readonly children: readonly ObjectReference[];
}

/** An attribute of a Python object: its name, and the object's index in the graph. */
export interface ObjectReference {
  readonly name: string;
  readonly id: number;
}

export function readObjectGraph(message: Message): ObjectGraph {
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
  for (const field of fieldsOf(message)) {
    if (field.number === 1) children.push(readReference(field));
  }
  return { children };
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

function readBoundInputs(message: Message): readonly number[] {
  const boundInputs: number[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number !== 2) continue;
    for (const id of int32sOf(field)) boundInputs.push(id);
  }
  return boundInputs;
}
