/** Einstein's sums of one or two operands, as transposes, views and products of matrices. */

import { Refusal } from '../errors.ts';
import type { Dim } from '../ir/types.ts';
import { broadcastShape } from './broadcasting.ts';
import { apply } from './elementwise.ts';
import { type KerasLayers, keepsMask } from './keras.ts';
import { activated } from './keras-activation.ts';
import { matmul } from './matmul.ts';
import { reduce } from './reduce.ts';
import { reshaped } from './reshape.ts';
import type { Operand, TensorflowNode, TensorflowOps } from './tensorflow.ts';
import { transpose } from './transpose.ts';

/** An operand, and the label of each of its axes. */
interface Labelled {
  readonly operand: Operand;
  readonly labels: readonly string[];
}

export const einsumTensorflow: TensorflowOps = {
  Einsum: (node) => {
    const equation = node.text('equation', '').replaceAll(' ', '');
    const refuse = (what: string) => new Refusal(`the equation ${equation} ${what}`);
    const [left, right, ...more] = equation.split('->');
    const terms = left!.split(',');
    if (right === undefined || more.length > 0) throw refuse('does not say what it results in');
    if (terms.length !== node.inputs.length || terms.length > 2) {
      throw refuse(`is of ${node.inputs.length} operands, and only one or two are supported`);
    }
    const named = terms.map((term, i): Labelled => {
      const operand = node.input(i);
      const labels = labelsOf(term, operand.type.shape.length);
      if (labels?.length !== operand.type.shape.length) throw refuse(`does not fit operand ${i}`);
      if (new Set(labels).size < labels.length) throw refuse('takes a diagonal, which is not supported');
      return { operand, labels };
    });
    const ellipsis = named.reduce((most, { labels }) => Math.max(most, labels.filter(isUnnamed).length), 0);
    const wanted = labelsOf(right, right.replace('...', '').length + ellipsis);
    const known = named.flatMap(({ labels }) => labels);
    if (!wanted || new Set(wanted).size < wanted.length || wanted.some((label) => !known.includes(label))) {
      throw refuse('results in axes that the operands do not have');
    }
    if (known.some((label) => isUnnamed(label) && !wanted.includes(label))) {
      throw refuse('sums over its ellipsis, which is not supported');
    }

    const [x, z] = named.map((term, i) => {
      const others = named.filter((_, j) => j !== i).flatMap(({ labels }) => labels);
      return summed(node, term, [...wanted, ...others]);
    });
    return arranged(node, z ? product(node, x!, z, wanted) : x!, wanted);
  },
};

/** `'a'`, `'b'`, and for the axes of an ellipsis `'...0'`, `'...1'`, counted from the last; undefined if there is no room. */
function labelsOf(term: string, rank: number): readonly string[] | undefined {
  const [before, after, ...more] = term.split('...');
  const isNamed = /^[A-Za-z]*$/.test(`${before}${after ?? ''}`);
  const unnamed = after === undefined ? 0 : rank - before!.length - after.length;
  if (!isNamed || more.length > 0 || unnamed < 0) return undefined;
  const ellipsis = Array.from({ length: unnamed }, (_, i) => `...${unnamed - 1 - i}`);
  return [...before!, ...ellipsis, ...(after ?? '')];
}

const isUnnamed = (label: string) => label.startsWith('...');

/** The operand without the axes that nothing else names. */
function summed(node: TensorflowNode, { operand, labels }: Labelled, needed: readonly string[]): Labelled {
  const axes = labels.map((_, i) => i).filter((i) => !needed.includes(labels[i]!));
  if (axes.length === 0) return { operand, labels };
  return {
    operand: node.add(reduce, { x: operand }, { kind: 'sum', axes, keepsAxes: false }, {}),
    labels: labels.filter((_, i) => !axes.includes(i)),
  };
}

/** The operand with its axes in this order. */
function arranged(node: TensorflowNode, { operand, labels }: Labelled, order: readonly string[]): Operand {
  if (`${labels}` === `${order}`) return operand;
  const axes = order.map((label) => labels.indexOf(label));
  return node.add(transpose, { x: operand }, { axes }, {});
}

/** The product of two operands, with the axes of the result in some order. */
function product(node: TensorflowNode, a: Labelled, b: Labelled, wanted: readonly string[]): Labelled {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  if (shared.every((label) => wanted.includes(label))) return outer(node, a, b, wanted);
  return isBetterSwapped(a, b, wanted) ? contracted(node, b, a, wanted) : contracted(node, a, b, wanted);
}

/** The batch and what is computed belong to the first factor; then the order that the result has. */
function isBetterSwapped(a: Labelled, b: Labelled, wanted: readonly string[]): boolean {
  const isConstant = ({ operand }: Labelled) => operand.kind === 'constant';
  if (isConstant(a) !== isConstant(b)) return isConstant(a);
  const firstOwn = (own: Labelled, other: Labelled) => {
    const places = own.labels.filter((label) => !other.labels.includes(label));
    return Math.min(...places.map((label) => wanted.indexOf(label)));
  };
  return firstOwn(b, a) < firstOwn(a, b);
}

/** Nothing is summed: the axes broadcast. */
function outer(node: TensorflowNode, a: Labelled, b: Labelled, wanted: readonly string[]): Labelled {
  const [x, z] = [a, b].map((factor) => {
    const own = wanted.filter((label) => factor.labels.includes(label));
    const { shape } = factor.operand.type;
    const wide = wanted.map((label): Dim => shape[factor.labels.indexOf(label)] ?? 1);
    return reshaped(node, arranged(node, factor, own), wide);
  });
  return { operand: apply(node, 'multiply', x!, z!), labels: wanted };
}

/** Both as matrices: common axes × own axes × summed axes. */
function contracted(node: TensorflowNode, x: Labelled, z: Labelled, wanted: readonly string[]): Labelled {
  const dimOf = ({ operand, labels }: Labelled, label: string) => operand.type.shape[labels.indexOf(label)]!;
  const isBatch = (label: string) => typeof dimOf(x, label) !== 'number';
  const sums = x.labels.filter((label) => z.labels.includes(label) && !wanted.includes(label));
  const common = wanted.filter((label) => x.labels.includes(label) && z.labels.includes(label));
  const ownOf = (own: Labelled, other: Labelled) =>
    wanted.filter((label) => own.labels.includes(label) && !other.labels.includes(label));
  // With common axes, the batch of x alone comes before them, and z broadcasts to it.
  const before = common.length === 0 ? [] : ownOf(x, z).filter(isBatch);
  const [xOwn, zOwn] = [ownOf(x, z).filter((label) => !before.includes(label)), ownOf(z, x)];
  const xDims = (labels: readonly string[]) => labels.map((label) => dimOf(x, label));
  const zDims = (labels: readonly string[]) => labels.map((label) => dimOf(z, label));
  for (const label of sums) broadcastShape([xDims([label]), zDims([label])]);

  // A constant for all samples leaves the axes of x apart, as a Dense layer does.
  const isPlain = common.length === 0;
  const outerX = isPlain ? xDims(xOwn) : [...xDims([...before, ...common]), length(xDims(xOwn))];
  const left = arranged(node, x, [...before, ...common, ...xOwn, ...sums]);
  const right = arranged(node, z, [...common, ...sums, ...zOwn]);
  const rows = length(xDims(sums));
  const columns = length(zDims(zOwn));
  const hasRow = isPlain && xOwn.length === 0;
  const operand = node.add(
    matmul,
    {
      x: reshaped(node, left, [...(hasRow ? [1] : outerX), rows]),
      z: reshaped(node, right, [...zDims(common), rows, columns]),
    },
    { transposeX: false, transposeZ: false },
    {},
  );
  const commonDims = common.map((label) => broadcastShape([xDims([label]), zDims([label])])[0]!);
  const shape = [...xDims(before), ...commonDims, ...xDims(xOwn), ...zDims(zOwn)];
  return { operand: reshaped(node, operand, shape), labels: [...before, ...common, ...xOwn, ...zOwn] };
}

/** The product of lengths. */
function length(dims: readonly Dim[]): Dim {
  return dims.reduce((product: Dim, dim) => {
    if (typeof product === 'number') {
      return typeof dim === 'number' ? product * dim : { batch: product * dim.batch };
    }
    if (typeof dim !== 'number') throw new Refusal('a product of two batches is not supported');
    return { batch: product.batch * dim };
  }, 1);
}

export const einsumKeras: KerasLayers = {
  EinsumDense: keepsMask((layer) => {
    layer.ignore('output_shape');
    const hasBias = layer.value('bias_axes') !== undefined;
    const { kernel, bias } = layer.weights('kernel', ...(hasBias ? ['bias'] : []));
    const y = layer.tensorflow('Einsum', [layer.input(0), kernel!], { equation: layer.text('equation') });
    return activated(layer, bias ? layer.tensorflow('AddV2', [y, bias]) : y);
  }),
};
