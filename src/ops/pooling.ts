/** The maximum or the average of each window, channel by channel. */

import { Refusal } from '../errors.ts';
import { elements } from '../ir/types.ts';
import { isChannelsFirst, spatialOf, windowOf } from './convolution.ts';
import { isChannelsFirstLayer, type KerasLayers, type KerasLowering } from './keras.ts';
import { defineOp } from './op.ts';
import type { TensorflowOps } from './tensorflow.ts';
import { channelsLast, fromChannelsLast } from './transpose.ts';
import { channels, lengthsOut, rustWindow, slide, spatial, type Window } from './window.ts';

export interface PoolingAttributes {
  readonly kind: 'max' | 'average';
  readonly sizes: readonly number[];
  readonly window: Window;
}

/** (batch, …spatial, channels) → (batch, …spatial, channels). Padding counts neither as a value nor in an average. */
export const pooling = defineOp({
  name: 'Pooling',
  inputs: ['x'],
  weights: [],

  infer({ x }, { sizes, window }: PoolingAttributes) {
    if (x.dtype !== 'f32') throw new Refusal(`pooling computes with f32, and its input is ${x.dtype}`);
    return {
      dtype: 'f32',
      shape: [x.shape[0]!, ...lengthsOut(window, spatial(x.shape), sizes), channels(x.shape)],
    };
  },

  evaluate({ x }, { kind, sizes, window }, output) {
    const c = channels(x.shape);
    const [pixelsIn, pixelsOut] = [x, output].map(({ shape }) => elements(shape.slice(1, -1))) as [
      number,
      number,
    ];
    const length = elements(output.shape);
    const results = new Float64Array(length).fill(kind === 'max' ? Number.NEGATIVE_INFINITY : 0);
    const counts = new Float64Array(length / Math.max(c, 1));
    for (let sample = 0; sample < output.shape[0]!; sample++) {
      slide(window, spatial(x.shape), sizes, (pixelOut, pixelIn) => {
        const to = sample * pixelsOut + pixelOut;
        const from = sample * pixelsIn + pixelIn;
        counts[to]!++;
        for (let i = 0; i < c; i++) {
          const value = Number(x.data[from * c + i]);
          const at = to * c + i;
          results[at] = kind === 'max' ? Math.max(results[at]!, value) : results[at]! + value;
        }
      });
    }
    return Float32Array.from(results, (y, i) => (kind === 'max' ? y : y / counts[Math.floor(i / c)]!));
  },

  emit({ inputs, types, into, use }, { kind, sizes, window }) {
    const size = sizes.length === 1 ? `${sizes[0]}` : `[${sizes.join(', ')}]`;
    const slides = rustWindow(window, spatial(types.x.shape), sizes, use);
    return `${use('ops')}::${kind}_pooling${sizes.length}d(${inputs.x}, ${size}, ${slides}, ${into})`;
  },

  className: ({ kind, sizes }) => `${kind === 'max' ? 'Max' : 'Average'}Pooling${sizes.length}D`,
});

const pool =
  (kind: PoolingAttributes['kind']): TensorflowOps[string] =>
  (node) => {
    const first = isChannelsFirst(node, 'NHWC');
    const x = channelsLast(node, node.input(0), first);
    const sizes = spatialOf(node, 'ksize', first);
    const window = windowOf(node, spatial(x.type.shape), sizes, first);
    return fromChannelsLast(node, node.add(pooling, { x }, { kind, sizes, window }, {}), first);
  };

export const poolingTensorflow: TensorflowOps = {
  AvgPool: pool('average'),
  AvgPool3D: pool('average'),
  MaxPool: pool('max'),
  MaxPool3D: pool('max'),
};

const poolingLayer =
  (op: 'AvgPool' | 'MaxPool', rank: number): KerasLowering =>
  (layer) => {
    // Without strides, windows do not overlap.
    const sizes = layer.list(layer.value('pool_size') === undefined ? 'pool_length' : 'pool_size', rank);
    const first = isChannelsFirstLayer(layer);
    const strides = layer.value('strides') === undefined ? sizes : layer.list('strides', rank);
    const around = (list: readonly number[]) => (first ? [1, 1, ...list] : [1, ...list, 1]);
    return layer.tensorflow(op, [layer.input(0)], {
      ksize: around(sizes),
      strides: around(strides),
      padding: layer.text('padding', 'valid').toUpperCase(),
      data_format: first ? 'NCHW' : 'NHWC',
    });
  };

export const poolingKeras: KerasLayers = {
  AveragePooling1D: poolingLayer('AvgPool', 1),
  AveragePooling2D: poolingLayer('AvgPool', 2),
  AveragePooling3D: poolingLayer('AvgPool', 3),
  MaxPooling1D: poolingLayer('MaxPool', 1),
  MaxPooling2D: poolingLayer('MaxPool', 2),
  MaxPooling3D: poolingLayer('MaxPool', 3),
};
