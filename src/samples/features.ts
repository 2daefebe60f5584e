/** A user's `features.npz`: inputs by the names of the InputLayers, and TensorFlow's predictions for them. */

import type { NpyArray } from '../1-read/npy.ts';
import { readNpz } from '../1-read/npz.ts';
import { ConversionError, type Problem, Refusal, refuse } from '../errors.ts';
import { type Graph, type Input, rowsOfCall } from '../ir/graph.ts';
import {
  bind,
  elements,
  isFloat,
  type StaticType,
  type Tensor,
  type TensorType,
  zeros,
} from '../ir/types.ts';
import { textTensor } from '../ops/text.ts';
import type { Samples } from './samples.ts';

/** Reads the samples, and says everything in the file that does not fit the model. */
export function readFeatures(bytes: Uint8Array, file: string, graph: Graph): Samples {
  const arrays = readNpz(bytes, file);
  const problems: Problem[] = [];
  const attempt = (name: string, read: () => Tensor): Tensor | undefined => {
    try {
      return read();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problems.push({ where: `${file}, array \`${name}\``, what: error.message });
      return undefined;
    }
  };

  const count = sampleCount(arrays, graph);
  if (count === 0) refuse(file, 'it has no samples; give at least one');
  const batch = rowsOfCall(graph);
  if (count % batch !== 0) {
    refuse(
      file,
      `it has ${count} samples, and the model keeps a state for batches of ${batch}: give the batches of all calls, one after the other`,
    );
  }
  const inputs = new Map<string, Tensor>();
  for (const input of graph.inputs) {
    const tensor = attempt(input.name, () => inputTensor(arrays, input, count));
    if (tensor) inputs.set(input.name, tensor);
  }
  const predictions = graph.outputs.map(({ name, value }, i) => {
    const array = predictionName(arrays, graph, i);
    return attempt(array ?? 'predictions', () =>
      predictionTensor(arrays, array, name, value.type, count, graph),
    );
  });
  if (problems.length > 0) throw new ConversionError(problems);
  return { source: { kind: 'features' }, count, inputs, predictions: predictions as readonly Tensor[] };
}

/** The rows of the first array that the model knows. */
function sampleCount(arrays: ReadonlyMap<string, NpyArray>, graph: Graph): number {
  const names = [
    ...graph.inputs.map(({ name }) => name),
    ...graph.outputs.map((_, i) => predictionName(arrays, graph, i)),
  ];
  const first = names.map((name) => arrays.get(name ?? '')).find((array) => array !== undefined);
  return first?.shape[0] ?? 1;
}

function inputTensor(arrays: ReadonlyMap<string, NpyArray>, { name, type }: Input, count: number): Tensor {
  const array = arrays.get(name);
  if (!array) throw new Refusal(`it is missing; the file has ${listed(arrays)}`);
  const expected = bind(type, count);
  // A sample of one number may stand in a column of its own, or not.
  const isColumn = expected.shape.length === 2 && expected.shape[1] === 1 && array.shape.length === 1;
  if (!isColumn && `${array.shape}` !== `${expected.shape}`) {
    throw new Refusal(`the model reads ${printNumpy(type)}, and this is ${printFound(array)}`);
  }
  return cast(array, expected);
}

function listed(arrays: ReadonlyMap<string, NpyArray>): string {
  const names = [...arrays.keys()].map((name) => `\`${name}\``);
  return names.length === 0 ? 'no arrays' : names.join(', ');
}

/** `predictions`, `predictions_1`, or the name of the output. */
function predictionName(
  arrays: ReadonlyMap<string, NpyArray>,
  graph: Graph,
  index: number,
): string | undefined {
  const { name } = graph.outputs[index]!;
  const names = [`predictions_${index}`, name, `predictions_${name}`];
  if (graph.outputs.length === 1) names.unshift('predictions');
  return names.find((name) => arrays.has(name));
}

function predictionTensor(
  arrays: ReadonlyMap<string, NpyArray>,
  array: string | undefined,
  output: string,
  type: TensorType,
  count: number,
  graph: Graph,
): Tensor {
  const found = array === undefined ? undefined : arrays.get(array);
  if (!found) {
    const wanted =
      graph.outputs.length === 1
        ? 'the predictions are missing: call them `predictions`'
        : `the predictions for the output "${output}" are missing: call them \`predictions_0\`, … in the order of the outputs, or by their names`;
    throw new Refusal(`${wanted}; the file has ${listed(arrays)}`);
  }
  const expected = bind(type, count);
  const withoutColumn = (shape: readonly number[]) =>
    shape.length === 2 && shape[1] === 1 ? shape.slice(0, 1) : shape;
  if (`${withoutColumn(found.shape)}` !== `${withoutColumn(expected.shape)}`) {
    throw new Refusal(
      `the model predicts ${printNumpy(type)} for ${count} samples, and this is ${printFound(found)}`,
    );
  }
  return cast(found, expected);
}

const numpyNames: Readonly<Record<StaticType['dtype'], string>> = {
  f32: 'float32',
  f64: 'float64',
  i32: 'int32',
  i64: 'int64',
  u8: 'uint8',
  bool: 'bool',
  text: 'strings',
};

/** `float32 (n, 28, 28)` */
function printNumpy({ dtype, shape }: TensorType): string {
  const lengths = shape.map((dim) =>
    typeof dim === 'number' ? `${dim}` : dim.batch === 1 ? 'n' : `${dim.batch}·n`,
  );
  return `${numpyNames[dtype]} (${lengths.join(', ')}${lengths.length === 1 ? ',' : ''})`;
}

function printFound({ dtype, shape }: NpyArray): string {
  const kind = { f: 'float', i: 'int', u: 'uint', b: 'bool', S: 'strings', U: 'strings' }[dtype[0]!]!;
  const bits = ['f', 'i', 'u'].includes(dtype[0]!) ? 8 * Number(dtype.slice(1)) : '';
  return `${kind}${bits} (${shape.join(', ')}${shape.length === 1 ? ',' : ''})`;
}

const integerRanges: Readonly<Record<'i32' | 'i64' | 'u8' | 'bool', readonly [bigint, bigint]>> = {
  i32: [-(2n ** 31n), 2n ** 31n - 1n],
  i64: [-(2n ** 63n), 2n ** 63n - 1n],
  u8: [0n, 255n],
  bool: [0n, 1n],
};

type NumericData = Exclude<NpyArray['data'], readonly Uint8Array[]>;

function isNumeric(data: NpyArray['data']): data is NumericData {
  return ArrayBuffer.isView(data);
}

/** Numbers of another type are taken where nothing is lost but digits of a float. */
function cast(array: NpyArray, type: StaticType): Tensor {
  const { dtype, shape } = type;
  const { data: numbers } = array;
  if (dtype === 'text') {
    if (isNumeric(numbers)) throw new Refusal(`the model reads strings, and this is ${printFound(array)}`);
    return textTensor(shape, numbers);
  }
  if (!isNumeric(numbers)) throw new Refusal(`the model reads ${numpyNames[dtype]}, and this is strings`);
  const isFromFloat = array.dtype.startsWith('f');
  if (isFromFloat && !isFloat(dtype)) {
    throw new Refusal(
      `the model reads ${numpyNames[dtype]}, and this is ${printFound(array)}; cast it, if the numbers are whole`,
    );
  }
  const data = zeros(dtype, elements(shape));
  const range = isFloat(dtype) ? undefined : integerRanges[dtype];
  for (let i = 0; i < data.length; i++) {
    const value = numbers[i]!;
    if (range && (BigInt(value) < range[0] || BigInt(value) > range[1])) {
      throw new Refusal(`${value} does not fit into ${numpyNames[dtype]}, which the model reads`);
    }
    if (data instanceof BigInt64Array) data[i] = BigInt(value);
    else data[i] = Number(value);
  }
  return { dtype, shape, data };
}
