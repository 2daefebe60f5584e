/** A window slides over the input, and every place of it has a matrix from the channels to the filters. */

import { Refusal } from '../errors.ts';
import type { Constant } from '../ir/graph.ts';
import { elements, type Tensor, type TensorType } from '../ir/types.ts';
import { type Activation, activateAll, linear, rustActivation } from './activation.ts';
import { depthwiseConvolution } from './depthwise-convolution.ts';
import {
  isChannelsFirstLayer,
  type KerasLayer,
  type KerasLayers,
  type KerasLowering,
  type TensorflowAttribute,
} from './keras.ts';
import { activated } from './keras-activation.ts';
import { defineOp, type EmittedStep } from './op.ts';
import { addProduct, repeated } from './product.ts';
import type { Operand, TensorflowNode, TensorflowOps } from './tensorflow.ts';
import { channelsLast, fromChannelsLast } from './transpose.ts';
import { channels, lengthsOut, padding, pixelsUnder, rustWindow, spatial, type Window } from './window.ts';
import { type Winograd, winograd } from './winograd.ts';

export interface ConvolutionAttributes {
  readonly window: Window;
  readonly activation: Activation;
}

/** (batch, …spatial, channels) → (batch, …spatial, filters); the kernel is (…sizes, channels / groups, filters). */
export const convolution = defineOp({
  name: 'Convolution',
  inputs: ['x'],
  weights: ['kernel', 'bias'],

  infer({ x, kernel, bias }, { window }: ConvolutionAttributes) {
    const sizes = kernel.shape.slice(0, -2) as number[];
    const [inGroup, filters] = kernel.shape.slice(-2) as [number, number];
    const last = channels(x.shape);
    if (x.dtype !== 'f32') throw new Refusal(`a convolution computes with f32, and its input is ${x.dtype}`);
    if (x.shape.length !== sizes.length + 2) {
      throw new Refusal(
        `the input has ${x.shape.length} dimensions, but the kernel expects ${sizes.length + 2}`,
      );
    }
    if (last % inGroup !== 0 || filters % (last / inGroup) !== 0) {
      throw new Refusal(`${last} channels do not fit a kernel for ${inGroup} with ${filters} filters`);
    }
    if (bias.shape[0] !== filters) throw new Refusal(`${bias.shape[0]} biases for ${filters} filters`);
    return { dtype: 'f32', shape: [x.shape[0]!, ...lengthsOut(window, spatial(x.shape), sizes), filters] };
  },

  evaluate({ x, kernel, bias }, { window, activation }, output) {
    const sizes = kernel.shape.slice(0, -2);
    const [inGroup, filters] = kernel.shape.slice(-2) as [number, number];
    const inChannels = channels(x.shape);
    const perGroup = filters / (inChannels / inGroup);
    const [pixelsIn, pixelsOut] = [x, output].map(({ shape }) => elements(shape.slice(1, -1))) as [
      number,
      number,
    ];
    const sums = repeated(bias.data, elements(output.shape));
    const pixels = new Int32Array(elements(sizes));
    const under = pixelsUnder(window, spatial(x.shape), sizes);
    for (let group = 0; group * inGroup < inChannels; group++) {
      addProduct({
        rows: output.shape[0]! * pixelsOut,
        steps: pixels.length * inGroup,
        columns: perGroup,
        readRow(row, into) {
          const sample = Math.floor(row / pixelsOut) * pixelsIn;
          under(row % pixelsOut, pixels);
          for (let tap = 0; tap < pixels.length; tap++) {
            const pixel = pixels[tap]!;
            const from = (sample + pixel) * inChannels + group * inGroup;
            for (let c = 0; c < inGroup; c++)
              into[tap * inGroup + c] = pixel < 0 ? 0 : Number(x.data[from + c]);
          }
        },
        right: { data: kernel.data, start: group * perGroup, row: filters, column: 1 },
        sums: { data: sums, start: group * perGroup, row: filters, column: 1 },
      });
    }
    return activateAll(sums, activation);
  },

  work: (types, attributes) => winogradOf(types, attributes)?.work ?? 0,

  emit({ inputs, types, into, work, layer, use }, { window, activation }) {
    const slides = slidesOf(types, window, use);
    const fast = winogradOf(types, { window, activation });
    if (fast) {
      const field = layer({ rustType: fast.rustType, doc: docOf(types), pack: ['kernel', 'bias'] });
      return `${field}.apply(${inputs.x}, ${slides}, ${rustActivation(activation, use)}, ${work}, ${into})`;
    }
    const field = plainLayer({ types, layer });
    return `${field}.apply(${inputs.x}, ${slides}, ${rustActivation(activation, use)}, ${into})`;
  },

  bands: {
    fits({ x, kernel }, attributes) {
      const isPlain = kernel.shape.length === 4 && kernel.shape[2] === channels(x.shape);
      return isPlain && winogradOf({ x, kernel }, attributes) === undefined;
    },
    emit({ inputs, types, layer, use }, { window, activation }) {
      const slides = slidesOf(types, window, use);
      return `${plainLayer({ types, layer })}.bands(${inputs.x}, ${slides}, ${rustActivation(activation, use)})`;
    },
  },

  className: (_, { kernel }) => `Conv${kernel.shape.length - 2}D`,
  operations: ({ kernel }, _, output) =>
    elements(kernel.shape as number[]) * elements(output.shape.slice(1, -1) as number[]),
});

type Step = EmittedStep<'x', 'kernel' | 'bias'>;

/** The call that adds the convolution to `y`. */
export function addConvolution(step: Step, { window, activation }: ConvolutionAttributes, y: string): string {
  const { inputs, types, use } = step;
  const slides = slidesOf(types, window, use);
  return `${plainLayer(step)}.add_to(${y}, ${inputs.x}, ${slides}, ${rustActivation(activation, use)})`;
}

function slidesOf({ x, kernel }: Step['types'], window: Window, use: Step['use']): string {
  return rustWindow(window, spatial(x.shape), kernel.shape.slice(0, -2) as number[], use);
}

/** Declares the layer whose sums are those of the definition. */
function plainLayer({ types, layer }: Pick<Step, 'types' | 'layer'>): string {
  const sizes = types.kernel.shape.slice(0, -2) as number[];
  const [inGroup, filters] = types.kernel.shape.slice(-2) as [number, number];
  const groups = channels(types.x.shape) / inGroup;
  // The layer over volumes adds convolutions of planes.
  const planes = sizes.length === 3 ? sizes[0]! : 1;
  const rows =
    planes * groups * Math.ceil(filters / groups / 16) * (1 + (elements(sizes) / planes) * inGroup);
  // The layer over volumes has groups, be it only one.
  const isGrouped = groups > 1 && sizes.length < 3;
  const type = `${isGrouped ? 'Grouped' : ''}Conv${sizes.length}D`;
  const ofGroups = isGrouped || sizes.length === 3 ? [groups] : [];
  const parameters = [...sizes, inGroup, filters, ...ofGroups, rows];
  const rustType = `${type}<${parameters.join(', ')}>`;
  return layer({ rustType, doc: docOf(types), pack: ['kernel', 'bias'] });
}

function docOf({ x, kernel }: Step['types']): string {
  const sizes = kernel.shape.slice(0, -2).join(' × ');
  return `Windows of ${sizes}, ${channels(x.shape)} → ${kernel.shape.at(-1)} channels.`;
}

/** How Winograd's method computes the convolution; undefined where it does not. */
export function winogradOf(
  { x, kernel }: Readonly<Record<'x' | 'kernel', TensorType>>,
  { window }: ConvolutionAttributes,
): Winograd | undefined {
  const sizes = kernel.shape.slice(0, -2) as number[];
  const [inGroup, filters] = kernel.shape.slice(-2) as [number, number];
  const isPlain = [...window.strides, ...window.dilations].every((steps) => steps === 1);
  if (!isPlain || inGroup !== channels(x.shape)) return undefined;
  return winograd(sizes, lengthsOut(window, spatial(x.shape), sizes), inGroup, filters);
}

/** The stride or dilation of the spatial dimensions, from an attribute that has one for every dimension. */
export function spatialOf(
  node: TensorflowNode,
  attribute: string,
  isChannelsFirst: boolean,
  rank = node.input(0).type.shape.length,
): readonly number[] {
  const list = node.list(attribute);
  if (list.length === 0) return Array<number>(rank - 2).fill(1);
  const others = isChannelsFirst ? [list[0], list[1]] : [list[0], list.at(-1)];
  if (list.length !== rank || others.some((n) => n !== 1)) {
    throw new Refusal(
      `${attribute} is ${list.join(', ')}, and only the spatial dimensions can have another than 1`,
    );
  }
  return isChannelsFirst ? list.slice(2) : list.slice(1, -1);
}

/** The window of a TensorFlow convolution or pooling over windows of these sizes. */
export function windowOf(
  node: TensorflowNode,
  lengths: readonly number[],
  sizes: readonly number[],
  isChannelsFirst: boolean,
): Window {
  const rank = lengths.length + 2;
  const strides = spatialOf(node, 'strides', isChannelsFirst, rank);
  const dilations = spatialOf(node, 'dilations', isChannelsFirst, rank);
  const kind = node.text('padding', '');
  const explicit = node.list('explicit_paddings');
  if (kind !== 'EXPLICIT')
    return { strides, dilations, padding: padding(kind, lengths, sizes, strides, dilations) };
  const pairs = lengths.map((_, i) => {
    const at = 2 * (i + (isChannelsFirst ? 2 : 1));
    return [explicit[at] ?? 0, explicit[at + 1] ?? 0] as const;
  });
  return { strides, dilations, padding: pairs };
}

/** Says whether the channels come first, by an attribute such as `NCHW`. */
export function isChannelsFirst(node: TensorflowNode, otherwise: string): boolean {
  return node.text('data_format', otherwise).startsWith('NC');
}

/** No bias yet: the addition that follows is folded into it. */
export function zeroBias(shape: readonly number[]): Tensor {
  return { dtype: 'f32', shape, data: new Float32Array(elements(shape)) };
}

const conv: TensorflowOps[string] = (node) => {
  const first = isChannelsFirst(node, 'NHWC');
  node.flag('use_cudnn_on_gpu', true);
  const kernel = node.constant(1);
  const x = channelsLast(node, node.input(0), first);
  const window = windowOf(node, spatial(x.type.shape), kernel.shape.slice(0, -2), first);
  const bias = zeroBias(kernel.shape.slice(-1));
  const y = node.add(convolution, { x }, { window, activation: linear }, { kernel, bias });
  return fromChannelsLast(node, y, first);
};

const depthwise: TensorflowOps[string] = (node) => {
  const first = isChannelsFirst(node, 'NHWC');
  const kernel = node.constant(1);
  const x = channelsLast(node, node.input(0), first);
  const window = windowOf(node, spatial(x.type.shape), kernel.shape.slice(0, -2), first);
  const bias = zeroBias(kernel.shape.slice(-2));
  const y = node.add(depthwiseConvolution, { x }, { window, activation: linear }, { kernel, bias });
  return fromChannelsLast(node, y, first);
};

export const convolutionTensorflow: TensorflowOps = {
  Conv2D: conv,
  Conv3D: conv,
  DepthwiseConv2dNative: depthwise,
};

/** The attributes of TensorFlow's op for the strides, the dilations and the padding of a Keras layer. */
export function windowAttributes(
  layer: KerasLayer,
  rank: number,
  sizes: readonly number[],
): Readonly<Record<string, TensorflowAttribute>> {
  const first = isChannelsFirstLayer(layer);
  const around = <T>(list: readonly T[], other: readonly T[]) =>
    first ? [...other, ...other, ...list] : [...other, ...list, ...other];
  const dilations = layer.list('dilation_rate', rank, 1);
  const kind = layer.text('padding', 'valid');
  const attributes = {
    strides: around(layer.list('strides', rank, 1), [1]),
    dilations: around(dilations, [1]),
    data_format: first ? 'NCHW' : 'NHWC',
  };
  if (kind !== 'causal') return { ...attributes, padding: kind.toUpperCase() };
  const before = sizes.map((size, i) => [(size - 1) * dilations[i]!, 0]);
  return { ...attributes, padding: 'EXPLICIT', explicit_paddings: around(before, [[0, 0]]).flat() };
}

/** The activation of the layer, after its bias if it has one. */
export function finished(layer: KerasLayer, y: Operand, bias: Constant | undefined): Operand {
  // Keras 3 takes the last axis for the channels' wherever it is as long (keras/src/backend/tensorflow/numpy.py, `add`).
  const isLast = layer.keras >= 3 && y.type.shape.at(-1) === bias?.type.shape[0];
  const format = isChannelsFirstLayer(layer) && !isLast ? 'NCHW' : 'NHWC';
  return activated(layer, bias ? layer.tensorflow('BiasAdd', [y, bias], { data_format: format }) : y);
}

/** The kernels, under the names that they have in the layer, and the bias if there is one. */
export function kernelAndBias(
  layer: KerasLayer,
  ...kernels: readonly string[]
): { readonly kernels: readonly Constant[]; readonly bias: Constant | undefined } {
  const hasBias = layer.flag('use_bias', true);
  const weights = layer.weights(...kernels, ...(hasBias ? ['bias'] : []));
  return { kernels: kernels.map((name) => weights[name]!), bias: weights.bias };
}

const convolutionLayer =
  (rank: number): KerasLowering =>
  (layer) => {
    layer.ignore('filters', 'groups');
    const sizes = layer.list('kernel_size', rank);
    const { kernels, bias } = kernelAndBias(layer, 'kernel');
    const y = layer.tensorflow('Conv2D', [layer.input(0), kernels[0]!], windowAttributes(layer, rank, sizes));
    return finished(layer, y, bias);
  };

const depthwiseLayer =
  (rank: number): KerasLowering =>
  (layer) => {
    layer.ignore('depth_multiplier', 'filters');
    if (layer.number('groups', 1) !== 1)
      throw new Refusal('groups of a depthwise convolution are not supported');
    const sizes = layer.list('kernel_size', rank);
    const { kernels, bias } = kernelAndBias(layer, 'depthwise_kernel');
    const attributes = windowAttributes(layer, rank, sizes);
    return finished(
      layer,
      layer.tensorflow('DepthwiseConv2dNative', [layer.input(0), kernels[0]!], attributes),
      bias,
    );
  };

/** A depthwise convolution, and then one of single pixels. */
const separableLayer =
  (rank: number): KerasLowering =>
  (layer) => {
    layer.ignore('depth_multiplier', 'filters', 'groups');
    const sizes = layer.list('kernel_size', rank);
    const { kernels, bias } = kernelAndBias(layer, 'depthwise_kernel', 'pointwise_kernel');
    const attributes = windowAttributes(layer, rank, sizes);
    const x = layer.tensorflow('DepthwiseConv2dNative', [layer.input(0), kernels[0]!], attributes);
    const y = layer.tensorflow('Conv2D', [x, kernels[1]!], {
      padding: 'VALID',
      data_format: attributes.data_format!,
    });
    return finished(layer, y, bias);
  };

export const convolutionKeras: KerasLayers = {
  Conv1D: convolutionLayer(1),
  Conv2D: convolutionLayer(2),
  Conv3D: convolutionLayer(3),
  DepthwiseConv1D: depthwiseLayer(1),
  DepthwiseConv2D: depthwiseLayer(2),
  SeparableConv1D: separableLayer(1),
  SeparableConv2D: separableLayer(2),
};
