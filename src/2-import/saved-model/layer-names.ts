/**
 * The Keras layer of a node, from the names of nodes and variables. A node's name is its path through the name
 * scopes: `functional_1/conv1d_1/convolution`. Keras 3 opens each scope twice, so the one of `conv1d` is `conv1d_1`;
 * the names of the variables are always right. What is called between its layers has no scope, and
 * TensorFlow's own functions open some without a number: `einsum`, then `einsum_1`.
 */

import type { Layer } from '../../ir/graph.ts';

/** Functions of TensorFlow that open a scope with a name as layers have. */
const functions: ReadonlySet<string> = new Set(['einsum']);

/** A variable that a node reads: `functional_1/conv1d_1/Cast/ReadVariableOp` reads `conv1d/kernel`. */
export interface VariableRead {
  readonly node: string;
  readonly variable: string;
}

export interface NamesInGraph {
  readonly reads: readonly VariableRead[];
  /** The name scopes of nodes that do not end in a number. */
  readonly plainScopes: ReadonlySet<string>;
}

/** The layers by the names of nodes. `isKeras3` says how scopes are named where no variable shows it. */
export function layerNames({ reads, plainScopes }: NamesInGraph, isKeras3: boolean): (node: string) => Layer {
  const layers = new Map<string, string>();
  const containers = new Set<string>();
  const outermost = new Set<string>();
  let isNumbered = isKeras3;
  for (const { node, variable } of reads) {
    const name = variable.split('/').slice(0, -1).at(-1);
    const path = node.split('/').slice(0, -1);
    const depth =
      name === undefined ? -1 : path.findLastIndex((part) => part === name || withoutNumber(part) === name);
    if (depth === 0) outermost.add(path[0]!);
    if (name === undefined || depth < 1) continue;
    isNumbered = path[depth] !== name;
    layers.set(path.slice(0, depth + 1).join('/'), name);
    for (let i = 1; i <= depth; i++) containers.add(path.slice(0, i).join('/'));
  }

  /** The name of a layer by its scope; undefined for one of TensorFlow's. */
  const nameOf = (parent: string, part: string): string | undefined => {
    const known = layers.get(`${parent}/${part}`);
    const name = withoutNumber(part);
    if (known !== undefined) return known;
    if (!isNumbered) return functions.has(name) ? undefined : part;
    return name === part || plainScopes.has(`${parent}/${name}`) ? undefined : name;
  };
  return (node) => {
    const path = node.split('/');
    const scopes = path.slice(0, -1);
    const names: string[] = [];
    // The outermost scope is the model's own.
    for (let depth = 1; depth < scopes.length; depth++) {
      const parent = scopes.slice(0, depth).join('/');
      if (depth > 1 && (layers.has(parent) || !containers.has(parent))) break;
      const name = nameOf(parent, scopes[depth]!);
      if (name === undefined) break;
      names.push(name);
    }
    if (names.length > 0) return { name: names.join('/') };
    const model = scopes[0] ?? '';
    const isFunction =
      isNumbered &&
      !outermost.has(model) &&
      (containers.has(model) || /^(functional|sequential)_\d/.test(model));
    return isFunction ? { name: path.at(-1)!, isFunction } : { name: scopes[0] ?? path.at(-1)! };
  };
}

function withoutNumber(name: string): string {
  return name.replace(/_\d+$/, '');
}
