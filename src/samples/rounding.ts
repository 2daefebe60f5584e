/**
 * How far the rounding of f32 alone takes a model's predictions. Most models make nothing of it; one that divides by a
 * small difference, or takes the logarithm of what is nearly 0, predicts something else on every machine.
 */

import { largestError } from '../evaluate/error.ts';
import { evaluate, opOf } from '../evaluate/evaluate.ts';
import { type Graph, type Node, rowsOfCall } from '../ir/graph.ts';
import { isFloat, type Tensor, type TensorData } from '../ir/types.ts';
import { randomNumbers } from './draw.ts';

/** How often the sums are moved; the largest error counts, since a few numbers can decide it. */
const TRIALS = 4;

/** How far sums are moved, by the largest of their layer: they were added in another order, or in larger parts. */
const ONE_ROUNDING = 2 ** -22;

/** A model that makes more than this of rounding has no predictions to compare. */
const MOST = 5e-3;

/** The largest error of the outputs when all sums within the model are moved a little, for one call. */
export function roundingError(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  states: ReadonlyMap<string, Tensor>,
  outputs: readonly Tensor[],
): number {
  const random = randomNumbers(20260102);
  const moveSums = (node: Node, data: TensorData) => {
    if (opOf(node).operations && data instanceof Float32Array) move(data, random);
  };
  let largest = 0;
  for (let trial = 0; trial < TRIALS; trial++) {
    const moved = evaluate(graph, inputs, rowsOfCall(graph), states, moveSums);
    for (const [i, { dtype, data }] of moved.outputs.entries()) {
      if (isFloat(dtype)) largest = Math.max(largest, largestError(data, outputs[i]!.data));
    }
  }
  return Math.min(largest, MOST);
}

function move(data: Float32Array, random: () => number): void {
  const distance = ONE_ROUNDING * data.reduce((most, x) => Math.max(most, Math.abs(x)), 0);
  if (!Number.isFinite(distance)) return;
  for (let i = 0; i < data.length; i++) data[i]! += distance * (2 * random() - 1);
}
