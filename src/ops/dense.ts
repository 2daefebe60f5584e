/** A fully connected layer on the last axis. */

import { Refusal } from '../errors.ts';
import { type Dim, elements } from '../ir/types.ts';
import { type Activation, activateAll, linear, rustActivation } from './activation.ts';
import { zeroBias } from './convolution.ts';
import { type KerasLayers, keepsMask } from './keras.ts';
import { activated } from './keras-activation.ts';
import { matmul } from './matmul.ts';
import { defineOp, type EmittedStep } from './op.ts';
import { addProduct, repeated, rowsOf } from './product.ts';
import type { TensorflowOps } from './tensorflow.ts';
import { channels } from './window.ts';

/** `activation(x · kernel + bias)`: (…, in) → (…, out). */
export const dense = defineOp({
  name: 'Dense',
  inputs: ['x'],
  weights: ['kernel', 'bias'],

  infer({ x, kernel, bias }, _: { readonly activation: Activation }) {
    const [rows, columns] = kernel.shape;
    const last = channels(x.shape);
    if (x.dtype !== 'f32') throw new Refusal(`a Dense layer computes with f32, and its input is ${x.dtype}`);
    if (last !== rows) throw new Refusal(`the input has ${last} features, but the kernel expects ${rows}`);
    if (bias.shape[0] !== columns) throw new Refusal(`${bias.shape[0]} biases for ${columns} units`);
    return { dtype: 'f32', shape: [...x.shape.slice(0, -1), columns as Dim] };
  },

  evaluate({ x, kernel, bias }, { activation }, output) {
    const [steps, columns] = kernel.shape as [number, number];
    const sums = repeated(bias.data, elements(output.shape));
    addProduct({
      rows: sums.length / columns,
      steps,
      columns,
      readRow: rowsOf({ data: x.data, start: 0, row: steps, column: 1 }),
      right: { data: kernel.data, start: 0, row: columns, column: 1 },
      sums: { data: sums, start: 0, row: columns, column: 1 },
    });
    return activateAll(sums, activation);
  },

  emit(step, { activation }) {
    return `${denseLayer(step)}.apply(${step.inputs.x}, ${rustActivation(activation, step.use)}, ${step.into})`;
  },

  className: () => 'Dense',
  operations: ({ kernel }, _, output) =>
    elements(kernel.shape as number[]) * elements(output.shape.slice(1, -1) as number[]),
});

type Step = EmittedStep<'x', 'kernel' | 'bias'>;

/** The call that adds the layer to `y`. */
export function addDense(step: Step, { activation }: { readonly activation: Activation }, y: string): string {
  return `${denseLayer(step)}.add_to(${y}, ${step.inputs.x}, ${rustActivation(activation, step.use)})`;
}

function denseLayer({ types, layer }: Step): string {
  const [rows, columns] = types.kernel.shape as [number, number];
  const size = Math.ceil(columns / 16) * (1 + rows);
  const rustType = `Dense<${rows}, ${columns}, ${size}>`;
  return layer({ rustType, doc: `${rows} → ${columns}.`, pack: ['kernel', 'bias'] });
}

export const denseTensorflow: TensorflowOps = {
  MatMul: (node) => {
    const [transposeX, transposeZ] = [node.flag('transpose_a', false), node.flag('transpose_b', false)];
    for (const name of ['grad_a', 'grad_b']) node.flag(name, false);
    return node.add(matmul, { x: node.input(0), z: node.input(1) }, { transposeX, transposeZ }, {});
  },
};

export const denseKeras: KerasLayers = {
  Dense: keepsMask((layer) => {
    layer.ignore('units');
    const { kernel, bias } = layer.flag('use_bias', true)
      ? layer.weights('kernel', 'bias')
      : { ...layer.weights('kernel'), bias: undefined };
    const weights = { kernel: kernel.tensor, bias: bias?.tensor ?? zeroBias(kernel.tensor.shape.slice(1)) };
    return activated(layer, layer.add(dense, { x: layer.input(0) }, { activation: linear }, weights));
  }),
};
