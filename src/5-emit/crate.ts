/** What the files of a generated crate have in common: its names, its types, and the statements of its steps. */

import type { Plan } from '../4-plan/plan.ts';
import { refuse } from '../errors.ts';
import { type Input, inputsOf, type Node, type Output, type Value } from '../ir/graph.ts';
import { bytesOf, type HalfFloat, lengthOfSample } from '../ir/types.ts';
import type { ModelName } from '../model-name.ts';
import type { WeightsPlace } from '../request.ts';
import { type Names, namesOf, titleOf } from './names.ts';
import { codeText, rustString } from './rust-layout.ts';
import { sampleType, zeroOf } from './sample-types.ts';
import {
  type LayerMember,
  type LoopStruct,
  type Statement,
  StatementWriter,
  statementsOf,
} from './statements.ts';

/** An InputLayer, as the crate has it. */
export interface InputField {
  /** The name of the InputLayer, and of the array in an npz file. */
  readonly name: string;
  /** The same as a literal of Rust. */
  readonly literal: string;
  readonly field: string;
  /** `[i64; 100]`, `[&str; 4]` */
  readonly type: string;
  /** One number or string for each sample. */
  readonly isNumber: boolean;
  readonly isText: boolean;
  readonly input: Input;
}

/** An output, as the crate has it. */
export interface OutputField {
  readonly output: Output;
  /** The field of `Prediction`, if there are several. */
  readonly field: string;
  /** The variable of `forward` that holds it. */
  readonly variable: string;
  /** `[f32; 10]` */
  readonly type: string;
  readonly zero: string;
  readonly bytes: number;
  /** `predictions`, or `predictions_0` of several. */
  readonly array: string;
}

/** What the model keeps from one prediction to the next, as the crate has it. */
export interface CrateMemory {
  /** How many samples each prediction is for. */
  readonly batch: number;
  readonly states: readonly StateField[];
}

/** A field of `State`, with a row for each sample. */
export interface StateField {
  readonly field: string;
  /** `[f32; 4]` */
  readonly type: string;
  /** What it is before the first prediction: all rows. */
  readonly initial: string;
  /** The variable of `forward` that it becomes. */
  readonly next: string;
}

export interface Crate {
  readonly name: ModelName;
  readonly version: string;
  /** The last part of the path of the model it comes from. */
  readonly source: string;
  readonly plan: Plan;
  readonly names: Names;
  readonly inputs: readonly InputField[];
  readonly outputs: readonly OutputField[];
  readonly memory?: CrateMemory;
  readonly layers: readonly LayerMember[];
  /** The statements of `forward`. */
  readonly statements: readonly Statement[];
  /** The loops that they run. */
  readonly loops: readonly LoopStruct[];
  /** Names of `tf_layers` that the statements use, such as `activation::RELU`. */
  readonly uses: readonly string[];
  /** Whether a step can find an input that it cannot read. */
  readonly isFallible: boolean;
  /** Whether the output is a score with a confidence level. */
  readonly isBinary: boolean;
  /** Whether the outputs are too large to be returned by value. */
  readonly isLarge: boolean;
  /** Whether each step keeps its own buffer, and can show it. */
  readonly hasIntermediates: boolean;
  readonly weights: WeightsPlace;
  /** What TensorFlow computes the model with, if less precise than f32. */
  readonly halfFloat?: HalfFloat;
}

export interface CrateOptions {
  readonly name: ModelName;
  readonly version: string;
  readonly source: string;
  readonly isBinary: boolean;
  readonly hasIntermediates: boolean;
  /** Where the weights go, if the user said so. */
  readonly weights?: WeightsPlace;
  /** What TensorFlow computes the model with, if less precise than f32. */
  readonly halfFloat?: HalfFloat;
}

/** Weights above this many bytes are in a file: a program that holds them takes long to build. */
const LARGEST_EMBEDDED = 64 * 1024 * 1024;

/** An output above this many bytes is never returned by value: it would overflow the stack of a test. */
const LARGEST_VALUE = 1024;

export function crateOf(plan: Plan, options: CrateOptions): Crate {
  const names = namesOf(plan, options.hasIntermediates);
  const writer = new StatementWriter(plan, names);
  const statements = statementsOf(plan, writer);
  const outputs = plan.graph.outputs.map(({ name, value }, i): OutputField => {
    return {
      output: { name, value },
      field: names.outputs[i]!,
      variable: names.steps.get(value as Node)!,
      type: sampleType(value.type),
      zero: zeroOf(value.type),
      bytes: lengthOfSample(value.type) * bytesOf(value.type.dtype),
      array: plan.graph.outputs.length === 1 ? 'predictions' : `predictions_${i}`,
    };
  });
  const memory = memoryOf(plan, names, writer);
  return {
    ...options,
    plan,
    names,
    ...(memory && { memory }),
    inputs: plan.graph.inputs.map((input) => ({
      name: input.name,
      literal: rustString(input.name),
      field: names.inputs.get(input)!,
      type: sampleType(input.type),
      isNumber: input.type.shape.length === 1,
      isText: input.type.dtype === 'text',
      input,
    })),
    outputs,
    layers: writer.shared.layers,
    statements,
    loops: writer.loops,
    uses: [...writer.shared.uses],
    isFallible: statements.some(({ expression }) => expression.endsWith('?')),
    isLarge: outputs.reduce((sum, { bytes }) => sum + bytes, 0) > LARGEST_VALUE,
    weights: weightsPlace(writer.shared.layers, options.weights),
  };
}

function memoryOf({ graph }: Plan, names: Names, writer: StatementWriter): CrateMemory | undefined {
  if (!graph.memory) return undefined;
  const states = graph.memory.states.map(({ input, next, initial }): StateField => {
    const field = names.states.get(input)!;
    return {
      field,
      type: writer.sampleType(input.type),
      initial: initial.data.every((x: number | bigint) => Object.is(Number(x), 0))
        ? `vec![${zeroOf(input.type)}; BATCH]`
        : `${writer.constant(initial, field)}[0].to_vec()`,
      next: names.steps.get(next as Node)!,
    };
  });
  return { batch: graph.memory.batch, states };
}

function weightsPlace(layers: readonly LayerMember[], wanted: WeightsPlace | undefined): WeightsPlace {
  if (wanted === 'file' && layers.length === 0)
    refuse('--weights', 'the model has no weights to put in a file');
  if (wanted !== undefined) return wanted;
  const weights = layers.flatMap((layer) => layer.weights);
  const bytes = weights.reduce(
    (sum, weight) => sum + (weight.kind === 'array' ? weight.tensor.data.byteLength : 0),
    0,
  );
  return bytes > LARGEST_EMBEDDED ? 'file' : 'embed';
}

/** `TestModel::new()`, or the model of the weights that build.rs has packed. */
export function newModel({ name, weights }: Crate): string {
  return weights === 'file' ? `${name.type}::open(WEIGHTS).unwrap()` : `${name.type}::new()`;
}

/** Whether the model predicts single samples: one with a state for more at once does not. */
export function predictsOne({ memory }: Crate): boolean {
  return memory === undefined || memory.batch === 1;
}

/** The constant that `newModel` needs, with an empty line after it. */
export function weightsConstant({ name, weights }: Crate, indent = ''): string {
  if (weights === 'embed') return '';
  return `${indent}/// Where build.rs has packed the weights.
${indent}const WEIGHTS: &str = concat!(env!("OUT_DIR"), "/${name.crate}.bin");

`;
}

/** How far predictions may be from TensorFlow's, by `largestError`. */
export interface Tolerance {
  readonly value: number;
  /** Why they may be off at all: the same sums in another order, which add up in a deep network. */
  readonly cause: 'order' | 'depth' | 'rounding' | 'half';
}

/**
 * 1e-5 for each layer with weights that the predictions pass one after the other, and 1e-4 at most. `rounding` is how
 * far that alone takes the predictions, where it has been measured.
 */
export function tolerance({ plan, halfFloat }: Crate, rounding = 0): Tolerance {
  const depth = Math.max(1, Math.min(depthOf(plan), 10));
  if (halfFloat) {
    const one = 2 ** (halfFloat === 'float16' ? -11 : -8);
    return { value: Number((one * (depth === 10 ? 32 : 8)).toPrecision(1)), cause: 'half' };
  }
  const usual = Number((1e-5 * depth).toPrecision(1));
  if (rounding <= usual) return { value: usual, cause: depth > 1 ? 'depth' : 'order' };
  const digit = 10 ** Math.floor(Math.log10(rounding));
  return { value: Number((Math.ceil(rounding / digit) * digit).toPrecision(1)), cause: 'rounding' };
}

/** The most layers with weights on a way from an input to an output; the steps of one layer count once. */
function depthOf({ steps }: Plan): number {
  const ways = new Map<Value, { readonly depth: number; readonly layer: string }>();
  let deepest = 0;
  for (const { node } of steps) {
    let way = { depth: 0, layer: '' };
    for (const input of inputsOf(node)) {
      const before = ways.get(input);
      if (before && before.depth > way.depth) way = before;
    }
    const { name } = node.layer;
    const isLayer = (node.op === 'Loop' || Object.keys(node.weights).length > 0) && name !== way.layer;
    ways.set(node, isLayer ? { depth: way.depth + 1, layer: name } : way);
    deepest = Math.max(deepest, ways.get(node)!.depth);
  }
  return deepest;
}

/** Whether `Inputs` borrows anything. */
export function hasLifetime(inputs: readonly InputField[]): boolean {
  return inputs.some(({ isNumber, isText }) => isText || !isNumber);
}

/** How the rows of an input are read from an npz file: `file.rows("x")`. */
export function rowsOf({ isText, literal }: InputField): string {
  return `file.${isText ? 'texts' : 'rows'}(${literal})`;
}

/** The layer of an output, for comments. */
export function layerOf({ output }: OutputField): string {
  return codeText(output.value.kind === 'node' ? titleOf(output.value) : output.name);
}
