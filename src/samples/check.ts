/** Holds the graph against the user's predictions, and predicts for samples that were drawn. */

import { typesOf } from '../4-plan/plan.ts';
import { Refusal, refuse } from '../errors.ts';
import { largestError } from '../evaluate/error.ts';
import { type Evaluated, evaluate, initialStates, opOf } from '../evaluate/evaluate.ts';
import { type Graph, type Node, nodesOf, rowsOfCall } from '../ir/graph.ts';
import type { Tensor } from '../ir/types.ts';
import { drawInputs } from './draw.ts';
import { roundingError } from './rounding.ts';
import { hasNaN, type Samples } from './samples.ts';

/** The time that the evaluator may take, in milliseconds; it always does one sample, which takes as long as the next. */
const BUDGET = 2000;

/** The multiplications of a model that predicts some ten times in that time. */
const QUICK = 2 ** 28;

/** Samples that are drawn where nobody says how many. */
const DRAWN = 8;

export interface Checked {
  /** How many samples the evaluator computed. */
  readonly count: number;
  readonly largestError: number;
  /** How far rounding alone takes the predictions, if some are further off than the tolerance. */
  readonly rounding?: number;
}

/** Compares the graph's predictions with those given, as far as the time allows. Refuses any that differ by more than rounding. */
export function checkSamples(graph: Graph, samples: Samples, tolerance: number, file: string): Checked {
  const scales = samples.predictions.map(largestMagnitude);
  const rows = rowsOfCall(graph);
  const hasTime = budget();
  let [count, largest, rounding] = [0, 0, 0];
  let states = initialStates(graph);
  while (count < samples.count && hasTime(count)) {
    const inputs = new Map(
      [...samples.inputs].map(([name, tensor]) => [name, rowsFrom(tensor, count, rows)]),
    );
    const { outputs, states: next } = predict(graph, inputs, states, `${file}, sample ${count}`);
    for (const [i, output] of outputs.entries()) {
      const expected = rowsFrom(samples.predictions[i]!, count, rows);
      const error =
        largestError(output.data, expected.data) * Math.min(1, largestMagnitude(expected) / scales[i]!);
      refuseNaN(samples, count, expected, file);
      if (!(error <= Math.max(tolerance, rounding))) {
        rounding = Math.max(rounding, roundingError(graph, inputs, states, outputs));
        if (!(error <= rounding)) disagree(graph, samples, i, count, output, expected, file);
      }
      largest = Math.max(largest, error);
    }
    count += rows;
    states = next;
  }
  return { count, largestError: largest, ...(rounding > tolerance && { rounding }) };
}

/** Samples with the evaluator's own predictions: as many as asked for, or as the time allows. */
export function drawSamples(graph: Graph, wanted: number | undefined, tolerance: number): Samples {
  const rows = rowsOfCall(graph);
  const most = Math.ceil((wanted ?? DRAWN) / rows) * rows;
  const inputs = drawInputs(graph, most);
  const inputsOf = (first: number) =>
    new Map([...inputs].map(([name, tensor]) => [name, rowsFrom(tensor, first, rows)]));
  const hasTime = budget();
  const calls: { readonly first: number; readonly outputs: readonly Tensor[] }[] = [];
  let states = initialStates(graph);
  for (let first = 0; first < most; first += rows) {
    if (wanted === undefined && !hasTime(first)) break;
    const where = 'a sample that was drawn; give real ones with --path_to_fv';
    const { outputs, states: next } = predict(graph, inputsOf(first), states, where);
    const isUsable = !outputs.some(hasNaN);
    if (isUsable) calls.push({ first, outputs });
    // A call that is left out would have changed the states for those after it.
    else if (graph.memory) break;
    states = next;
  }
  if (calls.length === 0) {
    refuse(
      'the samples that were drawn',
      'the model predicts NaN for all of them; give real ones with --path_to_fv',
    );
  }
  const rounding =
    operationsOf(graph) > QUICK
      ? 0
      : roundingError(graph, inputsOf(calls[0]!.first), initialStates(graph), calls[0]!.outputs);
  return {
    source: { kind: 'evaluator' },
    ...(rounding > tolerance && { rounding }),
    count: calls.length * rows,
    inputs: new Map(
      [...inputs].map(([name, tensor]) => [
        name,
        joined(calls.map(({ first }) => rowsFrom(tensor, first, rows))),
      ]),
    ),
    predictions: graph.outputs.map((_, i) => joined(calls.map(({ outputs }) => outputs[i]!))),
  };
}

/** Whether there is time for one sample more, after `done`. */
function budget(): (done: number) => boolean {
  const started = performance.now();
  return (done) => done === 0 || ((performance.now() - started) * (done + 1)) / done < BUDGET;
}

/** What one call predicts. What the model cannot read in the samples is their fault. */
function predict(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  states: ReadonlyMap<string, Tensor>,
  where: string,
): Evaluated {
  try {
    return evaluate(graph, inputs, rowsOfCall(graph), states);
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return refuse(where, error.message);
  }
}

function operationsOf(graph: Graph): number {
  const ofNode = (node: Node) => opOf(node).operations?.(typesOf(node), node.attributes, node.type) ?? 0;
  return nodesOf(graph).reduce((sum, node) => sum + ofNode(node), 0);
}

/** Some rows of a batch, as a batch. */
function rowsFrom(tensor: Tensor, first: number, count: number): Tensor {
  const shape = [count, ...tensor.shape.slice(1)];
  const length = tensor.data.length / tensor.shape[0]!;
  return { ...tensor, shape, data: tensor.data.slice(first * length, (first + count) * length) };
}

function joined(batches: readonly Tensor[]): Tensor {
  const [first] = batches;
  const length = first!.data.length;
  const shape = [batches.length * first!.shape[0]!, ...first!.shape.slice(1)];
  const data = first!.data.slice(0, 0).constructor as new (length: number) => Tensor['data'];
  const all = new data(length * batches.length);
  for (const [i, { data: batch }] of batches.entries())
    for (const [j, x] of batch.entries()) all[i * length + j] = x;
  return { dtype: first!.dtype, shape, data: all };
}

function largestMagnitude({ data }: Tensor): number {
  let largest = 1e-6;
  for (const x of data) if (Number.isFinite(Number(x))) largest = Math.max(largest, Math.abs(Number(x)));
  return largest;
}

/**
 * NaN has to stand where TensorFlow has it, but a prediction that is nothing else tests nothing, and the fields of
 * several outputs are not equal to themselves then.
 */
function refuseNaN(samples: Samples, index: number, expected: Tensor, file: string): void {
  if (!hasNaN(expected)) return;
  const isAll = expected.data.every((x: number | bigint) => Number.isNaN(x));
  if (!isAll && samples.predictions.length === 1) return;
  const rows = expected.shape[0]!;
  const bad = [...samples.inputs].find(([, tensor]) => hasNaN(rowsFrom(tensor, index, rows)));
  const why = bad ? `, for its input \`${bad[0]}\` holds NaN` : '';
  refuse(file, `the prediction for sample ${index} is NaN${why}: leave the sample out`);
}

function disagree(
  graph: Graph,
  samples: Samples,
  output: number,
  index: number,
  predicted: Tensor,
  expected: Tensor,
  file: string,
): never {
  const errors = Array.from({ length: expected.data.length }, (_, i) =>
    largestError(predicted.data.slice(i, i + 1), expected.data.slice(i, i + 1)),
  );
  const place = errors.indexOf(Math.max(...errors));
  const name = graph.outputs[output]!.name;
  const rows = expected.shape[0]!;
  const row = index + Math.floor((place * rows) / errors.length);
  const bad = [...samples.inputs].find(([, tensor]) => hasNaN(rowsFrom(tensor, index, rows)));
  const hint = bad
    ? `Its input \`${bad[0]}\` holds NaN: leave the sample out.`
    : 'Either the predictions are of another model or of other features, or this is a mistake of tf2rust: ' +
      'predict the same features again with TensorFlow, and if they still differ, please report it with the model.';
  return refuse(
    file,
    `the model predicts ${predicted.data[place]} for sample ${row} of the output "${name}", ` +
      `and the file expects ${expected.data[place]} (number ${place % (errors.length / rows)} of ${errors.length / rows}). ${hint}`,
  );
}
