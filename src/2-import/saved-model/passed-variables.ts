/** Which variables the nodes of a scope stand for, and the arguments of the functions that they call. */

import type { NodeDef } from '../../1-read/graph-def.ts';
import type { MetaGraph } from '../../1-read/saved-model.ts';
import { refuse } from '../../errors.ts';
import { calledFunction, dataInputs, MOST_NODES, reference } from './scope.ts';
import { FILE } from './signature.ts';

/** The variables that nodes and arguments of a scope stand for, by the names of the nodes and arguments. */
export type Variables = ReadonlyMap<string, string>;

/** How many more nodes may be looked at: functions that call each other come to many. */
export interface Walk {
  left: number;
}

export function newWalk(): Walk {
  return { left: MOST_NODES };
}

export function spend(walk: Walk, nodes: number): void {
  walk.left -= nodes;
  if (walk.left < 0) refuse(FILE, `it has more than ${MOST_NODES} nodes once its functions are inlined`);
}

export function isCall({ op }: NodeDef): boolean {
  return op === 'StatefulPartitionedCall' || op === 'PartitionedCall';
}

/** Those of nodes in an order in which each comes after what it reads. */
export function variablesIn(nodes: readonly NodeDef[], passed: Variables): Variables {
  const variables = new Map(passed);
  for (const { name, op, inputs } of nodes) {
    const source = variables.get(reference(inputs[0] ?? '').name);
    if (/^Var(HandleOp|iable(V2)?)$/.test(op)) variables.set(name, name);
    else if (op === 'Identity' && source !== undefined) variables.set(name, source);
  }
  return variables;
}

/** The variables that the arguments of a called function are. */
export function argumentsOf(graph: MetaGraph, node: NodeDef, variables: Variables): Variables {
  const inputs = dataInputs(node);
  const passed = new Map<string, string>();
  for (const [i, { name }] of calledFunction(node, graph.functions).inputs.entries()) {
    const variable = variables.get(reference(inputs[i] ?? '').name);
    if (variable !== undefined) passed.set(name, variable);
  }
  return passed;
}
