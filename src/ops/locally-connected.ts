/** A window that slides over the input, with weights of its own at every place: a Dense layer with zeros outside of it. */

import { Refusal } from '../errors.ts';
import { elements, type Tensor, tensor } from '../ir/types.ts';
import { linear } from './activation.ts';
import { dense } from './dense.ts';
import { isChannelsFirstLayer, type KerasLayers, type KerasLowering } from './keras.ts';
import { activated } from './keras-activation.ts';
import { reshaped } from './reshape.ts';
import { channels, lengthsOut, padding, slide, spatial, type Window } from './window.ts';

/** Larger matrices are not worth their zeros. */
const MOST_NUMBERS = 2 ** 24;

interface Shape {
  readonly window: Window;
  readonly lengths: readonly number[];
  readonly sizes: readonly number[];
  readonly inChannels: number;
  readonly filters: number;
}

/** The matrix from all numbers of the input to all of the output, from the weights as `implementation` keeps them. */
function matrixOf(kernel: Tensor, implementation: number, shape: Shape): Tensor {
  const { window, lengths, sizes, inChannels, filters } = shape;
  const rows = elements(lengths) * inChannels;
  const columns = elements(lengthsOut(window, lengths, sizes)) * filters;
  if (rows * columns > MOST_NUMBERS) throw new Refusal(`a matrix of ${rows} × ${columns} is too large`);
  const data = new Float32Array(rows * columns);
  const taps = elements(sizes);
  const seen: { readonly output: number; readonly input: number; readonly tap: number }[] = [];
  slide(window, lengths, sizes, (output, input, tap) => seen.push({ output, input, tap }));
  const indexOf = indices(implementation, seen, inChannels, filters, taps, columns);
  for (const { output, input, tap } of seen) {
    for (let c = 0; c < inChannels; c++) {
      for (let f = 0; f < filters; f++) {
        const [row, column] = [input * inChannels + c, output * filters + f];
        const weight = kernel.data[indexOf(output, input, tap, c, f)];
        if (weight === undefined) throw new Refusal('its kernel does not fit its input');
        data[row * columns + column] = Number(weight);
      }
    }
  }
  return tensor('f32', [rows, columns], data);
}

type IndexOf = (output: number, input: number, tap: number, channel: number, filter: number) => number;

/** Where a weight stands in the kernel (keras/src/layers/locally_connected of Keras 2). */
function indices(
  implementation: number,
  seen: readonly { readonly output: number; readonly input: number }[],
  inChannels: number,
  filters: number,
  taps: number,
  columns: number,
): IndexOf {
  switch (implementation) {
    // (places, window · channels, filters)
    case 1:
      return (output, _, tap, c, f) => ((output * taps + tap) * inChannels + c) * filters + f;
    // (…input, channels, …output, filters)
    case 2:
      return (output, input, _, c, f) => (input * inChannels + c) * columns + output * filters + f;
    // All that is not 0: by the places of the output, its filters, the places of the input, its channels.
    case 3: {
      const inputs = new Map<number, number[]>();
      for (const { output, input } of seen) inputs.set(output, [...(inputs.get(output) ?? []), input]);
      const begins = new Map<number, number>();
      let begin = 0;
      for (const output of [...inputs.keys()].sort((a, b) => a - b)) {
        begins.set(output, begin);
        begin += inputs.get(output)!.length * inChannels * filters;
      }
      for (const list of inputs.values()) list.sort((a, b) => a - b);
      return (output, input, _, c, f) => {
        const list = inputs.get(output)!;
        return begins.get(output)! + (f * list.length + list.indexOf(input)) * inChannels + c;
      };
    }
    default:
      throw new Refusal(`implementation ${implementation} is not known`);
  }
}

const locallyConnected =
  (rank: number): KerasLowering =>
  (layer) => {
    if (isChannelsFirstLayer(layer)) throw new Refusal('channels that come first are not supported');
    const x = layer.input(0);
    const filters = layer.number('filters');
    const [sizes, strides] = [layer.list('kernel_size', rank), layer.list('strides', rank, 1)];
    const ones = sizes.map(() => 1);
    const lengths = spatial(x.type.shape);
    const kind = layer.text('padding', 'valid').toUpperCase();
    const window = { strides, dilations: ones, padding: padding(kind, lengths, sizes, strides, ones) };
    const hasBias = layer.flag('use_bias', true);
    const weights = layer.weights('kernel', ...(hasBias ? ['bias'] : []));
    const shape = { window, lengths, sizes, inChannels: channels(x.type.shape), filters };
    const kernel = matrixOf(weights.kernel!.tensor, layer.number('implementation', 1), shape);
    const columns = kernel.shape[1]!;
    const biases = weights.bias?.tensor.data ?? new Float32Array(columns);
    const flat = reshaped(layer, x, [x.type.shape[0]!, kernel.shape[0]!]);
    const all = { kernel, bias: tensor('f32', [columns], biases) };
    const y = layer.add(dense, { x: flat }, { activation: linear }, all);
    const out = [x.type.shape[0]!, ...lengthsOut(window, lengths, sizes), filters];
    return activated(layer, reshaped(layer, y, out));
  };

export const locallyConnectedKeras: KerasLayers = {
  LocallyConnected1D: locallyConnected(1),
  LocallyConnected2D: locallyConnected(2),
};
