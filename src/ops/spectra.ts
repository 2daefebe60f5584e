/** Layers and functions of Keras that take a signal apart: its spectrum, and that of each of its parts. */

import { isList } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { type DType, isFloat, tensor } from '../ir/types.ts';
import { compute } from './elementwise.ts';
import { select } from './embedding.ts';
import { call, input, number } from './expression.ts';
import { MOST_NUMBERS, spectrum } from './fourier.ts';
import { asFloat, asType, firstAt, plainValue, swapped } from './function-call.ts';
import type { KerasLayer, KerasLayers } from './keras.ts';
import { reduce } from './reduce.ts';
import { reshaped } from './reshape.ts';
import { steps } from './slice.ts';
import { constantOf, type Operand } from './tensorflow.ts';

/** More blocks would make a crate that nobody can read. */
const MOST_BLOCKS = 2 ** 16;

/** More numbers in all bands are not supported. */
const MOST_OF_BANDS = 2 ** 22;

/** How a signal is cut into parts, as `keras.ops.stft` has it. */
interface Parts {
  /** The numbers of a part that count, and how far it is from one part to the next. */
  readonly length: number;
  readonly stride: number;
  /** The numbers of a part, with zeros at both ends where `length` is less. */
  readonly spectrumLength: number;
  /** What the numbers of a part are multiplied with. */
  readonly window: readonly number[];
  /** Whether the middle of the first part is the first number of the signal. */
  readonly isCentered: boolean;
}

/** The real and the imaginary parts of the spectra: (…, numbers) → (…, parts, spectrumLength / 2 + 1). */
function spectraOf(layer: KerasLayer, signal: Operand, parts: Parts): readonly [Operand, Operand] {
  const { length, spectrumLength, window } = parts;
  const before = Math.floor((spectrumLength - length) / 2);
  const padded = Array.from({ length: spectrumLength }, (_, i) => window[i - before] ?? 0);
  const cut = cutIntoParts(layer, parts.isCentered ? mirrored(layer, signal, parts) : signal, parts);
  const windowed = layer.tensorflow('Mul', [
    cut,
    constantOf(tensor(signal.type.dtype, [spectrumLength], padded)),
  ]);
  return spectrum(layer, windowed, spectrumLength);
}

/** How the config of the layer has a signal cut into parts. */
function partsOf(layer: KerasLayer, isCentered: boolean): Parts {
  const [length, stride, spectrumLength] = ['sequence_length', 'sequence_stride', 'fft_length'].map((key) =>
    layer.number(key),
  ) as [number, number, number];
  const isWhole = [length, stride, spectrumLength].every((each) => Number.isInteger(each) && each > 0);
  if (!isWhole || length > spectrumLength || spectrumLength > MOST_NUMBERS) {
    throw new Refusal(`parts of ${length} numbers for spectra of ${spectrumLength} are not supported`);
  }
  const window = windowOf(layer, length);
  if (window.length !== length) throw new Refusal(`a window of ${window.length} numbers for ${length}`);
  return { length, stride, spectrumLength, window, isCentered };
}

/** The signal with half a part of its mirror image at both ends. */
function mirrored(layer: KerasLayer, signal: Operand, { spectrumLength }: Parts): Operand {
  const half = Math.floor(spectrumLength / 2);
  const borders = signal.type.shape.flatMap((_, i, { length }) => (i === length - 1 ? [half, half] : [0, 0]));
  return layer.tensorflow('MirrorPad', [signal, borders], { mode: 'REFLECT' });
}

/** Parts that overlap: blocks of the greatest common length, chosen again for every part that they are in. */
function cutIntoParts(layer: KerasLayer, signal: Operand, { stride, spectrumLength }: Parts): Operand {
  const { shape } = signal.type;
  const axis = shape.length - 1;
  const numbers = shape[axis];
  if (typeof numbers !== 'number' || numbers < spectrumLength) {
    throw new Refusal(`a signal of ${String(numbers)} numbers has no part of ${spectrumLength}`);
  }
  const count = 1 + Math.floor((numbers - spectrumLength) / stride);
  const block = greatestCommonDivisor(stride, spectrumLength);
  const blocks = Math.floor(numbers / block);
  const used = blocks * block === numbers ? signal : steps(layer, signal, axis, 0, blocks * block);
  const inPart = spectrumLength / block;
  if (count * inPart > MOST_BLOCKS) throw new Refusal(`${count} parts of ${inPart} blocks are not supported`);
  const indices = Array.from(
    { length: count * inPart },
    (_, i) => Math.floor(i / inPart) * (stride / block) + (i % inPart),
  );
  const x = reshaped(layer, used, [...shape.slice(0, -1), blocks, block]);
  return reshaped(layer, layer.add(select, { x }, { axis, indices }, {}), [
    ...shape.slice(0, -1),
    count,
    spectrumLength,
  ]);
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

/** The window of the config: one of the two that Keras names, or the numbers of another; ones for None. */
function windowOf(layer: KerasLayer, length: number): readonly number[] {
  const window = layer.value('window');
  if (window === undefined) return Array<number>(length).fill(1);
  if (isList(window)) return layer.list('window');
  const [a, b] = window === 'hann' ? [0.5, 0.5] : window === 'hamming' ? [0.54, 0.46] : [];
  if (a === undefined || b === undefined)
    throw new Refusal(`the window ${JSON.stringify(window)} is not known`);
  return Array.from({ length }, (_, i) => (length === 1 ? 1 : a - b * Math.cos((2 * Math.PI * i) / length)));
}

function shortTimeSpectra(layer: KerasLayer): readonly Operand[] {
  return spectraOf(layer, firstAt(layer), partsOf(layer, layer.flag('center', true)));
}

/** How loud a signal is, part by part, in bands that are as wide as the ear has them. */
function melSpectrogram(layer: KerasLayer): Operand {
  const given = layer.input(0);
  const signal = isFloat(given.type.dtype) ? given : asType(layer, given, layer.dtype);
  const { dtype } = signal.type;
  const parts = partsOf(layer, true);
  const spectra = spectraOf(layer, signal, parts);
  const square = (index: number) => call('multiply', input(index, dtype), input(index, dtype));
  const magnitude = call('sqrt', call('add', square(0), square(1)));
  const power = call('power', magnitude, number(layer.number('mag_exp', 2), dtype));
  const bands = constantOf(melBands(layer, Math.floor(parts.spectrumLength / 2) + 1, dtype));
  const mel = layer.tensorflow('BatchMatMulV2', [compute(layer, spectra, power), bands]);
  const y = layer.flag('power_to_db', true) ? decibels(layer, mel) : mel;
  layer.ignore('top_db', 'min_power', 'ref_power');
  const rank = y.type.shape.length;
  return swapped(layer, y, rank - 1, rank - 2);
}

/** What differs from Keras, where predictions depend on the other samples. */
export const loudestOfEachSample =
  'its floor is counted from the loudest of each sample, and in Keras from the loudest of all that are predicted together; for one sample the two are the same';

/** `10 · log₁₀(x / reference)`, at most `top_db` below the loudest. */
function decibels(layer: KerasLayer, power: Operand): Operand {
  const { dtype, shape } = power.type;
  const least = layer.number('min_power', 1e-10);
  const reference = 10 * Math.log10(Math.max(Math.abs(layer.number('ref_power', 1)), least));
  const level = call(
    'divide',
    call('log', call('maximum', input(0, dtype), number(least, dtype))),
    number(Math.LN10, dtype),
  );
  const levels = compute(
    layer,
    [power],
    call('subtract', call('multiply', number(10, dtype), level), number(reference, dtype)),
  );
  const axes = shape.map((_, i) => i).slice(1);
  const loudest = layer.add(reduce, { x: levels }, { kind: 'max', axes, keepsAxes: true }, {});
  layer.warn(loudestOfEachSample);
  const floor = call('subtract', input(1, dtype), number(layer.number('top_db', 80), dtype));
  return compute(layer, [levels, loudest], call('maximum', input(0, dtype), floor));
}

/**
 * Bands as triangles of one height, each reaching from the middle of the band before to that of the next one, as
 * `linear_to_mel_weight_matrix` has it: `mel(f) = 1127 · ln(1 + f / 700)`. Rounded to f32 at each step.
 */
function melBands(layer: KerasLayer, bins: number, dtype: DType) {
  const f = Math.fround;
  const count = layer.number('num_mel_bins');
  const rate = layer.number('sampling_rate');
  const [from, to] = [layer.number('min_freq'), layer.number('max_freq')];
  if (!(Number.isInteger(count) && count > 0 && bins * count <= MOST_OF_BANDS)) {
    throw new Refusal(`${count} bands of ${bins} numbers are not supported`);
  }
  const mel = (frequency: number) => f(f(1127) * f(Math.log(f(1 + f(f(frequency) / f(700))))));
  const even = (start: number, stop: number, length: number) => {
    const step = f(f(stop - start) / (length - 1));
    return Array.from({ length }, (_, i) => (i === length - 1 ? stop : f(start + f(step * i))));
  };
  const edges = even(mel(from), mel(to), count + 2);
  const frequencies = even(0, f(rate / 2), bins).map(mel);
  const rows = frequencies.flatMap((at, bin) =>
    Array.from({ length: count }, (_, band) => {
      const [lower, center, upper] = edges.slice(band, band + 3) as [number, number, number];
      const rising = f(f(at - lower) / f(center - lower));
      const falling = f(f(upper - at) / f(upper - center));
      return bin === 0 ? 0 : Math.max(0, Math.min(rising, falling));
    }),
  );
  return tensor(dtype, [bins, count], rows);
}

export const spectraKeras: KerasLayers = { MelSpectrogram: melSpectrogram };

export const spectraFunctions: KerasLayers = {
  RFFT: (layer) => {
    const signal = asFloat(layer, firstAt(layer));
    const length =
      plainValue(layer, 'fft_length', 1) ?? layer.value('fft_length') ?? signal.type.shape.at(-1);
    if (typeof length !== 'number') throw new Refusal('a spectrum over the batch mixes the samples');
    return spectrum(layer, signal, length);
  },
  STFT: shortTimeSpectra,
};
