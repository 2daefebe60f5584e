/** A SavedModel becomes a graph: functions inlined, variables bound, lengths resolved. */

import { dtypeOf } from '../../1-read/element-types.ts';
import type { Files } from '../../1-read/files.ts';
import type { FunctionDef, MetaGraph, NodeDef, Signature } from '../../1-read/saved-model.ts';
import { readSavedModel } from '../../1-read/saved-model.ts';
import { openTensorBundle } from '../../1-read/tensor-bundle.ts';
import { tensorOf } from '../../1-read/tensor-proto.ts';
import { ConversionError, type Problem, Refusal, refuse } from '../../errors.ts';
import { asValue, builderFor, constant, newBudget, spend } from '../../ir/builder.ts';
import type { Graph, Input, Layer, Output } from '../../ir/graph.ts';
import type { HalfFloat, Tensor } from '../../ir/types.ts';
import { rowMajor, stridedIndices, take } from '../../ops/broadcasting.ts';
import { moved, movingOps } from '../../ops/complex.ts';
import { complexOps, tensorflowOps } from '../../ops/index.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import { absorbed } from './absorb.ts';
import { withoutAugmentation } from './augmentation.ts';
import { type Imported, type Unknown, unknown } from './imported.ts';
import { layerNames, type VariableRead } from './layer-names.ts';
import { type Loop, lowerLoop } from './loops.ts';
import { type ReadableNode, readableNode } from './node.ts';
import { inModelOrder } from './output-order.ts';
import { calledFunction, order, type Reference, reference, type Scope, scopeOf } from './scope.ts';
import { chosenSignature, FILE, inputType, servingGraph, writtenByKeras3 } from './signature.ts';
import { type Tables, tableName, tablesOf } from './tables.ts';
import { isListOp, lowerListOp } from './tensor-lists.ts';
import { type Numbers, type TextValue, textsOf } from './text.ts';
import { nodeOfNumbers } from './text-nodes.ts';
import { lowerText, standIn } from './text-ops.ts';
import { unsupported } from './unsupported.ts';
import { type CheckpointKey, checkpointKeys } from './variables.ts';

/** More nodes than any real model has once its functions are inlined. */
const MOST_NODES = 2_000_000;

export interface ImportOptions {
  /** The signature to convert; undefined for `serving_default`, or the only one. */
  readonly signature?: string;
  /** The lengths of inputs, batch first, by input, for those that the model leaves open. */
  readonly inputShapes: ReadonlyMap<string, readonly number[]>;
}

export interface ImportedModel {
  readonly graph: Graph;
  /** The trained variables that the graph reads, in the order of their use, by layer. */
  readonly variables: readonly { readonly layer: string; readonly name: string; readonly tensor: Tensor }[];
  readonly warnings: readonly string[];
  /** What the model computes with, if less precise than f32. */
  readonly halfFloat?: HalfFloat;
}

export function importSavedModel(files: Files, options: ImportOptions): ImportedModel {
  const size = files.size(FILE) ?? refuse(FILE, 'the file is missing');
  const graph = servingGraph(readSavedModel(files.read(FILE, 0, size), FILE).metaGraphs);
  const [name, signature] = chosenSignature(graph, options.signature);
  return importGraph(files, graph, size, name, signature, options);
}

/** What the signature names of a graph of `size` bytes; its variables are in the files. */
export function importGraph(
  files: Files,
  graph: MetaGraph,
  size: number,
  name: string,
  signature: Signature,
  options: ImportOptions,
): ImportedModel {
  return new Importer(files, graph, size).import(name, signature, options);
}

/** Ops that pass on what they are given. */
const passing = new Set([
  'CheckNumerics',
  'EnsureShape',
  'Identity',
  'IdentityN',
  'PreventGradient',
  'ReadVariableOp',
  'Snapshot',
  'StopGradient',
]);

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
class Importer {
  private readonly files: Files;
  private readonly graph: MetaGraph;
  private readonly keys: ReadonlyMap<string, CheckpointKey>;
  private readonly tensors = new Map<string, Tensor>();
  private readonly problems: Problem[] = [];
  private readonly reads = new Map<string, VariableRead & { readonly tensor: Tensor }>();
  private layerOf: (node: string) => string = (node) => node;
  private readonly dropped = new Set<string>();
  private visited = 0;
  private readonly budget = newBudget();

  constructor(files: Files, graph: MetaGraph, size: number) {
    this.budget.left += size;
    this.files = files;
    this.graph = graph;
    this.keys = checkpointKeys(graph);
  }

  import(name: string, signature: Signature, options: ImportOptions): ImportedModel {
    const inputs = this.inputs(signature, options);
    const main = scopeOf(this.graph.graph.nodes, '');
    const outputs = [...signature.outputs].map(([key, info]) => ({ key, at: reference(info.name) }));
    if (outputs.length === 0) refuse(`signature "${name}"`, 'it has no outputs');
    const nodes = [...new Set(outputs.map(({ at }) => at.name))];
    outputs.sort((a, b) => nodes.indexOf(a.at.name) - nodes.indexOf(b.at.name) || a.at.index - b.at.index);
    const order = inModelOrder(
      outputs.map(({ key }) => key),
      this.files,
    );
    outputs.sort((a, b) => order.indexOf(a.key) - order.indexOf(b.key));

    const roots = outputs.map(({ at }) => at);
    this.layerOf = layerNames(this.variableReads(main, roots), writtenByKeras3(this.graph));
    const values = this.run(
      main,
      new Map(
        inputs.map(({ node, input }) => [node, [input.type.dtype === 'text' ? textsOf(input) : input]]),
      ),
      outputs.map(({ at }) => at),
      0,
    );
    const results = outputs.map(({ key }, i) => this.output(key, values[i]!, name));
    if (this.problems.length > 0) throw new ConversionError(this.problems);
    return {
      graph: { inputs: inputs.map(({ input }) => input), outputs: results as readonly Output[] },
      variables: [...this.reads.values()].map(({ node, variable, tensor }) => ({
        layer: this.layerOf(node),
        name: variable,
        tensor,
      })),
      warnings: [...this.dropped].map(
        (layer) =>
          `layer "${layer}": it varies its input at random, as in a training; it is left out, as Keras does when it predicts`,
      ),
      ...(this.halfFloat && { halfFloat: this.halfFloat }),
    };
  }

  /** The model's inputs, in the order of the graph, each with the node that stands for it. */
  private inputs(signature: Signature, options: ImportOptions): readonly { node: string; input: Input }[] {
    const places = new Map(this.graph.graph.nodes.map(({ name }, i) => [name, i]));
    const infos = [...signature.inputs].sort(
      ([, a], [, b]) => (places.get(reference(a.name).name) ?? 0) - (places.get(reference(b.name).name) ?? 0),
    );
    const problems: Problem[] = [];
    for (const given of options.inputShapes.keys()) {
      if (signature.inputs.has(given)) continue;
      const names = [...signature.inputs.keys()].join(', ');
      problems.push({ where: `--input_shape ${given}`, what: `the model has no such input, but: ${names}` });
    }
    const inputs = infos.flatMap(([name, info]) => {
      try {
        const type = inputType(name, info, options.inputShapes.get(name));
        return [{ node: reference(info.name).name, input: { kind: 'input', name, type } as const }];
      } catch (error) {
        if (!(error instanceof Refusal)) throw error;
        problems.push({ where: `input "${name}"`, what: error.message });
        return [];
      }
    });
    if (problems.length > 0) throw new ConversionError(problems);
    return inputs;
  }

  private output(name: string, value: Imported, signature: string): Output | undefined {
    const where = `output "${name}" of the signature "${signature}"`;
    if (value.kind === 'unknown') return undefined;
    if (isText(value)) {
      if (value.kind === 'numbers') return this.output(name, this.knownNodeOf(value), signature);
      this.problems.push({ where, what: 'it is text, and in Rust a model predicts numbers' });
      return undefined;
    }
    if (value.kind === 'variable' || value.kind === 'list' || value.kind === 'constant') {
      this.problems.push({ where, what: 'it does not depend on the inputs of the model' });
      return undefined;
    }
    if (value.kind === 'complex') {
      this.problems.push({
        where,
        what: 'complex numbers cannot leave the model; return their real and imaginary parts',
      });
      return undefined;
    }
    if (typeof value.type.shape[0] === 'number' || value.type.shape.length === 0) {
      this.problems.push({ where, what: 'its first dimension is not the batch' });
      return undefined;
    }
    try {
      return { name, value: asValue(value, { name }) };
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.problems.push({ where, what: error.message });
      return undefined;
    }
  }

  /** The values at the references, given what some nodes or arguments stand for. */
  private run(
    given: Scope,
    known: ReadonlyMap<string, readonly Imported[]>,
    references: readonly Reference[],
    depth: number,
  ): readonly Imported[] {
    if (depth > 64) refuse(FILE, 'its functions call each other without end');
    const { scope, dropped } = withoutAugmentation(given, references);
    for (const layer of dropped) this.dropped.add(layer);
    const results = new Map(known);
    const reads = (node: NodeDef) => (known.has(node.name) ? [] : neededInputs(scope, node));
    for (const node of order(
      scope,
      references.map(({ name }) => name),
      reads,
    )) {
      if (results.has(node.name)) continue;
      if (++this.visited > MOST_NODES)
        refuse(FILE, `it has more than ${MOST_NODES} nodes once its functions are inlined`);
      results.set(node.name, this.outputsOf(scope, node, results, depth));
    }
    return references.map((at) => this.pick(scope, at, results));
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
        return [this.constantOf(node)];
      case 'HashTable':
      case 'HashTableV2':
        return [this.table(node)];
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
        if (this.hasState(called, scopePath(name))) return called.outputs.map(() => unknown);
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
    if (passing.has(node.op) || (node.op === 'Minimum' && inputs.length === 1)) {
      return node.op === 'ReadVariableOp' ? inputs.map((x) => this.read(x, name)) : inputs;
    }
    if (inputs.some(isText) || node.op === 'AsString') {
      const lowered = this.lowerText(node, name, inputs);
      if (lowered) return lowered;
    }
    if (isListOp(node.op)) {
      const operands = inputs.map((input) => (input.kind === 'list' ? input : this.read(input, name)));
      return [lowerListOp(node.op, operands, builderFor({ name: this.layerOf(name) }, this.budget))];
    }
    if (inputs.some(({ kind }) => kind === 'complex') || isComplexOnly(node.op)) {
      return this.lowerComplex(node, name, inputs);
    }
    const lowering = Object.hasOwn(tensorflowOps, node.op) ? tensorflowOps[node.op] : undefined;
    if (!lowering) {
      const { kind, what } = unsupported(node.op);
      return [this.problem(name, kind, what)];
    }

    const layer: Layer = { name: this.layerOf(name) };
    const operands = inputs.map((input) => this.read(input, name));
    const readable = readableNode(node, operands, layer, this.budget);
    this.halfFloat = halfFloatOf(node) ?? this.halfFloat;
    const lowered = lowering(readable);
    refuseUnread(readable);
    return 'kind' in lowered ? [lowered] : lowered;
  }

  /** What a node makes of text; undefined if it is one of numbers, perhaps of those that come of text. */
  private lowerText(
    node: NodeDef,
    name: string,
    inputs: readonly Imported[],
  ): readonly Imported[] | undefined {
    const layer: Layer = { name: this.layerOf(name) };
    const values = inputs.map((input) => (isText(input) ? input : this.read(input, name)));
    const readable = readableNode(node, values.map(standIn), layer, this.budget);
    const lowered = lowerText({ definition: node, node: readable, inputs: values, layer });
    if (!lowered) return undefined;
    refuseUnread(readable);
    return 'kind' in lowered ? [lowered] : lowered;
  }

  /** An op of complex numbers, whose real and imaginary parts are values of their own. */
  private lowerComplex(node: NodeDef, name: string, inputs: readonly Imported[]): readonly Imported[] {
    const layer: Layer = { name: this.layerOf(name) };
    const [real, imaginary] = [0, 1].map((part) =>
      inputs.map((x) => {
        if (x.kind === 'complex') return part === 0 ? x.real : x.imaginary;
        return this.read(x, name);
      }),
    ) as [Operand[], Operand[]];
    const readable = readableNode(node, real, layer, this.budget);
    let lowered: readonly Imported[];
    if (Object.hasOwn(complexOps, node.op)) {
      const parts = inputs.map((x, i) => (x.kind === 'complex' ? imaginary[i] : undefined));
      lowered = [complexOps[node.op]!(readable, parts)];
    } else if (movingOps.has(node.op)) {
      lowered = moved(tensorflowOps[node.op]!, readable, readableNode(node, imaginary, layer, this.budget));
    } else {
      throw new Refusal(`${node.op} of complex numbers is not supported`);
    }
    refuseUnread(readable);
    return lowered;
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
    return this.run(scopeOf(called.nodes, path), args, returns, depth + 1);
  }

  private halfFloat: HalfFloat | undefined;
  private tables: Tables | undefined;

  private table(node: NodeDef): TextValue {
    this.tables ??= tablesOf(this.graph, this.files);
    const fill = this.tables.get(tableName(node));
    if (!fill)
      throw new Refusal('nothing in the model fills its table; adapt the layer, and save the model again');
    return { kind: 'table', content: fill };
  }

  private nodeOf(numbers: Numbers): Operand {
    const known = this.numbers.get(numbers);
    if (known) return known;
    const made = nodeOfNumbers(builderFor(numbers.layer, this.budget), numbers);
    this.numbers.set(numbers, made);
    return made;
  }

  /** The same for an output; what cannot be a node is a problem of its layer. */
  private knownNodeOf(numbers: Numbers): Imported {
    try {
      return this.nodeOf(numbers);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.problems.push({ where: `layer "${numbers.layer.name}"`, what: error.message });
      return unknown;
    }
  }

  private readonly numbers = new Map<Numbers, Operand>();

  /** A layer that assigns to a variable that it reads predicts other numbers the next time: says so, if there is one. */
  private hasState(called: FunctionDef, path: string): boolean {
    const scope = scopeOf(called.nodes, path);
    const roots = [...called.returns.values()].map((text) => reference(text).name);
    const read = new Set(order(scope, roots, dataInputs).flatMap(({ inputs }) => inputs));
    const assignments = order(scope, roots, ({ inputs }) => inputs).filter(({ op, inputs, attributes }) => {
      const dtype = attributes.get('dtype');
      const isOfFloats = dtype?.kind === 'type' && dtypeOf(dtype.value) === 'f32';
      return op === 'AssignVariableOp' && isOfFloats && read.has(inputs[0] ?? '');
    });
    for (const { name } of assignments) {
      this.problem(
        path + name,
        'stateful',
        'it keeps a state from one prediction to the next, which is not supported yet; save the model with stateful=False',
      );
    }
    return assignments.length > 0;
  }

  private loop(node: NodeDef, name: string, depth: number): Loop {
    const [condition, body] = (['cond', 'body'] as const).map((attribute) =>
      calledFunction(node, this.graph.functions, attribute),
    ) as [FunctionDef, FunctionDef];
    const path = scopePath(name);
    return {
      name,
      nodesOfBody: body.nodes.length,
      builder: builderFor({ name: this.layerOf(name) }, this.budget),
      condition: (values) => this.call(condition, path, values, depth, [0])[0]!,
      body: (values, wanted) => this.call(body, path, values, depth, wanted),
      tryBody: (values) => {
        const before = this.problems.length;
        const results = this.call(body, path, values, depth);
        return this.problems.splice(before).length === 0 ? results : undefined;
      },
    };
  }

  private constantOf(node: NodeDef): Operand | TextValue {
    const value = node.attributes.get('value');
    if (value?.kind !== 'tensor') throw new Refusal('a Const without a value');
    const tensor = tensorOf(value.value, `node "${node.name}" (${node.op})`);
    spend(this.budget, tensor.data.length);
    return tensor.dtype === 'string' ? { kind: 'strings', tensor } : constant(tensor);
  }

  /** The value of a variable where it is read; anything else as it is. */
  private read(value: Imported, node: string): Operand {
    if (value.kind === 'unknown') throw new Error('an unknown value was read');
    if (value.kind === 'complex') throw new Refusal('a complex number is not supported here');
    if (value.kind === 'list') throw new Refusal('a list of tensors is not supported here');
    if (isText(value)) {
      if (value.kind === 'numbers') return this.nodeOf(value);
      throw new Refusal('it reads text, and is not supported for text; prepare the text before the model');
    }
    if (value.kind !== 'variable') return value;
    const tensor = this.variable(value.name);
    const variable = value.name;
    if (!this.reads.has(variable)) this.reads.set(variable, { node, variable, tensor });
    return constant(tensor, variable);
  }

  private bundle: ReturnType<typeof openTensorBundle> | undefined;

  private variable(name: string): Tensor {
    const found = this.tensors.get(name);
    if (found) return found;
    const at = this.keys.get(name);
    if (!at)
      return refuse(
        `variable "${name}"`,
        'nothing in the model says where its value is; save the model again',
      );
    this.bundle ??= openTensorBundle(this.files, 'variables/variables');
    const tensor = this.bundle.tensor(at.key);
    if (tensor.dtype === 'string')
      throw new Refusal(`the variable "${name}" holds strings, which are not supported`);
    this.budget.left += 4 * tensor.data.length;
    const part = at.slice === '' ? tensor : partOf(tensor, at.slice, name);
    this.tensors.set(name, part);
    return part;
  }

  /** Every read of a variable that the outputs may need, for the names of the layers. */
  private variableReads(main: Scope, outputs: readonly Reference[]): readonly VariableRead[] {
    const reads: VariableRead[] = [];
    const walk = (
      scope: Scope,
      roots: readonly string[],
      variables: ReadonlyMap<string, string>,
      depth: number,
    ) => {
      if (depth > 64 || reads.length > MOST_NODES) return;
      const variableOf = new Map(variables);
      for (const node of order(scope, roots, dataInputs)) {
        const source = variableOf.get(reference(node.inputs[0] ?? '').name);
        if (node.op === 'VarHandleOp' || node.op === 'VariableV2') variableOf.set(node.name, node.name);
        else if (node.op === 'Identity' && source !== undefined) variableOf.set(node.name, source);
        if ((node.op === 'ReadVariableOp' || node.op === 'ResourceGather') && source !== undefined) {
          reads.push({ node: scope.path + node.name, variable: source });
        }
        if (node.op === 'StatefulPartitionedCall' || node.op === 'PartitionedCall') {
          const called = calledFunction(node, this.graph.functions);
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
    return reads;
  }

  private problem(node: string, op: string | undefined, what: string): Unknown {
    const where = `layer "${this.layerOf(node)}" (${op ?? 'argument'})`;
    if (!this.problems.some((known) => known.where === where && known.what === what)) {
      this.problems.push({ where, what });
    }
    return unknown;
  }
}

/** The type in which a node computes, or to which it rounds. */
function halfFloatOf({ attributes }: NodeDef): HalfFloat | undefined {
  for (const name of ['T', 'DstT']) {
    const found = attributes.get(name);
    if (found?.kind === 'type' && found.value === 'half') return 'float16';
    if (found?.kind === 'type' && found.value === 'bfloat16') return 'bfloat16';
  }
  return undefined;
}

function refuseUnread(node: ReadableNode): void {
  const unread = node.unread();
  if (unread.length > 0)
    throw new Refusal(`the attribute ${unread.join(', ')} of ${node.op} is not supported`);
}

const textKinds: { readonly [K in TextValue['kind']]: true } = {
  'code points': true,
  counts: true,
  crossing: true,
  digits: true,
  numbers: true,
  partition: true,
  steps: true,
  strings: true,
  table: true,
  texts: true,
  tokens: true,
};

function isText(value: Imported): value is TextValue {
  return Object.hasOwn(textKinds, value.kind);
}

/** The inputs without which the outputs of a node are not known. */
function neededInputs(scope: Scope, node: NodeDef): readonly string[] {
  const only = absorbed(scope, node);
  return only === undefined ? dataInputs(node) : [only];
}

function dataInputs(node: NodeDef): readonly string[] {
  return node.inputs.filter((input) => !input.startsWith('^'));
}

/** The branch of an `If` that is taken. */
function chosenBranch(condition: Imported | undefined): 'then_branch' | 'else_branch' {
  if (condition?.kind !== 'constant' || condition.tensor.data.length !== 1) {
    throw new Refusal('a choice between two ways to go on, by values of the input, is not supported');
  }
  return condition.tensor.data[0] ? 'then_branch' : 'else_branch';
}

/** The scope that a node's name stands in, with its last `/`. */
function scopePath(name: string): string {
  return name.slice(0, name.lastIndexOf('/') + 1);
}

/** Whether an op has to do with complex numbers whatever it is given. */
function isComplexOnly(op: string): boolean {
  return Object.hasOwn(complexOps, op) && !Object.hasOwn(tensorflowOps, op);
}

/** The part of a tensor that `5 4 0,2:0,4` names: the shape of all, then begin and length in each dimension. */
function partOf(tensor: Tensor, slice: string, name: string): Tensor {
  const ranges = slice.split(' ').at(-1)!.split(':');
  if (ranges.length !== tensor.shape.length)
    return refuse(`variable "${name}"`, `the slice ${slice} does not fit`);
  const bounds = ranges.map((range, i) => {
    if (range === '-') return [0, tensor.shape[i]!] as const;
    const [begin, length] = range.split(',').map(Number);
    return [begin ?? 0, length ?? 0] as const;
  });
  const lengths = bounds.map(([, length]) => length);
  const isInside = bounds.every(
    ([begin, length], i) => begin >= 0 && length > 0 && begin + length <= tensor.shape[i]!,
  );
  if (!isInside)
    return refuse(`variable "${name}"`, `the slice ${slice} does not fit its shape (${tensor.shape})`);
  const strides = rowMajor(tensor.shape);
  const start = bounds.reduce((sum, [begin], i) => sum + begin * strides[i]!, 0);
  return { ...tensor, shape: lengths, data: take(tensor, stridedIndices(lengths, strides, start)) };
}
