/** The exponentials along an axis, divided by their sum. */

import { isList } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { elements } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { compute } from './elementwise.ts';
import { call, cast, input, number } from './expression.ts';
import { type KerasLayer, type KerasLayers, keepsMask } from './keras.ts';
import { defineOp } from './op.ts';
import { reshaped } from './reshape.ts';
import type { Operand, TensorflowOps } from './tensorflow.ts';

export interface SoftmaxAttributes {
  readonly axis: number;
  /** The logarithm of it. */
  readonly isLog: boolean;
}

/** `exp(x − max) / Σ exp(x − max)` along the axis. */
export const softmax = defineOp({
  name: 'Softmax',
  inputs: ['x'],
  weights: [],

  infer({ x }, { axis }: SoftmaxAttributes) {
    if (x.dtype !== 'f32') throw new Refusal(`softmax computes with f32, and its input is ${x.dtype}`);
    if (typeof x.shape[axis] !== 'number') throw new Refusal('softmax over the batch mixes the samples');
    return x;
  },

  evaluate({ x }, { axis, isLog }) {
    const length = x.shape[axis]!;
    const inner = elements(x.shape.slice(axis + 1));
    const data = new Float32Array(x.data.length);
    for (let start = 0; start < data.length; start += length * inner) {
      for (let i = start; i < start + inner; i++) {
        const at = Array.from({ length }, (_, step) => i + step * inner);
        const most = at.reduce((max, j) => Math.max(max, Number(x.data[j])), Number.NEGATIVE_INFINITY);
        const sum = at.reduce((total, j) => total + Math.exp(Number(x.data[j]) - most), 0);
        for (const j of at) {
          const shifted = Number(x.data[j]) - most;
          data[j] = isLog ? shifted - Math.log(sum) : Math.exp(shifted) / sum;
        }
      }
    }
    return data;
  },

  emit({ inputs, into, use }, { axis, isLog }) {
    return `${use('ops')}::${isLog ? 'log_softmax' : 'softmax'}(${inputs.x}, ${axis}, ${into})`;
  },

  inPlace: {
    over: 'x',
    fits: () => true,
    emit: ({ inputs, use }, { axis, isLog }) =>
      `${use('ops')}::${isLog ? 'log_softmax' : 'softmax'}_mut(${inputs.x}, ${axis})`,
  },

  className: () => 'Softmax',
});

const alongLast =
  (isLog: boolean): TensorflowOps[string] =>
  (node) =>
    node.add(softmax, { x: node.input(0) }, { axis: node.input(0).type.shape.length - 1, isLog }, {});

export const softmaxTensorflow: TensorflowOps = {
  LogSoftmax: alongLast(true),
  Softmax: alongLast(false),
};

/**
 * Softmax over neighbouring axes at once, as Keras has it: only where the mask is true, in which Keras 2 trusts to
 * −10⁹, and in which Keras 3 writes zeros.
 */
export function softmaxOver(
  layer: KerasLayer,
  x: Operand,
  axes: readonly number[],
  mask?: Operand,
  isLog = false,
): Operand {
  const { dtype, shape } = x.type;
  const places = axes.map((axis) => axisOf(axis, shape.length)).sort((a, b) => a - b);
  const [first, last] = [places[0], places.at(-1)];
  if (first === undefined || last === undefined || last - first + 1 !== places.length) {
    throw new Refusal(`softmax along the axes ${axes.join(', ')} is not supported`);
  }
  const masked = mask ? withoutMasked(layer, x, mask) : x;
  const merged = shape.slice(first, last + 1).reduce<number>((product, dim) => {
    if (typeof dim !== 'number') throw new Refusal('softmax over the batch mixes the samples');
    return product * dim;
  }, 1);
  const flat = reshaped(layer, masked, shape.toSpliced(first, places.length, merged));
  const y = reshaped(layer, layer.add(softmax, { x: flat }, { axis: first, isLog }, {}), shape);
  if (!mask || layer.keras < 3) return y;
  return compute(layer, [y, mask], call('select', input(1, 'bool'), input(0, dtype), number(0, dtype)));
}

function withoutMasked(layer: KerasLayer, x: Operand, mask: Operand): Operand {
  const { dtype } = x.type;
  if (layer.keras >= 3) {
    return compute(layer, [x, mask], call('select', input(1, 'bool'), input(0, dtype), number(-1e9, dtype)));
  }
  const isMasked = call('subtract', number(1, dtype), cast(input(0, mask.type.dtype), dtype));
  const adder = compute(layer, [mask], call('multiply', isMasked, number(-1e9, dtype)));
  return compute(layer, [x, adder], call('add', input(0, dtype), input(1, dtype)));
}

export const softmaxKeras: KerasLayers = {
  Softmax: keepsMask((layer) => {
    const axis = layer.value('axis');
    const axes = isList(axis) ? layer.list('axis') : [layer.number('axis', -1)];
    const given = layer.argument('mask', 1);
    const mask = given?.kind === 'tensor' ? given.operand : layer.mask(0);
    return softmaxOver(layer, layer.input(0), axes, mask);
  }),
};
