/** The layers of a model as its author knows them: what the picture and the files about the model tell of. */

import { opOf } from '../../evaluate/evaluate.ts';
import { type Graph, type Input, inputsOf, type Node, nodesOf, type Value } from '../../ir/graph.ts';
import type { Tensor, TensorType } from '../../ir/types.ts';
import {
  activationSettings,
  isBias,
  type Settings,
  settingOfDtype,
  settingOfShape,
  settingsOf,
} from './settings.ts';

/** A Keras layer, or an input of the model. */
export interface LayerSummary {
  readonly name: string;
  /** `Conv2D`; `InputLayer` for an input. */
  readonly className: string;
  /** The names of the layers that it reads, and of those that read it. */
  readonly inbounds: readonly string[];
  readonly outbounds: readonly string[];
  readonly settings: Settings;
  readonly inputs: readonly TensorType[];
  readonly outputs: readonly TensorType[];
  /** How many numbers training fixed. */
  readonly parameters: number;
  /** Whether a result of the model is computed here. */
  readonly isOutput: boolean;
}

/** The inputs of the model, then its layers, each after those that it reads. */
export function layersOf(graph: Graph): readonly LayerSummary[] {
  const groups = groupsOf(graph);
  const groupOf = new Map<Value, Group>();
  for (const group of groups) for (const value of group.values) groupOf.set(value, group);

  const results = new Set(graph.outputs.map(({ value }) => value));
  const seenOutside = new Set<Value>(results);
  const inbounds = new Map<Group, Set<Group>>(groups.map((group) => [group, new Set()]));
  const outbounds = new Map<Group, Set<Group>>(groups.map((group) => [group, new Set()]));
  for (const group of groups) {
    for (const read of readFromOutside(group)) {
      const from = groupOf.get(read);
      // A state comes from no other layer.
      if (!from) continue;
      seenOutside.add(read);
      inbounds.get(group)!.add(from);
      outbounds.get(from)!.add(group);
    }
  }

  const order = inOrder(groups, inbounds);
  const places = new Map(order.map((group, i) => [group, i]));
  const names = (neighbours: Iterable<Group>) => [...neighbours].map(({ name }) => name);
  const inTurn = (neighbours: Iterable<Group>) =>
    [...neighbours].sort((a, b) => places.get(a)! - places.get(b)!);
  return order.map((group) => ({
    name: group.name,
    inbounds: names(inbounds.get(group)!),
    outbounds: names(inTurn(outbounds.get(group)!)),
    outputs: group.values.filter((value) => seenOutside.has(value)).map(({ type }) => type),
    isOutput: group.values.some((value) => results.has(value)),
    ...(group.kind === 'input' ? describeInput(group.values[0]) : describeNodes(group)),
  }));
}

/** The values that belong to one layer. */
type Group =
  | { readonly kind: 'input'; readonly name: string; readonly values: readonly [Input] }
  | { readonly kind: 'layer'; readonly name: string; readonly values: readonly Node[] };

function groupsOf(graph: Graph): readonly Group[] {
  const byLayer = new Map<string, Node[]>();
  for (const node of nodesOf(graph)) {
    const nodes = byLayer.get(node.layer.name);
    if (nodes) nodes.push(node);
    else byLayer.set(node.layer.name, [node]);
  }
  const used = new Set(graph.inputs.map(({ name }) => name));
  const taken = new Set([...used, ...byLayer.keys()]);
  const unused = (name: string) => {
    let free = name;
    for (let number = 1; used.has(free) || (free !== name && taken.has(free)); number++)
      free = `${name}_${number}`;
    used.add(free);
    return free;
  };
  return [
    ...graph.inputs.map((input) => ({ kind: 'input' as const, name: input.name, values: [input] as const })),
    ...[...byLayer].flatMap(([name, nodes]) =>
      passesOf(nodes, graph).map((values) => ({ kind: 'layer' as const, name: unused(name), values })),
    ),
  ];
}

/**
 * Operators between the layers, such as `x + y`, bear the name of the model or of nothing: those that read each other
 * through layers are not one layer. A layer with a class or weights of its own is one, however often it is called.
 */
function passesOf(nodes: readonly Node[], graph: Graph): readonly (readonly Node[])[] {
  if (nodes.length === 1 || nodes.some(isLayer)) return [nodes];
  const passes: Node[][] = [];
  const own = new Set<Value>(nodes);
  /** The passes that a value follows from. */
  const before = new Map<Value, ReadonlySet<Node[]>>();
  for (const node of nodesOf(graph)) {
    const inputs = inputsOf(node);
    const all = new Set(inputs.flatMap((input) => [...(before.get(input) ?? [])]));
    if (own.has(node)) {
      const last = passes.at(-1);
      const isThrough = inputs.some((input) => !own.has(input) && last && before.get(input)?.has(last));
      const pass = last && !isThrough ? last : [];
      if (pass !== last) passes.push(pass);
      pass.push(node);
      all.add(pass);
    }
    before.set(node, all);
  }
  return passes;
}

function isLayer({ layer, weights, inputs }: Node): boolean {
  const isTrained = Object.values<Value>(inputs).some(
    (value) => value.kind === 'constant' && value.variable !== undefined,
  );
  return layer.className !== undefined || Object.keys(weights).length > 0 || isTrained;
}

/** What flows into the layer, each value once. */
function readFromOutside(group: Group): ReadonlySet<Value> {
  const read = new Set<Value>();
  if (group.kind === 'input') return read;
  const own = new Set<Value>(group.values);
  for (const value of group.values.flatMap(inputsOf)) {
    if (value.kind !== 'constant' && !own.has(value)) read.add(value);
  }
  return read;
}

/** Each layer after those that it reads, as far as they do not read each other in turn. */
function inOrder(
  groups: readonly Group[],
  inbounds: ReadonlyMap<Group, ReadonlySet<Group>>,
): readonly Group[] {
  const order = new Set<Group>();
  const seen = new Set<Group>();
  const stack = groups.map((group) => ({ group, isRead: false })).reverse();
  for (let top = stack.pop(); top; top = stack.pop()) {
    const { group, isRead } = top;
    if (isRead) {
      order.add(group);
    } else if (!seen.has(group)) {
      seen.add(group);
      stack.push({ group, isRead: true });
      for (const before of [...inbounds.get(group)!].reverse()) stack.push({ group: before, isRead: false });
    }
  }
  return [...order];
}

type Description = Pick<LayerSummary, 'className' | 'settings' | 'inputs' | 'parameters'>;

function describeInput({ type }: Input): Description {
  const settings = { batch_shape: settingOfShape(type.shape), dtype: settingOfDtype(type.dtype) };
  return { className: 'InputLayer', settings, inputs: [type], parameters: 0 };
}

function describeNodes(group: Extract<Group, { kind: 'layer' }>): Description {
  const nodes = group.values;
  const main = characteristic(nodes);
  const settings = settingsOf(main);
  const last = nodes.at(-1)!;
  const isActivatedLater = settings.activation === 'linear' && last !== main;
  return {
    className:
      nodes.find(({ layer }) => layer.className)?.layer.className ?? separable(nodes) ?? classNameOf(main),
    settings: isActivatedLater ? { ...settings, ...activationSettings(last) } : settings,
    inputs: [...readFromOutside(group)].map(({ type }) => type),
    parameters: parametersOf(nodes),
  };
}

/** Keras's name for a depthwise convolution and the one over its channels, in one layer. */
function separable(nodes: readonly Node[]): string | undefined {
  const depthwise = nodes.find(({ op }) => op === 'DepthwiseConvolution');
  const isPair = depthwise && nodes.some(({ op }) => op === 'Convolution');
  return isPair ? `SeparableConv${depthwise.type.shape.length - 2}D` : undefined;
}

/** The node that the layer is about: the one with the most weights, or else one that computes more than a formula. */
function characteristic(nodes: readonly Node[]): Node {
  const weight = (node: Node) => {
    const isByTheWay = node.op === 'Elementwise' || opOf(node).isView;
    return parametersOf([node]) + (isByTheWay ? 0 : 0.5);
  };
  return nodes.reduce((best, node) => (weight(node) > weight(best) ? node : best));
}

/** The numbers of the weights and constants, each tensor once. */
function parametersOf(nodes: readonly Node[]): number {
  const tensors = new Set<Tensor>();
  for (const node of nodes.flatMap(withRounds)) {
    for (const [name, tensor] of weightsOf(node)) if (name !== 'bias' || isBias(tensor)) tensors.add(tensor);
    for (const value of inputsOf(node)) if (value.kind === 'constant') tensors.add(value.tensor);
  }
  return [...tensors].reduce((sum, { data }) => sum + data.length, 0);
}

/** A node, and those of its rounds if it is a loop. */
function withRounds(node: Node): readonly Node[] {
  return node.op === 'Loop' ? [node, ...nodesOf(node.attributes.body).flatMap(withRounds)] : [node];
}

function classNameOf(node: Node): string {
  const types = Object.fromEntries([
    ...Object.entries<Value>(node.inputs).map(([name, { type }]) => [name, type] as const),
    ...weightsOf(node).map(([name, tensor]) => [name, tensor] as const),
  ]);
  return opOf(node).className(node.attributes, types);
}

function weightsOf({ weights }: Node): readonly (readonly [string, Tensor])[] {
  return Object.entries<Tensor>(weights);
}
