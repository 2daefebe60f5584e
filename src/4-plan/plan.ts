/** In which order the nodes run, and where each result is kept. */

import { opOf } from '../evaluate/evaluate.ts';
import { node } from '../ir/builder.ts';
import {
  countReaders,
  type Graph,
  inputsOf,
  type Layer,
  mapResults,
  type Node,
  nodesOf,
  resultsOf,
  type Value,
} from '../ir/graph.ts';
import { bytesOf, lengthOfSample, type TensorType } from '../ir/types.ts';
import { elementwise } from '../ops/elementwise.ts';
import { input } from '../ops/expression.ts';
import { assignBuffers, type Buffer, type Lifetime } from './buffers.ts';
import { ordersOf } from './order.ts';

export interface PlanOptions {
  /** Element-wise steps write over their input where nothing else reads it. */
  readonly enableInplace: boolean;
  /** A buffer is used again once nothing reads it. Otherwise every step keeps its own, and nothing is written over. */
  readonly enableMemdrop: boolean;
}

/**
 * Where a step's result is: in a buffer of its own choice, over its input, in its input's memory as a view, or nowhere,
 * since the one step that reads it computes it band by band.
 */
export type Place =
  | { readonly kind: 'buffer'; readonly buffer: number }
  | { readonly kind: 'over' }
  | { readonly kind: 'bands' }
  | { readonly kind: 'view' };

export interface Step {
  readonly node: Node;
  readonly place: Place;
  /** Something later writes over this result. */
  readonly isMutable: boolean;
}

export interface Plan {
  readonly graph: Graph;
  readonly steps: readonly Step[];
  readonly buffers: readonly Buffer[];
  /** How the rounds of each loop run. */
  readonly loops: ReadonlyMap<Node, Plan>;
  /** How many samples go through the steps together. */
  readonly tile: number;
  /** Numbers of f32 that steps compute in besides, one step after the other, for all samples of a tile. */
  readonly work: number;
}

/** Bytes of scratch that are meant to stay in a core's second-level cache. */
const CACHE = 512 * 1024;

/** Bytes of an image, at least, that are not there any more when the next layer reads them. */
const LARGE_IMAGE = 768 * 1024;

/** A larger tile saves nothing more. */
const LARGEST_TILE = 32;

export function plan(optimized: Graph, options: PlanOptions): Plan {
  const graph = withOwnResults(optimized);
  const loops = new Map<Node, Plan>();
  for (const node of nodesOf(graph)) {
    if (node.op === 'Loop') loops.set(node, plan(node.attributes.body, { ...options, enableMemdrop: true }));
  }
  const inBands = options.enableMemdrop ? imagesInBands(graph) : new Set<Value>();
  const shared = { ...sharedBuffers(graph, inBands, options.enableInplace), loops };
  const tile =
    graph.memory?.batch ??
    Math.min(Math.max(Math.floor(CACHE / Math.max(sampleBytes(shared), 1)), 1), LARGEST_TILE);
  const steps = options.enableMemdrop ? shared : ownBuffers(graph);
  const work = nodesOf(graph).reduce((most, node) => Math.max(most, workOf(node, inBands)), 0);
  return { graph, ...steps, loops, tile, work };
}

/** A result that is an input as it is gets a step that copies it: the results are in the scratch. */
function withOwnResults(graph: Graph): Graph {
  return mapResults(graph, (value, name) => {
    if (sourceOf(value).kind === 'node') return value;
    const expression = input(0, value.type.dtype);
    const layer: Layer = value.kind === 'node' ? value.layer : { name, isFunction: true };
    return node(elementwise, { x0: value }, { expression }, {}, value.type, layer);
  });
}

/** The bytes of scratch for a tile of samples. */
export function scratchBytes(plan: Plan): number {
  return plan.tile * sampleBytes(plan) + workBytes(plan);
}

function workBytes({ work, loops }: Plan): number {
  return [...loops.values()].reduce((sum, rounds) => sum + workBytes(rounds), work * bytesOf('f32'));
}

function sampleBytes(plan: Pick<Plan, 'buffers' | 'loops'>): number {
  const ofLoop = ([node, rounds]: readonly [Node, Plan]) => roundBytes(node) + sampleBytes(rounds);
  return [...plan.loops].reduce((sum, loop) => sum + ofLoop(loop), bufferBytes(plan));
}

function bufferBytes({ buffers }: Pick<Plan, 'buffers'>): number {
  return buffers.reduce((sum, { dtype, length }) => sum + length * bytesOf(dtype), 0);
}

/** What a loop keeps for a sample besides the buffers of its rounds: its states, and the items of a round. */
function roundBytes(node: Node): number {
  if (node.op !== 'Loop') return 0;
  const { roles, body } = node.attributes;
  const kept = body.inputs.filter((_, i) => roles[i] !== 'same');
  return kept.reduce((sum, { type }) => sum + lengthOfSample(type) * bytesOf(type.dtype), 0);
}

function isView(node: Node): boolean {
  return opOf(node).isView === true;
}

/** Large images that one step alone reads, and that it can read band by band: they need no memory. */
function imagesInBands(graph: Graph): ReadonlySet<Value> {
  const readers = countReaders(graph);
  const images = nodesOf(graph).flatMap((reader) => {
    const { overBands } = opOf(reader);
    const image = overBands && inputNamed(reader, overBands.input);
    if (image?.kind !== 'node' || readers.get(image) !== 1) return [];
    const isLarge = lengthOfSample(image.type) * bytesOf(image.type.dtype) >= LARGE_IMAGE;
    const canBeLeft = opOf(image).bands?.fits(typesOf(image), image.attributes);
    const canBeRead = overBands?.fits(typesOf(reader), reader.attributes);
    return isLarge && canBeLeft && canBeRead ? [image] : [];
  });
  return new Set(images);
}

function workOf(node: Node, inBands: ReadonlySet<Value>): number {
  const { overBands, work } = opOf(node);
  const read = overBands && inputNamed(node, overBands.input);
  const numbers = read && inBands.has(read) ? overBands.work : work;
  return numbers?.(typesOf(node), node.attributes) ?? 0;
}

function inputNamed(node: Node, name: string): Value | undefined {
  const inputs: Readonly<Record<string, Value>> = node.inputs;
  return inputs[name];
}

/** The value whose memory a value is in: views have none of their own. */
function sourceOf(value: Value): Value {
  return value.kind === 'node' && isView(value) ? sourceOf(inputsOf(value)[0]!) : value;
}

function ownBuffers(graph: Graph): Pick<Plan, 'steps' | 'buffers'> {
  const buffers: Buffer[] = [];
  const steps = nodesOf(graph).map((node): Step => {
    if (isView(node)) return { node, place: { kind: 'view' }, isMutable: false };
    buffers.push({ dtype: node.type.dtype, length: lengthOfSample(node.type) });
    return { node, place: { kind: 'buffer', buffer: buffers.length - 1 }, isMutable: false };
  });
  return { steps, buffers };
}

/** The order and the buffers that need least memory, of some that are worth trying. */
function sharedBuffers(
  graph: Graph,
  inBands: ReadonlySet<Value>,
  enableInplace: boolean,
): Pick<Plan, 'steps' | 'buffers'> {
  const [first, ...others] = ordersOf(graph).map((nodes) =>
    shareBuffers(graph, nodes, inBands, enableInplace),
  );
  return others.reduce((best, other) => (bufferBytes(other) < bufferBytes(best) ? other : best), first!);
}

function shareBuffers(
  graph: Graph,
  nodes: readonly Node[],
  inBands: ReadonlySet<Value>,
  enableInplace: boolean,
): Pick<Plan, 'steps' | 'buffers'> {
  const lastReads = lastReadsOf(nodes, resultsOf(graph), inBands);
  const readers = countReaders(graph);
  const lifetimes: Lifetime[] = [];
  /** The lifetime that each result belongs to; those that are written over each other have one together. */
  const lifetimeOf = new Map<Value, number>();
  const over = new Set<Value>();
  const mutable = new Set<Value>();

  for (const [i, node] of nodes.entries()) {
    if (isView(node) || inBands.has(node)) continue;
    const input = enableInplace ? writableInput(node, i, lastReads, readers, lifetimeOf) : undefined;
    if (input === undefined) {
      const { dtype } = node.type;
      const length = lengthOfSample(node.type);
      lifetimeOf.set(node, lifetimes.push({ dtype, length, first: i, last: lastReads.get(node)! }) - 1);
      continue;
    }
    over.add(node);
    for (let value = input; ; value = inputsOf(value as Node)[0]!) {
      mutable.add(value);
      if (value === sourceOf(input)) break;
    }
    const lifetime = lifetimeOf.get(sourceOf(input))!;
    lifetimeOf.set(node, lifetime);
    lifetimes[lifetime] = { ...lifetimes[lifetime]!, last: lastReads.get(node)! };
  }

  const { buffers, places } = assignBuffers(lifetimes);
  const placeOf = (node: Node): Place => {
    if (isView(node)) return { kind: 'view' };
    if (inBands.has(node)) return { kind: 'bands' };
    return over.has(node) ? { kind: 'over' } : { kind: 'buffer', buffer: places[lifetimeOf.get(node)!]! };
  };
  const steps = nodes.map((node) => ({ node, place: placeOf(node), isMutable: mutable.has(node) }));
  return { steps, buffers };
}

/**
 * The step that last reads each value's memory, itself or through a view or an image in bands; results are read after all
 * of them.
 */
function lastReadsOf(
  nodes: readonly Node[],
  results: readonly Value[],
  inBands: ReadonlySet<Value>,
): ReadonlyMap<Value, number> {
  const under = (value: Value) => (inBands.has(value) ? inputsOf(value as Node) : [value]);
  const last = new Map<Value, number>();
  for (const [i, node] of nodes.entries()) {
    last.set(node, i);
    for (const input of inputsOf(node).flatMap(under)) last.set(sourceOf(input), i);
  }
  for (const value of results) last.set(sourceOf(value), nodes.length);
  return last;
}

/** The input that a node can write over: nothing reads its memory afterwards, nor sees it in another shape. */
function writableInput(
  node: Node,
  at: number,
  lastReads: ReadonlyMap<Value, number>,
  readers: ReadonlyMap<Value, number>,
  lifetimeOf: ReadonlyMap<Value, number>,
): Value | undefined {
  const { inPlace } = opOf(node);
  const over = inPlace && inputNamed(node, inPlace.over);
  if (!over || !inPlace.fits(typesOf(node), node.type)) return undefined;
  const source = sourceOf(over);
  const reads = inputsOf(node).filter((input) => sourceOf(input) === source).length;
  if (!lifetimeOf.has(source) || lastReads.get(source) !== at || reads !== 1) return undefined;
  // A view of it borrows it: no other step may read what is under the view.
  for (let value: Value = over; value !== source; value = inputsOf(value as Node)[0]!) {
    if (readers.get(value) !== 1 || readers.get(inputsOf(value as Node)[0]!) !== 1) return undefined;
  }
  return over;
}

/** The types of a node's inputs and weights, by their names. */
export function typesOf(node: Node): Readonly<Record<string, TensorType>> {
  const inputs = Object.entries<Value>(node.inputs).map(([name, { type }]) => [name, type]);
  return { ...Object.fromEntries(inputs), ...node.weights };
}
