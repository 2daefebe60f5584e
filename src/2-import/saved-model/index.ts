/** A SavedModel becomes a graph: functions inlined, variables bound, lengths resolved. */

import type { Files } from '../../1-read/files.ts';
import type { MetaGraph, Signature } from '../../1-read/saved-model.ts';
import { readSavedModel } from '../../1-read/saved-model.ts';
import { ConversionError, type Problem, Refusal, refuse } from '../../errors.ts';
import { asValue, newBudget } from '../../ir/builder.ts';
import type { Graph, Output } from '../../ir/graph.ts';
import type { HalfFloat, Tensor } from '../../ir/types.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import { withStates } from '../state-values.ts';
import type { Imported, Unknown } from './imported.ts';
import { Importer } from './importer.ts';
import { layerNames } from './layer-names.ts';
import { inModelOrder } from './output-order.ts';
import { type Reference, reference, scopeOf } from './scope.ts';
import { chosenSignature, FILE, fixedBatch, inputsOf, servingGraph, writtenByKeras3 } from './signature.ts';
import { stateVariables } from './states.ts';
import { isText, textsOf } from './text.ts';
import { type Values, valuesOf } from './values.ts';
import { variableReads } from './variable-reads.ts';

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
  const budget = newBudget();
  budget.left += size;
  const inputs = inputsOf(graph, signature, options.inputShapes);
  const outputs = outputsOf(signature, name, files);
  const roots = outputs.map(({ at }) => at);
  const main = scopeOf(graph.graph.nodes, '');
  const layerOf = layerNames(variableReads(graph, main, roots), writtenByKeras3(graph));
  const states = stateVariables(graph, main, roots);
  const values = valuesOf(files, graph, budget, states, fixedBatch(signature.inputs.values()));
  const importer = new Importer(graph, layerOf, values, states, budget);
  const given = new Map(
    inputs.map(({ node, input }) => [node, [input.type.dtype === 'text' ? textsOf(input) : input]]),
  );
  const found = importer.run(main, given, roots, 0);
  const results = outputs.map(({ key }, i) => asOutput(key, found[i]!, name, values, importer.problems));
  if (importer.problems.length > 0) throw new ConversionError(importer.problems);
  return {
    graph: withStates(
      { inputs: inputs.map(({ input }) => input), outputs: results as readonly Output[] },
      values,
    ),
    variables: values
      .reads()
      .map(({ node, variable, tensor }) => ({ layer: layerOf(node).name, name: variable, tensor })),
    warnings: [...importer.warnings],
    ...(importer.halfFloat && { halfFloat: importer.halfFloat }),
  };
}

/** What the signature returns, in the order of the model's outputs. */
function outputsOf(
  signature: Signature,
  name: string,
  files: Files,
): readonly { readonly key: string; readonly at: Reference }[] {
  const outputs = [...signature.outputs].map(([key, info]) => ({ key, at: reference(info.name) }));
  if (outputs.length === 0) refuse(`signature "${name}"`, 'it has no outputs');
  const nodes = [...new Set(outputs.map(({ at }) => at.name))];
  outputs.sort((a, b) => nodes.indexOf(a.at.name) - nodes.indexOf(b.at.name) || a.at.index - b.at.index);
  const order = inModelOrder(
    outputs.map(({ key }) => key),
    files,
  );
  return outputs.sort((a, b) => order.indexOf(a.key) - order.indexOf(b.key));
}

/** What a signature returns; what cannot be told is added to the problems. */
function asOutput(
  name: string,
  value: Imported,
  signature: string,
  values: Values,
  problems: Problem[],
): Output | undefined {
  if (value.kind === 'unknown') return undefined;
  let where = `output "${name}" of the signature "${signature}"`;
  try {
    if (isText(value) && value.kind === 'numbers') {
      where = `layer "${value.layer.name}"`;
      return asOutput(name, values.nodeOf(value), signature, values, problems);
    }
    return { name, value: asValue(resultOf(value), { name }) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problems.push({ where, what: error.message });
    return undefined;
  }
}

/** What can be a result of a model. Throws a `Refusal` that says why something is none. */
function resultOf(value: Exclude<Imported, Unknown>): Operand {
  if (isText(value)) throw new Refusal('it is text, and in Rust a model predicts numbers');
  switch (value.kind) {
    case 'variable':
    case 'list':
    case 'constant':
      throw new Refusal('it does not depend on the inputs of the model');
    case 'complex':
      throw new Refusal('complex numbers cannot leave the model; return their real and imaginary parts');
    case 'input':
    case 'node':
    case 'by batch':
      if (typeof value.type.shape[0] === 'number' || value.type.shape.length === 0)
        throw new Refusal('its first dimension is not the batch');
      return value;
  }
}
