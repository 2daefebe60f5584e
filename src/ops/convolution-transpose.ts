/** A convolution the other way round: every step of the input adds a window of numbers to the output. */

import { Refusal } from '../errors.ts';
import { type Dim, elements, sameShape } from '../ir/types.ts';
import { activateAll, linear, rustActivation } from './activation.ts';
import {
  type ConvolutionAttributes,
  finished,
  isChannelsFirst,
  kernelAndBias,
  windowAttributes,
  windowOf,
  zeroBias,
} from './convolution.ts';
import { isChannelsFirstLayer, type KerasLayer, type KerasLayers, type KerasLowering } from './keras.ts';
import { defineOp } from './op.ts';
import { repeated } from './product.ts';
import type { TensorflowOps } from './tensorflow.ts';
import { channelsLast, fromChannelsLast, transpose } from './transpose.ts';
import { channels, lengthsOut, rustWindow, slide, spatial } from './window.ts';

export interface ConvolutionTransposeAttributes extends ConvolutionAttributes {
  /** The spatial lengths of the output, over which the window slides. */
  readonly lengths: readonly number[];
}

/** (batch, …spatial, channels) → (batch, …lengths, filters); the kernel is (…sizes, channels, filters), unlike Keras's. */
export const convolutionTranspose = defineOp({
  name: 'ConvolutionTranspose',
  inputs: ['x'],
  weights: ['kernel', 'bias'],

  infer({ x, kernel, bias }, { window, lengths }: ConvolutionTransposeAttributes) {
    const sizes = kernel.shape.slice(0, -2) as number[];
    const [inChannels, filters] = kernel.shape.slice(-2) as [number, number];
    if (x.dtype !== 'f32') throw new Refusal(`a convolution computes with f32, and its input is ${x.dtype}`);
    if (x.shape.length !== sizes.length + 2) {
      throw new Refusal(
        `the input has ${x.shape.length} dimensions, but the kernel expects ${sizes.length + 2}`,
      );
    }
    if (channels(x.shape) !== inChannels) {
      throw new Refusal(`${channels(x.shape)} channels do not fit a kernel for ${inChannels}`);
    }
    if (bias.shape[0] !== filters) throw new Refusal(`${bias.shape[0]} biases for ${filters} filters`);
    const steps = lengthsOut(window, lengths, sizes);
    if (!sameShape(steps, spatial(x.shape))) {
      throw new Refusal(
        `a window over ${lengths} has ${steps} places, and the input has ${spatial(x.shape)}`,
      );
    }
    return { dtype: 'f32', shape: [x.shape[0]!, ...lengths, filters] };
  },

  evaluate({ x, kernel, bias }, { window, activation, lengths }, output) {
    const sizes = kernel.shape.slice(0, -2);
    const [inChannels, filters] = kernel.shape.slice(-2) as [number, number];
    const [pixelsIn, pixelsOut] = [elements(spatial(x.shape)), elements(lengths)];
    const sums = repeated(bias.data, elements(output.shape));
    const [xs, weights] = [x.data as Float32Array, kernel.data as Float32Array];
    for (let sample = 0; sample < output.shape[0]!; sample++) {
      slide(window, lengths, sizes, (place, pixel, tap) => {
        const to = (sample * pixelsOut + pixel) * filters;
        const from = (sample * pixelsIn + place) * inChannels;
        for (let c = 0; c < inChannels; c++) {
          const factor = xs[from + c]!;
          const row = (tap * inChannels + c) * filters;
          for (let f = 0; f < filters; f++) sums[to + f]! += factor * weights[row + f]!;
        }
      });
    }
    return activateAll(sums, activation);
  },

  emit({ inputs, types, into, layer, use }, { window, activation, lengths }) {
    const sizes = types.kernel.shape.slice(0, -2) as number[];
    const [inChannels, filters] = types.kernel.shape.slice(-2) as [number, number];
    const rows = Math.ceil(filters / 16) * (1 + elements(sizes) * inChannels);
    const field = layer({
      rustType: `Conv${sizes.length}DTranspose<${[...sizes, inChannels, filters, rows].join(', ')}>`,
      doc: `Windows of ${sizes.join(' × ')}, ${inChannels} → ${filters} channels.`,
      pack: ['kernel', 'bias'],
    });
    const slides = rustWindow(window, lengths, sizes, use);
    return `${field}.apply(${inputs.x}, ${slides}, ${rustActivation(activation, use)}, ${into})`;
  },

  className: (_, { kernel }) => `Conv${kernel.shape.length - 2}DTranspose`,
  operations: ({ x, kernel }) => elements(kernel.shape as number[]) * elements(spatial(x.shape)),
});

const lowering: TensorflowOps[string] = (node) => {
  const first = isChannelsFirst(node, 'NHWC');
  node.flag('use_cudnn_on_gpu', true);
  const kernel = node.constant(1);
  const rank = kernel.shape.length;
  const shape = node.dims(0);
  const x = channelsLast(node, node.input(2), first);
  // The shape of the output may come without batch and channels.
  const given = shape.length === rank - 2 ? shape : first ? shape.slice(2) : shape.slice(1, -1);
  const lengths = given.map((dim) => {
    if (typeof dim !== 'number') throw new Refusal('the batch stands where steps or pixels should');
    return dim;
  });
  if (lengths.length !== rank - 2) throw new Refusal(`an output of ${shape.length} dimensions`);
  const filters = kernel.shape.at(-2)!;
  const window = windowOf(node, lengths, kernel.shape.slice(0, -2), first);
  const axes = [...kernel.shape.slice(0, -2).map((_, i) => i), rank - 1, rank - 2];
  const turned = node.add(transpose, { x: node.input(1) }, { axes }, {});
  if (turned.kind !== 'constant') throw new Error('a transposed constant is a constant');
  const y = node.add(
    convolutionTranspose,
    { x },
    { window, activation: linear, lengths },
    { kernel: turned.tensor, bias: zeroBias([filters]) },
  );
  return fromChannelsLast(node, y, first);
};

export const convolutionTransposeTensorflow: TensorflowOps = {
  Conv2DBackpropInput: lowering,
  Conv3DBackpropInputV2: lowering,
};

const transposeLayer =
  (rank: number): KerasLowering =>
  (layer) => {
    layer.ignore('filters');
    if (layer.number('groups', 1) !== 1)
      throw new Refusal('groups of a transposed convolution are not supported');
    const sizes = layer.list('kernel_size', rank);
    const { kernels, bias } = kernelAndBias(layer, 'kernel');
    const x = layer.input(0);
    const first = isChannelsFirstLayer(layer);
    const steps = first ? x.type.shape.slice(2) : x.type.shape.slice(1, -1);
    const lengths = transposedLengths(layer, steps, sizes);
    const attributes = windowAttributes(layer, rank, sizes);
    return finished(
      layer,
      layer.tensorflow('Conv2DBackpropInput', [lengths, kernels[0]!, x], attributes),
      bias,
    );
  };

/** The lengths of the output (keras/src/backend/common/backend_utils.py, `_get_output_shape_given_tf_padding`). */
function transposedLengths(
  layer: KerasLayer,
  steps: readonly Dim[],
  sizes: readonly number[],
): readonly number[] {
  const rank = sizes.length;
  const [strides, dilations] = [layer.list('strides', rank, 1), layer.list('dilation_rate', rank, 1)];
  const extra = layer.value('output_padding') === undefined ? undefined : layer.list('output_padding', rank);
  return steps.map((count, i) => {
    if (typeof count !== 'number') throw new Refusal('the batch stands where steps or pixels should');
    const reach = (sizes[i]! - 1) * dilations[i]! + 1;
    const apart = (count - 1) * strides[i]!;
    if (layer.text('padding', 'valid') === 'valid') {
      return apart + (extra ? reach + extra[i]! : Math.max(reach, strides[i]!));
    }
    return extra ? apart + (reach % 2) + extra[i]! : count * strides[i]!;
  });
}

export const convolutionTransposeKeras: KerasLayers = {
  Conv1DTranspose: transposeLayer(1),
  Conv2DTranspose: transposeLayer(2),
  Conv3DTranspose: transposeLayer(3),
};
