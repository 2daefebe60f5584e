/** Where the graph and its functions read the variables: layers are named after them. */

import type { MetaGraph } from '../../1-read/saved-model.ts';
import type { NamesInGraph, VariableRead } from './layer-names.ts';
import { argumentsOf, isCall, newWalk, spend, type Variables, variablesIn } from './passed-variables.ts';
import {
  calledFunction,
  dataInputs,
  order,
  type Reference,
  reference,
  type Scope,
  scopeOf,
  scopePath,
} from './scope.ts';

/** Deeper calls are refused when they are run. */
const DEEPEST = 64;

/** Every read of a variable that the outputs may need, and all name scopes that do not end in a number. */
export function variableReads(graph: MetaGraph, main: Scope, outputs: readonly Reference[]): NamesInGraph {
  const reads: VariableRead[] = [];
  const plainScopes = new Set<string>();
  const left = newWalk();
  const walk = (scope: Scope, roots: readonly string[], passed: Variables, depth: number) => {
    if (depth > DEEPEST) return;
    const nodes = order(scope, roots, dataInputs);
    spend(left, nodes.length);
    const variables = variablesIn(nodes, passed);
    for (const node of nodes) {
      const name = scope.path + node.name;
      const within = scopePath(name);
      if (!/_\d+\/$/.test(within)) plainScopes.add(within.slice(0, -1));
      const variable = variables.get(reference(node.inputs[0] ?? '').name);
      if ((node.op === 'ReadVariableOp' || node.op === 'ResourceGather') && variable !== undefined) {
        reads.push({ node: name, variable });
      }
      if (isCall(node)) {
        const called = calledFunction(node, graph.functions);
        const returns = [...called.returns.values()].map((text) => reference(text).name);
        walk(scopeOf(called.nodes, within), returns, argumentsOf(graph, node, variables), depth + 1);
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
