/**
 * Which tensor of the checkpoint each variable of the graph is restored from. The graph itself says so, in the
 * function that restores it: names of variables are arbitrary, and repeat.
 */

import type { FunctionDef, NodeDef } from '../../1-read/graph-def.ts';
import type { SavedObject } from '../../1-read/object-graph.ts';
import type { MetaGraph } from '../../1-read/saved-model.ts';
import { tensorOf } from '../../1-read/tensor-proto.ts';
import { refuse } from '../../errors.ts';
import { calledFunction, order, reference, type Scope, scopeOf } from './scope.ts';

/** A tensor of the checkpoint, or a part of it: `5 4 0,2:0,4` is the shape of all, and begin and length of the part. */
export interface CheckpointKey {
  readonly key: string;
  readonly slice: string;
}

/**
 * The checkpoint's tensor for the name of each variable node. `tf.saved_model.save` of a Keras 3 model restores
 * copies of its variables: those that it reads are known by the objects that its functions are bound to.
 */
export function checkpointKeys(graph: MetaGraph): ReadonlyMap<string, CheckpointKey> {
  return new Map([...boundVariables(graph), ...restoredVariables(graph)]);
}

/** By the objects that functions are bound to: the path to an object is the key of its variable. */
function boundVariables(graph: MetaGraph): ReadonlyMap<string, CheckpointKey> {
  const keys = new Map<string, CheckpointKey>();
  if (!graph.objects) return keys;
  const paths = objectPaths(graph.objects.nodes);
  for (const node of graph.graph.nodes) {
    if (node.op !== 'StatefulPartitionedCall' && node.op !== 'PartitionedCall') continue;
    const bound =
      graph.objects.concreteFunctions.get(calledFunction(node, graph.functions).name)?.boundInputs ?? [];
    const inputs = node.inputs.filter((input) => !input.startsWith('^'));
    for (const [i, object] of bound.entries()) {
      const input = inputs[inputs.length - bound.length + i];
      const path = paths.get(object);
      if (input === undefined || path === undefined) continue;
      keys.set(reference(input).name, { key: `${path}/.ATTRIBUTES/VARIABLE_VALUE`, slice: '' });
    }
  }
  return keys;
}

/** The shortest path to each object from the first, of names with `/` written as `.S`. */
function objectPaths(objects: readonly SavedObject[]): ReadonlyMap<number, string> {
  const paths = new Map([[0, '']]);
  for (const [id, path] of paths) {
    for (const child of objects[id]?.children ?? []) {
      if (paths.has(child.id)) continue;
      const name = child.name.replaceAll('.', '..').replaceAll('/', '.S');
      paths.set(child.id, path === '' ? name : `${path}/${name}`);
    }
  }
  return paths;
}

/** By the graph's own function that restores them. */
function restoredVariables(graph: MetaGraph): ReadonlyMap<string, CheckpointKey> {
  const keys = new Map<string, CheckpointKey>();
  if (graph.saver) {
    const main = scopeOf(graph.graph.nodes, '');
    walk(main, [reference(graph.saver.restoreOp).name], undefined, graph.functions, keys, 0);
  }
  return keys;
}

/** `variables` are the nodes of the main graph that the arguments of a function stand for. */
function walk(
  scope: Scope,
  roots: readonly string[],
  variables: ReadonlyMap<string, string> | undefined,
  functions: ReadonlyMap<string, FunctionDef>,
  keys: Map<string, CheckpointKey>,
  depth: number,
): void {
  if (depth > 16)
    refuse('saved_model.pb', 'the functions that restore the variables call each other without end');
  const variableOf = (input: string) => {
    const { name } = reference(input);
    return variables === undefined ? name : variables.get(name);
  };
  const keysOf = restoredKeys(scope);
  for (const node of order(scope, roots, ({ inputs }) => inputs)) {
    if (node.op === 'AssignVariableOp' || node.op === 'Assign') {
      const restored = restoredTensor(scope, node.inputs[1], keysOf);
      const variable = variableOf(node.inputs[0] ?? '');
      if (restored && variable !== undefined) keys.set(variable, restored);
    } else if (node.op === 'StatefulPartitionedCall' || node.op === 'PartitionedCall') {
      const called = calledFunction(node, functions);
      const inputs = node.inputs.filter((input) => !input.startsWith('^'));
      const passed = new Map<string, string>();
      for (const [i, { name }] of called.inputs.entries()) {
        const variable = variableOf(inputs[i] ?? '');
        if (variable !== undefined) passed.set(name, variable);
      }
      const body = scopeOf(called.nodes, '');
      walk(body, [...body.nodes.keys()], passed, functions, keys, depth + 1);
    }
  }
}

/** The output of RestoreV2 that a value comes from, through nodes that don't change it. */
function restoredTensor(
  scope: Scope,
  input: string | undefined,
  keysOf: (restore: NodeDef) => readonly CheckpointKey[],
): CheckpointKey | undefined {
  let at = input;
  for (let steps = 0; at !== undefined && steps < 100; steps++) {
    const { name, index } = reference(at);
    const node = scope.nodes.get(name);
    if (node?.op === 'RestoreV2') return keysOf(node)[index];
    if (!node || !['Identity', 'IdentityN', 'Cast', 'Reshape'].includes(node.op)) return undefined;
    at = node.inputs[0];
  }
  return undefined;
}

/** The tensors that a RestoreV2 reads: one of them may read those of all variables, and is asked for each. */
function restoredKeys(scope: Scope): (restore: NodeDef) => readonly CheckpointKey[] {
  const known = new Map<NodeDef, readonly CheckpointKey[]>();
  return (restore) => {
    const found = known.get(restore);
    if (found) return found;
    const [names, slices] = [strings(scope, restore, 1), strings(scope, restore, 2)];
    const keys = names.map((key, i) => ({ key, slice: slices[i] ?? '' }));
    known.set(restore, keys);
    return keys;
  };
}

/** The strings of a Const that a node reads. */
function strings(scope: Scope, node: NodeDef, input: number): readonly string[] {
  const source = scope.nodes.get(reference(node.inputs[input] ?? '').name);
  const value = source?.attributes.get('value');
  const where = `node "${node.name}" (${node.op})`;
  if (value?.kind !== 'tensor') return refuse(where, 'the names of the tensors to restore are not constant');
  const tensor = tensorOf(value.value, where);
  if (tensor.dtype !== 'string') return refuse(where, 'the names of the tensors to restore are not strings');
  const decoder = new TextDecoder();
  return tensor.data.map((bytes) => decoder.decode(bytes));
}
