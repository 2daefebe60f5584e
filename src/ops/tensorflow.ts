/** How an operator reads a node of a TensorFlow graph, and what it makes of it. */

import type { Constant, Value } from '../ir/graph.ts';
import type { Dim, DType, Tensor, TensorType } from '../ir/types.ts';
import type { Op } from './op.ts';

/** What is known for any number of samples, but not the same for all: the shape of the batch, and what follows. */
export interface ByBatch {
  readonly kind: 'by batch';
  readonly type: TensorType;
  /** One for each of the batch sizes at which it was tried. */
  readonly tensors: readonly Tensor[];
}

/** What flows between TensorFlow nodes while they are read. */
export type Operand = Value | ByBatch;

/** The builder that `add`s our operators in place of foreign ones. */
export interface Builder {
  /** A node, or the constant that it comes to. Throws a `Refusal` for inputs that do not fit. */
  add<Name extends string, Input extends string, Weight extends string, Attributes>(
    op: Op<Name, Input, Weight, Attributes>,
    inputs: Readonly<Record<Input, Operand>>,
    attributes: Attributes,
    weights: Readonly<Record<Weight, Tensor>>,
  ): Operand;
  /** Numbers that follow from the number of samples alone. */
  byBatch(dtype: DType, shape: readonly number[], numbers: (samples: number) => readonly number[]): Operand;
}

/** A node of a TensorFlow graph, as an operator sees it. An attribute that nobody reads is an error. */
export interface TensorflowNode extends Builder {
  readonly op: string;
  readonly inputs: readonly Operand[];
  input(index: number): Operand;
  /** The tensor of an input that must be the same at every prediction. */
  constant(index: number): Tensor;
  /** The numbers of such an input. */
  integers(index: number): readonly number[];
  /** The lengths in an input, which may follow from the number of samples. */
  dims(index: number): readonly Dim[];
  /** Attributes, with the default that TensorFlow's op registry gives them. */
  number(name: string, otherwise: number): number;
  flag(name: string, otherwise: boolean): boolean;
  text(name: string, otherwise: string): string;
  list(name: string): readonly number[];
  /** Integers of 64 bits, one or a list. */
  bigints(name: string): readonly bigint[];
  texts(name: string): readonly string[];
  dtype(name: string): DType;
}

/** What a TensorFlow node comes to: one operand for each of its outputs. */
export type Lowering = (node: TensorflowNode) => Operand | readonly Operand[];

/** Lowerings by the names of TensorFlow's ops. */
export type TensorflowOps = Readonly<Record<string, Lowering>>;

export function isConstant(operand: Operand): operand is Constant {
  return operand.kind === 'constant';
}

export function constantOf(value: Tensor): Constant {
  return { kind: 'constant', type: { dtype: value.dtype, shape: value.shape }, tensor: value };
}
