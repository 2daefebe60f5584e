/** Rows of a table, by their numbers. */

import { Refusal } from '../errors.ts';
import type { Constant } from '../ir/graph.ts';
import { bytesOf, elements } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { rowMajor, stridedIndices, take } from './broadcasting.ts';
import { compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import { gatherAlong } from './gather-along.ts';
import type { KerasLayer, KerasLayers, KerasLowering, KerasOutputs } from './keras.ts';
import { defineOp } from './op.ts';
import { reshaped } from './reshape.ts';
import type { Operand, TensorflowNode, TensorflowOps } from './tensorflow.ts';
import { transpose } from './transpose.ts';

export interface EmbeddingAttributes {
  /** Negative numbers count from the last row, as in Keras 3. */
  readonly wraps: boolean;
}

/** (…) numbers of words → (…, size). */
export const embedding = defineOp({
  name: 'Embedding',
  inputs: ['x'],
  weights: ['table'],

  infer({ x, table }, _: EmbeddingAttributes) {
    if (!['i32', 'i64', 'u8'].includes(x.dtype))
      throw new Refusal(`a row of a table by ${x.dtype} is not supported`);
    if (table.dtype === 'bool') throw new Refusal('a table of bool is not supported');
    return { dtype: table.dtype, shape: [...x.shape, ...table.shape.slice(1)] };
  },

  evaluate({ x, table }, { wraps }, output) {
    const [words, size] = table.shape as [number, number];
    const rows = Array.from({ length: x.data.length }, (_, i) => {
      const number = Number(x.data[i]);
      const word = wraps && number < 0 ? number + words : number;
      if (word < 0 || word >= words) throw new Refusal(`row ${number} is not in a table of ${words}`);
      return word;
    });
    const indices = new Int32Array(elements(output.shape));
    for (const [i, word] of rows.entries())
      for (let j = 0; j < size; j++) indices[i * size + j] = word * size + j;
    return take(table, indices);
  },

  emit({ inputs, types, into, nameOf, layer, use }, { wraps }) {
    const [words, size] = types.table.shape as [number, number];
    const { dtype } = types.table;
    if (dtype !== 'f32') {
      const table = layer({
        rustType: `Constant<[[${dtype}; ${size}]; ${words}], ${Math.ceil((words * size * bytesOf(dtype)) / 64)}>`,
        doc: `${words} rows, ${size} numbers each.`,
        pack: ['table'],
      });
      return `${use('ops')}::look_up(${nameOf('x')}, ${inputs.x}, ${table}.values(), ${into})?`;
    }
    const field = layer({
      rustType: `Embedding<${words}, ${size}, ${Math.ceil((words * size) / 16)}>`,
      doc: `${words} words, ${size} numbers each.`,
      pack: ['table'],
    });
    return `${field}.apply${wraps ? '_wrapping' : ''}(${nameOf('x')}, ${inputs.x}, ${into})?`;
  },

  className: () => 'Embedding',
});

/** Rows along an axis of a table that is the same at every prediction. */
function gather(node: TensorflowNode, params: Operand, indices: Operand, axis: number): Operand {
  if (indices.kind === 'constant') return gatherConstant(node, params, indices, axis);
  if (params.kind !== 'constant')
    throw new Refusal('a row by a computed number of a computed table is not supported');
  const front = [axis, ...params.type.shape.map((_, i) => i).filter((i) => i !== axis)];
  const turned = node.add(transpose, { x: params }, { axes: front }, {}) as Constant;
  const [words, ...rest] = turned.tensor.shape as [number, ...number[]];
  const table = { ...turned.tensor, shape: [words, elements(rest)] };
  const rows = node.add(embedding, { x: indices }, { wraps: false }, { table });
  const shape = [...indices.type.shape, ...rest];
  if (axis !== 0) throw new Refusal('a computed row of another axis than the first is not supported');
  return reshaped(node, rows, shape);
}

/** Steps along an axis of a computed value: known numbers, so slices that are joined. */
function gatherConstant(node: TensorflowNode, params: Operand, indices: Constant, axis: number): Operand {
  const { shape } = params.type;
  const outer = shape.slice(0, axis);
  const length = shape[axis];
  if (typeof length !== 'number') throw new Refusal('chosen samples of the batch mix the samples');
  const at = Array.from(indices.tensor.data, Number);
  const bad = at.find((i) => i < 0 || i >= length);
  if (bad !== undefined) throw new Refusal(`row ${bad} is not one of ${length}`);
  const y = node.add(select, { x: params }, { axis, indices: at }, {});
  return reshaped(node, y, [...outer, ...indices.type.shape, ...shape.slice(axis + 1)]);
}

/** Chosen steps of one axis: `y[…, i, …] = x[…, indices[i], …]`. */
export const select = defineOp({
  name: 'Select',
  inputs: ['x'],
  weights: [],

  infer({ x }, { axis, indices }: { readonly axis: number; readonly indices: readonly number[] }) {
    return { dtype: x.dtype, shape: x.shape.with(axis, indices.length) };
  },

  evaluate({ x }, { axis, indices }, output) {
    const strides = rowMajor(x.shape);
    const inner = strides[axis]!;
    const places = stridedIndices(output.shape, strides.with(axis, 0), 0);
    const count = elements(output.shape.slice(axis + 1));
    return take(
      x,
      places.map((place, i) => place + inner * indices[Math.floor(i / count) % indices.length]!),
    );
  },

  emit({ inputs, into, use }, { axis, indices }) {
    return `${use('ops')}::gather(${inputs.x}, ${axis}, &[${indices.join(', ')}], ${into})`;
  },

  className: () => 'take',
});

export const embeddingTensorflow: TensorflowOps = {
  Gather: (node) => {
    node.flag('validate_indices', true);
    return gather(node, node.input(0), node.input(1), 0);
  },
  GatherV2: (node) => {
    const [params, indices] = [node.input(0), node.input(1)];
    const axis = axisOf(node.integers(2)[0]!, params.type.shape.length);
    const given = node.number('batch_dims', 0);
    const shared = given < 0 ? given + indices.type.shape.length : given;
    if (shared === 0) return gather(node, params, indices, axis);
    return node.add(gatherAlong, { x: params, indices }, { axis, shared }, {});
  },
  ResourceGather: (node) => {
    if (node.number('batch_dims', 0) !== 0)
      throw new Refusal('ResourceGather with batch_dims is not supported');
    node.flag('validate_indices', true);
    return gather(node, node.input(0), node.input(1), 0);
  },
};

/** The rows of the table by the numbers of the input; with `mask_zero`, row 0 stands for no step. */
function rowsOf(layer: KerasLayer, { tensor: table }: Constant): KerasOutputs {
  const x = layer.input(0);
  const isInteger = x.type.dtype === 'i32' || x.type.dtype === 'i64';
  const words = isInteger ? x : layer.tensorflow('Cast', [x], { DstT: { dtype: 'i32' } });
  const y = layer.add(embedding, { x: words }, { wraps: layer.keras >= 3 }, { table });
  if (!layer.flag('mask_zero', false)) return { outputs: [y], masks: [undefined] };
  const zero = layer.tensorflow('ZerosLike', [x]);
  return { outputs: [y], masks: [layer.tensorflow('NotEqual', [x, zero])] };
}

/** Numbers of words → their rows, or with `reverse` vectors → how well each row fits. */
const reversible: KerasLowering = (layer) => {
  layer.ignore('input_dim', 'output_dim', 'reverse_dtype');
  const isTied = layer.flag('tie_weights', true);
  const weights = layer.weights('embeddings', ...(isTied ? [] : ['reverse_embeddings']));
  const cap = layer.value('logit_soft_cap') === undefined ? undefined : layer.number('logit_soft_cap');
  const reverse = layer.argument('reverse', 1);
  const isReverse = reverse?.kind === 'value' && reverse.value === true;
  if (!isReverse) return rowsOf(layer, weights.embeddings!);
  layer.flag('mask_zero', false);
  const kernel = isTied
    ? layer.tensorflow('Transpose', [weights.embeddings!, [1, 0]])
    : weights.reverse_embeddings!;
  const logits = layer.tensorflow('BatchMatMulV2', [layer.input(0), kernel]);
  if (cap === undefined) return logits;
  const f = call('divide', input(0, 'f32'), number(cap, 'f32'));
  return compute(layer, [logits], call('multiply', call('tanh', f), number(cap, 'f32')));
};

export const embeddingKeras: KerasLayers = {
  Embedding: (layer) => {
    layer.ignore('input_dim', 'output_dim', 'input_length');
    return rowsOf(layer, layer.weights('embeddings').embeddings);
  },
  ReversibleEmbedding: reversible,
};
