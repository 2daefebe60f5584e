/** Every channel scaled and shifted by what training found. */

import { Refusal } from '../errors.ts';
import { elements, type Tensor, tensor } from '../ir/types.ts';
import { type Activation, activate, linear, rustActivation } from './activation.ts';
import { axisOf } from './axes.ts';
import { isChannelsFirst } from './convolution.ts';
import { type KerasLayers, type KerasLowering, keepsMask } from './keras.ts';
import { layerNormalization, plainScale } from './layer-normalization.ts';
import { defineOp, type EmittedStep } from './op.ts';
import { reshaped } from './reshape.ts';
import { constantOf, type Operand, type TensorflowNode, type TensorflowOps } from './tensorflow.ts';
import { channelsLast, fromChannelsLast } from './transpose.ts';
import { channels } from './window.ts';

/** `activation(x · scale + shift)` on the last axis. */
export const batchNormalization = defineOp({
  name: 'BatchNormalization',
  inputs: ['x'],
  weights: ['scale', 'shift'],

  infer({ x, scale, shift }, _: { readonly activation: Activation }) {
    const last = channels(x.shape);
    if (x.dtype !== 'f32')
      throw new Refusal(`batch normalization computes with f32, and its input is ${x.dtype}`);
    if (scale.shape[0] !== last || shift.shape[0] !== last) {
      throw new Refusal(`${scale.shape[0]} scales for ${last} channels`);
    }
    return x;
  },

  evaluate({ x, scale, shift }, { activation }) {
    const count = scale.data.length;
    const finish = activate(activation);
    return Float32Array.from(x.data as Float32Array, (value, i) =>
      finish(value * Number(scale.data[i % count]) + Number(shift.data[i % count])),
    );
  },

  emit: (step, { activation }) => {
    const field = fieldOf(step);
    return `${field}.apply(${step.inputs.x}, ${rustActivation(activation, step.use)}, ${step.into})`;
  },

  inPlace: {
    over: 'x',
    fits: () => true,
    emit: (step, { activation }) =>
      `${fieldOf(step)}.apply_mut(${step.inputs.x}, ${rustActivation(activation, step.use)})`,
  },

  className: () => 'BatchNormalization',
});

function fieldOf({ types, layer }: EmittedStep<'x', 'scale' | 'shift'>): string {
  const count = channels(types.x.shape);
  return layer({
    rustType: `BatchNormalization<${count}, ${2 * Math.ceil(count / 16)}>`,
    doc: `${count} channels.`,
    pack: ['scale', 'shift'],
  });
}

const fused: TensorflowOps[string] = (node) => {
  node.number('exponential_avg_factor', 1);
  const first = isChannelsFirst(node, 'NHWC');
  const epsilon = node.number('epsilon', 1e-4);
  if (node.flag('is_training', true)) return ofRows(node, first, epsilon);
  const [gamma, beta, mean, variance] = [1, 2, 3, 4].map((i) => node.constant(i)) as [
    Tensor,
    Tensor,
    Tensor,
    Tensor,
  ];
  const { scale, shift } = scaleAndShift(gamma, beta, mean, variance, epsilon);
  const x = channelsLast(node, node.input(0), first);
  return fromChannelsLast(
    node,
    node.add(batchNormalization, { x }, { activation: linear }, { scale, shift }),
    first,
  );
};

/**
 * With the statistics of what it is given. Keras 2 normalizes layers so: every row that is a channel of a batch of 1,
 * (1, rows, size, 1), with a scale of 1 and a shift of 0.
 */
function ofRows(node: TensorflowNode, isFirst: boolean, epsilon: number): Operand {
  const x = node.input(0);
  const [one, rows, ...lengths] = x.type.shape;
  const isPlain = isFilledWith(node.input(1), 1) && isFilledWith(node.input(2), 0);
  if (!isFirst || one !== 1 || !isPlain || lengths.some((length) => typeof length !== 'number')) {
    throw new Refusal('batch normalization with the statistics of the batch itself is not supported');
  }
  const size = elements(lengths as number[]);
  const matrix = reshaped(node, x, [rows!, size]);
  return reshaped(
    node,
    node.add(layerNormalization, { x: matrix }, { epsilon }, plainScale(size)),
    x.type.shape,
  );
}

/** Whether an operand is this number everywhere, whatever the number of samples. */
function isFilledWith(operand: Operand, number: number): boolean {
  const tensors =
    operand.kind === 'constant' ? [operand.tensor] : operand.kind === 'by batch' ? operand.tensors : [];
  return tensors.length > 0 && tensors.every(({ data }) => data.every((x: number | bigint) => x === number));
}

/** `γ (x − μ) / √(σ² + ε) + β` as one product and one sum. */
function scaleAndShift(gamma: Tensor, beta: Tensor, mean: Tensor, variance: Tensor, epsilon: number) {
  const factors = Array.from(
    { length: gamma.data.length },
    (_, i) => Number(gamma.data[i]) / Math.sqrt(Number(variance.data[i]) + epsilon),
  );
  const shape = gamma.shape;
  const scale: Tensor = { dtype: 'f32', shape, data: Float32Array.from(factors) };
  const shift: Tensor = {
    dtype: 'f32',
    shape,
    data: Float32Array.from(factors, (factor, i) => Number(beta.data[i]) - Number(mean.data[i]) * factor),
  };
  return { scale, shift };
}

export const batchNormalizationTensorflow: TensorflowOps = {
  FusedBatchNorm: fused,
  FusedBatchNormV2: fused,
  FusedBatchNormV3: fused,
};

/** With the statistics of training. */
const layerOf: KerasLowering = (layer) => {
  layer.ignore(
    'momentum',
    'renorm_clipping',
    'renorm_momentum',
    'synchronized',
    'fused',
    'virtual_batch_size',
  );
  if (layer.flag('renorm', false)) throw new Refusal('batch renormalization is not supported');
  const x = layer.input(0);
  const axes = layer.list('axis', 1, -1);
  const axis = axisOf(axes[0]!, x.type.shape.length);
  const names = [
    ...(layer.flag('scale', true) ? ['gamma'] : []),
    ...(layer.flag('center', true) ? ['beta'] : []),
    'moving_mean',
    'moving_variance',
  ];
  const weights = layer.weights(...names);
  const [mean, variance] = [weights.moving_mean!.tensor, weights.moving_variance!.tensor];
  const filled = (value: number): Tensor =>
    tensor(mean.dtype, mean.shape, Array(mean.data.length).fill(value));
  const gamma = weights.gamma?.tensor ?? filled(1);
  const beta = weights.beta?.tensor ?? filled(0);
  const { scale, shift } = scaleAndShift(gamma, beta, mean, variance, layer.number('epsilon', 1e-3));
  if (axis === x.type.shape.length - 1 && x.type.dtype === 'f32') {
    return layer.add(batchNormalization, { x }, { activation: linear }, { scale, shift });
  }
  const [factor, term] = [scale, shift].map((each) =>
    constantOf({ ...each, shape: x.type.shape.map((_, i) => (i === axis ? each.data.length : 1)) }),
  );
  return layer.tensorflow('Add', [layer.tensorflow('Mul', [x, factor!]), term!]);
};

export const batchNormalizationKeras: KerasLayers = { BatchNormalization: keepsMask(layerOf) };
