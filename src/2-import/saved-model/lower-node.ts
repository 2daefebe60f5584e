/** What an op makes of its inputs, if it calls no function. */

import { narrowIntegers } from '../../1-read/element-types.ts';
import type { NodeDef } from '../../1-read/graph-def.ts';
import { Refusal } from '../../errors.ts';
import { type Budget, builderFor } from '../../ir/builder.ts';
import type { Layer } from '../../ir/graph.ts';
import type { HalfFloat } from '../../ir/types.ts';
import { moved, movingOps } from '../../ops/complex.ts';
import { elementwiseTensorflow } from '../../ops/elementwise.ts';
import { complexOps, tensorflowOps } from '../../ops/index.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import { rowForAll } from '../state-values.ts';
import type { Imported } from './imported.ts';
import { type ReadableNode, readableNode } from './node.ts';
import { isListOp, lowerListOp } from './tensor-lists.ts';
import { isText } from './text.ts';
import { lowerText, standIn } from './text-ops.ts';
import { unsupported } from './unsupported.ts';
import type { Values } from './values.ts';

/** Where a node stands in the model. */
export interface Place {
  /** The name of the node, with its path. */
  readonly name: string;
  readonly layer: Layer;
  readonly values: Values;
  readonly budget: Budget;
  /** Tells of what is not supported, in the words for its kind. */
  problem(kind: string, what: string): Imported;
  /** Notes that the model computes with less precise numbers. */
  roundsTo(halfFloat: HalfFloat): void;
}

/** Ops that pass on what they are given. */
const passing = new Set([
  'CheckNumerics',
  'EnsureShape',
  'Identity',
  'IdentityN',
  'PreventGradient',
  'ReadVariableOp',
  'Snapshot',
  'StopGradient',
]);

export function lowerNode(node: NodeDef, inputs: readonly Imported[], place: Place): readonly Imported[] {
  const { name, layer, values, budget } = place;
  if (passing.has(node.op) || (node.op === 'Minimum' && inputs.length === 1)) {
    return node.op === 'ReadVariableOp' ? inputs.map((x) => values.read(x, name)) : inputs;
  }
  if (inputs.some(isText) || node.op === 'AsString') {
    const lowered = loweredText(node, inputs, place);
    if (lowered) return lowered;
  }
  if (isListOp(node.op)) {
    const operands = inputs.map((input) => (input.kind === 'list' ? input : values.read(input, name)));
    return [lowerListOp(node.op, operands, builderFor(layer, budget))];
  }
  if (inputs.some(({ kind }) => kind === 'complex') || isComplexOnly(node.op)) {
    return loweredComplex(node, inputs, place);
  }
  const lowering = Object.hasOwn(tensorflowOps, node.op) ? tensorflowOps[node.op] : undefined;
  if (!lowering) {
    const { kind, what } = unsupported(node.op);
    return [place.problem(kind, what)];
  }

  const read = inputs.map((input) => values.read(input, name));
  const operands = Object.hasOwn(elementwiseTensorflow, node.op) ? forEachSample(read, values.batch()) : read;
  const readable = readableNode(node, operands, layer, budget);
  refuseNarrow(node);
  const halfFloat = halfFloatOf(node);
  if (halfFloat) place.roundsTo(halfFloat);
  const lowered = lowering(readable);
  refuseUnread(readable);
  return 'kind' in lowered ? [lowered] : lowered;
}

/** A model for so many samples may have constants with a row for each, which are one row if those are the same. */
function forEachSample(operands: readonly Operand[], batch: number | undefined): readonly Operand[] {
  const rank = Math.max(...operands.map(({ type }) => type.shape.length));
  const isOfSamples = operands.some(
    ({ type }) => type.shape.length === rank && typeof type.shape[0] === 'object',
  );
  if (batch === undefined || batch === 1 || !isOfSamples) return operands;
  return operands.map((operand) =>
    operand.type.shape.length === rank ? (rowForAll(operand, batch) ?? operand) : operand,
  );
}

/** What a node makes of text; undefined if it is one of numbers, perhaps of those that come of text. */
function loweredText(
  node: NodeDef,
  inputs: readonly Imported[],
  { name, layer, values, budget }: Place,
): readonly Imported[] | undefined {
  const results = inputs.map((input) => (isText(input) ? input : values.read(input, name)));
  const readable = readableNode(node, results.map(standIn), layer, budget);
  const lowered = lowerText({ definition: node, node: readable, inputs: results, layer });
  if (!lowered) return undefined;
  refuseUnread(readable);
  return 'kind' in lowered ? [lowered] : lowered;
}

/** An op of complex numbers, whose real and imaginary parts are values of their own. */
function loweredComplex(
  node: NodeDef,
  inputs: readonly Imported[],
  { name, layer, values, budget }: Place,
): readonly Imported[] {
  const [real, imaginary] = [0, 1].map((part) =>
    inputs.map((x) => {
      if (x.kind === 'complex') return part === 0 ? x.real : x.imaginary;
      return values.read(x, name);
    }),
  ) as [Operand[], Operand[]];
  const readable = readableNode(node, real, layer, budget);
  let lowered: readonly Imported[];
  if (Object.hasOwn(complexOps, node.op)) {
    const parts = inputs.map((x, i) => (x.kind === 'complex' ? imaginary[i] : undefined));
    lowered = [complexOps[node.op]!(readable, parts)];
  } else if (movingOps.has(node.op)) {
    lowered = moved(tensorflowOps[node.op]!, readable, readableNode(node, imaginary, layer, budget));
  } else {
    throw new Refusal(`${node.op} of complex numbers is not supported`);
  }
  refuseUnread(readable);
  return lowered;
}

/** Ops whose results may be out of the range of their arguments. */
const growing: ReadonlySet<string> = new Set([
  'Abs',
  'Add',
  'AddN',
  'AddV2',
  'BiasAdd',
  'Cumprod',
  'Cumsum',
  'FloorDiv',
  'Mean',
  'Mul',
  'Neg',
  'Prod',
  'Square',
  'SquaredDifference',
  'Sub',
  'Sum',
]);

function refuseNarrow({ op, attributes }: NodeDef): void {
  const type = attributes.get(op === 'Cast' ? 'DstT' : 'T');
  if (type?.kind !== 'type' || !narrowIntegers.has(type.value)) return;
  if (op !== 'Cast' && !growing.has(op)) return;
  throw new Refusal(
    `numbers of type ${type.value} are not computed; cast them to int32 or int64 in the model`,
  );
}

/** The type in which a node computes, or to which it rounds. */
function halfFloatOf({ attributes }: NodeDef): HalfFloat | undefined {
  for (const name of ['T', 'DstT']) {
    const found = attributes.get(name);
    if (found?.kind === 'type' && found.value === 'half') return 'float16';
    if (found?.kind === 'type' && found.value === 'bfloat16') return 'bfloat16';
  }
  return undefined;
}

function refuseUnread(node: ReadableNode): void {
  const unread = node.unread();
  if (unread.length > 0)
    throw new Refusal(`the attribute ${unread.join(', ')} of ${node.op} is not supported`);
}

/** Whether an op has to do with complex numbers whatever it is given. */
function isComplexOnly(op: string): boolean {
  return Object.hasOwn(complexOps, op) && !Object.hasOwn(tensorflowOps, op);
}
