/**
 * Variables that a prediction assigns to, and that it or the next one reads: the state of a recurrent layer, the last
 * frames of a stream. Which they are is known before the graph is run, and which nodes are run only to assign to them.
 */

import type { NodeDef } from '../../1-read/graph-def.ts';
import type { MetaGraph } from '../../1-read/saved-model.ts';
import { random, withoutAugmentation } from './augmentation.ts';
import {
  argumentsOf,
  isCall,
  newWalk,
  spend,
  type Variables,
  variablesIn,
  type Walk,
} from './passed-variables.ts';
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

/** The variables that the outputs depend on and that a prediction assigns to, by the names of their nodes. */
export function stateVariables(
  graph: MetaGraph,
  main: Scope,
  outputs: readonly Reference[],
): ReadonlySet<string> {
  let states: ReadonlySet<string> = new Set();
  for (;;) {
    const uses: Uses = { graph, states, walk: newWalk(), read: new Set(), assigned: new Set() };
    const roots = outputs.map(({ name }) => name);
    collectUses(uses, main, { roots, controls: [], isNeeded: true }, new Map(), 0);
    // What an assigned value is computed from counts once the variable is known to be a state.
    const found = new Set([...uses.assigned].filter((name) => uses.read.has(name)));
    if (found.size === states.size) return found;
    states = found;
  }
}

interface Uses {
  readonly graph: MetaGraph;
  readonly states: ReadonlySet<string>;
  readonly walk: Walk;
  readonly read: Set<string>;
  readonly assigned: Set<string>;
}

/** What a scope is run for: its results, if they are needed, and what it does besides. */
interface Purpose {
  readonly roots: readonly string[];
  readonly controls: readonly string[];
  readonly isNeeded: boolean;
}

function collectUses(uses: Uses, given: Scope, purpose: Purpose, passed: Variables, depth: number): void {
  if (depth > DEEPEST) return;
  const { roots, controls, isNeeded } = purpose;
  const { scope } = withoutAugmentation(given, roots.map(reference));
  const all = order(scope, [...roots, ...controls], ({ inputs }) => inputs);
  spend(uses.walk, all.length);
  const variables = variablesIn(all, passed);
  const effects = effectsOf(uses.graph, scope, purpose, passed, uses.states, uses.walk);
  // What random numbers are drawn from is no state that counts: they are refused.
  const reads = (node: NodeDef) => (random.test(node.op) ? [] : dataInputs(node));
  const needed = new Set(order(scope, [...(isNeeded ? roots : []), ...effects], reads));
  for (const node of all) {
    const inputs = dataInputs(node);
    const variablesRead = inputs.flatMap((input) => variables.get(reference(input).name) ?? []);
    if (isAssignment(node)) {
      for (const variable of variablesRead.slice(0, 1)) uses.assigned.add(variable);
      if (needed.has(node) && node.op !== 'AssignVariableOp') addAll(uses.read, variablesRead);
    } else if (isCall(node)) {
      const called = calledFunction(node, uses.graph.functions);
      const arguments_ = argumentsOf(uses.graph, node, variables);
      const body = scopeOf(called.nodes, scopePath(scope.path + node.name));
      collectUses(uses, body, purposeOf(called, needed.has(node)), arguments_, depth + 1);
    } else {
      if (assignsInside(uses.graph, node)) addAll(uses.assigned, variablesRead);
      if (needed.has(node) && node.op !== 'Identity') addAll(uses.read, variablesRead);
    }
  }
}

function addAll(set: Set<string>, items: readonly string[]): void {
  for (const item of items) set.add(item);
}

/** Whether an op sets a variable. */
export function isAssignment({ op }: NodeDef): boolean {
  return /^(Assign|Resource(Scatter|Apply))/.test(op);
}

/** Whether a loop or a choice may set a variable. */
function assignsInside(graph: MetaGraph, node: NodeDef): boolean {
  const seen = new Set<string>();
  const assigns = (caller: NodeDef, depth = 0): boolean =>
    depth > DEEPEST ||
    [...caller.attributes.values()].some((attribute) => {
      if (attribute.kind !== 'func' || seen.has(attribute.name)) return false;
      seen.add(attribute.name);
      const nodes = graph.functions.get(attribute.name)?.nodes ?? [];
      return nodes.some((inner) => isAssignment(inner) || assigns(inner, depth + 1));
    });
  return /^(Stateless)?(While|If|Case)$/.test(node.op) && assigns(node);
}

function purposeOf(called: ReturnType<typeof calledFunction>, isNeeded: boolean): Purpose {
  return {
    roots: [...called.returns.values()].map((text) => reference(text).name),
    controls: [...called.controlReturns.values()],
    isNeeded,
  };
}

/** The nodes of a scope that assign to a state, themselves or in a function that they call. */
export function effectsOf(
  graph: MetaGraph,
  scope: Scope,
  { roots, controls }: Pick<Purpose, 'roots' | 'controls'>,
  passed: Variables,
  states: ReadonlySet<string>,
  walk: Walk,
  depth = 0,
): readonly string[] {
  if (states.size === 0 || depth > DEEPEST) return [];
  const all = order(scope, [...roots, ...controls], ({ inputs }) => inputs);
  spend(walk, all.length);
  const variables = variablesIn(all, passed);
  const assigns = (node: NodeDef): boolean => {
    if (isAssignment(node)) return states.has(variables.get(reference(node.inputs[0] ?? '').name) ?? '');
    if (!isCall(node)) {
      const reads = dataInputs(node).map((input) => variables.get(reference(input).name) ?? '');
      return reads.some((variable) => states.has(variable)) && assignsInside(graph, node);
    }
    const arguments_ = argumentsOf(graph, node, variables);
    if (![...arguments_.values()].some((variable) => states.has(variable))) return false;
    const called = calledFunction(node, graph.functions);
    const body = scopeOf(called.nodes, '');
    return effectsOf(graph, body, purposeOf(called, false), arguments_, states, walk, depth + 1).length > 0;
  };
  return all.filter(assigns).map(({ name }) => name);
}
