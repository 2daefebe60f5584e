/** Layers of Keras that prepare numbers and images. */

import { isList, type Json, printJson } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import type { Constant } from '../ir/graph.ts';
import { type DType, tensor } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import { isChannelsFirstLayer, type KerasLayer, type KerasLayers, keepsMask } from './keras.ts';
import { reduce } from './reduce.ts';
import { smartlyResized } from './resize.ts';
import { withoutBorders } from './slice.ts';
import { constantOf, type Operand } from './tensorflow.ts';

/** The input as floats that the layer computes with. */
function asFloats(layer: KerasLayer): Operand {
  const x = layer.input(0);
  return x.type.dtype === layer.dtype ? x : layer.tensorflow('Cast', [x], { DstT: { dtype: layer.dtype } });
}

/** A number, or nested lists of numbers of one shape. */
function numbersOf(json: Json | undefined, dtype: DType): Constant {
  const shape: number[] = [];
  for (let at = json; isList(at); at = at[0]) shape.push(at.length);
  const flat = (at: Json | undefined, depth: number): readonly number[] => {
    if (typeof at === 'number' && depth === shape.length) return [at];
    if (isList(at) && at.length === shape[depth]) return at.flatMap((item) => flat(item, depth + 1));
    throw new Refusal(`${printJson(json)} is no array of numbers`);
  };
  return constantOf(tensor(dtype, shape, flat(json, 0)));
}

function rescaling(layer: KerasLayer): Operand {
  const x = asFloats(layer);
  const [scale, offset] = [layer.value('scale'), layer.value('offset') ?? 0];
  const product = layer.tensorflow('Mul', [x, numbersOf(scale, x.type.dtype)]);
  return layer.tensorflow('AddV2', [product, numbersOf(offset, x.type.dtype)]);
}

/** `(x − μ) / max(σ, 10⁻⁷)`, or back. */
function normalization(layer: KerasLayer): Operand {
  const x = asFloats(layer);
  const { dtype, shape } = x.type;
  const [givenMean, givenVariance, axis] = [
    layer.value('mean'),
    layer.value('variance'),
    layer.value('axis'),
  ];
  const isGiven = givenMean !== undefined || givenVariance !== undefined;
  const weights = isGiven ? undefined : layer.weights('mean', 'variance', 'count');
  const [mean, variance] = weights
    ? [weights.mean, weights.variance]
    : [numbersOf(givenMean, dtype), numbersOf(givenVariance, dtype)];
  const list = isList(axis) ? layer.list('axis') : axis === undefined ? [] : [layer.number('axis')];
  const kept = list.map((each) => axisOf(each, shape.length));
  const wide = (value: Constant) => {
    const dims = shape.map((dim, i) => (kept.includes(i) ? dim : 1));
    return value.type.shape.length === 0 ? value : layer.tensorflow('Reshape', [value, dims.map(Number)]);
  };
  const least = constantOf(tensor(dtype, [], [1e-7]));
  const deviation = layer.tensorflow('Maximum', [layer.tensorflow('Sqrt', [wide(variance)]), least]);
  if (layer.flag('invert', false)) {
    return layer.tensorflow('AddV2', [wide(mean), layer.tensorflow('Mul', [x, deviation])]);
  }
  return layer.tensorflow('RealDiv', [layer.tensorflow('Sub', [x, wide(mean)]), deviation]);
}

/** The middle of an image; of a smaller one the largest part of its proportions, enlarged. */
function centerCrop(layer: KerasLayer): Operand {
  const x = asFloats(layer);
  const sizes = [layer.number('height'), layer.number('width')] as const;
  const first = isChannelsFirstLayer(layer);
  const axes = first ? [2, 3] : [1, 2];
  const lengths = axes.map((axis) => Number(x.type.shape[axis]));
  if (lengths.some((length, i) => length < sizes[i]!)) return smartlyResized(layer, x, sizes, 'bilinear');
  const borders = lengths.map((length, i) => {
    const before = Math.floor((length - sizes[i]!) / 2);
    return [before, length - sizes[i]! - before] as const;
  });
  return withoutBorders(layer, x, borders);
}

/** When it predicts, Keras 3 leaves images as they are, and Keras 2 resizes them. */
function randomCrop(layer: KerasLayer): Operand {
  const sizes = [layer.number('height'), layer.number('width')] as const;
  layer.ignore('data_format');
  return layer.keras >= 3 ? layer.input(0) : smartlyResized(layer, asFloats(layer), sizes, 'bilinear');
}

/** A step counts if any of its numbers is another than the value; the others become 0. */
function masking(layer: KerasLayer) {
  const x = layer.input(0);
  const { dtype } = x.type;
  const value = constantOf(tensor(dtype, [], [layer.number('mask_value', 0)]));
  const differs = layer.tensorflow('NotEqual', [x, value]);
  const kept = layer.tensorflow('Any', [differs, [-1]], { keep_dims: true });
  // Keras 2 multiplies, by which NaN stays.
  const y =
    layer.keras >= 3
      ? layer.tensorflow('SelectV2', [kept, x, constantOf(tensor(dtype, [], [0]))])
      : layer.tensorflow('Mul', [x, layer.tensorflow('Cast', [kept], { DstT: { dtype } })]);
  return { outputs: [y], masks: [layer.tensorflow('Any', [differs, [-1]])] };
}

/** Stretches each channel of an image to the whole range; one of a single value stays as it is. */
function autoContrast(layer: KerasLayer): Operand {
  const images = asFloats(layer);
  const { dtype } = images.type;
  layer.ignore('data_format');
  const [least, most] = layer.list('value_range', 2) as [number, number];
  const bytes = inRange(layer, images, [least, most], [0, 255]);
  const [low, high] = (['min', 'max'] as const).map((kind) =>
    layer.add(reduce, { x: bytes }, { kind, axes: [1, 2], keepsAxes: true }, {}),
  ) as [Operand, Operand];
  const scale = call('divide', number(255, dtype), call('subtract', input(1, dtype), input(0, dtype)));
  const factor = compute(layer, [low, high], scale);
  const offset = call('multiply', call('negative', input(1, dtype)), input(2, dtype));
  const stretched = call('add', call('multiply', input(0, dtype), input(2, dtype)), offset);
  const clipped = call('minimum', call('maximum', stretched, number(0, dtype)), number(255, dtype));
  const y = compute(layer, [bytes, low, factor], clipped);
  const result = inRange(layer, y, [0, 255], [least, most]);
  const kept = call('select', call('is_nan', input(0, dtype)), input(1, dtype), input(0, dtype));
  return compute(layer, [result, images], kept);
}

/** Numbers of one range as numbers of another. */
function inRange(
  layer: KerasLayer,
  x: Operand,
  [fromLeast, fromMost]: readonly [number, number],
  [toLeast, toMost]: readonly [number, number],
): Operand {
  if (fromLeast === toLeast && fromMost === toMost) return x;
  const { dtype } = x.type;
  const part = call(
    'divide',
    call('subtract', input(0, dtype), number(fromLeast, dtype)),
    number(fromMost - fromLeast, dtype),
  );
  const wide = call('multiply', part, number(toMost - toLeast, dtype));
  return compute(layer, [x], call('add', wide, number(toLeast, dtype)));
}

export const preprocessingKeras: KerasLayers = {
  AutoContrast: autoContrast,
  CenterCrop: centerCrop,
  Masking: masking,
  Normalization: normalization,
  RandomCrop: randomCrop,
  Rescaling: keepsMask(rescaling),
};
