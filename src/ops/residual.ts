/**
 * A convolution or a dense layer that is added to what another layer made, as residual connections are: its sums begin
 * with those numbers, which are not read again by a step of their own. 3-optimize makes them of the two steps.
 */

import { Refusal } from '../errors.ts';
import { sameShape, type Tensor } from '../ir/types.ts';
import { type Activation, activateAll, linear } from './activation.ts';
import { addConvolution, convolution } from './convolution.ts';
import { addDense, dense } from './dense.ts';
import { defineOp, type EmittedStep, type Op } from './op.ts';

type Weight = 'kernel' | 'bias';

/** The layer's operator with one input more; `write` writes the call that adds the layer to the Rust expression `y`. */
function residual<Name extends string, Attributes extends { readonly activation: Activation }>(
  name: Name,
  layer: Op<string, 'x', Weight, Attributes>,
  write: (step: EmittedStep<'x', Weight>, attributes: Attributes, y: string) => string,
): Op<Name, 'residual' | 'x', Weight, Attributes> {
  return defineOp({
    name,
    inputs: ['residual', 'x'],
    weights: ['kernel', 'bias'],

    infer({ residual, ...types }, attributes: Attributes) {
      const type = layer.infer(types, attributes);
      if (residual.dtype !== type.dtype || !sameShape(residual.shape, type.shape))
        throw new Refusal(`${residual.dtype} of shape ${residual.shape} cannot be added to ${type.shape}`);
      return type;
    },

    evaluate(
      { residual, ...values }: Readonly<Record<'residual' | 'x' | Weight, Tensor>>,
      attributes,
      output,
    ) {
      const sums = layer.evaluate(values, { ...attributes, activation: linear }, output);
      const added = new Float64Array(sums.length);
      for (let i = 0; i < added.length; i++) added[i] = Number(sums[i]) + Number(residual.data[i]);
      return activateAll(added, attributes.activation);
    },

    emit(step, attributes) {
      step.use('ops');
      return write(step, attributes, `ops::copy(${step.inputs.residual}, ${step.into})`);
    },

    inPlace: {
      over: 'residual',
      fits: () => true,
      emit: (step, attributes) => write(step, attributes, step.inputs.residual),
    },

    className: (attributes, types) => layer.className(attributes, types),
    operations: (types, attributes, output) => layer.operations?.(types, attributes, output) ?? 0,
  });
}

export const residualConvolution = residual('ResidualConvolution', convolution, addConvolution);

export const residualDense = residual('ResidualDense', dense, addDense);
