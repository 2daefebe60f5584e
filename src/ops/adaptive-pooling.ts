/** Pooling to a given size: the windows of every axis are as even as its length allows, and overlap where they must. */

import { Refusal } from '../errors.ts';
import { type Dim, tensor } from '../ir/types.ts';
import { joined } from './concatenate.ts';
import type { KerasLayer, KerasLayers, KerasLowering } from './keras.ts';
import { isChannelsFirstLayer } from './keras.ts';
import { reduce } from './reduce.ts';
import { resampling } from './resampling.ts';
import { steps } from './slice.ts';
import type { Operand } from './tensorflow.ts';

interface Range {
  readonly begin: number;
  readonly length: number;
}

/** Window i reaches from ⌊i·length/count⌋ to ⌈(i+1)·length/count⌉. */
function windows(length: number, count: number): readonly Range[] {
  return Array.from({ length: count }, (_, i) => {
    const begin = Math.floor((i * length) / count);
    return { begin, length: Math.ceil(((i + 1) * length) / count) - begin };
  });
}

/** The mean of each window along an axis. */
function averaged(
  layer: KerasLayer,
  x: Operand,
  axis: number,
  ranges: readonly Range[],
  length: number,
): Operand {
  const taps = ranges.reduce((most, range) => Math.max(most, range.length), 1);
  const starts = ranges.map(({ begin }) => Math.min(begin, length - taps));
  const weights = ranges.flatMap((range, i) =>
    Array.from({ length: taps }, (_, k) => {
      const at = starts[i]! + k - range.begin;
      return at >= 0 && at < range.length ? 1 / range.length : 0;
    }),
  );
  return layer.add(
    resampling,
    { x },
    { axis },
    {
      starts: tensor('i32', [ranges.length], starts),
      weights: tensor('f32', [ranges.length, taps], weights),
    },
  );
}

function largest(layer: KerasLayer, x: Operand, axis: number, ranges: readonly Range[]): Operand {
  const parts = ranges.map(({ begin, length }) => {
    const part = steps(layer, x, axis, begin, length);
    return layer.add(reduce, { x: part }, { kind: 'max', axes: [axis], keepsAxes: true }, {});
  });
  return joined(layer, parts, axis);
}

function fixed(dim: Dim | undefined): number {
  if (typeof dim !== 'number') throw new Refusal('the batch stands where steps or pixels should');
  return dim;
}

const adaptive =
  (kind: 'max' | 'mean', rank: number): KerasLowering =>
  (layer) => {
    const counts = layer.list('output_size', rank);
    const first = isChannelsFirstLayer(layer) ? 2 : 1;
    return counts.reduce((x: Operand, count, i) => {
      const axis = first + i;
      const length = fixed(x.type.shape[axis]);
      if (!(count >= 1 && count <= length)) throw new Refusal(`${length} steps cannot be pooled to ${count}`);
      const ranges = windows(length, count);
      return kind === 'mean' ? averaged(layer, x, axis, ranges, length) : largest(layer, x, axis, ranges);
    }, layer.input(0));
  };

export const adaptivePoolingKeras: KerasLayers = {
  AdaptiveAveragePooling1D: adaptive('mean', 1),
  AdaptiveAveragePooling2D: adaptive('mean', 2),
  AdaptiveAveragePooling3D: adaptive('mean', 3),
  AdaptiveMaxPooling1D: adaptive('max', 1),
  AdaptiveMaxPooling2D: adaptive('max', 2),
  AdaptiveMaxPooling3D: adaptive('max', 3),
};
