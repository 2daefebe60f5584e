/** Sums and products of all steps up to each, along an axis. */

import { Refusal } from '../errors.ts';
import { elements, isFloat, type Tensor, type TensorData, zeros } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { defineOp } from './op.ts';
import type { TensorflowOps } from './tensorflow.ts';

export interface CumulativeAttributes {
  readonly kind: 'sum' | 'prod';
  readonly axis: number;
  /** Without the step itself. */
  readonly isExclusive: boolean;
  /** From the last step to the first. */
  readonly isReverse: boolean;
}

export const cumulative = defineOp({
  name: 'Cumulative',
  inputs: ['x'],
  weights: [],

  infer({ x }, { kind, axis }: CumulativeAttributes) {
    if (typeof x.shape[axis] !== 'number') throw new Refusal(`a ${kind} over the batch mixes the samples`);
    if (x.dtype === 'bool' || x.dtype === 'u8')
      throw new Refusal(`a cumulative ${kind} of ${x.dtype} is not supported`);
    return x;
  },

  evaluate({ x }, { kind, axis, isExclusive, isReverse }) {
    const length = x.shape[axis]!;
    const inner = elements(x.shape.slice(axis + 1));
    const result = zeros(x.dtype, x.data.length);
    for (let i = 0; i < result.length; i++) {
      const step = Math.floor(i / inner) % length;
      if (step > 0) continue;
      const order = Array.from({ length }, (_, at) => i + (isReverse ? length - 1 - at : at) * inner);
      accumulate(kind, x, order, isExclusive, result);
    }
    return result;
  },

  emit({ inputs, into, use }, { kind, axis, isExclusive, isReverse }) {
    return `${use('ops')}::cum${kind}(${inputs.x}, ${axis}, ${isExclusive}, ${isReverse}, ${into})`;
  },

  className: ({ kind }) => `cum${kind}`,
});

/** Writes what the numbers at the places come to, one after the other. Integers wrap around. */
function accumulate(
  kind: CumulativeAttributes['kind'],
  { dtype, data }: Tensor,
  places: readonly number[],
  isExclusive: boolean,
  result: TensorData,
): void {
  if (result instanceof BigInt64Array) {
    let all = kind === 'sum' ? 0n : 1n;
    for (const place of places) {
      const next = BigInt.asIntN(
        64,
        kind === 'sum' ? all + BigInt(data[place]!) : all * BigInt(data[place]!),
      );
      result[place] = isExclusive ? all : next;
      all = next;
    }
    return;
  }
  const join = (a: number, b: number) => {
    if (kind === 'sum') return isFloat(dtype) ? a + b : (a + b) | 0;
    return isFloat(dtype) ? a * b : Math.imul(a, b);
  };
  let all = kind === 'sum' ? 0 : 1;
  for (const place of places) {
    const next = join(all, Number(data[place]));
    result[place] = isExclusive ? all : next;
    all = next;
  }
}

const lowering =
  (kind: CumulativeAttributes['kind']): TensorflowOps[string] =>
  (node) => {
    const [isExclusive, isReverse] = [node.flag('exclusive', false), node.flag('reverse', false)];
    const axis = axisOf(node.integers(1)[0]!, node.input(0).type.shape.length);
    return node.add(cumulative, { x: node.input(0) }, { kind, axis, isExclusive, isReverse }, {});
  };

export const cumulativeTensorflow: TensorflowOps = { Cumprod: lowering('prod'), Cumsum: lowering('sum') };
