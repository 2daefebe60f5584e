/** Keras's LSTM. */

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

const cell: Cell = { className: 'LSTM', states: ['h', 'c'], gates: 4 };

/**
 * At every step, with the columns of the weights in the order i, f, g, o:
 * `i, f, o = recurrentActivation(…)`, `g = activation(x·kernel + h·recurrent + bias)`;
 * `c = f·c + i·g`, `h = o·activation(c)`.
 */
export const lstm = defineOp({
  name: 'Lstm',
  inputs: undefined as readonly string[] | undefined,
  weights: ['kernel', 'recurrent', 'bias'],

  infer(types, attributes: RecurrentAttributes) {
    const { bias, recurrent } = types;
    if (bias!.shape[0] !== recurrent!.shape[1]) throw new Refusal('a bias for each gate is missing');
    return inferRecurrent(cell, types, attributes);
  },

  evaluate(values, attributes, output) {
    const { kernel, recurrent, bias } = values;
    const units = recurrent!.shape[0]!;
    const { activation, recurrentActivation } = attributes;
    return runSteps(cell, values, attributes, output, (x, [h, c]) => {
      const sums = Float64Array.from(bias!.data as Float32Array);
      addProduct(x, kernel!, 0, sums);
      addProduct(h!, recurrent!, 0, sums);
      const gate = (index: number) => sums.subarray(index * units, (index + 1) * units);
      const [i, f, o] = [0, 1, 3].map((index) => activated(recurrentActivation, gate(index)));
      const g = activated(activation, gate(2));
      for (let unit = 0; unit < units; unit++) c![unit] = f![unit]! * c![unit]! + i![unit]! * g[unit]!;
      h!.set(activated(activation, c!).map((number, unit) => o![unit]! * number));
    });
  },

  emit: (step, attributes) =>
    emitRecurrent(
      cell,
      step,
      attributes,
      'Lstm',
      (channels, units) => panelRows(channels, 4 * units) + panelRows(units, 4 * units),
    ),

  className: () => 'LSTM',
  operations: recurrentOperations,
});
