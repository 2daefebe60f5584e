/** Chosen steps of an axis, others for every sample. */

import { Refusal } from '../errors.ts';
import { type Dim, elements, sameShape, type TensorType } from '../ir/types.ts';
import { take } from './broadcasting.ts';
import { defineOp } from './op.ts';

export interface GatherAlongAttributes {
  /** The axis of which steps are chosen, counted with the batch as axis 0. */
  readonly axis: number;
  /** How many of the first axes x and the indices share: at least the batch. */
  readonly shared: number;
}

/** `y[b…, o…, i…, r…] = x[b…, o…, indices[b…, i…], r…]`, with `axis` after b and o. */
export const gatherAlong = defineOp({
  name: 'GatherAlong',
  inputs: ['x', 'indices'],
  weights: [],

  infer({ x, indices }, { axis, shared }: GatherAlongAttributes) {
    if (!['i32', 'i64', 'u8'].includes(indices.dtype)) {
      throw new Refusal(`a step by ${indices.dtype} is not supported`);
    }
    if (!sameShape(x.shape.slice(0, shared), indices.shape.slice(0, shared)) || shared < 1 || axis < shared) {
      throw new Refusal(`steps of axis ${axis}, of which ${shared} axes are shared, do not fit`);
    }
    const lengths = [...staticLengths(x.shape.slice(1)), ...staticLengths(indices.shape.slice(1))];
    if (lengths.includes(0)) throw new Refusal('steps of nothing are not supported');
    const shape = [...x.shape.slice(0, axis), ...indices.shape.slice(shared), ...x.shape.slice(axis + 1)];
    return { dtype: x.dtype, shape };
  },

  evaluate({ x, indices }, { axis, shared }, output) {
    const [groups, outer, steps, inner] = sizesOf(x, axis, shared);
    const samples = x.shape[0]!;
    const count = elements(indices.shape) / Math.max(samples * groups, 1);
    const places = new Int32Array(elements(output.shape));
    let to = 0;
    for (let group = 0; group < samples * groups; group++) {
      for (let o = 0; o < outer; o++) {
        for (let i = 0; i < count; i++) {
          const step = Number(indices.data[group * count + i]);
          if (step < 0 || step >= steps) throw new Refusal(`step ${step} is not one of ${steps}`);
          for (let r = 0; r < inner; r++) places[to++] = ((group * outer + o) * steps + step) * inner + r;
        }
      }
    }
    return take(x, places);
  },

  emit({ inputs, types, into, nameOf, use }, { axis, shared }) {
    const sizes = sizesOf(types.x, axis, shared);
    return `${use('ops')}::gather_along(${nameOf('indices')}, ${inputs.x}, ${inputs.indices}, [${sizes.join(', ')}], ${into})?`;
  },

  className: () => 'take_along_axis',
});

/** In each sample: how many parts have indices of their own, how many blocks of the axis each has, its steps, and the numbers of a step. */
function sizesOf({ shape }: TensorType, axis: number, shared: number) {
  const lengths = staticLengths(shape.slice(1));
  const count = (from: number, to: number) => elements(lengths.slice(from - 1, to - 1));
  return [count(1, shared), count(shared, axis), lengths[axis - 1]!, count(axis + 1, shape.length)] as const;
}

function staticLengths(dims: readonly Dim[]): readonly number[] {
  return dims.map((dim) => {
    if (typeof dim !== 'number') throw new Refusal('a step of the batch mixes the samples');
    return dim;
  });
}
