/** Adds nodes to a graph that is being imported: folds what is constant, and what follows from the batch size. */

import { Refusal } from '../errors.ts';
import { broadcast } from '../ops/broadcast.ts';
import type { Op } from '../ops/op.ts';
import type { Builder, ByBatch, Operand } from '../ops/tensorflow.ts';
import type { Constant, Layer, Node, Value } from './graph.ts';
import {
  bind,
  type Dim,
  elements,
  isStatic,
  lengthOfSample,
  printType,
  sameShape,
  type Tensor,
  type TensorType,
  tensor,
} from './types.ts';

/** Batch sizes at which lengths are tried: what is a multiple of N at all of them is one. */
const TRIALS = [11, 13, 17] as const;

/**
 * How many more numbers the constants of a model may come to: a small file must not ask for endless memory. What is
 * read from the file adds to it.
 */
export interface Budget {
  left: number;
}

/** 256 MiB of floats, whatever the size of the model. */
const MOST_NUMBERS = 2 ** 26;

export function newBudget(): Budget {
  return { left: MOST_NUMBERS };
}

/** Throws a `Refusal` if the constants of the model come to more than the budget. */
export function spend(budget: Budget, numbers: number): void {
  budget.left -= numbers;
  if (budget.left < 0)
    throw new Refusal('its constants come to many times the size of the file, which is not supported');
}

/** A constant takes at most this many multiplications. */
const MOST_OPERATIONS = 2 ** 32;

/** An input or a result of one sample has at most this many numbers: a gigabyte of floats. */
const MOST_RESULTS = 2 ** 28;

export function refuseTooLarge(type: TensorType): void {
  refuseImpossible(type);
  if (lengthOfSample(type) > MOST_RESULTS) {
    throw new Refusal(`${printType(type)} has more than 2^28 numbers a sample, which is not supported`);
  }
}

/** What an operator computes of impossible settings is impossible. */
function refuseImpossible(type: TensorType): void {
  const lengths = type.shape.map((dim) => (typeof dim === 'number' ? dim : dim.batch));
  if (lengths.every((length) => Number.isSafeInteger(length) && length >= 0)) return;
  throw new Refusal(`its result would be ${printType(type)}, which is impossible`);
}

/** A builder whose nodes belong to a layer. */
export function builderFor(layer: Layer, budget: Budget = newBudget()): Builder {
  return {
    add: (op, inputs, attributes, weights) => add(op, inputs, attributes, weights, layer, budget),
    byBatch: (dtype, shape, numbers) =>
      known(TRIALS.map((samples) => tensor(dtype, shape, numbers(samples)))),
  };
}

export function constant(value: Tensor, variable?: string): Constant {
  const type = { dtype: value.dtype, shape: value.shape };
  return { kind: 'constant', type, tensor: value, ...(variable === undefined ? {} : { variable }) };
}

/** The lengths that an operand holds. Throws a `Refusal` if they are not known before the first prediction. */
export function dimsOf(operand: Operand): readonly Dim[] {
  if (operand.kind === 'constant') return Array.from(operand.tensor.data, Number);
  if (operand.kind !== 'by batch') throw new Refusal('a shape depends on the values of the input');
  const [first] = operand.tensors;
  return Array.from({ length: first!.data.length }, (_, i) =>
    fit(operand.tensors.map(({ data }) => Number(data[i]))),
  );
}

function add<Name extends string, Input extends string, Weight extends string, Attributes>(
  op: Op<Name, Input, Weight, Attributes>,
  inputs: Readonly<Record<Input, Operand>>,
  attributes: Attributes,
  weights: Readonly<Record<Weight, Tensor>>,
  layer: Layer,
  budget: Budget,
): Operand {
  const operands = Object.values<Operand>(inputs);
  const types = { ...mapValues(inputs, ({ type }) => type), ...weights } as Record<
    Input | Weight,
    TensorType
  >;
  if (!op.readsText && operands.some(({ type }) => type.dtype === 'text'))
    throw new Refusal('it reads text, and is not supported for text; prepare the text before the model');
  const type = op.infer(types, attributes);
  refuseImpossible(type);

  if (operands.every((operand) => operand.kind === 'constant' || operand.kind === 'by batch')) {
    const evaluateAt = (trial: number): Tensor => {
      const tensors = mapValues(inputs, (operand) => tensorAt(operand, trial));
      const output = bind(type, TRIALS[trial]!);
      spend(budget, elements(output.shape));
      if ((op.operations?.(types, attributes, output) ?? 0) > MOST_OPERATIONS) {
        throw new Refusal('a constant that takes more than 2^32 multiplications');
      }
      const values = { ...tensors, ...weights } as Record<Input | Weight, Tensor>;
      return { ...output, data: op.evaluate(values, attributes, output) };
    };
    const isSame = isStatic(type) && operands.every((operand) => operand.kind === 'constant');
    return isSame ? constant(evaluateAt(0)) : known(TRIALS.map((_, trial) => evaluateAt(trial)));
  }
  refuseTooLarge(type);
  return node(
    op,
    mapValues(inputs, (x) => asValue(x, layer)),
    attributes,
    weights,
    type,
    layer,
  );
}

/** A node of the graph. An operator and its attributes go together by construction; the union of all nodes cannot say so here. */
export function node<Name extends string, Input extends string, Weight extends string, Attributes>(
  { name }: Op<Name, Input, Weight, Attributes>,
  inputs: Readonly<Record<Input, Value>>,
  attributes: Attributes,
  weights: Readonly<Record<Weight, Tensor>>,
  type: TensorType,
  layer: Layer,
): Node {
  return { kind: 'node', op: name, inputs, weights, attributes, type, layer } as unknown as Node;
}

function mapValues<K extends string, A, B>(record: Readonly<Record<K, A>>, map: (a: A) => B): Record<K, B> {
  return Object.fromEntries(Object.entries<A>(record).map(([key, value]) => [key, map(value)])) as Record<
    K,
    B
  >;
}

function tensorAt(operand: Operand, trial: number): Tensor {
  if (operand.kind === 'constant') return operand.tensor;
  if (operand.kind === 'by batch') return operand.tensors[trial]!;
  throw new Error('the operand is not known before the first prediction');
}

/** What a value is at each of the trials: the same at all, or what follows from the batch. */
function known(tensors: readonly Tensor[]): Operand {
  const [first, ...others] = tensors;
  const isSame = others.every(
    (other) =>
      sameShape(other.shape, first!.shape) &&
      other.data.every((x: number | bigint, i: number) => x === first!.data[i]),
  );
  if (isSame) return constant(first!);
  const shape = first!.shape.map((_, i) => fit(tensors.map((trial) => trial.shape[i]!)));
  return { kind: 'by batch', type: { dtype: first!.dtype, shape }, tensors };
}

/** The length that these are at each of the trials. */
function fit(lengths: readonly number[]): Dim {
  const [first] = lengths;
  if (lengths.every((length) => length === first)) return first!;
  const batch = first! / TRIALS[0];
  const isMultiple = Number.isInteger(batch) && lengths.every((length, i) => length === batch * TRIALS[i]!);
  if (!isMultiple) throw new Refusal('a length follows from the number of samples, but is no multiple of it');
  return { batch };
}

/** A value of the graph. What is the same for every sample becomes a constant that is stretched to all. */
export function asValue(operand: Operand, layer: Layer): Value {
  if (operand.kind !== 'by batch') return operand;
  const { type } = operand;
  return node(broadcast, { x: constant(rowOf(operand)) }, { shape: type.shape }, {}, type, layer);
}

function rowOf({ type, tensors }: ByBatch): Tensor {
  const [first, ...others] = tensors;
  const [batch, ...rest] = type.shape;
  if (typeof batch !== 'object' || !isStatic({ dtype: type.dtype, shape: rest })) {
    throw new Refusal('a result depends on the number of samples');
  }
  const shape = [1, ...(rest as readonly number[])];
  const length = elements(shape);
  const data = first!.data.slice(0, length);
  const isSame = [first!, ...others].every((trial) =>
    trial.data.every((x: number | bigint, i: number) => Object.is(x, data[i % length])),
  );
  if (!isSame) throw new Refusal('a result depends on the number of samples');
  const isUniform = data.every((x: number | bigint) => Object.is(x, data[0]));
  return isUniform
    ? { dtype: type.dtype, shape: [], data: data.slice(0, 1) }
    : { dtype: type.dtype, shape, data };
}
