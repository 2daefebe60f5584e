/**
 * `Reshape → + constant` → `+ constant → Reshape`, where the last dimension becomes several and the constant has these: so
 * the layer before finds its bias. Attention writes the heads of its projections so.
 */

import type { Constant, Value } from '../ir/graph.ts';
import { type Dim, sameShape } from '../ir/types.ts';
import { elementwise } from '../ops/elementwise.ts';
import { reshape } from '../ops/reshape.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const moveReshapes: Rewrite = (node, { isReadOnce }) => {
  const step = nodeOf(node, 'Elementwise');
  const inputs = Object.values<Value>(step?.inputs ?? {});
  const [computed, ...others] = inputs.filter(({ kind }) => kind !== 'constant');
  const split = nodeOf(computed, 'Reshape');
  if (!step || !split || others.length > 0 || !isReadOnce(split)) return undefined;
  const { x } = split.inputs;
  const { shape } = split.type;
  const kept = x.type.shape.length - 1;
  const isSplit =
    kept > 0 && shape.length > kept + 1 && sameShape(shape.slice(0, kept), x.type.shape.slice(0, kept));
  if (!isSplit || !sameShape(shape, step.type.shape)) return undefined;

  const moved: [`x${number}`, Value][] = [];
  for (const [i, input] of inputs.entries()) {
    const value = input.kind === 'constant' ? flattened(input, shape.slice(kept)) : x;
    if (!value) return undefined;
    moved.push([`x${i}`, value]);
  }
  const before = make(step.layer, elementwise, Object.fromEntries(moved), step.attributes, {});
  return make(split.layer, reshape, { x: before }, { shape }, {});
};

/** A constant of one number, or of the dimensions `shape` as one dimension; undefined for any other. */
function flattened(constant: Constant, shape: readonly Dim[]): Constant | undefined {
  const { tensor } = constant;
  const count = tensor.data.length;
  const own = tensor.shape.filter((_, axis) => axis >= tensor.shape.length - shape.length);
  if (count > 1 && !(own.reduce((product, dim) => product * dim, 1) === count && sameShape(own, shape)))
    return undefined;
  const flat = count > 1 ? [count] : [];
  return { ...constant, type: { ...constant.type, shape: flat }, tensor: { ...tensor, shape: flat } };
}
