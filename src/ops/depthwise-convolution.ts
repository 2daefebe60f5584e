/** A window slides over each channel by itself. */

import { Refusal } from '../errors.ts';
import { elements, type TensorType } from '../ir/types.ts';
import { activateAll, rustActivation } from './activation.ts';
import { workOfBands } from './bands.ts';
import type { ConvolutionAttributes } from './convolution.ts';
import { defineOp, type LayerField } from './op.ts';
import { repeated } from './product.ts';
import { channels, lengthsOut, rustWindow, slide, spatial } from './window.ts';

/** (batch, …spatial, channels) → (batch, …spatial, channels · multiplier); the kernel is (…sizes, channels, multiplier), the bias (channels, multiplier). */
export const depthwiseConvolution = defineOp({
  name: 'DepthwiseConvolution',
  inputs: ['x'],
  weights: ['kernel', 'bias'],

  infer({ x, kernel, bias }, { window }: ConvolutionAttributes) {
    const sizes = kernel.shape.slice(0, -2) as number[];
    const [inChannels, multiplier] = kernel.shape.slice(-2) as [number, number];
    const last = channels(x.shape);
    if (x.dtype !== 'f32') throw new Refusal(`a convolution computes with f32, and its input is ${x.dtype}`);
    if (x.shape.length !== sizes.length + 2) {
      throw new Refusal(
        `the input has ${x.shape.length} dimensions, but the kernel expects ${sizes.length + 2}`,
      );
    }
    if (last !== inChannels) throw new Refusal(`${last} channels do not fit a kernel for ${inChannels}`);
    const out = inChannels * multiplier;
    if (`${bias.shape}` !== `${[inChannels, multiplier]}`)
      throw new Refusal(`biases (${bias.shape}) for ${out} channels`);
    return { dtype: 'f32', shape: [x.shape[0]!, ...lengthsOut(window, spatial(x.shape), sizes), out] };
  },

  evaluate({ x, kernel, bias }, { window, activation }, output) {
    const [inChannels, multiplier] = kernel.shape.slice(-2) as [number, number];
    const out = inChannels * multiplier;
    const [pixelsIn, pixelsOut] = [x, output].map(({ shape }) => elements(shape.slice(1, -1))) as [
      number,
      number,
    ];
    const sums = repeated(bias.data, elements(output.shape));
    const [xs, weights] = [x.data as Float32Array, kernel.data as Float32Array];
    for (let sample = 0; sample < output.shape[0]!; sample++) {
      slide(window, spatial(x.shape), kernel.shape.slice(0, -2), (pixelOut, pixelIn, tap) => {
        const to = (sample * pixelsOut + pixelOut) * out;
        const from = (sample * pixelsIn + pixelIn) * inChannels;
        for (let o = 0; o < out; o++) {
          sums[to + o]! += xs[from + Math.floor(o / multiplier)]! * weights[tap * out + o]!;
        }
      });
    }
    return activateAll(sums, activation);
  },

  emit({ inputs, types, into, layer, use }, { window, activation }) {
    const field = layer(layerOf(types.kernel));
    const slides = rustWindow(window, spatial(types.x.shape), sizesOf(types.kernel), use);
    return `${field}.apply(${inputs.x}, ${slides}, ${rustActivation(activation, use)}, ${into})`;
  },

  overBands: {
    input: 'x',
    fits: ({ kernel }) => kernel.shape.length === 4 && channels(kernel.shape) === 1,
    work: ({ x, kernel }, { window }) => workOfBands(x, window, sizesOf(kernel)),
    emit({ inputs, types, into, work, layer, use }, { window, activation }) {
      const field = layer(layerOf(types.kernel));
      const slides = rustWindow(window, spatial(types.x.shape), sizesOf(types.kernel), use);
      const options = `${slides}, ${rustActivation(activation, use)}`;
      return `${field}.apply_to_bands(${inputs.x}, ${options}, ${work}, ${into})`;
    },
  },

  className: (_, { kernel }) => `DepthwiseConv${kernel.shape.length - 2}D`,
  operations: ({ kernel }, _, output) =>
    elements(kernel.shape as number[]) * elements(output.shape.slice(1, -1) as number[]),
});

const sizesOf = ({ shape }: TensorType) => shape.slice(0, -2) as number[];

function layerOf(kernel: TensorType): LayerField<'kernel' | 'bias'> {
  const sizes = sizesOf(kernel);
  if (sizes.length > 2) throw new Refusal(`a convolution over ${sizes.length} dimensions is not supported`);
  const [inChannels, multiplier] = kernel.shape.slice(-2) as [number, number];
  const rows = (1 + elements(sizes)) * Math.ceil((inChannels * multiplier) / 16);
  return {
    rustType: `DepthwiseConv${sizes.length}D<${[...sizes, inChannels, multiplier, rows].join(', ')}>`,
    doc: `Windows of ${sizes.join(' × ')}, ${inChannels} → ${inChannels * multiplier} channels.`,
    pack: ['kernel', 'bias'],
  };
}
