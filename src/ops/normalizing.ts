/** Layers of Keras that bring numbers to a common scale, by the formulas that Keras computes them with. */

import { isList } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import type { Constant } from '../ir/graph.ts';
import { type Dim, tensor } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { type KerasLayer, type KerasLayers, keepsMask } from './keras.ts';
import { reshaped } from './reshape.ts';
import { constantOf, type Operand } from './tensorflow.ts';

/** The axes of the setting, from 0, ascending. */
function axesOf(layer: KerasLayer, x: Operand): readonly number[] {
  const axis = layer.value('axis');
  const axes = isList(axis) ? layer.list('axis') : [layer.number('axis', -1)];
  return axes.map((each) => axisOf(each, x.type.shape.length)).sort((a, b) => a - b);
}

/** `gamma` and `beta`, if the layer has them. */
function scaleAndCenter(layer: KerasLayer): Readonly<Record<'gamma' | 'beta', Constant | undefined>> {
  const names = [
    ...(layer.flag('scale', true) ? ['gamma'] : []),
    ...(layer.flag('center', true) ? ['beta'] : []),
  ];
  const { gamma, beta } = layer.weights(...names);
  return { gamma, beta };
}

/** `(x − μ) / √(σ² + ε) · γ + β`, with the mean and the variance of `x` along the axes. */
function standardized(
  layer: KerasLayer,
  x: Operand,
  axes: readonly number[],
  gamma: Operand | undefined,
  beta: Operand | undefined,
): Operand {
  const keeps = { keep_dims: true };
  const mean = layer.tensorflow('Mean', [x, axes], keeps);
  const variance = layer.tensorflow('Mean', [layer.tensorflow('SquaredDifference', [x, mean]), axes], keeps);
  const epsilon = scalar(layer.number('epsilon', 1e-3), x);
  const inverse = layer.tensorflow('Rsqrt', [layer.tensorflow('AddV2', [variance, epsilon])]);
  const factor = gamma ? layer.tensorflow('Mul', [inverse, gamma]) : inverse;
  const shift = layer.tensorflow('Mul', [layer.tensorflow('Neg', [mean]), factor]);
  const sum = beta ? layer.tensorflow('AddV2', [shift, beta]) : shift;
  return layer.tensorflow('AddV2', [layer.tensorflow('Mul', [x, factor]), sum]);
}

function scalar(value: number, like: Operand): Constant {
  return constantOf(tensor(like.type.dtype, [], [value]));
}

/** A weight of some axes of `x`, so that it broadcasts to it. */
function spread(
  layer: KerasLayer,
  weight: Constant | undefined,
  x: Operand,
  axes: readonly number[],
): Operand | undefined {
  const { shape } = x.type;
  if (!weight || axes[0] === shape.length - 1) return weight;
  return reshaped(
    layer,
    weight,
    shape.map((dim, i) => (axes.includes(i) ? dim : 1)),
  );
}

function layerNormalization(layer: KerasLayer): Operand {
  const x = layer.input(0);
  const axes = axesOf(layer, x);
  const { gamma, beta } = scaleAndCenter(layer);
  const wide = [gamma, beta].map((weight) => spread(layer, weight, x, axes));
  if (layer.flag('rms_scaling', false))
    throw new Refusal('layer normalization with rms_scaling is not supported');
  return standardized(layer, x, axes, wide[0], wide[1]);
}

/** The channels in groups, each with its own mean and variance. */
function groupNormalization(layer: KerasLayer): Operand {
  const x = layer.input(0);
  const { shape } = x.type;
  const axis = axisOf(layer.number('axis', -1), shape.length);
  const channels = shape[axis];
  if (typeof channels !== 'number') throw new Refusal('groups of the batch mix the samples');
  const given = layer.number('groups', 32);
  const groups = given === -1 ? channels : given;
  if (channels % groups !== 0) throw new Refusal(`${channels} channels do not make ${groups} groups`);
  const apart: readonly Dim[] = [groups, channels / groups];
  const inGroups = reshaped(layer, x, shape.toSpliced(axis, 1, ...apart));
  const { gamma, beta } = scaleAndCenter(layer);
  const ones = shape.map(() => 1);
  const wide = [gamma, beta].map(
    (weight) => weight && reshaped(layer, weight, ones.toSpliced(axis, 1, groups, channels / groups)),
  );
  const axes = inGroups.type.shape.map((_, i) => i).filter((i) => i !== 0 && i !== axis);
  return reshaped(layer, standardized(layer, inGroups, axes, wide[0], wide[1]), shape);
}

/** `x / √(mean x² + ε) · scale` */
function rmsNormalization(layer: KerasLayer): Operand {
  const x = layer.input(0);
  const axes = axesOf(layer, x);
  const { scale } = layer.weights('scale');
  const squares = layer.tensorflow('Mean', [layer.tensorflow('Square', [x]), axes], { keep_dims: true });
  const epsilon = scalar(layer.number('epsilon', 1e-6), x);
  const inverse = layer.tensorflow('Rsqrt', [layer.tensorflow('AddV2', [squares, epsilon])]);
  return layer.tensorflow('Mul', [layer.tensorflow('Mul', [x, inverse]), spread(layer, scale, x, axes)!]);
}

/** `x / √Σ x²` along the axes: never by less than 10⁻¹², or in Keras 2 by less than its root. */
export function unitLength(layer: KerasLayer, x: Operand, axes: readonly number[], epsilon: number): Operand {
  const squares = layer.tensorflow('Sum', [layer.tensorflow('Square', [x]), axes], { keep_dims: true });
  if (layer.keras < 3) {
    const least = layer.tensorflow('Maximum', [squares, scalar(epsilon, x)]);
    return layer.tensorflow('Mul', [x, layer.tensorflow('Rsqrt', [least])]);
  }
  const inverse = layer.tensorflow('Rsqrt', [squares]);
  return layer.tensorflow('Mul', [x, layer.tensorflow('Minimum', [inverse, scalar(1 / epsilon, x)])]);
}

/** The kernel has been divided by its largest singular value in training. */
function spectralNormalization(layer: KerasLayer): Operand {
  layer.ignore('power_iterations');
  // The kernel is a weight of both layers.
  layer.weights('kernel', 'vector_u');
  const inner = layer.value('layer');
  if (inner === undefined) throw new Refusal('it has no layer');
  return layer.callInner(inner, { attribute: 'layer' }, { operand: layer.input(0) }).outputs[0]!;
}

export const normalizingKeras: KerasLayers = {
  GroupNormalization: keepsMask(groupNormalization),
  LayerNormalization: keepsMask(layerNormalization),
  RMSNormalization: keepsMask(rmsNormalization),
  SpectralNormalization: spectralNormalization,
  UnitNormalization: keepsMask((layer) => {
    const x = layer.input(0);
    return unitLength(layer, x, axesOf(layer, x), 1e-12);
  }),
};
