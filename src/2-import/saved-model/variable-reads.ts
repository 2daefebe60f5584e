/** Where the graph and its functions read the variables: layers are named after them. */

import type { MetaGraph } from '../../1-read/saved-model.ts';
import type { VariableRead } from './layer-names.ts';
import {
  calledFunction,
  dataInputs,
  MOST_NODES,
  order,
  type Reference,
  reference,
  type Scope,
  scopeOf,
  scopePath,
} from './scope.ts';

/** Every read of a variable that the outputs may need, and all name scopes that do not end in a number. */
export function variableReads(
  graph: MetaGraph,
  main: Scope,
  outputs: readonly Reference[],
): { readonly reads: readonly VariableRead[]; readonly plainScopes: ReadonlySet<string> } {
  const reads: VariableRead[] = [];
  const plainScopes = new Set<string>();
  const walk = (
    scope: Scope,
    roots: readonly string[],
    variables: ReadonlyMap<string, string>,
    depth: number,
  ) => {
    if (depth > 64 || reads.length > MOST_NODES) return;
    const variableOf = new Map(variables);
    for (const node of order(scope, roots, dataInputs)) {
      const within = scopePath(scope.path + node.name).slice(0, -1);
      if (!/_\d+$/.test(within)) plainScopes.add(within);
      const source = variableOf.get(reference(node.inputs[0] ?? '').name);
      if (node.op === 'VarHandleOp' || node.op === 'VariableV2') variableOf.set(node.name, node.name);
      else if (node.op === 'Identity' && source !== undefined) variableOf.set(node.name, source);
      if ((node.op === 'ReadVariableOp' || node.op === 'ResourceGather') && source !== undefined) {
        reads.push({ node: scope.path + node.name, variable: source });
      }
      if (node.op === 'StatefulPartitionedCall' || node.op === 'PartitionedCall') {
        const called = calledFunction(node, graph.functions);
        const passed = new Map<string, string>();
        for (const [i, { name }] of called.inputs.entries()) {
          const variable = variableOf.get(reference(dataInputs(node)[i] ?? '').name);
          if (variable !== undefined) passed.set(name, variable);
        }
        const returns = [...called.returns.values()].map((text) => reference(text).name);
        walk(scopeOf(called.nodes, scopePath(scope.path + node.name)), returns, passed, depth + 1);
      }
    }
  };
  walk(
    main,
    outputs.map(({ name }) => name),
    new Map(),
    0,
  );
  return { reads, plainScopes };
}
