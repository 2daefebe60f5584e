/** What a SavedModel says of its inputs: which graph and which signature count, and the type of each input. */

import { dtypeOf } from '../../1-read/element-types.ts';
import type { MetaGraph, Signature, TensorInfo } from '../../1-read/saved-model.ts';
import { ConversionError, type Problem, Refusal, refuse } from '../../errors.ts';
import { refuseTooLarge } from '../../ir/builder.ts';
import type { Input } from '../../ir/graph.ts';
import type { Dim } from '../../ir/types.ts';
import { reference } from './scope.ts';

/** The file of a SavedModel that holds its graph. */
export const FILE = 'saved_model.pb';

export function servingGraph(graphs: readonly MetaGraph[]): MetaGraph {
  const graph = graphs.find(({ tags }) => tags.includes('serve')) ?? graphs[0];
  return (
    graph ?? refuse(FILE, 'it has no graph; save the model with model.export(…) or tf.saved_model.save(…)')
  );
}

/** The signature of that name, or else the usual one, or the only one. */
export function chosenSignature(graph: MetaGraph, wanted: string | undefined): readonly [string, Signature] {
  const names = [...graph.signatures.keys()];
  const only = names.length === 1 ? names[0] : undefined;
  const name = wanted ?? (graph.signatures.has('serving_default') ? 'serving_default' : only);
  const signature = name === undefined ? undefined : graph.signatures.get(name);
  if (name !== undefined && signature) return [name, signature];
  if (names.length === 0) {
    return refuse(
      FILE,
      'it has no signature, so nothing says what its inputs are; save it with model.export(…)',
    );
  }
  return refuse(
    FILE,
    `there is no signature "${name ?? 'serving_default'}"; --signature takes one of: ${names.join(', ')}`,
  );
}

/** TensorFlow has brought Keras 3 along since its version 2.16. */
export function writtenByKeras3({ tensorflowVersion }: MetaGraph): boolean {
  const [major = 0, minor = 0] = tensorflowVersion.split('.').map(Number);
  return major > 2 || (major === 2 && minor >= 16);
}

/** The model's inputs, in the order of the graph, each with the node that stands for it. */
export function inputsOf(
  graph: MetaGraph,
  signature: Signature,
  shapes: ReadonlyMap<string, readonly number[]>,
): readonly { readonly node: string; readonly input: Input }[] {
  const places = new Map(graph.graph.nodes.map(({ name }, i) => [name, i]));
  const infos = [...signature.inputs].sort(
    ([, a], [, b]) => (places.get(reference(a.name).name) ?? 0) - (places.get(reference(b.name).name) ?? 0),
  );
  const problems: Problem[] = [];
  for (const given of shapes.keys()) {
    if (signature.inputs.has(given)) continue;
    const names = [...signature.inputs.keys()].join(', ');
    problems.push({ where: `--input_shape ${given}`, what: `the model has no such input, but: ${names}` });
  }
  const inputs = infos.flatMap(([name, info]) => {
    try {
      const type = inputType(name, info, shapes.get(name));
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

/** How many samples all inputs have, if the model fixes it. */
export function fixedBatch(inputs: Iterable<TensorInfo>): number | undefined {
  const batches = [...inputs].map(({ shape }) => (shape === 'unknown' ? undefined : shape[0]));
  const [first] = batches;
  return batches.every((batch) => batch === first) ? first : undefined;
}

/** The type of an input, whose first dimension is the batch. */
export function inputType(
  name: string,
  info: TensorInfo,
  given: readonly number[] | undefined,
): Input['type'] {
  const type = declaredType(name, info, given);
  refuseTooLarge(type);
  return type;
}

function declaredType(name: string, info: TensorInfo, given: readonly number[] | undefined): Input['type'] {
  const found = dtypeOf(info.type);
  const dtype = found === 'string' ? 'text' : found;
  if (info.encoding !== 'dense')
    throw new Refusal(`it is ${info.encoding}, and only dense tensors are supported`);
  if (dtype === undefined) throw new Refusal(`inputs of type ${info.type} are not supported`);
  const example =
    info.shape === 'unknown' ? [1, 128] : [1, ...info.shape.slice(1).map((length) => length ?? 128)];
  const open = `pass its lengths, batch first, such as --input_shape ${name}=${example}`;
  if (info.shape === 'unknown') {
    if (!given) throw new Refusal(`its shape is not known; ${open}`);
    return { dtype, shape: [{ batch: 1 }, ...given.slice(1)] };
  }
  if (info.shape.length === 0)
    throw new Refusal('it is a single number for all samples, without a batch dimension');
  if (given && given.length !== info.shape.length) {
    throw new Refusal(
      `--input_shape gives ${given.length} lengths, and the input has ${info.shape.length}, batch first`,
    );
  }
  const rest = info.shape.slice(1);
  const lengths = given?.slice(1);
  const shape = rest.map((length, i): Dim => {
    if (lengths && length !== undefined && length !== lengths[i]) {
      throw new Refusal(
        `--input_shape gives ${lengths[i]} for dimension ${i + 1}, which the model fixes at ${length}`,
      );
    }
    const dim = length ?? lengths?.[i];
    if (dim === undefined)
      throw new Refusal(`dimension ${i + 1} of ${printOpen(info.shape)} is open; ${open}`);
    if (dim === 0) throw new Refusal('it has no elements');
    return dim;
  });
  return { dtype, shape: [{ batch: 1 }, ...shape] };
}

function printOpen(shape: TensorInfo['shape']): string {
  return shape === 'unknown' ? 'any shape' : `(${shape.map((length) => length ?? 'None').join(', ')})`;
}
