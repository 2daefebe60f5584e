/** What the files of a generated crate have in common: its names, its types, and the statements of its steps. */

import { type Plan, type Step, typesOf } from '../4-plan/plan.ts';
import { ConversionError, type Problem, Refusal, refuse } from '../errors.ts';
import { opOf } from '../evaluate/evaluate.ts';
import { type Input, inputsOf, type Node, type Output, type Value } from '../ir/graph.ts';
import {
  bytesOf,
  type DType,
  type HalfFloat,
  lengthOfSample,
  type Tensor,
  type TensorType,
} from '../ir/types.ts';
import type { ModelName } from '../model-name.ts';
import type { WeightsPlace } from '../request.ts';
import { type Names, namesOf, rustName, titleOf, uniqueNames, WORK } from './names.ts';
import { rustString } from './rust-layout.ts';

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

/** A field of `Layers`, with its weights. */
export interface LayerMember {
  readonly field: string;
  readonly rustType: string;
  readonly doc: string;
  readonly weights: readonly LayerWeight[];
}

/** What a layer takes: an array of `model_weights.npz`, or the zeros of a bias that the model does not have. */
export type LayerWeight =
  | { readonly kind: 'array'; readonly array: string; readonly tensor: Tensor }
  | { readonly kind: 'zeros'; readonly literal: string; readonly tensor: Tensor };

/** `let variable: type = expression;` */
export interface Statement {
  readonly variable: string;
  /** `&[[f32; 10]]` */
  readonly type: string;
  readonly expression: string;
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
  /** Names of `tf_layers` that the statements use, such as `Activation::Relu`. */
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
  const writer = new StatementWriter(names);
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
    layers: writer.layers,
    statements,
    uses: [...writer.uses],
    isFallible: statements.some(({ expression }) => expression.endsWith('?')),
    isLarge: outputs.reduce((sum, { bytes }) => sum + bytes, 0) > LARGEST_VALUE,
    weights: weightsPlace(writer.layers, options.weights),
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

/** The statement of every step; what has no Rust is told all at once. */
function statementsOf({ steps }: Plan, writer: StatementWriter): readonly Statement[] {
  const problems: Problem[] = [];
  const statements = steps.flatMap((step) => {
    try {
      return [writer.statement(step)];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      const { layer, op } = step.node;
      problems.push({ where: `layer "${layer.name}" (${layer.className ?? op})`, what: error.message });
      return [];
    }
  });
  if (problems.length > 0) throw new ConversionError(problems);
  return statements;
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
    const isLayer = Object.keys(node.weights).length > 0 && name !== way.layer;
    ways.set(node, isLayer ? { depth: way.depth + 1, layer: name } : way);
    deepest = Math.max(deepest, ways.get(node)!.depth);
  }
  return deepest;
}

/** `[[f32; 32]; 100]`: a sample, without the batch. */
export function sampleType({ dtype, shape }: TensorType): string {
  return arrayOf(shape.slice(1).map(lengthOf), dtype === 'text' ? '&str' : dtype);
}

/** The type with a lifetime: `[&'static str; 4]`. */
export function withLifetime(type: string, lifetime: string): string {
  return type.replace('&str', `&'${lifetime} str`);
}

/** Whether `Inputs` borrows anything. */
export function hasLifetime(inputs: readonly InputField[]): boolean {
  return inputs.some(({ isNumber, isText }) => isText || !isNumber);
}

/** How the rows of an input are read from an npz file: `file.rows("x")`. */
export function rowsOf({ isText, literal }: InputField): string {
  return `file.${isText ? 'texts' : 'rows'}(${literal})`;
}

/** `[[f32; 32]; 100]`, `[[0.0; 32]; 100]`: what Rust writes for a type, or a value, over and over. */
function arrayOf(shape: readonly number[], element: string): string {
  return shape.reduceRight((inner, length) => `[${inner}; ${length}]`, element);
}

function zeroOf({ dtype, shape }: TensorType): string {
  const zeros: Readonly<Record<DType, string>> = {
    f32: '0.0',
    f64: '0.0',
    i32: '0',
    i64: '0',
    u8: '0',
    bool: 'false',
    text: '""',
  };
  return arrayOf(shape.slice(1).map(lengthOf), zeros[dtype]);
}

function lengthOf(dim: TensorType['shape'][number]): number {
  return typeof dim === 'number' ? dim : dim.batch;
}

/** Whether a layer has these weights already: layers that are called several times, and loops that are written out. */
function sameWeights({ weights }: LayerMember, tensors: readonly Tensor[]): boolean {
  return weights.every(({ tensor }, i) => {
    const other = tensors[i]!;
    if (tensor === other) return true;
    const isAlike = tensor.dtype === other.dtype && tensor.data.length === other.data.length;
    return isAlike && tensor.data.every((x: number | bigint, at: number) => Object.is(x, other.data[at]));
  });
}

/** Writes the statements, and collects the layers and the names that they use. */
class StatementWriter {
  readonly layers: LayerMember[] = [];
  readonly uses = new Set<string>();
  private readonly fieldNames = uniqueNames();
  private readonly constants = new Map<Value, string>();
  private readonly names: Names;

  constructor(names: Names) {
    this.names = names;
  }

  statement({ node, place, isMutable }: Step): Statement {
    const op = opOf(node);
    const variable = this.names.steps.get(node)!;
    const inputs = Object.entries<Value>(node.inputs);
    const step = {
      inputs: Object.fromEntries(inputs.map(([name, value]) => [name, this.expression(value, variable)])),
      types: typesOf(node),
      output: node.type,
      into: place.kind === 'buffer' ? this.names.buffers[place.buffer]! : '',
      work: WORK,
      isMutable,
      nameOf: (name: string) => {
        const input = (node.inputs as Readonly<Record<string, Value>>)[name];
        return rustString(input?.kind === 'input' ? input.name : titleOf(node));
      },
      layer: (field: { rustType: string; doc: string; pack: readonly string[] }) =>
        this.layer(variable, field, node.weights),
      use: (...paths: readonly string[]) => this.use(paths),
    };
    const expression =
      place.kind === 'over' ? op.inPlace!.emit(step, node.attributes) : op.emit(step, node.attributes);
    const type = `&${isMutable ? 'mut ' : ''}[${this.sampleType(node.type)}]`;
    return { variable, type, expression };
  }

  /** Clippy finds a slice of arrays nested deeper than four times hard to read. */
  sampleType(type: TensorType): string {
    const lengths = type.shape.slice(1).map(lengthOf);
    return lengths.length < 5
      ? sampleType(type)
      : `${this.use([`Rank${lengths.length}`])}<${[type.dtype, ...lengths].join(', ')}>`;
  }

  private expression(value: Value, reader: string): string {
    switch (value.kind) {
      case 'input':
        return this.names.states.get(value) ?? `inputs.${this.names.inputs.get(value)}`;
      case 'node':
        return this.names.steps.get(value)!;
      case 'constant': {
        const known = this.constants.get(value);
        if (known !== undefined) return known;
        const sample = value.tensor.shape[0] === 1 ? value.tensor.shape.slice(1) : value.tensor.shape;
        const field = this.constant(
          { ...value.tensor, shape: sample },
          value.variable ?? `${reader}_constant`,
        );
        this.constants.set(value, field);
        return field;
      }
    }
  }

  /** A constant that is no layer's weight stands among the layers, as one sample for all. */
  constant(tensor: Tensor, name: string): string {
    const shape = tensor.shape.length === 0 ? [1] : tensor.shape;
    const type = arrayOf(shape, tensor.dtype);
    const rows = Math.ceil((tensor.data.length * bytesOf(tensor.dtype)) / 64);
    const field = {
      rustType: `Constant<${type}, ${rows}>`,
      doc: `A constant of shape (${shape.join(', ')}).`,
      pack: ['value'],
    };
    return `${this.layer(rustName(name), field, { value: { ...tensor, shape } })}.values()`;
  }

  private layer(
    name: string,
    {
      rustType,
      doc,
      pack,
    }: { readonly rustType: string; readonly doc: string; readonly pack: readonly string[] },
    weights: Readonly<Record<string, Tensor>>,
  ): string {
    const known = this.layers.find(
      (layer) =>
        layer.rustType === rustType &&
        sameWeights(
          layer,
          pack.map((weight) => weights[weight]!),
        ),
    );
    if (known) return `layers.${known.field}`;
    const field = this.fieldNames(name);
    let count = 0;
    const packed = pack.map((weight): LayerWeight => {
      const tensor = weights[weight]!;
      const isMissing = weight === 'bias' && tensor.data.every((x: number | bigint) => x === 0);
      if (isMissing) return { kind: 'zeros', literal: arrayOf(tensor.shape, '0.0'), tensor };
      return { kind: 'array', array: `${field}_weight_${count++}`, tensor };
    });
    this.layers.push({ field, rustType, doc, weights: packed });
    return `layers.${field}`;
  }

  private use(paths: readonly string[]): string {
    for (const path of paths) this.uses.add(path);
    return paths.at(-1)!.split('::').at(-1)!;
  }
}
