/** Every channel divided by how strong its neighbours are. */

import { Refusal } from '../errors.ts';
import { linear } from './activation.ts';
import { dense } from './dense.ts';
import { compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import type { TensorflowOps } from './tensorflow.ts';
import { channels } from './window.ts';

/** `x / (bias + α Σ x²)^β`, over the channels at most `radius` away: a Dense layer of a band of α takes the sums. */
export const localResponseNormalizationTensorflow: TensorflowOps = {
  LRN: (node) => {
    const x = node.input(0);
    const [radius, shift, alpha, beta] = [
      node.number('depth_radius', 5),
      node.number('bias', 1),
      node.number('alpha', 1),
      node.number('beta', 0.5),
    ] as const;
    const count = channels(x.type.shape);
    if (count > 4096) throw new Refusal(`LRN of ${count} channels is not supported`);
    const kernel = Float32Array.from({ length: count ** 2 }, (_, i) =>
      Math.abs(Math.floor(i / count) - (i % count)) <= radius ? alpha : 0,
    );
    const weights = {
      kernel: { dtype: 'f32', shape: [count, count], data: kernel },
      bias: { dtype: 'f32', shape: [count], data: new Float32Array(count).fill(shift) },
    } as const;
    const squares = compute(node, [x], call('multiply', input(0, 'f32'), input(0, 'f32')));
    const sums = node.add(dense, { x: squares }, { activation: linear }, weights);
    const divisor = call('power', input(1, 'f32'), number(beta, 'f32'));
    return compute(node, [x, sums], call('divide', input(0, 'f32'), divisor));
  },
};
