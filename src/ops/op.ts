/** What every operator in this folder says about itself. */

import type { Graph } from '../ir/graph.ts';
import type { StaticType, Tensor, TensorData, TensorType } from '../ir/types.ts';

/**
 * Everything that tf2rust knows about one operator. `Input` names what flows in at every
 * prediction, `Weight` what training fixed.
 */
export interface Op<Name extends string, Input extends string, Weight extends string, Attributes> {
  readonly name: Name;
  /** Undefined for an operator with any number of inputs: they are called `x0`, `x1`, … */
  readonly inputs: readonly Input[] | undefined;
  readonly weights: readonly Weight[];

  /** The type of the output. Throws a `Refusal` for inputs that do not fit, or that the operator cannot do. */
  infer(types: Readonly<Record<Input | Weight, TensorType>>, attributes: Attributes): TensorType;

  /**
   * The output by plain loops: the oracle of the tests, and the folder of constants. `run` runs a graph that is an
   * attribute; there is none where constants are folded.
   */
  evaluate(
    values: Readonly<Record<Input | Weight, Tensor>>,
    attributes: Attributes,
    output: StaticType,
    run?: RunGraph,
  ): TensorData;

  /** The Rust expression of the output, which writes it to the buffer `into`. */
  emit(step: EmittedStep<Input, Weight>, attributes: Attributes): string;

  /** How to write the output over an input, where nothing else reads it. */
  readonly inPlace?: {
    /** The input that can be written over, if its type allows it. */
    readonly over: Input;
    readonly fits: (types: Readonly<Record<Input | Weight, TensorType>>, output: TensorType) => boolean;
    readonly emit: (step: EmittedStep<Input, Weight>, attributes: Attributes) => string;
  };

  /** How to leave the output to the one step that reads it, band by band: no memory holds it. */
  readonly bands?: {
    readonly fits: (types: Readonly<Record<Input | Weight, TensorType>>, attributes: Attributes) => boolean;
    readonly emit: (step: EmittedStep<Input, Weight>, attributes: Attributes) => string;
  };

  /** How to read an input that is left to it so. */
  readonly overBands?: {
    readonly input: Input;
    readonly fits: (types: Readonly<Record<Input | Weight, TensorType>>, attributes: Attributes) => boolean;
    /** How many numbers of f32 it computes in. */
    readonly work: (types: Readonly<Record<Input | Weight, TensorType>>, attributes: Attributes) => number;
    readonly emit: (step: EmittedStep<Input, Weight>, attributes: Attributes) => string;
  };

  /** The output is the first input's memory, seen with another shape: `into` is not used. */
  readonly isView?: true;

  /** Its inputs may be text. All other operators are of numbers. */
  readonly readsText?: true;

  /** How many numbers of f32 it computes in besides, however many samples there are. */
  readonly work?: (types: Readonly<Record<Input | Weight, TensorType>>, attributes: Attributes) => number;

  /** The class of the Keras layer that does the same, for the pictures and the architecture file. */
  readonly className: (attributes: Attributes, types: Readonly<Record<Input | Weight, TensorType>>) => string;

  /** Multiplications and additions for one sample, where they are worth counting. */
  readonly operations?: (
    types: Readonly<Record<Input | Weight, TensorType>>,
    attributes: Attributes,
    output: TensorType,
  ) => number;
}

/** The outputs of a graph, for its inputs by their names. */
export type RunGraph = (
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  samples: number,
) => readonly Tensor[];

/** What an operator needs to write its statement. */
export interface EmittedStep<Input extends string, Weight extends string> {
  /** Rust expressions of the inputs: slices of samples. */
  readonly inputs: Readonly<Record<Input, string>>;
  readonly types: Readonly<Record<Input | Weight, TensorType>>;
  readonly output: TensorType;
  /** The buffer to write to. */
  readonly into: string;
  /** The numbers that the operator asked for, to compute in. */
  readonly work: string;
  /** Whether the first input may be written to: a view of it must be so too. */
  readonly isMutable: boolean;
  /** What errors call the input, as a literal: the name of the model's input, or of the layer. */
  readonly nameOf: (input: Input) => string;
  /**
   * Declares the step's field in `Layers` and returns the path to it.
   * `pack` names the weights in the order in which the layer type takes them.
   */
  layer(field: LayerField<Weight>): string;
  /** Declares the loop that the step is, and returns the call that runs it. */
  loop(inputs: readonly string[], into: string): string;
  /** Imports names of `tf_layers`, such as `activation::RELU`, and returns the last part of the last. */
  use(...names: readonly string[]): string;
}

/** A field of the generated `Layers`. */
export interface LayerField<Weight extends string> {
  /** `Dense<64, 10, 65>`: a type of `tf_layers`. */
  readonly rustType: string;
  /** `64 → 10.` */
  readonly doc: string;
  readonly pack: readonly Weight[];
}

export function defineOp<
  const Name extends string,
  const Input extends string,
  Attributes,
  const Weight extends string = never,
>(op: Op<Name, Input, Weight, Attributes>): Op<Name, Input, Weight, Attributes> {
  return op;
}
