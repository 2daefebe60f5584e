/** Runs the graph of a SavedModel with values of ours: nodes in their order, functions where they are called. */

import type { FunctionDef, NodeDef } from '../../1-read/graph-def.ts';
import type { MetaGraph } from '../../1-read/saved-model.ts';
import { type Problem, Refusal, refuse } from '../../errors.ts';
import { type Budget, builderFor } from '../../ir/builder.ts';
import type { Layer } from '../../ir/graph.ts';
import type { HalfFloat } from '../../ir/types.ts';
import { apply } from '../../ops/elementwise.ts';
import { loudestOfEachSample } from '../../ops/spectra.ts';
import { absorbed } from './absorb.ts';
import { withoutAugmentation } from './augmentation.ts';
import { withFailingLookUps } from './failing-look-ups.ts';
import { type Imported, type Unknown, unknown } from './imported.ts';
import { LARGEST_LEVEL, largestLevel, withLevelFloors } from './level-floors.ts';
import type { Loop } from './loop-body.ts';
import { lowerLoop } from './loops.ts';
import { lowerNode } from './lower-node.ts';
import { newWalk, spend, type Walk } from './passed-variables.ts';
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
import { FILE } from './signature.ts';
import { effectsOf, isAssignment } from './states.ts';
import type { Values } from './values.ts';

/** Which output a name stands for, of ops with several named ones. */
const namedOutputs: Readonly<Record<string, readonly string[]>> = {
  FusedBatchNorm: ['y', 'batch_mean', 'batch_variance'],
  FusedBatchNormV2: ['y', 'batch_mean', 'batch_variance'],
  FusedBatchNormV3: ['y', 'batch_mean', 'batch_variance'],
  SparseCross: ['output_indices', 'output_values', 'output_shape'],
  StringNGrams: ['ngrams', 'ngrams_splits'],
  StringSplitV2: ['indices', 'values', 'shape'],
  TopKV2: ['values', 'indices'],
  UnicodeDecode: ['row_splits', 'char_values'],
};

/** Holds what is known of a model while its nodes are read. */
export class Importer {
  /** Everything that stands in the way. */
  readonly problems: Problem[] = [];
  /** What the user should know of the conversion. */
  readonly warnings = new Set<string>();
  /** What the model computes with, if less precise than f32. */
  halfFloat: HalfFloat | undefined;
  private readonly graph: MetaGraph;
  private readonly layerOf: (node: string) => Layer;
  private readonly values: Values;
  private readonly states: ReadonlySet<string>;
  private readonly budget: Budget;
  /** Nodes that are lowered, and those that are looked at for what they assign to. */
  private readonly lowering: Walk = newWalk();
  private readonly walk: Walk = newWalk();

  constructor(
    graph: MetaGraph,
    layerOf: (node: string) => Layer,
    values: Values,
    states: ReadonlySet<string>,
    budget: Budget,
  ) {
    this.graph = graph;
    this.states = states;
    this.layerOf = layerOf;
    this.values = values;
    this.budget = budget;
  }

  /** The values at the references, given what some nodes or arguments stand for. */
  run(
    given: Scope,
    known: ReadonlyMap<string, readonly Imported[]>,
    references: readonly Reference[],
    depth: number,
    controls: readonly string[] = [],
  ): readonly Imported[] {
    if (depth > 64) refuse(FILE, 'its functions call each other without end');
    const { scope, dropped } = withoutAugmentation(withFailingLookUps(withLevelFloors(given)), references);
    for (const layer of dropped) {
      this.warnings.add(
        `layer "${layer}": it varies its input at random, as in a training; it is left out, as Keras does when it predicts`,
      );
    }
    const results = new Map(known);
    const reads = (node: NodeDef) => (known.has(node.name) ? [] : neededInputs(scope, node));
    for (const node of this.inOrder(scope, known, references, controls, reads)) {
      if (results.has(node.name)) continue;
      spend(this.lowering, 1);
      results.set(node.name, this.outputsOf(scope, node, results, depth));
    }
    return references.map((at) => this.pick(scope, at, results));
  }

  /** The nodes that the references need, and those that assign to a state, each after those that have to be before it. */
  private inOrder(
    scope: Scope,
    known: ReadonlyMap<string, readonly Imported[]>,
    references: readonly Reference[],
    controls: readonly string[],
    reads: (node: NodeDef) => readonly string[],
  ): readonly NodeDef[] {
    const roots = references.map(({ name }) => name);
    const variables = new Map<string, string>();
    for (const [name, [value]] of known) if (value?.kind === 'variable') variables.set(name, value.name);
    const effects = effectsOf(this.graph, scope, { roots, controls }, variables, this.states, this.walk);
    const needed = order(scope, [...roots, ...effects], reads);
    if (effects.length === 0) return needed;
    const isNeeded = new Set(needed);
    return order(scope, [...roots, ...controls], ({ inputs }) => inputs).filter((node) => isNeeded.has(node));
  }

  private pick(scope: Scope, at: Reference, results: ReadonlyMap<string, readonly Imported[]>): Imported {
    const node = scope.nodes.get(at.name);
    const named = node && at.output !== undefined ? namedOutputs[node.op]?.indexOf(at.output) : undefined;
    const found = results.get(at.name);
    if (!found) return refuse(FILE, `a node reads "${at.name}", which is not there`);
    const value = found[named !== undefined && named > 0 ? named : at.index];
    if (value) return value;
    if (found.includes(unknown)) return unknown;
    return this.problem(
      node?.name ?? at.name,
      node?.op,
      `its output ${at.output ?? at.index} is not supported`,
    );
  }

  private outputsOf(
    scope: Scope,
    node: NodeDef,
    results: ReadonlyMap<string, readonly Imported[]>,
    depth: number,
  ): readonly Imported[] {
    const name = scope.path + node.name;
    const inputs = neededInputs(scope, node).map((input) => this.pick(scope, reference(input), results));
    try {
      return this.lower(node, name, inputs, depth);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [this.problem(name, node.op, error.message)];
    }
  }

  private lower(
    node: NodeDef,
    name: string,
    inputs: readonly Imported[],
    depth: number,
  ): readonly Imported[] {
    switch (node.op) {
      case 'Const':
        return [this.values.constantOf(node)];
      case 'HashTable':
      case 'HashTableV2':
        return [this.values.tableOf(node)];
      case 'VarHandleOp':
      case 'VariableV2':
      case 'Variable':
        return [{ kind: 'variable', name: node.name }];
      case 'Placeholder':
        throw new Refusal('the outputs depend on a placeholder that is no input of the signature');
      case 'PlaceholderWithDefault':
        return inputs;
      case 'StatefulPartitionedCall':
      case 'PartitionedCall': {
        const called = calledFunction(node, this.graph.functions);
        return this.call(called, scopePath(name), inputs, depth);
      }
      case 'While':
      case 'StatelessWhile':
        return lowerLoop(this.loop(node, name, depth), inputs);
      case 'If':
      case 'StatelessIf': {
        const branch = chosenBranch(inputs[0]);
        const called = calledFunction(node, this.graph.functions, branch);
        return this.call(called, scopePath(name), inputs.slice(1), depth);
      }
    }
    if (inputs.some(({ kind }) => kind === 'unknown')) return [unknown];
    if (isAssignment(node)) return this.assign(node, name, inputs);
    if (node.op === LARGEST_LEVEL) return [this.largestLevel(name, inputs)];
    return lowerNode(node, inputs, {
      name,
      layer: this.layerOf(name),
      values: this.values,
      budget: this.budget,
      problem: (kind, what) => this.problem(name, kind, what),
      roundsTo: (halfFloat) => {
        this.halfFloat = halfFloat;
      },
    });
  }

  /** The results of a function, or only those that are wanted. */
  private call(
    called: FunctionDef,
    path: string,
    inputs: readonly Imported[],
    depth: number,
    wanted: readonly number[] = called.outputs.map((_, i) => i),
  ): readonly Imported[] {
    const args = new Map(called.inputs.map(({ name }, i) => [name, [inputs[i] ?? unknown]]));
    const returns = wanted.map((i) => {
      const name = called.outputs[i]?.name ?? '';
      return reference(called.returns.get(name) ?? name);
    });
    const controls = [...called.controlReturns.values()];
    return this.run(scopeOf(called.nodes, path), args, returns, depth + 1, controls);
  }

  /** The largest of the levels of each sample, if TensorFlow takes that of all samples. */
  private largestLevel(name: string, inputs: readonly Imported[]): Imported {
    const [levels, axes] = inputs.map((input) => this.values.read(input, name));
    const layer = this.layerOf(name);
    const isOfAll = axes?.kind === 'constant' && axes.tensor.data.some((axis) => Number(axis) === 0);
    if (!levels || !isOfAll) throw new Refusal('a floor below the largest of some axes is not supported');
    this.warnings.add(`layer "${layer.name}": ${loudestOfEachSample}`);
    return largestLevel(builderFor(layer, this.budget), levels);
  }

  /** Sets a state, which later nodes read. */
  private assign(node: NodeDef, name: string, [variable, by]: readonly Imported[]): readonly Imported[] {
    if (variable?.kind !== 'variable' || !by)
      throw new Refusal('it assigns to something else than a variable');
    const layer = this.layerOf(name);
    const value = this.values.read(by, name);
    const change = (function_: 'add' | 'subtract') =>
      apply(builderFor(layer, this.budget), function_, this.values.read(variable, name), value);
    const assigned = {
      AssignVariableOp: () => value,
      AssignAddVariableOp: () => change('add'),
      AssignSubVariableOp: () => change('subtract'),
    }[node.op];
    if (!assigned) throw new Refusal(`a state that is changed by ${node.op} is not supported`);
    this.values.assign(variable.name, assigned(), layer);
    return [];
  }

  private loop(node: NodeDef, name: string, depth: number): Loop {
    const [condition, body] = (['cond', 'body'] as const).map((attribute) =>
      calledFunction(node, this.graph.functions, attribute),
    ) as [FunctionDef, FunctionDef];
    const path = scopePath(name);
    if (body.nodes.some(isAssignment))
      throw new Refusal('a loop that assigns to variables is not supported; carry them from round to round');
    return {
      name,
      nodesOfBody: body.nodes.length,
      layer: this.layerOf(name),
      builder: builderFor(this.layerOf(name), this.budget),
      condition: (values) => this.call(condition, path, values, depth, [0])[0]!,
      body: (values, wanted) => this.call(body, path, values, depth, wanted),
      tryBody: (values) => {
        const before = this.problems.length;
        const results = this.call(body, path, values, depth);
        return this.problems.splice(before).length === 0 ? results : undefined;
      },
    };
  }

  /** Tells of a node that cannot be converted. */
  problem(node: string, op: string | undefined, what: string): Unknown {
    const where = `layer "${this.layerOf(node).name}" (${op ?? 'argument'})`;
    if (!this.problems.some((known) => known.where === where && known.what === what)) {
      this.problems.push({ where, what });
    }
    return unknown;
  }
}

/** The inputs without which the outputs of a node are not known. */
function neededInputs(scope: Scope, node: NodeDef): readonly string[] {
  const only = absorbed(scope, node);
  return only === undefined ? dataInputs(node) : [only];
}

/** The branch of an `If` that is taken. */
function chosenBranch(condition: Imported | undefined): 'then_branch' | 'else_branch' {
  if (condition?.kind !== 'constant' || condition.tensor.data.length !== 1) {
    throw new Refusal('a choice between two ways to go on, by values of the input, is not supported');
  }
  return condition.tensor.data[0] ? 'then_branch' : 'else_branch';
}
