/**
 * The Keras layer of a node, from the names of nodes and variables. A node's name is its path through the name
 * scopes: `functional_1/conv1d_1/convolution`. Keras 3 opens each scope twice, so the one of `conv1d` is `conv1d_1`;
 * the names of the variables are always right.
 */

/** A variable that a node reads: `functional_1/conv1d_1/Cast/ReadVariableOp` reads `conv1d/kernel`. */
export interface VariableRead {
  readonly node: string;
  readonly variable: string;
}

/** The names of layers by the names of nodes. `isKeras3` says how scopes are named where no variable shows it. */
export function layerNames(reads: readonly VariableRead[], isKeras3: boolean): (node: string) => string {
  const layers = new Map<string, string>();
  const containers = new Set<string>();
  let isNumbered = isKeras3;
  for (const { node, variable } of reads) {
    const name = variable.split('/').slice(0, -1).at(-1);
    const path = node.split('/').slice(0, -1);
    const depth =
      name === undefined ? -1 : path.findLastIndex((part) => part === name || withoutNumber(part) === name);
    if (name === undefined || depth < 1) continue;
    isNumbered = path[depth] !== name;
    layers.set(path.slice(0, depth + 1).join('/'), name);
    for (let i = 1; i <= depth; i++) containers.add(path.slice(0, i).join('/'));
  }

  return (node) => {
    const path = node.split('/');
    const scopes = path.slice(0, -1);
    const names: string[] = [];
    for (let depth = 1; depth <= scopes.length; depth++) {
      const scope = scopes.slice(0, depth).join('/');
      const part = scopes[depth - 1]!;
      const layer = layers.get(scope);
      // The outermost scope is the model's own.
      if (depth > 1) names.push(layer ?? (isNumbered ? withoutNumber(part) : part));
      const isOutermost = depth === 1 && scopes.length > 1;
      if (layer !== undefined || !(containers.has(scope) || isOutermost)) break;
    }
    return names.join('/') || (scopes[0] ?? path.at(-1)!);
  };
}

function withoutNumber(name: string): string {
  return name.replace(/_\d+$/, '');
}
