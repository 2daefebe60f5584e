/** Keras's recurrent layers, and the layers that wrap them: one of the operators of recurrent layers for each cell. */

import { isList, isObject, type Json, valueAt } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import type { Constant } from '../ir/graph.ts';
import { tensor } from '../ir/types.ts';
import { joined } from './concatenate.ts';
import { apply } from './elementwise.ts';
import { gru } from './gru.ts';
import type { InnerPlace, KerasArgument, KerasLayer, KerasLayers, KerasOutputs } from './keras.ts';
import { activationSetting } from './keras-activation.ts';
import { lstm } from './lstm.ts';
import type { RecurrentAttributes } from './recurrent.ts';
import { reshaped } from './reshape.ts';
import { simpleRnn } from './simple-rnn.ts';
import { steps } from './slice.ts';
import type { Operand } from './tensorflow.ts';
import { transpose } from './transpose.ts';

/** A cell: which it is, its settings, and its weights by their names. */
interface Cell {
  readonly kind: 'SimpleRNN' | 'GRU' | 'LSTM';
  readonly config: KerasLayer;
  weights<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, Constant>>;
}

/** What a layer is called with, and what it is to return. */
interface Run {
  readonly x: Operand;
  readonly mask: Operand | undefined;
  /** Empty for zeros. */
  readonly initial: readonly Operand[];
  readonly order: RecurrentAttributes['order'];
  readonly returnsSequences: boolean;
  readonly returnsStates: boolean;
  readonly zeroesMasked: boolean;
  /** What the names of its states begin with. */
  readonly path: string;
}

/** The states that a cell carries. */
const statesOf = { SimpleRNN: ['h'], GRU: ['h'], LSTM: ['h', 'c'] } as const;

const recurrent = (layer: KerasLayer): KerasOutputs => runLayer(layer, layer, runOf(layer, layer.inputs));

/** How the layer itself is called. */
function runOf(layer: KerasLayer, [x, ...states]: readonly Operand[]): Run {
  if (!x) throw new Refusal('it is called without a sequence');
  const initial = layer.argument('initial_state', 1);
  return {
    x,
    mask: layer.mask(0),
    initial: initial ? operandsIn(initial) : states,
    order: layer.flag('go_backwards', false) ? 'backward' : 'forward',
    returnsSequences: layer.flag('return_sequences', false),
    returnsStates: layer.flag('return_state', false),
    zeroesMasked: layer.flag('zero_output_for_mask', false),
    path: '',
  };
}

function operandsIn(argument: KerasArgument): readonly Operand[] {
  switch (argument.kind) {
    case 'tensor':
      return [argument.operand];
    case 'list':
      return argument.items.flatMap(operandsIn);
    case 'value':
      throw new Refusal('an initial state that is no tensor is not supported');
  }
}

/** Runs a layer that `of` says, over steps that come after the samples or before them, and builds for `layer`. */
function runLayer(layer: KerasLayer, of: KerasLayer, run: Run): KerasOutputs {
  of.ignore('unroll', 'input_dim', 'input_length');
  if (!of.flag('time_major', false)) return runCells(layer, of, run);
  if (typeof run.x.type.shape[0] === 'object') {
    throw new Refusal(
      'its samples are what the model calls steps, time_major=True: what it predicts for one depends on all; transpose its input',
    );
  }
  const turned = (x: Operand) => {
    return layer.add(transpose, { x }, { axes: x.type.shape.map((_, i) => (i < 2 ? 1 - i : i)) }, {});
  };
  const mask = run.mask && turned(run.mask);
  const { outputs, masks } = runCells(layer, of, { ...run, x: turned(run.x), mask });
  const isSequence = (i: number) => i === 0 && run.returnsSequences;
  return {
    outputs: outputs.map((y, i) => (isSequence(i) ? turned(y) : y)),
    masks: masks.map((_, i) => (isSequence(i) ? run.mask : undefined)),
  };
}

/** Runs the cells that the config of `of` has, one after the other. */
function runCells(layer: KerasLayer, of: KerasLayer, run: Run): KerasOutputs {
  const isStateful = of.flag('stateful', false);
  if (isStateful && run.initial.length > 0 && layer.keras === 2) {
    throw new Refusal(
      'a state that is kept and also given is read or not as its numbers say, which is not supported',
    );
  }
  const cells = cellsOf(of);
  let { x } = run;
  let initial = run.initial.length === 0 && isStateful ? keptStates(layer, cells, run.path) : run.initial;
  const outputs: Operand[] = [];
  const states: Operand[] = [];
  const returnsStates = run.returnsStates || isStateful;
  for (const [i, cell] of cells.entries()) {
    const isLast = i === cells.length - 1;
    const own = initial.slice(0, statesOf[cell.kind].length);
    initial = initial.slice(own.length);
    const { order } = run;
    // A cell inside the stack is read step by step in the order of the input.
    const inside = order === 'backward' ? 'aligned' : order;
    const one: Run = isLast
      ? { ...run, x, initial: own, returnsStates }
      : {
          ...run,
          x,
          initial: own,
          returnsStates,
          order: inside,
          returnsSequences: true,
          zeroesMasked: false,
        };
    const results = runCell(layer, cell, one);
    x = results[0]!;
    if (isLast) outputs.push(x);
    states.push(...results.slice(1));
  }
  if (initial.length > 0) throw new Refusal('it is called with more initial states than it has');
  if (isStateful) for (const [i, state] of states.entries()) layer.keep(stateName(run.path, i), state);
  const all = [...outputs, ...(run.returnsStates ? states : [])];
  return { outputs: all, masks: all.map((_, i) => (i === 0 && run.returnsSequences ? run.mask : undefined)) };
}

/** What the cells of a stateful layer are left with by the call before. */
function keptStates(layer: KerasLayer, cells: readonly Cell[], path: string): readonly Operand[] {
  const units = cells.flatMap(({ kind, config }) => statesOf[kind].map(() => config.number('units')));
  return units.map((count, i) => layer.state(stateName(path, i), [count]));
}

/** `state`, `state_1` */
function stateName(path: string, index: number): string {
  return `${path}state${index === 0 ? '' : `_${index}`}`;
}

/** The cells of a layer: its own, or those of the `cell` of an RNN. */
function cellsOf(layer: KerasLayer): readonly Cell[] {
  if (layer.className !== 'RNN') {
    return [cellOf(layer, (...names) => layer.weightsAt({ attribute: 'cell' }, ...names))];
  }
  const serialized = layer.value('cell');
  const cell = layer.inner(serialized ?? null, { attribute: 'cell', ...nameIn(serialized) });
  if (cell.className !== 'StackedRNNCells') return [cellOf(cell, (...names) => cell.weights(...names))];
  const cells = cell.value('cells');
  const counts = new Map<string, number>();
  return (isList(cells) ? cells : []).map((json) => {
    const own = cell.inner(json, { attribute: 'cells', ...nameIn(json) });
    const count = counts.get(own.className) ?? 0;
    counts.set(own.className, count + 1);
    // A list of layers is kept by their classes: `lstm_cell`, `lstm_cell_1`.
    const attribute = `${classGroups[own.className] ?? own.className}${count === 0 ? '' : `_${count}`}`;
    return cellOf(own, (...names) => own.weightsAt({ attribute, ...nameIn(json) }, ...names));
  });
}

const classGroups: Readonly<Record<string, string>> = {
  GRUCell: 'gru_cell',
  LSTMCell: 'lstm_cell',
  SimpleRNNCell: 'simple_rnn_cell',
};

/** The name in the config of a layer inside. */
function nameIn(serialized: Json | undefined): { readonly name?: string } {
  const config = isObject(serialized) ? valueAt(serialized, 'config') : undefined;
  const name = isObject(config) ? valueAt(config, 'name') : undefined;
  return typeof name === 'string' ? { name } : {};
}

function cellOf(config: KerasLayer, weights: Cell['weights']): Cell {
  config.ignore('units', 'dropout', 'recurrent_dropout', 'implementation', 'unit_forget_bias');
  const kind = config.className.replace(/Cell$/, '');
  if (kind !== 'SimpleRNN' && kind !== 'GRU' && kind !== 'LSTM') {
    throw new Refusal(
      `the cell ${config.className} is not supported; export a SavedModel with model.export(...)`,
    );
  }
  return { kind, config, weights };
}

/** The output of a cell, and its states if they are wanted. */
function runCell(layer: KerasLayer, { kind, config, weights }: Cell, run: Run): readonly Operand[] {
  const names = statesOf[kind];
  if (run.initial.length !== 0 && run.initial.length !== names.length) {
    throw new Refusal(`it is called with ${run.initial.length} initial states, and has ${names.length}`);
  }
  const inputs = {
    x: run.x,
    ...(run.mask ? { mask: run.mask } : {}),
    ...Object.fromEntries(run.initial.map((state, i) => [names[i]!, state])),
  };
  const attributes: RecurrentAttributes = {
    activation: activationSetting(config, 'activation'),
    recurrentActivation:
      kind === 'SimpleRNN' ? { name: 'linear' } : activationSetting(config, 'recurrent_activation'),
    order: run.order === 'aligned' && !run.returnsSequences ? 'backward' : run.order,
    returns: run.returnsSequences ? 'sequence' : 'last',
    returnsStates: run.returnsStates,
    zeroesMasked: run.mask !== undefined && run.zeroesMasked,
  };
  const resetsAfter = kind === 'GRU' && config.flag('reset_after', false);
  const { kernel, recurrent_kernel, bias } = config.flag('use_bias', true)
    ? weights('kernel', 'recurrent_kernel', 'bias')
    : { ...weights('kernel', 'recurrent_kernel'), bias: undefined };
  const columns = recurrent_kernel.tensor.shape[1]!;
  const shape = resetsAfter ? [2, columns] : [columns];
  const none = tensor('f32', shape, Array<number>(resetsAfter ? 2 * columns : columns).fill(0));
  if (bias && `${bias.tensor.shape}` !== `${shape}`) {
    throw new Refusal(
      `a bias of shape (${bias.tensor.shape}) is not the one of (${shape}) that its config says`,
    );
  }
  const op = { SimpleRNN: simpleRnn, GRU: gru, LSTM: lstm }[kind];
  const y = layer.add(op, inputs, attributes, {
    kernel: kernel.tensor,
    recurrent: recurrent_kernel.tensor,
    bias: bias?.tensor ?? none,
  });
  if (!run.returnsStates) return [y];
  const [batch, rows, units] = y.type.shape as readonly [Operand['type']['shape'][0], number, number];
  const row = (at: number) => reshaped(layer, steps(layer, y, 1, at, 1), [batch, units]);
  const count = rows - names.length;
  return [
    run.returnsSequences ? steps(layer, y, 1, 0, count) : row(0),
    ...names.map((_, i) => row(count + i)),
  ];
}

/** One layer over the steps forward, another backward, and what is made of both. */
function bidirectional(layer: KerasLayer): KerasOutputs {
  const forwardJson = layer.value('layer') ?? null;
  const backwardJson = layer.value('backward_layer') ?? forwardJson;
  const name = (nameIn(forwardJson).name ?? '').replace(/^forward_/, '');
  const ownBackward = layer.value('backward_layer') === undefined ? undefined : nameIn(backwardJson).name;
  const forward = layer.inner(forwardJson, { attribute: 'forward_layer', name: `forward_${name}` });
  const backward = layer.inner(backwardJson, {
    attribute: 'backward_layer',
    name: ownBackward ?? `backward_${name}`,
  });
  // Without a config of its own, the second layer is the first one in the other direction.
  const isTurned = layer.value('backward_layer') === undefined || backward.flag('go_backwards', false);
  if (forward.flag('go_backwards', false) || !isTurned) {
    throw new Refusal('a Bidirectional whose first layer goes backward is not supported');
  }
  const [x, ...states] = layer.inputs;
  if (!x) throw new Refusal('it is called without a sequence');
  const given = layer.argument('initial_state', 1);
  const initial = given ? operandsIn(given) : states;
  const [returnsSequences, returnsStates] = returnsOf(forward);
  if (`${returnsOf(backward)}` !== `${[returnsSequences, returnsStates]}`)
    throw new Refusal('a Bidirectional whose layers return different things is not supported');
  for (const each of [forward, backward]) each.ignore('go_backwards', 'zero_output_for_mask');
  const half = initial.length / 2;
  const [a, b] = (['forward', 'aligned'] as const).map((order) =>
    runLayer(layer, order === 'forward' ? forward : backward, {
      path: order === 'forward' ? `forward_${name}/` : `${ownBackward ?? `backward_${name}`}/`,
      x,
      mask: layer.mask(0),
      initial: order === 'forward' ? initial.slice(0, half) : initial.slice(half),
      order,
      returnsSequences,
      returnsStates,
      // As its `force_zero_output_for_mask` has it.
      zeroesMasked: returnsSequences,
    }),
  ) as [KerasOutputs, KerasOutputs];
  const outputs = merged(layer, a.outputs[0]!, b.outputs[0]!);
  const all = [...outputs, ...a.outputs.slice(1), ...b.outputs.slice(1)];
  const mask = returnsSequences ? layer.mask(0) : undefined;
  return { outputs: all, masks: all.map((_, i) => (i < outputs.length ? mask : undefined)) };
}

/** Whether a layer returns all steps, and its states. */
function returnsOf(layer: KerasLayer): readonly [boolean, boolean] {
  return [layer.flag('return_sequences', false), layer.flag('return_state', false)];
}

function merged(layer: KerasLayer, a: Operand, b: Operand): readonly Operand[] {
  const mode = layer.value('merge_mode');
  switch (mode) {
    case undefined:
      return [a, b];
    case 'concat':
      return [joined(layer, [a, b], a.type.shape.length - 1)];
    case 'sum':
      return [apply(layer, 'add', a, b)];
    case 'mul':
      return [apply(layer, 'multiply', a, b)];
    case 'ave': {
      const two = {
        kind: 'constant',
        type: { dtype: 'f32', shape: [] },
        tensor: tensor('f32', [], [2]),
      } as const;
      return [apply(layer, 'divide', apply(layer, 'add', a, b), two)];
    }
    default:
      throw new Refusal(`the merge_mode ${String(mode)} is not known`);
  }
}

/** A layer on every step: the steps are samples to it. */
function timeDistributed(layer: KerasLayer): KerasOutputs {
  const x = layer.input(0);
  const [batch, count, ...rest] = x.type.shape;
  if (typeof batch !== 'object' || typeof count !== 'number')
    throw new Refusal('it is not called with steps');
  const serialized = layer.value('layer') ?? null;
  const place: InnerPlace = { attribute: 'layer', ...nameIn(serialized) };
  const all = reshaped(layer, x, [{ batch: batch.batch * count }, ...rest]);
  const { outputs } = layer.callInner(serialized, place, { operand: all });
  const mask = layer.mask(0);
  return {
    outputs: outputs.map((y) => reshaped(layer, y, [batch, count, ...y.type.shape.slice(1)])),
    masks: outputs.map(() => mask),
  };
}

export const recurrentKeras: KerasLayers = {
  Bidirectional: bidirectional,
  GRU: recurrent,
  LSTM: recurrent,
  RNN: recurrent,
  SimpleRNN: recurrent,
  TimeDistributed: timeDistributed,
};
