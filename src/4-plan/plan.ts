/** In which order the nodes run, and where each result is kept. */

import { opOf } from '../evaluate/evaluate.ts';
import { node } from '../ir/builder.ts';
import {
  countReaders,
  type Graph,
  inputsOf,
  type Node,
  nodesOf,
  type Output,
  type Value,
} from '../ir/graph.ts';
import { bytesOf, type DType, lengthOfSample, type TensorType } from '../ir/types.ts';
import { elementwise } from '../ops/elementwise.ts';
import { input } from '../ops/expression.ts';

export interface PlanOptions {
  /** Element-wise steps write over their input where nothing else reads it. */
  readonly enableInplace: boolean;
  /** A buffer is used again once nothing reads it. Otherwise every step keeps its own, and nothing is written over. */
  readonly enableMemdrop: boolean;
}

/** Memory of the model's scratch, for one type of numbers. */
export interface Buffer {
  readonly dtype: DType;
  /** Numbers for one sample. */
  readonly length: number;
}

/** Where a step's result is: in a buffer of its own choice, over its input, or in its input's memory as a view. */
export type Place =
  | { readonly kind: 'buffer'; readonly buffer: number }
  | { readonly kind: 'over' }
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
  /** How many samples go through the steps together. */
  readonly tile: number;
}

/** Bytes of scratch that are meant to stay in a core's second-level cache. */
const CACHE = 512 * 1024;

/** A larger tile saves nothing more. */
const LARGEST_TILE = 32;

export function plan(optimized: Graph, options: PlanOptions): Plan {
  const graph = withOwnOutputs(optimized);
  const shared = sharedBuffers(graph, options.enableInplace);
  const bytes = shared.buffers.reduce((sum, buffer) => sum + buffer.length * bytesOf(buffer.dtype), 0);
  const tile = Math.min(Math.max(Math.floor(CACHE / Math.max(bytes, 1)), 1), LARGEST_TILE);
  return { graph, ...(options.enableMemdrop ? shared : ownBuffers(graph)), tile };
}

/** An output that is an input as it is gets a step that copies it: the outputs are in the scratch. */
function withOwnOutputs(graph: Graph): Graph {
  const outputs = graph.outputs.map(({ name, value }) => {
    if (sourceOf(value).kind === 'node') return { name, value };
    const expression = input(0, value.type.dtype);
    return { name, value: node(elementwise, { x0: value }, { expression }, {}, value.type, { name }) };
  });
  return { ...graph, outputs };
}

/** The bytes of scratch for a tile of samples. */
export function scratchBytes({ buffers, tile }: Plan): number {
  return tile * buffers.reduce((sum, { dtype, length }) => sum + length * bytesOf(dtype), 0);
}

function isView(node: Node): boolean {
  return opOf(node).isView === true;
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

function sharedBuffers(graph: Graph, enableInplace: boolean): Pick<Plan, 'steps' | 'buffers'> {
  const nodes = nodesOf(graph);
  const lastReads = lastReadsOf(nodes, graph.outputs);
  const readers = countReaders(graph);
  const buffers: { dtype: DType; length: number }[] = [];
  const places = new Map<Value, Place>();
  const bufferOf = new Map<Value, number>();
  const mutable = new Set<Value>();

  for (const [i, node] of nodes.entries()) {
    if (isView(node)) {
      places.set(node, { kind: 'view' });
      continue;
    }
    const over = enableInplace ? writableInput(node, i, lastReads, readers, bufferOf) : undefined;
    if (over) {
      places.set(node, { kind: 'over' });
      for (let value: Value = over; ; value = inputsOf(value as Node)[0]!) {
        mutable.add(value);
        if (value === sourceOf(over)) break;
      }
      bufferOf.set(node, bufferOf.get(sourceOf(over))!);
      continue;
    }
    const taken = new Set(
      [...bufferOf].filter(([value]) => lastReads.get(value)! >= i).map(([, buffer]) => buffer),
    );
    const buffer = freeBuffer(buffers, taken, node.type);
    places.set(node, { kind: 'buffer', buffer });
    bufferOf.set(node, buffer);
  }
  const steps = nodes.map((node) => ({ node, place: places.get(node)!, isMutable: mutable.has(node) }));
  return { steps, buffers };
}

/** The step that last reads each value's memory, itself or through a view; outputs are read after all of them. */
function lastReadsOf(nodes: readonly Node[], outputs: readonly Output[]): ReadonlyMap<Value, number> {
  const last = new Map<Value, number>();
  for (const [i, node] of nodes.entries()) {
    last.set(node, i);
    for (const input of inputsOf(node)) last.set(sourceOf(input), i);
  }
  for (const { value } of outputs) last.set(sourceOf(value), nodes.length);
  return last;
}

/** The input that a node can write over: nothing reads its memory afterwards, nor sees it in another shape. */
function writableInput(
  node: Node,
  at: number,
  lastReads: ReadonlyMap<Value, number>,
  readers: ReadonlyMap<Value, number>,
  bufferOf: ReadonlyMap<Value, number>,
): Value | undefined {
  const { inPlace } = opOf(node);
  const inputs: Readonly<Record<string, Value>> = node.inputs;
  const over = inPlace && inputs[inPlace.over];
  if (!over || !inPlace.fits(typesOf(node), node.type)) return undefined;
  const source = sourceOf(over);
  const reads = inputsOf(node).filter((input) => sourceOf(input) === source).length;
  if (!bufferOf.has(source) || lastReads.get(source) !== at || reads !== 1) return undefined;
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

/** A buffer that nothing needs: the smallest that is large enough, else the largest, which grows; else a new one. */
function freeBuffer(
  buffers: { dtype: DType; length: number }[],
  taken: ReadonlySet<number>,
  type: TensorType,
): number {
  const length = lengthOfSample(type);
  const free = buffers
    .map((buffer, index) => ({ ...buffer, index }))
    .filter(({ dtype, index }) => dtype === type.dtype && !taken.has(index))
    .sort((a, b) => a.length - b.length);
  const chosen = free.find((buffer) => buffer.length >= length) ?? free.at(-1);
  if (!chosen) return buffers.push({ dtype: type.dtype, length }) - 1;
  buffers[chosen.index]!.length = Math.max(chosen.length, length);
  return chosen.index;
}
