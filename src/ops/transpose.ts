/** The axes in another order. */

import { Refusal } from '../errors.ts';
import { printShape } from '../ir/types.ts';
import { rowMajor, stridedIndices, take } from './broadcasting.ts';
import type { KerasLayers } from './keras.ts';
import { defineOp } from './op.ts';
import type { Builder, Operand, TensorflowOps } from './tensorflow.ts';

/** Axis `i` of the output is axis `axes[i]` of the input. */
export const transpose = defineOp({
  name: 'Transpose',
  inputs: ['x'],
  weights: [],

  infer({ x }, { axes }: { readonly axes: readonly number[] }) {
    const isOrder = x.shape.every((_, i) => axes.includes(i)) && axes.length === x.shape.length;
    if (!isOrder) throw new Refusal(`${axes} is no order of the axes of ${printShape(x.shape)}`);
    return { dtype: x.dtype, shape: axes.map((axis) => x.shape[axis]!) };
  },

  evaluate({ x }, { axes }, output) {
    const strides = rowMajor(x.shape);
    return take(
      x,
      stridedIndices(
        output.shape,
        axes.map((axis) => strides[axis]!),
        0,
      ),
    );
  },

  emit({ inputs, into, use }, { axes }) {
    if (axes[0] !== 0) throw new Refusal('an order of the axes that moves the batch is not supported');
    return `${use('ops')}::transpose(${inputs.x}, [${axes.join(', ')}], ${into})`;
  },

  className: () => 'Permute',
});

/** (batch, channels, …spatial) → (batch, …spatial, channels), if the channels do come first. */
export function channelsLast(builder: Builder, x: Operand, isChannelsFirst: boolean): Operand {
  const rank = x.type.shape.length;
  const axes = [0, ...Array.from({ length: rank - 2 }, (_, i) => i + 2), 1];
  return isChannelsFirst ? builder.add(transpose, { x }, { axes }, {}) : x;
}

/** Back from `channelsLast`. */
export function fromChannelsLast(builder: Builder, x: Operand, isChannelsFirst: boolean): Operand {
  const rank = x.type.shape.length;
  const axes = [0, rank - 1, ...Array.from({ length: rank - 2 }, (_, i) => i + 1)];
  return isChannelsFirst ? builder.add(transpose, { x }, { axes }, {}) : x;
}

export const transposeTensorflow: TensorflowOps = {
  Transpose: (node) => node.add(transpose, { x: node.input(0) }, { axes: node.integers(1) }, {}),
};

export const transposeKeras: KerasLayers = {
  Permute: (layer) => layer.add(transpose, { x: layer.input(0) }, { axes: [0, ...layer.list('dims')] }, {}),
};
