/** Keras's SimpleRNN. */

import { Refusal } from '../errors.ts';
import { defineOp } from './op.ts';
import {
  activated,
  addProduct,
  type Cell,
  emitRecurrent,
  inferRecurrent,
  panelRows,
  type RecurrentAttributes,
  recurrentOperations,
  runSteps,
} from './recurrent.ts';

const cell: Cell = { className: 'SimpleRNN', states: ['h'], gates: 1 };

/** `h = activation(x·kernel + h·recurrent + bias)` at every step. */
export const simpleRnn = defineOp({
  name: 'SimpleRnn',
  inputs: undefined as readonly string[] | undefined,
  weights: ['kernel', 'recurrent', 'bias'],

  infer(types, attributes: RecurrentAttributes) {
    const { bias, recurrent } = types;
    if (bias!.shape[0] !== recurrent!.shape[0]) throw new Refusal('a bias for each unit is missing');
    return inferRecurrent(cell, types, attributes);
  },

  evaluate(values, attributes, output) {
    const { kernel, recurrent, bias } = values;
    return runSteps(cell, values, attributes, output, (x, [h]) => {
      const sums = Float64Array.from(bias!.data as Float32Array);
      addProduct(x, kernel!, 0, sums);
      addProduct(h!, recurrent!, 0, sums);
      h!.set(activated(attributes.activation, sums));
    });
  },

  emit: (step, attributes) =>
    emitRecurrent(
      cell,
      step,
      attributes,
      'SimpleRnn',
      (channels, units) => panelRows(channels, units) + panelRows(units, units),
    ),

  className: () => 'SimpleRNN',
  operations: recurrentOperations,
});
