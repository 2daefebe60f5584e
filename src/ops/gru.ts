/** Keras's GRU, in both its forms. */

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

const cell: Cell = { className: 'GRU', states: ['h'], gates: 3 };

/**
 * At every step, with the columns of the weights in the order z, r, g:
 * `z, r = recurrentActivation(x·kernel + h·recurrent + bias)`, `h = z·h + (1 − z)·g`.
 *
 * A bias of (2, 3·units) is Keras's `reset_after`, the default: the second row is the bias of the recurrent product,
 * and `g = activation(x·kernel + bias + r·(h·recurrent + recurrent bias))`. A bias of (3·units) is the older form,
 * `g = activation(x·kernel + (r·h)·recurrent + bias)`.
 */
export const gru = defineOp({
  name: 'Gru',
  inputs: undefined as readonly string[] | undefined,
  weights: ['kernel', 'recurrent', 'bias'],

  infer(types, attributes: RecurrentAttributes) {
    const { bias, recurrent } = types;
    const [rows, columns] = bias!.shape.length === 1 ? [2, bias!.shape[0]] : bias!.shape;
    if (rows !== 2 || columns !== recurrent!.shape[1]) throw new Refusal('a bias for each gate is missing');
    return inferRecurrent(cell, types, attributes);
  },

  evaluate(values, attributes, output) {
    const { kernel, recurrent, bias } = values;
    const units = recurrent!.shape[0]!;
    const { activation, recurrentActivation } = attributes;
    const resetsAfter = bias!.shape.length === 2;
    const biases = Float64Array.from(bias!.data as Float32Array);
    return runSteps(cell, values, attributes, output, (x, [h]) => {
      const fromX = biases.slice(0, 3 * units);
      const fromH = resetsAfter ? biases.slice(3 * units) : new Float64Array(3 * units);
      addProduct(x, kernel!, 0, fromX);
      addProduct(h!, recurrent!, 0, resetsAfter ? fromH : fromH.subarray(0, 2 * units));
      const gate = (index: number) =>
        activated(
          recurrentActivation,
          fromX.slice(index * units, (index + 1) * units).map((sum, i) => sum + fromH[index * units + i]!),
        );
      const [z, r] = [gate(0), gate(1)];
      const last = fromH.subarray(2 * units);
      if (resetsAfter)
        last.forEach((sum, i) => {
          last[i] = r[i]! * sum;
        });
      else
        addProduct(
          h!.map((number, i) => r[i]! * number),
          recurrent!,
          2 * units,
          last,
        );
      const g = activated(
        activation,
        last.map((sum, i) => sum + fromX[2 * units + i]!),
      );
      h!.forEach((number, i) => {
        h![i] = z[i]! * number + (1 - z[i]!) * g[i]!;
      });
    });
  },

  emit(step, attributes) {
    const resetsAfter = step.types.bias!.shape.length === 2;
    return emitRecurrent(cell, step, attributes, resetsAfter ? 'Gru' : 'GruResetBefore', (channels, units) =>
      resetsAfter
        ? panelRows(channels, 3 * units) + panelRows(units, 3 * units)
        : panelRows(channels, 3 * units) + panelRows(units, 2 * units) + panelRows(units, units),
    );
  },

  className: () => 'GRU',
  operations: recurrentOperations,
});
