/** The nodes of a graph or of a function, by name, and the way from one to what it reads. */

import type { Attribute, FunctionDef, NodeDef } from '../../1-read/graph-def.ts';
import { refuse } from '../../errors.ts';

/** More nodes than any real model has once its functions are inlined. */
export const MOST_NODES = 2_000_000;

export interface Scope {
  readonly nodes: ReadonlyMap<string, NodeDef>;
  /** What the names of the nodes are prefixed with: the place of the call. */
  readonly path: string;
}

/** One output of a node: `split:1`, `split:output:1` in a function; `^split` is a control input. */
export interface Reference {
  readonly name: string;
  /** The name of the output, in a function. */
  readonly output: string | undefined;
  readonly index: number;
  readonly isControl: boolean;
}

export function scopeOf(nodes: readonly NodeDef[], path: string): Scope {
  return { nodes: new Map(nodes.map((node) => [node.name, node])), path };
}

export function reference(text: string): Reference {
  const isControl = text.startsWith('^');
  const parts = (isControl ? text.slice(1) : text).split(':');
  const index = parts.length > 1 ? Number(parts.at(-1)) : 0;
  return { name: parts[0]!, output: parts.length > 2 ? parts[1] : undefined, index, isControl };
}

export function dataInputs(node: NodeDef): readonly string[] {
  return node.inputs.filter((input) => !input.startsWith('^'));
}

/** The scope that a node's name stands in, with its last `/`. */
export function scopePath(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}

/** The function that a node calls, by the name of its attribute. */
export function calledFunction(
  node: NodeDef,
  functions: ReadonlyMap<string, FunctionDef>,
  attributeName = 'f',
): FunctionDef {
  const attribute: Attribute | undefined = node.attributes.get(attributeName);
  const where = `node "${node.name}" (${node.op})`;
  if (attribute?.kind !== 'func') return refuse(where, 'it does not say which function it calls');
  const { name } = attribute;
  return functions.get(name) ?? refuse(where, `it calls the function ${name}, which the file lacks`);
}

/**
 * The nodes that the roots need, each after those it reads. Names without a node are a function's arguments.
 * `reads` says which inputs of a node count.
 */
export function order(
  scope: Scope,
  roots: readonly string[],
  reads: (node: NodeDef) => readonly string[],
): readonly NodeDef[] {
  const done: NodeDef[] = [];
  const state = new Map<string, 'open' | 'done'>();
  const stack = [...roots].reverse().map((name) => ({ name, leave: false }));
  for (let top = stack.pop(); top; top = stack.pop()) {
    const node = scope.nodes.get(top.name);
    if (!node) continue;
    if (top.leave) {
      state.set(top.name, 'done');
      done.push(node);
      continue;
    }
    if (state.get(top.name) === 'done') continue;
    if (state.get(top.name) === 'open') refuse(`node "${top.name}" (${node.op})`, 'the graph has a cycle');
    state.set(top.name, 'open');
    stack.push({ name: top.name, leave: true });
    for (const input of [...reads(node)].reverse()) {
      const { name } = reference(input);
      if (state.get(name) !== 'done') stack.push({ name, leave: false });
    }
  }
  return done;
}
