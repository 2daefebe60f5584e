/**
 * Images of another size. What each new row and column takes from the old ones is computed here, with the rounding of
 * TensorFlow's kernels (tensorflow/core/kernels/image); the images are resampled by it.
 */

import { Refusal } from '../errors.ts';
import { type Tensor, tensor } from '../ir/types.ts';
import { compute } from './elementwise.ts';
import { select } from './embedding.ts';
import { cast, input } from './expression.ts';
import { isChannelsFirstLayer, type KerasLayer, type KerasLayers, type KerasLowering } from './keras.ts';
import { pad } from './pad.ts';
import { repeat } from './repeat.ts';
import { resampling } from './resampling.ts';
import { steps } from './slice.ts';
import {
  constantOf,
  type Lowering,
  type Operand,
  type TensorflowNode,
  type TensorflowOps,
} from './tensorflow.ts';
import { channelsLast, fromChannelsLast } from './transpose.ts';
import { spatial } from './window.ts';

/** For every new step, the old steps that it is made of, each with its weight. */
type Shares = readonly ReadonlyMap<number, number>[];

const round = Math.fround;

/** The sizes of the image of a node before and after, rows first. */
function sizesOf(node: TensorflowNode): readonly (readonly [number, number])[] {
  const { shape } = node.input(0).type;
  if (shape.length !== 4) throw new Refusal(`${node.op} of ${shape.length} dimensions is not supported`);
  const to = node.integers(1);
  return spatial(shape).map((length, i) => {
    const wanted = to[i];
    if (wanted === undefined || !(wanted > 0 && wanted < 2 ** 24) || length === 0) {
      throw new Refusal(`${length} pixels cannot become ${wanted}`);
    }
    return [length, wanted] as const;
  });
}

/** How TensorFlow's older ops lay the new pixels over the old ones. */
function gridOf(node: TensorflowNode) {
  const alignsCorners = node.flag('align_corners', false);
  const isHalfPixel = node.flag('half_pixel_centers', false);
  if (alignsCorners && isHalfPixel)
    throw new Refusal(`${node.op} with both align_corners and half_pixel_centers`);
  return {
    alignsCorners,
    isHalfPixel,
    scaleOf: (from: number, to: number) => round(alignsCorners && to > 1 ? (from - 1) / (to - 1) : from / to),
  };
}

/** Where the middle of a new pixel lies among the old ones, whose middles are 0, 1, … */
function middle(at: number, scale: number, isHalfPixel: boolean): number {
  return isHalfPixel ? round(round(round(at + 0.5) * scale) - 0.5) : round(at * scale);
}

const nearest: Lowering = (node) => {
  const { alignsCorners, isHalfPixel, scaleOf } = gridOf(node);
  const lists = sizesOf(node).map(([from, to]) => {
    const scale = scaleOf(from, to);
    return Array.from({ length: to }, (_, i) => {
      const at = round((isHalfPixel ? i + 0.5 : i) * scale);
      // C rounds halves away from 0, which among positive numbers is up.
      return Math.min(alignsCorners ? Math.floor(at + 0.5) : Math.floor(at), from - 1);
    });
  });
  const lengths = spatial(node.input(0).type.shape);
  const counts = lists.map((indices, i) => indices.length / lengths[i]!);
  const isRepeated = lists.every((indices, i) => indices.every((at, j) => at === Math.floor(j / counts[i]!)));
  if (isRepeated && counts.every(Number.isInteger)) {
    return node.add(repeat, { x: node.input(0) }, { counts: [1, ...counts, 1] }, {});
  }
  return lists.reduce(
    (x: Operand, indices, i) => node.add(select, { x }, { axis: i + 1, indices }, {}),
    node.input(0),
  );
};

const bilinear: Lowering = (node) => {
  const { isHalfPixel, scaleOf } = gridOf(node);
  return resized(node, (from, to) => {
    const scale = scaleOf(from, to);
    return sharesOf(to, (i) => {
      const at = middle(i, scale, isHalfPixel);
      const below = Math.floor(at);
      const part = round(at - below);
      return [
        [Math.max(below, 0), 1 - part],
        [Math.min(Math.ceil(at), from - 1), part],
      ];
    });
  });
};

/** The places at which TensorFlow tabulates the cubic. */
const TABLE = 1024;

/** Keys' cubic with a = −0.5, cut at the edges; without half-pixel centers a = −0.75, and edges stand again. */
const bicubic: Lowering = (node) => {
  const { isHalfPixel, scaleOf } = gridOf(node);
  const a = isHalfPixel ? -0.5 : -0.75;
  const near = (x: number) => ((a + 2) * x - (a + 3)) * x * x + 1;
  const far = (x: number) => ((a * x - 5 * a) * x + 8 * a) * x - 4 * a;
  return resized(node, (from, to) => {
    const scale = scaleOf(from, to);
    return sharesOf(to, (i) => {
      const at = middle(i, scale, isHalfPixel);
      const below = Math.floor(at);
      const part = roundHalfToEven(round(at - below) * TABLE) / TABLE;
      const weights = [far(1 + part), near(part), near(1 - part), far(2 - part)];
      const shares = weights.map((weight, k) => [below - 1 + k, weight] as const);
      if (!isHalfPixel) {
        return shares.map(([step, weight]) => [Math.min(Math.max(step, 0), from - 1), weight] as const);
      }
      return normalized(shares.filter(([step]) => step >= 0 && step < from));
    });
  });
};

function roundHalfToEven(x: number): number {
  const whole = Math.floor(x);
  const isUp = x - whole > 0.5 || (x - whole === 0.5 && whole % 2 === 1);
  return isUp ? whole + 1 : whole;
}

/** The mean of what a new pixel covers of the old ones. */
const area: Lowering = (node) => {
  const alignsCorners = node.flag('align_corners', false);
  return resized(node, (from, to) => {
    const scale = round(alignsCorners && to > 1 ? (from - 1) / (to - 1) : from / to);
    return sharesOf(to, (i) => {
      const [begin, end] = [round(i * scale), round((i + 1) * scale)];
      const first = Math.floor(begin);
      return Array.from({ length: Math.max(Math.ceil(end) - first, 0) }, (_, k) => {
        const step = first + k;
        const covered = Math.min(step + 1, end) - Math.max(step, begin);
        return [Math.min(Math.max(step, 0), from - 1), covered / scale] as const;
      });
    });
  });
};

/** A curve by which `ScaleAndTranslate` weighs old pixels at a distance, and beyond which it is 0. */
interface Kernel {
  readonly radius: number;
  readonly weight: (distance: number) => number;
}

const lanczos = (radius: number): Kernel => ({
  radius,
  weight(x) {
    if (x > radius) return 0;
    if (x <= 1e-3) return 1;
    return (radius * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / radius)) / (Math.PI * x) ** 2;
  },
});

/** tensorflow/core/kernels/image/sampling_kernels.h */
const kernels: Readonly<Record<string, Kernel>> = {
  lanczos1: lanczos(1),
  lanczos3: lanczos(3),
  lanczos5: lanczos(5),
  gaussian: { radius: 1.5, weight: (x) => (x >= 1.5 ? 0 : Math.exp((-x * x) / (2 * 0.5 ** 2))) },
  box: { radius: 0.5, weight: (x) => (x < 0.5 ? 1 : x === 0.5 ? 0.5 : 0) },
  triangle: { radius: 1, weight: (x) => Math.max(1 - x, 0) },
  keyscubic: {
    radius: 2,
    weight(x) {
      if (x >= 2) return 0;
      return x >= 1 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : (1.5 * x - 2.5) * x * x + 1;
    },
  },
  mitchellcubic: {
    radius: 2,
    weight(x) {
      if (x >= 2) return 0;
      if (x >= 1) return (((-7 / 18) * x + 2) * x - 10 / 3) * x + 16 / 9;
      return ((7 / 6) * x - 2) * x * x + 8 / 9;
    },
  },
};

const scaleAndTranslate: Lowering = (node) => {
  const name = node.text('kernel_type', 'lanczos3');
  const kernel = Object.hasOwn(kernels, name) ? kernels[name] : undefined;
  if (!kernel) throw new Refusal(`ScaleAndTranslate with the kernel ${name} is not supported`);
  const smoothes = node.flag('antialias', true);
  const [scales, shifts] = [node.integers(2), node.integers(3)];
  let axis = 0;
  return resized(node, (from, to) => {
    const [scale, shift] = [scales[axis]!, shifts[axis]!];
    axis++;
    if (!(scale > 0)) throw new Refusal(`an image scaled by ${scale}`);
    const step = round(1 / scale);
    const stretch = smoothes ? Math.max(step, 1) : 1;
    const reach = round(kernel.radius * stretch);
    return sharesOf(to, (i) => {
      const at = round(round(round(i + 0.5) * step) - round(step * shift));
      if (at < 0 || at > from) return [];
      const first = Math.max(Math.ceil(round(at - reach - 0.5)), 0);
      const last = Math.min(Math.floor(round(at + reach - 0.5)), from - 1);
      return normalized(
        Array.from({ length: Math.max(last - first + 1, 0) }, (_, k) => {
          const distance = Math.abs(first + k + 0.5 - at) / stretch;
          return [first + k, kernel.weight(distance)] as const;
        }),
      );
    });
  });
};

type Share = readonly [step: number, weight: number];

function normalized(shares: readonly Share[]): readonly Share[] {
  const sum = shares.reduce((total, [, weight]) => total + weight, 0);
  return shares.map(([step, weight]) => [step, weight / sum] as const);
}

function sharesOf(count: number, shares: (step: number) => readonly Share[]): Shares {
  return Array.from({ length: count }, (_, i) => {
    const all = new Map<number, number>();
    for (const [step, weight] of shares(i)) all.set(step, (all.get(step) ?? 0) + weight);
    return all;
  });
}

/** The image of a node as floats, its rows and then its columns made of shares of the old ones. */
function resized(node: TensorflowNode, shares: (from: number, to: number) => Shares): Operand {
  const { dtype } = node.input(0).type;
  const image =
    dtype === 'f32' ? node.input(0) : compute(node, [node.input(0)], cast(input(0, dtype), 'f32'));
  return sizesOf(node).reduce((x: Operand, [from, to], i) => {
    const parts = shares(from, to);
    const isSame = from === to && parts.every((part, step) => part.size === 1 && part.get(step) === 1);
    return isSame ? x : node.add(resampling, { x }, { axis: i + 1 }, weightsOf(parts, from));
  }, image);
}

/** The shares as neighbours: as many for each new step. */
function weightsOf(shares: Shares, from: number): Readonly<Record<'starts' | 'weights', Tensor>> {
  const ranges = shares.map((part) => {
    const steps = [...part].filter(([, weight]) => weight !== 0).map(([step]) => step);
    const [first, last] = steps.length === 0 ? [0, 0] : [Math.min(...steps), Math.max(...steps)];
    return { first, length: last - first + 1 };
  });
  const taps = ranges.reduce((most, { length }) => Math.max(most, length), 1);
  if (taps * shares.length > 2 ** 24) throw new Refusal(`${shares.length} pixels of ${taps} neighbours each`);
  const starts = ranges.map(({ first }) => Math.min(first, from - taps));
  const weights = shares.flatMap((part, i) =>
    Array.from({ length: taps }, (_, k) => part.get(starts[i]! + k) ?? 0),
  );
  return {
    starts: tensor('i32', [shares.length], starts),
    weights: tensor('f32', [shares.length, taps], weights),
  };
}

export const resizeTensorflow: TensorflowOps = {
  ResizeArea: area,
  ResizeBicubic: bicubic,
  ResizeBilinear: bilinear,
  ResizeNearestNeighbor: nearest,
  ScaleAndTranslate: scaleAndTranslate,
};

/** An image in the size, as `tf.image.resize` makes it of one with its channels last. */
export function imageResized(
  layer: KerasLayer,
  x: Operand,
  sizes: readonly [number, number],
  interpolation: string,
  antialias: boolean,
): Operand {
  const [rows, columns] = spatial(x.type.shape);
  if (rows === sizes[0] && columns === sizes[1]) return x;
  if (antialias) throw new Refusal('resizing with antialias is not supported');
  const half = { half_pixel_centers: true };
  switch (interpolation) {
    case 'nearest':
      return layer.tensorflow('ResizeNearestNeighbor', [x, sizes], half);
    case 'bilinear':
      return layer.tensorflow('ResizeBilinear', [x, sizes], half);
    case 'bicubic':
      return layer.tensorflow('ResizeBicubic', [x, sizes], half);
    case 'area':
      return layer.tensorflow('ResizeArea', [x, sizes]);
    case 'lanczos3':
    case 'lanczos5':
    case 'gaussian':
    case 'mitchellcubic': {
      const scales = tensor('f32', [2], [round(sizes[0] / rows!), round(sizes[1] / columns!)]);
      const shifts = tensor('f32', [2], [0, 0]);
      const inputs = [x, sizes, constantOf(scales), constantOf(shifts)];
      return layer.tensorflow('ScaleAndTranslate', inputs, { kernel_type: interpolation, antialias: false });
    }
    default:
      throw new Refusal(`the interpolation ${interpolation} is not known`);
  }
}

/** Of an image that may have its channels first. */
function resizedLayer(
  layer: KerasLayer,
  image: Operand,
  resize: (channelsLast: Operand) => Operand,
): Operand {
  const first = isChannelsFirstLayer(layer);
  const y = fromChannelsLast(layer, resize(channelsLast(layer, image, first)), first);
  const { dtype } = layer;
  return y.type.dtype === dtype ? y : layer.tensorflow('Cast', [y], { DstT: { dtype } });
}

/** The largest part in the middle that has the proportions, resized (`smart_resize` in keras/src/utils/image_utils.py). */
export function smartlyResized(
  layer: KerasLayer,
  image: Operand,
  sizes: readonly [number, number],
  interpolation: string,
): Operand {
  return resizedLayer(layer, image, (x) => {
    const [rows, columns] = spatial(x.type.shape) as [number, number];
    const [height, width] = sizes;
    const part = [
      Math.max(Math.min(rows, Math.trunc(round(round(columns * height) / width))), 1),
      Math.max(Math.min(columns, Math.trunc(round(round(rows * width) / height))), 1),
    ];
    const cropped = part.reduce((rest: Operand, length, i) => {
      const whole = [rows, columns][i]!;
      return steps(layer, rest, i + 1, Math.trunc((whole - length) / 2), length);
    }, x);
    return imageResized(layer, cropped, sizes, interpolation, false);
  });
}

/** With a border that gives the image the proportions first. */
function paddedAndResized(
  layer: KerasLayer,
  image: Operand,
  sizes: readonly [number, number],
  interpolation: string,
  value: number,
): Operand {
  return resizedLayer(layer, image, (x) => {
    const [rows, columns] = spatial(x.type.shape) as [number, number];
    const [height, width] = sizes;
    const whole = [
      Math.max(rows, Math.trunc(round(round(columns * height) / width))),
      Math.max(columns, Math.trunc(round(round(rows * width) / height))),
    ];
    const sides = [rows, columns].map((length, i) => Math.trunc((whole[i]! - length) / 2));
    const borders = [[0, 0] as const, ...sides.map((side) => [side, side] as const), [0, 0] as const];
    return imageResized(layer, layer.add(pad, { x }, { borders, value }, {}), sizes, interpolation, false);
  });
}

const resizing: KerasLowering = (layer) => {
  const sizes = [layer.number('height'), layer.number('width')] as const;
  const interpolation = layer.text('interpolation', 'bilinear').toLowerCase();
  const antialias = layer.flag('antialias', false);
  const [mode, value] = [layer.text('fill_mode', 'constant'), layer.number('fill_value', 0)];
  const given = layer.input(0);
  const { dtype } = layer;
  const x = given.type.dtype === dtype ? given : layer.tensorflow('Cast', [given], { DstT: { dtype } });
  const [crops, pads] = [layer.flag('crop_to_aspect_ratio', false), layer.flag('pad_to_aspect_ratio', false)];
  if (crops) return smartlyResized(layer, x, sizes, interpolation);
  if (pads) {
    if (mode !== 'constant') throw new Refusal(`a border of mode ${mode} is not supported`);
    return paddedAndResized(layer, x, sizes, interpolation, value);
  }
  return resizedLayer(layer, x, (image) => imageResized(layer, image, sizes, interpolation, antialias));
};

/** Steps or pixels that stand several times, or images that are enlarged between them. */
const upSampling =
  (rank: number): KerasLowering =>
  (layer) => {
    const x = layer.input(0);
    const factors = layer.list('size', rank);
    const interpolation = layer.text('interpolation', 'nearest').toLowerCase();
    const first = isChannelsFirstLayer(layer);
    if (interpolation === 'nearest') {
      const counts = first ? [1, 1, ...factors] : [1, ...factors, 1];
      return layer.add(repeat, { x }, { counts }, {});
    }
    return resizedLayer(layer, x, (image) => {
      const [height, width] = spatial(image.type.shape).map((length, i) => length * factors[i]!);
      return imageResized(layer, image, [height!, width!], interpolation, false);
    });
  };

export const resizeKeras: KerasLayers = {
  Resizing: resizing,
  UpSampling1D: upSampling(1),
  UpSampling2D: upSampling(2),
  UpSampling3D: upSampling(3),
};
