/** A border that is the value itself, mirrored at its edge. */

import { Refusal } from '../errors.ts';
import type { Dim } from '../ir/types.ts';
import { rowMajor, take } from './broadcasting.ts';
import { defineOp } from './op.ts';
import { bordersOf } from './pad.ts';
import type { TensorflowOps } from './tensorflow.ts';

export interface MirrorPadAttributes {
  /** Steps before and after, for every axis. */
  readonly borders: readonly (readonly [before: number, after: number])[];
  /** `reflect` mirrors at the outermost step, `symmetric` beside it, so that it stands there twice. */
  readonly mode: 'reflect' | 'symmetric';
}

export const mirrorPad = defineOp({
  name: 'MirrorPad',
  inputs: ['x'],
  weights: [],

  infer({ x }, { borders, mode }: MirrorPadAttributes) {
    const shape = x.shape.map((dim, i): Dim => {
      const [before, after] = borders[i]!;
      if (typeof dim !== 'number') {
        if (before !== 0 || after !== 0) throw new Refusal('a border around the batch is not supported');
        return dim;
      }
      const most = mode === 'reflect' ? dim - 1 : dim;
      if ([before, after].some((steps) => steps < 0 || steps > Math.max(most, 0))) {
        throw new Refusal(`${dim} steps do not mirror to a border of ${before} and ${after}`);
      }
      return dim + before + after;
    });
    return { dtype: x.dtype, shape };
  },

  evaluate({ x }, { borders, mode }, output) {
    const strides = rowMajor(x.shape);
    let indices: ArrayLike<number> = [0];
    for (const [axis, [before]] of borders.entries()) {
      const sources = Array.from({ length: output.shape[axis]! }, (_, i) =>
        mirrored(i - before, x.shape[axis]!, mode),
      );
      const outer = indices;
      indices = Int32Array.from({ length: outer.length * sources.length }, (_, i) => {
        const at = Math.floor(i / sources.length);
        return outer[at]! + sources[i % sources.length]! * strides[axis]!;
      });
    }
    return take(x, indices);
  },

  emit({ inputs, into, use }, { borders, mode }) {
    const list = borders.slice(1).map(([before, after]) => `[${before}, ${after}]`);
    return `${use('ops')}::pad_${mode}(${inputs.x}, [${list.join(', ')}], ${into})`;
  },

  className: ({ mode }) => `pad_${mode}`,
});

/** The step among `length` that stands at `at`, which may lie before the first or after the last. */
function mirrored(at: number, length: number, mode: MirrorPadAttributes['mode']): number {
  const twice = mode === 'reflect' ? 0 : 1;
  if (at < 0) return -at - twice;
  return at < length ? at : 2 * (length - 1) - at + twice;
}

export const mirrorPadTensorflow: TensorflowOps = {
  MirrorPad: (node) => {
    const mode = node.text('mode', '');
    if (mode !== 'REFLECT' && mode !== 'SYMMETRIC')
      throw new Refusal(`MirrorPad of mode ${mode} is not known`);
    const attributes = {
      borders: bordersOf(node),
      mode: mode === 'REFLECT' ? 'reflect' : 'symmetric',
    } as const;
    return node.add(mirrorPad, { x: node.input(0) }, attributes, {});
  },
};
