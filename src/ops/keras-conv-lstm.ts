/** Keras's ConvLSTM layers: an LSTM whose products are convolutions, written out step by step. */

import { Refusal } from '../errors.ts';
import { stacked } from './concatenate.ts';
import { windowAttributes } from './convolution.ts';
import { compute } from './elementwise.ts';
import { call, type Expression, input } from './expression.ts';
import { isChannelsFirstLayer, type KerasLayer, type KerasLayers, type KerasOutputs } from './keras.ts';
import { type Formula, formulaSetting } from './keras-activation.ts';
import { reshaped } from './reshape.ts';
import { steps } from './slice.ts';
import type { Operand } from './tensorflow.ts';

/** Each step is nodes of its own, and code: more of them are no crate that anybody would compile. */
const MOST_STEPS = 100;

const convLstm =
  (rank: number) =>
  (layer: KerasLayer): KerasOutputs => {
    layer.ignore('unroll', 'input_dim', 'input_length');
    if (layer.flag('time_major', false)) throw new Refusal('steps before the samples are not supported here');
    if (layer.flag('stateful', false)) {
      throw new Refusal(
        'a ConvLSTM that keeps a state is not supported here; export a SavedModel of the model',
      );
    }
    layer.ignore('dropout', 'recurrent_dropout', 'unit_forget_bias', 'implementation');
    if (isChannelsFirstLayer(layer)) throw new Refusal('channels before the pixels are not supported here');
    if (layer.inputs.length > 1 || layer.argument('initial_state', 1)) {
      throw new Refusal('initial states of a ConvLSTM are not supported');
    }
    if (layer.mask(0)) throw new Refusal('masked steps of a ConvLSTM are not supported');
    layer.flag('zero_output_for_mask', false);
    const [batch, count] = layer.input(0).type.shape;
    if (typeof batch !== 'object' || typeof count !== 'number' || count > MOST_STEPS) {
      throw new Refusal(`it is not called with 1 to ${MOST_STEPS} steps`);
    }
    const filters = layer.number('filters');
    const { gates, recur } = convolutions(layer, rank, batch.batch, count);
    const [act, gate] = [formulaSetting(layer, 'activation'), formulaSetting(layer, 'recurrent_activation')];
    const isBackward = layer.flag('go_backwards', false);

    const outputs: Operand[] = [];
    let state: State | undefined;
    for (let i = 0; i < count; i++) {
      const place = isBackward ? count - 1 - i : i;
      const part = steps(layer, gates, 1, place, 1);
      const fromInput = reshaped(layer, part, [batch, ...gates.type.shape.slice(2)]);
      const sums = state ? sum(layer, fromInput, recur(state.h)) : fromInput;
      state = nextState(layer, sums, state, filters, act, gate);
      outputs.push(state.h);
    }
    if (!state) throw new Refusal('it is called without steps');
    const returnsSequences = layer.flag('return_sequences', false);
    const result = returnsSequences ? stacked(layer, outputs, 1) : state.h;
    const states = layer.flag('return_state', false) ? [state.h, state.c] : [];
    return { outputs: [result, ...states], masks: [] };
  };

interface State {
  readonly h: Operand;
  readonly c: Operand;
}

/** The convolution of all steps of the input with the bias, (batch, steps, …, gates), and that of an output. */
function convolutions(layer: KerasLayer, rank: number, batch: number, count: number) {
  const hasBias = layer.flag('use_bias', true);
  const place = { attribute: 'cell' };
  const { kernel, recurrent_kernel, bias } = hasBias
    ? layer.weightsAt(place, 'kernel', 'recurrent_kernel', 'bias')
    : { ...layer.weightsAt(place, 'kernel', 'recurrent_kernel'), bias: undefined };
  const sizes = layer.list('kernel_size', rank);
  const x = layer.input(0);
  const all = reshaped(layer, x, [{ batch: batch * count }, ...x.type.shape.slice(2)]);
  const y = layer.tensorflow('Conv2D', [all, kernel], windowAttributes(layer, rank, sizes));
  const biased = bias ? layer.tensorflow('BiasAdd', [y, bias]) : y;
  const gates = reshaped(layer, biased, [{ batch }, count, ...y.type.shape.slice(1)]);
  const ones = Array<number>(rank + 2).fill(1);
  const recur = (h: Operand) =>
    layer.tensorflow('Conv2D', [h, recurrent_kernel], {
      strides: ones,
      dilations: ones,
      padding: 'SAME',
      data_format: 'NHWC',
    });
  return { gates, recur };
}

const sum = (layer: KerasLayer, a: Operand, b: Operand): Operand =>
  compute(layer, [a, b], call('add', input(0, 'f32'), input(1, 'f32')));

/** `c = f·c + i·g`, `h = o·activation(c)`, the gates being channels of `sums` in the order i, f, g, o. */
function nextState(
  layer: KerasLayer,
  sums: Operand,
  before: State | undefined,
  filters: number,
  activation: Formula,
  recurrentActivation: Formula,
): State {
  const axis = sums.type.shape.length - 1;
  const [i, f, g, o] = [0, 1, 2, 3].map((index) => steps(layer, sums, axis, index * filters, filters)) as [
    Operand,
    Operand,
    Operand,
    Operand,
  ];
  const at = (index: number): Expression => input(index, 'f32');
  const added = call('multiply', recurrentActivation(at(0)), activation(at(1)));
  const c = before
    ? compute(
        layer,
        [i, g, f, before.c],
        call('add', call('multiply', recurrentActivation(at(2)), at(3)), added),
      )
    : compute(layer, [i, g], added);
  const h = compute(layer, [o, c], call('multiply', recurrentActivation(at(0)), activation(at(1))));
  return { h, c };
}

export const convLstmKeras: KerasLayers = {
  ConvLSTM1D: convLstm(1),
  ConvLSTM2D: convLstm(2),
  ConvLSTM3D: convLstm(3),
};
