/**
 * `(x − mean(x)) / √(mean((x − mean(x))²) + ε) · scale + shift`, in whatever order it is written → `LayerNormalization`;
 * what scales and shifts afterwards goes into it.
 */

import type { Node, NodeWith, Value } from '../ir/graph.ts';
import { sameShape, type Tensor } from '../ir/types.ts';
import { isOfLastAxes, layerNormalization } from '../ops/layer-normalization.ts';
import { hasTerms, type Polynomial, polynomialOf } from './polynomial.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const recognizeLayerNormalization: Rewrite = (node, { isReadOnce }) => {
  if (node.op === 'Reshape') return betweenReshapes(node, isReadOnce);
  if (node.op !== 'Elementwise' || node.type.dtype !== 'f32') return undefined;
  const inner = Object.values<Value>(node.inputs)
    .map((value) => nodeOf(value, 'LayerNormalization'))
    .find((found) => found !== undefined);
  return inner ? scaledAfter(node, inner, isReadOnce) : normalized(node);
};

/** The whole formula, from the means to the result. */
function normalized(node: NodeWith<'Elementwise'>): Value | undefined {
  for (const mean of meansBefore(node)) {
    const { x } = mean.inputs;
    const from = mean.attributes.axes[0]!;
    if (!sameShape(x.type.shape, node.type.shape)) continue;
    const lengths = x.type.shape.slice(from) as readonly number[];
    const size = lengths.reduce((product, length) => product * length, 1);
    const letterOf = (value: Value) => {
      if (value === x) return 'x';
      if (value === mean) return 'm';
      return isVariance(value, mean) ? 'v' : undefined;
    };
    let epsilon = 0;
    const isUnderRoot = (p: Polynomial) => {
      epsilon = p.get('')?.[0] ?? 0;
      const isOne = (p.get('v') ?? []).every((n) => n === 1);
      return hasTerms(p, ['v'], ['']) && isOne && (p.get('')?.length ?? 1) === 1 && epsilon >= 0;
    };
    const result = polynomialOf(node, { letterOf, lengths, isUnderRoot });
    const scale = result?.get('rx');
    if (!result || !scale || !hasTerms(result, ['rx', 'mr'], [''])) continue;
    const shift = result.get('') ?? [0];
    const isCentred = result.get('mr')!.every((n, i) => n === -scale[i % scale.length]!);
    if (!isCentred) continue;
    const weights = { scale: vector(scale, size), shift: vector(shift, size) };
    return make(node.layer, layerNormalization, { x }, { epsilon }, weights);
  }
  return undefined;
}

/** No way to write it takes more. */
const MOST_STEPS = 32;

/** The means over the last axes that the element-wise steps before a node read. */
function meansBefore(node: Node): readonly NodeWith<'Reduce'>[] {
  const means = new Set<NodeWith<'Reduce'>>();
  const seen = new Set<Value>();
  const visit = (value: Value, depth: number): void => {
    if (value.kind !== 'node' || depth === 0 || seen.has(value) || seen.size > MOST_STEPS) return;
    seen.add(value);
    if (isMean(value)) means.add(value);
    if (value.op === 'Elementwise')
      for (const input of Object.values<Value>(value.inputs)) visit(input, depth - 1);
  };
  visit(node, 12);
  return [...means];
}

function isMean(value: Value): value is NodeWith<'Reduce'> {
  const reduce = nodeOf(value, 'Reduce');
  if (reduce?.attributes.kind !== 'mean' || !reduce.attributes.keepsAxes) return false;
  const { axes } = reduce.attributes;
  const rank = reduce.inputs.x.type.shape.length;
  return axes.length > 0 && axes.every((axis, i) => axis === rank - axes.length + i && axis > 0);
}

/** The mean of (x − mean)², over the same axes. */
function isVariance(value: Value, mean: NodeWith<'Reduce'>): boolean {
  if (!isMean(value) || `${value.attributes.axes}` !== `${mean.attributes.axes}`) return false;
  const letterOf = (part: Value) => (part === mean.inputs.x ? 'x' : part === mean ? 'm' : undefined);
  const squares = polynomialOf(value.inputs.x, { letterOf, lengths: [] });
  const is = (term: string, number: number) => squares?.get(term)?.every((n) => n === number);
  return squares?.size === 3 && is('xx', 1) === true && is('mx', -2) === true && is('mm', 1) === true;
}

/** `normalized · scale + shift` goes into the layer. */
function scaledAfter(
  node: NodeWith<'Elementwise'>,
  inner: NodeWith<'LayerNormalization'>,
  isReadOnce: (value: Value) => boolean,
): Value | undefined {
  const { scale, shift } = inner.weights;
  const size = scale.data.length;
  if (!isReadOnce(inner) || !sameShape(node.type.shape, inner.type.shape)) return undefined;
  const lengths = lastAxes(inner, size);
  const letterOf = (value: Value) => (value === inner ? 'y' : undefined);
  const affine = polynomialOf(node, { letterOf, lengths });
  if (!affine || !hasTerms(affine, ['y'], [''])) return undefined;
  const factors = affine.get('y')!;
  const more = affine.get('') ?? [0];
  const at = (numbers: readonly number[], i: number) => numbers[i % numbers.length]!;
  const [scales, shifts] = [scale, shift].map(({ data }) => Array.from(data, Number)) as [number[], number[]];
  const weights = {
    scale: vector(
      scales.map((n, i) => n * at(factors, i)),
      size,
    ),
    shift: vector(
      shifts.map((n, i) => n * at(factors, i) + at(more, i)),
      size,
    ),
  };
  return make(inner.layer, layerNormalization, inner.inputs, inner.attributes, weights);
}

/** Rows that are laid out otherwise for the normalization alone: Keras 2 makes a matrix of them. */
function betweenReshapes(
  node: NodeWith<'Reshape'>,
  isReadOnce: (value: Value) => boolean,
): Value | undefined {
  const inner = nodeOf(node.inputs.x, 'LayerNormalization');
  const before = nodeOf(inner?.inputs.x, 'Reshape');
  if (!inner || !before || !isReadOnce(inner)) return undefined;
  const { x } = before.inputs;
  if (!sameShape(x.type.shape, node.type.shape) || !isOfLastAxes(x.type, inner.weights.scale.data.length))
    return undefined;
  return make(inner.layer, layerNormalization, { x }, inner.attributes, inner.weights);
}

/** The lengths of the last axes that are normalized together. */
function lastAxes({ type }: Node, size: number): readonly number[] {
  const lengths: number[] = [];
  for (const dim of [...type.shape].reverse()) {
    if (lengths.reduce((product, length) => product * length, 1) === size) break;
    lengths.unshift(Number(dim));
  }
  return lengths;
}

function vector(numbers: readonly number[], size: number): Tensor {
  const data = Float32Array.from({ length: size }, (_, i) => numbers[i % numbers.length]!);
  return { dtype: 'f32', shape: [size], data };
}
