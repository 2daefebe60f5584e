/**
 * The same layers on every step, each step by itself, and the results joined → the layers on all steps, which are
 * samples to them: how Keras 3 exports TimeDistributed.
 */

import { opOf } from '../evaluate/evaluate.ts';
import type { Node, NodeWith, Value } from '../ir/graph.ts';
import { type Dim, sameShape, type Tensor } from '../ir/types.ts';
import { reshape } from '../ops/reshape.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

/** Operators that treat each sample alike, and whose attributes do not tell of the batch. */
const alikeForSamples: ReadonlySet<Node['op']> = new Set<Node['op']>([
  'BatchNormalization',
  'Convolution',
  'ConvolutionTranspose',
  'Dense',
  'DepthwiseConvolution',
  'Elementwise',
  'LayerNormalization',
  'Matmul',
  'Pad',
  'Pooling',
  'Reduce',
  'Reshape',
  'Softmax',
  'Transpose',
]);

/** Longer chains of layers are left as they are. */
const DEEPEST = 1000;

/** Weights of more numbers are the same only if nothing was computed with them. */
const MOST_COMPARED = 2 ** 22;

export const recognizeTimeDistributed: Rewrite = (node) => {
  if (node.op !== 'Concatenate' || node.attributes.axis !== 1) return undefined;
  const parts = Object.values<Value>(node.inputs);
  if (parts.length < 2 || parts.some((part) => nodeOf(part, 'Slice'))) return undefined;
  const all = onAllSteps(parts, new Map(), 0);
  return all && make(node.layer, reshape, { x: all }, { shape: node.type.shape }, {});
};

/** What the parts are for all steps at once, each step a sample; undefined if they are not the same of every step. */
function onAllSteps(parts: readonly Value[], known: Map<Value, Value>, depth: number): Value | undefined {
  const [first] = parts as [Value, ...Value[]];
  const done = known.get(first);
  if (done || depth > DEEPEST) return done;
  const found = allSteps(parts) ?? sameNode(parts, known, depth);
  if (found) known.set(first, found);
  return found;
}

/** The value whose steps the parts are, one after the other. */
function allSteps(parts: readonly Value[]): Value | undefined {
  const slices = parts.map((part) => nodeOf(part, 'Slice'));
  const [first] = slices;
  const x = first?.inputs.x;
  if (!x || x.type.shape[1] !== parts.length) return undefined;
  const step = x.type.shape.with(1, 1);
  const isNext = (slice: NodeWith<'Slice'> | undefined, i: number) =>
    slice?.inputs.x === x &&
    sameShape(slice.type.shape, step) &&
    slice.attributes.begin.every((begin, axis) => begin === (axis === 1 ? i : 0)) &&
    slice.attributes.steps.every((by) => by === 1);
  return slices.every(isNext)
    ? make(first.layer, reshape, { x }, { shape: spread(step, parts.length) }, {})
    : undefined;
}

function sameNode(parts: readonly Value[], known: Map<Value, Value>, depth: number): Value | undefined {
  const nodes = parts.flatMap((part) => (part.kind === 'node' ? [part] : []));
  const [first] = nodes;
  if (!first || nodes.length < parts.length || !alikeForSamples.has(first.op)) return undefined;
  const [batch, ...rest] = first.type.shape;
  const isBySample = typeof batch === 'object' && rest.every((dim) => typeof dim === 'number');
  if (!isBySample || !nodes.every((node) => isAlike(node, first))) return undefined;
  const inputs = Object.entries<Value>(first.inputs).map(([name, value]) => {
    const values = nodes.map((node) => inputOf(node, name));
    const isConstant =
      value.kind === 'constant' &&
      values.every((other) => other.kind === 'constant' && isSame(value.tensor, other.tensor));
    return [name, isConstant ? value : onAllSteps(values, known, depth + 1)] as const;
  });
  if (!inputs.every(([, value]) => value)) return undefined;
  const attributes =
    first.op === 'Reshape' ? { shape: spread(first.attributes.shape, parts.length) } : first.attributes;
  const record = Object.fromEntries(inputs) as Readonly<Record<string, Value>>;
  return make<string, string, string, unknown>(first.layer, opOf(first), record, attributes, first.weights);
}

/** Whether two nodes do the same with their inputs. */
function isAlike(a: Node, b: Node): boolean {
  const weights = Object.entries<Tensor>(a.weights);
  return (
    a.op === b.op &&
    sameShape(a.type.shape, b.type.shape) &&
    a.type.dtype === b.type.dtype &&
    `${Object.keys(a.inputs)}` === `${Object.keys(b.inputs)}` &&
    weights.every(([name, tensor]) => isSame(tensor, weightOf(b, name))) &&
    printed(a.attributes) === printed(b.attributes)
  );
}

function isSame(a: Tensor, b: Tensor | undefined): boolean {
  if (!b || a.dtype !== b.dtype || !sameShape(a.shape, b.shape)) return false;
  if (a.data === b.data) return true;
  return a.data.length <= MOST_COMPARED && a.data.every((number, i) => Object.is(number, b.data[i]));
}

function weightOf(node: Node, name: string): Tensor | undefined {
  return Object.entries<Tensor>(node.weights).find(([each]) => each === name)?.[1];
}

function inputOf(node: Node, name: string): Value {
  const found = Object.entries<Value>(node.inputs).find(([each]) => each === name);
  if (!found) throw new Error(`a ${node.op} without ${name}`);
  return found[1];
}

/** Attributes as text: the same text, the same attributes. */
function printed(attributes: Node['attributes']): string {
  return JSON.stringify(attributes, (_, value: unknown) => {
    if (
      typeof value === 'bigint' ||
      Object.is(value, -0) ||
      (typeof value === 'number' && !Number.isFinite(value))
    )
      return `${typeof value} ${Object.is(value, -0) ? '-0' : value}`;
    return value;
  });
}

/** The shape with `count` times as many samples. */
function spread(shape: readonly Dim[], count: number): readonly Dim[] {
  return shape.map((dim) => (typeof dim === 'number' ? dim : { batch: dim.batch * count }));
}
