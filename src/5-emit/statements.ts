/** The statements of the steps, and what they need: layers with their weights, loops, names of `tf_layers`. */

import { type Place, type Plan, type Step, typesOf } from '../4-plan/plan.ts';
import { ConversionError, type Problem, Refusal } from '../errors.ts';
import { opOf } from '../evaluate/evaluate.ts';
import { inputsOf, type Node, type Value } from '../ir/graph.ts';
import { bytesOf, type DType, type Tensor, type TensorType } from '../ir/types.ts';
import { type LoopPart, type LoopRole, partsOf } from '../ops/loop.ts';
import { type Names, namesOf, rustName, titleOf, uniqueNames, WORK } from './names.ts';
import { rustString } from './rust-layout.ts';
import { arrayOf, lengthOf, sampleType, zeroOf } from './sample-types.ts';

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

/** A loop: a struct with the memory of its rounds, and a method that runs them. */
export interface LoopStruct {
  /** `ScanRounds` */
  readonly name: string;
  /** Its field in the scratch: `scan_rounds`. */
  readonly field: string;
  /** The layer that it comes from. */
  readonly layer: string;
  readonly rounds: number;
  readonly inputs: readonly LoopInput[];
  readonly plan: Plan;
  /** The names of its buffers. */
  readonly buffers: readonly string[];
  /** The statements of a round. */
  readonly statements: readonly Statement[];
  /** The loops that they run. */
  readonly loops: readonly LoopStruct[];
  /** What each round shows, and what the rounds leave: which variable it is, and where it begins in the row of a sample. */
  readonly shown: readonly LoopOutput[];
  readonly states: readonly LoopOutput[];
  /** The numbers that the loop makes for each sample. */
  readonly length: number;
}

export interface LoopInput {
  readonly role: LoopRole;
  /** The variable of a round. */
  readonly variable: string;
  /** Its type: `[f32; 4]` for each sample. */
  readonly type: string;
  readonly zero: string;
  /** The numbers that it is for a sample. */
  readonly length: number;
  readonly dtype: DType;
  /** The parameter of the method. */
  readonly parameter: string;
  readonly parameterType: string;
  /** The field that keeps a state, or holds the item of a round. */
  readonly field: string;
}

export interface LoopOutput {
  readonly variable: string;
  readonly start: number;
  readonly length: number;
}

/** The statement of every step; what has no Rust is told all at once. */
export function statementsOf({ steps }: Plan, writer: StatementWriter): readonly Statement[] {
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

/** What the statements of a crate and of its loops have in common. */
class Shared {
  readonly layers: LayerMember[] = [];
  readonly uses = new Set<string>();
  readonly fieldNames = uniqueNames();
  readonly loopNames = uniqueNames();
  readonly constants = new Map<Value, string>();
}

/** Writes the statements, and collects the layers, the loops and the names that they use. */
export class StatementWriter {
  readonly shared: Shared;
  readonly loops: LoopStruct[] = [];
  private readonly plan: Plan;
  private readonly names: Names;
  private readonly inBands: ReadonlySet<Value>;
  /** What the name of an input is prefixed with. */
  private readonly prefix: string;

  constructor(plan: Plan, names: Names, shared = new Shared(), prefix = 'inputs.') {
    this.plan = plan;
    this.names = names;
    this.inBands = new Set(plan.steps.filter(({ place }) => place.kind === 'bands').map(({ node }) => node));
    this.shared = shared;
    this.prefix = prefix;
  }

  statement({ node, place, isMutable }: Step): Statement {
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
      loop: (given: readonly string[], into: string) => this.loop(node, given, into),
      use: (...paths: readonly string[]) => this.use(paths),
    };
    const expression = this.emitterOf(node, place)(step, node.attributes);
    if (place.kind === 'bands') {
      const lengths = node.type.shape.slice(1).join(', ');
      return { variable, type: `${this.use(['Bands'])}<'_, ${lengths}>`, expression };
    }
    const type = `&${isMutable ? 'mut ' : ''}[${this.sampleType(node.type)}]`;
    return { variable, type, expression };
  }

  private emitterOf(node: Node, place: Place): ReturnType<typeof opOf>['emit'] {
    const op = opOf(node);
    if (place.kind === 'over') return op.inPlace!.emit;
    if (place.kind === 'bands') return op.bands!.emit;
    return inputsOf(node).some((input) => this.inBands.has(input)) ? op.overBands!.emit : op.emit;
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
        return this.names.states.get(value) ?? `${this.prefix}${this.names.inputs.get(value)}`;
      case 'node':
        return this.names.steps.get(value)!;
      case 'constant': {
        const known = this.shared.constants.get(value);
        if (known !== undefined) return known;
        const sample = value.tensor.shape[0] === 1 ? value.tensor.shape.slice(1) : value.tensor.shape;
        const field = this.constant(
          { ...value.tensor, shape: sample },
          value.variable ?? `${reader}_constant`,
        );
        this.shared.constants.set(value, field);
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
    const known = this.shared.layers.find(
      (layer) =>
        layer.rustType === rustType &&
        sameWeights(
          layer,
          pack.map((weight) => weights[weight]!),
        ),
    );
    if (known) return `layers.${known.field}`;
    const field = this.shared.fieldNames(name);
    let count = 0;
    const packed = pack.map((weight): LayerWeight => {
      const tensor = weights[weight]!;
      const isMissing = weight === 'bias' && tensor.data.every((x: number | bigint) => x === 0);
      if (isMissing) return { kind: 'zeros', literal: arrayOf(tensor.shape, '0.0'), tensor };
      return { kind: 'array', array: `${field}_weight_${count++}`, tensor };
    });
    this.shared.layers.push({ field, rustType, doc, weights: packed });
    return `layers.${field}`;
  }

  /** Declares the loop of a node, and calls it. */
  private loop(node: Node, given: readonly string[], into: string): string {
    if (node.op !== 'Loop') throw new Error(`${node.op} is no loop`);
    const { rounds, roles, body: graph } = node.attributes;
    const body = this.plan.loops.get(node)!;
    const inputs = graph.inputs.map(({ name, type }, i): LoopInput => {
      const role = roles[i]!;
      const lengths = type.shape.slice(1).map(lengthOf);
      const all = { dtype: type.dtype, shape: [...type.shape.slice(0, 1), rounds, ...type.shape.slice(1)] };
      return {
        role,
        variable: rustName(name),
        type: this.sampleType(type),
        zero: zeroOf(type),
        length: lengths.reduce((product, length) => product * length, 1),
        dtype: type.dtype,
        parameter: { state: 'first_', item: 'all_', same: '' }[role] + rustName(name),
        parameterType: this.sampleType(role === 'item' ? all : type),
        field: { state: 'last_', item: 'this_', same: '' }[role] + rustName(name),
      };
    });
    const taken = inputs.flatMap(({ variable, parameter, field }) => [variable, parameter, field]);
    const names = namesOf(body, false, ['round', 'y', ...taken]);
    const writer = new StatementWriter(body, names, this.shared, '');
    const statements = statementsOf(body, writer);
    if (statements.some(({ expression }) => expression.endsWith('?')))
      throw new Refusal('a loop that looks up numbers which may be outside of its table is not supported');
    const field = this.shared.loopNames(`${this.names.steps.get(node)!}_rounds`);
    const { shown, states, length } = partsOf(node.attributes);
    const outputs = new Map(body.graph.outputs.map(({ value }, i) => [graph.outputs[i]!.value, value]));
    const output = ({ value, start, length }: LoopPart): LoopOutput => {
      return { variable: names.steps.get(outputs.get(value) as Node)!, start, length };
    };
    this.use(['ops']);
    this.loops.push({
      name: field.replace(/(^|_)([a-z0-9])/g, (_, __, letter: string) => letter.toUpperCase()),
      field,
      layer: titleOf(node),
      rounds,
      inputs,
      plan: body,
      buffers: names.buffers,
      statements,
      loops: writer.loops,
      shown: shown.map(output),
      states: states.map(output),
      length,
    });
    const layers = usesLayers(this.loops.at(-1)!) ? ['layers'] : [];
    const firsts = given.filter((_, i) => roles[i] === 'state');
    const others = given.filter((_, i) => roles[i] !== 'state');
    const start = firsts.length > 0 ? `.start(${firsts.join(', ')})` : '';
    return `${field}${start}.run(${[...layers, ...others, into].join(', ')})`;
  }

  private use(paths: readonly string[]): string {
    for (const path of paths) this.shared.uses.add(path);
    return paths.at(-1)!.split('::').at(-1)!;
  }
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

/** Whether a round reads weights. */
export function usesLayers({ statements }: LoopStruct): boolean {
  return statements.some(({ expression }) => /\blayers\b/.test(expression));
}
