/** An axis of other length, of which each step is a weighted sum of neighbouring old ones. */

import { Refusal } from '../errors.ts';
import { elements } from '../ir/types.ts';
import { defineOp } from './op.ts';

/** `y[…, i, …] = Σₖ weights[i, k] · x[…, starts[i] + k, …]` along the axis. */
export const resampling = defineOp({
  name: 'Resampling',
  inputs: ['x'],
  weights: ['starts', 'weights'],

  infer({ x, starts, weights }, { axis }: { readonly axis: number }) {
    const [steps, count] = [x.shape[axis], starts.shape[0]!];
    const taps = weights.shape[1]!;
    if (x.dtype !== 'f32') throw new Refusal(`resizing computes with f32, and its input is ${x.dtype}`);
    if (typeof steps !== 'number') throw new Refusal('resizing along the batch mixes the samples');
    if (weights.shape[0] !== count || Number(taps) > steps) {
      throw new Refusal(`${weights.shape.join(' × ')} weights for ${count} of ${steps} steps`);
    }
    return { dtype: 'f32', shape: x.shape.with(axis, count) };
  },

  evaluate({ x, starts, weights }, { axis }, output) {
    const [count, taps] = weights.shape as [number, number];
    const steps = x.shape[axis]!;
    const inner = elements(x.shape.slice(axis + 1));
    const data = new Float32Array(elements(output.shape));
    for (let i = 0; i < data.length; i++) {
      const step = Math.floor(i / inner) % count;
      const from =
        (Math.floor(i / (inner * count)) * steps + Number(starts.data[step])) * inner + (i % inner);
      let sum = 0;
      for (let k = 0; k < taps; k++) {
        sum += Number(weights.data[step * taps + k]) * Number(x.data[from + k * inner]);
      }
      data[i] = sum;
    }
    return data;
  },

  emit({ inputs, types, into, layer }, { axis }) {
    const [count, taps] = types.weights.shape as [number, number];
    const steps = types.x.shape[axis] as number;
    const rows = Math.ceil(count / 16) + Math.ceil((count * taps) / 16);
    const field = layer({
      rustType: `Resampling<${[steps, count, taps, rows].join(', ')}>`,
      doc: `${steps} → ${count} steps, by ${taps} neighbours.`,
      pack: ['starts', 'weights'],
    });
    return `${field}.apply(${inputs.x}, ${axis}, ${into})`;
  },

  className: () => 'Resizing',
});
