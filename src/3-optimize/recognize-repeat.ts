/**
 * `Reshape to (…, d, 1, …) → Concatenate with itself → Reshape to (…, d·k, …)` → `Repeat`, and the same for a
 * `Concatenate` of every step k times: how Keras writes UpSampling1D and 3D. One `Repeat` after the other → one.
 */

import type { Node, Value } from '../ir/graph.ts';
import { sameShape } from '../ir/types.ts';
import { repeat } from '../ops/repeat.ts';
import { reshape } from '../ops/reshape.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const recognizeRepeat: Rewrite = (node, { isReadOnce }) => {
  switch (node.op) {
    case 'Reshape': {
      const all = nodeOf(node.inputs.x, 'Concatenate');
      return all && isReadOnce(all) ? besideItself(node, all) : undefined;
    }
    case 'Concatenate':
      return everyStep(node);
    case 'Repeat': {
      const before = nodeOf(node.inputs.x, 'Repeat');
      if (!before || !isReadOnce(before)) return undefined;
      const counts = node.attributes.counts.map((count, i) => count * before.attributes.counts[i]!);
      return make(node.layer, repeat, before.inputs, { counts }, {});
    }
    default:
      return undefined;
  }
};

/** A value that stands several times along a new axis, which is joined to the one before it. */
function besideItself(
  node: Extract<Node, { op: 'Reshape' }>,
  all: Extract<Node, { op: 'Concatenate' }>,
): Value | undefined {
  const parts = Object.values<Value>(all.inputs);
  const [part] = parts;
  const { axis } = all.attributes;
  const before = part?.type.shape[axis - 1];
  const isAlone = part?.type.shape[axis] === 1 && parts.every((other) => other === part);
  if (!part || !isAlone || axis < 2 || typeof before !== 'number') return undefined;
  const grown = part.type.shape.slice(0, axis).with(-1, before * parts.length);
  if (!sameShape(node.type.shape.slice(0, axis), grown)) return undefined;
  const narrow = part.type.shape.toSpliced(axis, 1);
  const x = make(node.layer, reshape, { x: part }, { shape: narrow }, {});
  const counts = narrow.map((_, i) => (i === axis - 1 ? parts.length : 1));
  const repeated = make(node.layer, repeat, { x }, { counts }, {});
  return make(node.layer, reshape, { x: repeated }, { shape: node.type.shape }, {});
}

/** The steps of an axis one by one, each as often as the others. */
function everyStep(node: Extract<Node, { op: 'Concatenate' }>): Value | undefined {
  const { axis } = node.attributes;
  const slices = Object.values<Value>(node.inputs).map((value) => nodeOf(value, 'Slice'));
  const x = slices[0]?.inputs.x;
  const length = x?.type.shape[axis];
  if (!x || typeof length !== 'number') return undefined;
  const count = slices.length / length;
  const isStep = (part: (typeof slices)[number], i: number) =>
    part?.inputs.x === x &&
    sameShape(part.type.shape, x.type.shape.with(axis, 1)) &&
    part.attributes.begin.every((begin, j) => begin === (j === axis ? Math.floor(i / count) : 0));
  const isAll = Number.isInteger(count) && count > 1 && slices.every(isStep);
  if (!isAll) return undefined;
  const counts = x.type.shape.map((_, i) => (i === axis ? count : 1));
  return make(node.layer, repeat, { x }, { counts }, {});
}
