/** Rust names for layers, inputs and outputs: Keras's own, as far as Rust allows. */

import { type Plan, type Step, typesOf } from '../4-plan/plan.ts';
import { opOf } from '../evaluate/evaluate.ts';
import { type Graph, type Node, nodesOf, type Value } from '../ir/graph.ts';

const keywords =
  `abstract as async await become box break const continue crate do dyn else enum extern false final fn for
  gen if impl in let loop macro match mod move mut override priv pub ref return self Self static struct super trait true
  try type typeof union unsafe unsized use virtual where while yield bool f32 f64 i32 i64 u8 str usize`.split(
    /\s+/,
  );

/** Variables of the generated functions. */
const variables = 'batch error first inputs layers math ops out rows samples slice tile work'.split(' ');

/** What layers compute in that need more than their result. */
export const WORK = 'work';

/** `conv2d/BiasAdd` → `conv2d_bias_add`: lower case, words parted by `_`. */
export function rustName(name: string): string {
  const words = name
    .replace(/([a-z0-9])([A-Z])(?!$|[^a-zA-Z])/g, '$1_$2')
    .replace(/[^A-Za-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  if (words === '') return 'value';
  return /^[0-9]/.test(words) ? `n${words}` : words;
}

/** A field has a name that leaves room for what stands beside it: words are left out at the end of a longer one. */
function fieldName(name: string): string {
  const words = rustName(name);
  return words.length <= LONGEST_FIELD ? words : words.slice(0, LONGEST_FIELD).replace(/_[^_]*$/, '');
}

const LONGEST_FIELD = 28;

/** Gives each name once: a taken one gets a number, as Keras's do. */
export function uniqueNames(taken: Iterable<string> = []): (name: string) => string {
  const used = new Set([...keywords, ...taken]);
  return (wanted) => {
    let name = wanted;
    for (let i = 1; used.has(name); i++) name = `${wanted}_${i}`;
    used.add(name);
    return name;
  };
}

export interface Names {
  /** The fields of `Inputs`, by input. */
  readonly inputs: ReadonlyMap<Value, string>;
  /** The fields of `State`, by what reads them. */
  readonly states: ReadonlyMap<Value, string>;
  /** The variables of `forward`, by node. */
  readonly steps: ReadonlyMap<Node, string>;
  /** The buffers of the scratch, in their order. */
  readonly buffers: readonly string[];
  /** The fields of `Prediction`, for several outputs. */
  readonly outputs: readonly string[];
}

/**
 * A layer's last step for the outputs has the layer's name; those before it say what they do. Where each step has a buffer of its own,
 * that has the name of the step. `taken` are names that stand for something else.
 */
export function namesOf(plan: Plan, ownsBuffers: boolean, taken: readonly string[] = []): Names {
  const { graph, steps, buffers } = plan;
  const inputNames = uniqueNames();
  const inputs = new Map<Value, string>(
    graph.inputs.map((input) => [input, inputNames(fieldName(input.name))]),
  );

  const letters = buffers.map((_, i) => bufferName(i));
  const unique = uniqueNames([...variables, ...taken, ...(ownsBuffers ? [] : letters)]);
  const kept = new Map((graph.memory?.states ?? []).map(({ input, next }) => [next, input.name] as const));
  const predicting = new Set(nodesOf({ inputs: graph.inputs, outputs: graph.outputs }));
  const ofLayers = steps.filter(({ node }) => predicting.has(node) && !node.layer.isFunction);
  const lastOf = new Map(ofLayers.map(({ node }) => [node.layer.name, node]));
  const layers = new Map([...lastOf].map(([layer, node]) => [node, unique(rustName(layer))]));
  const stepNames = new Map<Node, string>();
  for (const { node } of steps) {
    const state = kept.get(node);
    const within = node.layer.isFunction ? '' : `${node.layer.name}_`;
    const name = state === undefined ? within + className(node) : `next_${state}`;
    stepNames.set(node, layers.get(node) ?? unique(rustName(name)));
  }
  const states = (graph.memory?.states ?? []).map(
    ({ input }) => [input, unique(rustName(input.name))] as const,
  );
  const outputNames = uniqueNames(variables);
  return {
    inputs,
    states: new Map<Value, string>(states),
    steps: stepNames,
    buffers: ownsBuffers ? steps.filter(inBuffer).map(({ node }) => stepNames.get(node)!) : letters,
    outputs: graph.outputs.map((output) => outputNames(outputName(graph, output.name))),
  };
}

/** What the result of a node is called: as its layer, or for what the function does. */
export function titleOf(node: Node): string {
  return node.layer.isFunction ? rustName(className(node)) : node.layer.name;
}

/** What a step does: `depthwise`, `reshape`. */
function className(node: Node): string {
  const name = opOf(node).className(node.attributes, typesOf(node));
  return name.replace(/(?<=.)Conv\dD$/, '');
}

const inBuffer = ({ place }: Step) => place.kind === 'buffer';

/** `a`, `b`, … `z`, `a1`, … */
function bufferName(index: number): string {
  const letter = String.fromCharCode(97 + (index % 26));
  return index < 26 ? letter : `${letter}${Math.floor(index / 26)}`;
}

/** What the exporter called an output, unless that says nothing: then the layer it comes from. */
function outputName(graph: Graph, name: string): string {
  const output = graph.outputs.find((candidate) => candidate.name === name);
  const isNumbered = /^output_\d+$/.test(name);
  return fieldName(isNumbered && output?.value.kind === 'node' ? titleOf(output.value) : name);
}
