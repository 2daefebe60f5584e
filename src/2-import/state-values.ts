/** What the states of a model are while it is imported, step by step: inputs, until something is assigned to them. */

import { Refusal, within } from '../errors.ts';
import { asValue, builderFor, constant, refuseTooLarge } from '../ir/builder.ts';
import {
  type Constant,
  type Graph,
  type Input,
  type Layer,
  type Memory,
  type Value,
  withMemory,
} from '../ir/graph.ts';
import { bind, elements, printType, sameShape, type Tensor } from '../ir/types.ts';
import { broadcast } from '../ops/broadcast.ts';
import type { Operand } from '../ops/tensorflow.ts';

/** Nobody predicts more at once, and the samples of a crate are whole batches. */
const MOST_ROWS = 4096;

/** The states by the names of their variables; `initial` is what one is before the first prediction. */
export interface StateValues {
  /** What a state is now. */
  read(variable: string, initial: () => Tensor): Operand;
  assign(variable: string, initial: () => Tensor, value: Operand, layer: Layer): void;
  /** How many samples the model is for, if that is fixed. */
  batch(): number | undefined;
  /** What the model keeps, if it keeps anything. */
  memory(): Memory | undefined;
}

interface Held {
  readonly input: Input;
  readonly initial: Tensor;
  now: Value;
}

/**
 * `fixedBatch` is how many samples the inputs have; where that is open, the states say it: what is assigned to a
 * variable has its shape.
 */
export function stateValues(fixedBatch: number | undefined): StateValues {
  const states = new Map<string, Held>();
  let batch = fixedBatch;
  const held = (variable: string, initialOf: () => Tensor): Held => {
    const known = states.get(variable);
    if (known) return known;
    const initial = initialOf();
    batch ??= initial.shape[0];
    const taken = [...states.values()].map(({ input }) => input.name);
    const input = stateInput(stateName(variable, taken), initial, batch);
    const state = { input, initial, now: input };
    states.set(variable, state);
    return state;
  };
  return {
    batch: () => batch,
    read: (variable, initial) => held(variable, initial).now,
    assign(variable, initial, value, layer) {
      const state = held(variable, initial);
      const row = batch === undefined ? undefined : rowForAll(value, batch);
      const now = row
        ? asValue(builderFor(layer).add(broadcast, { x: row }, { shape: state.input.type.shape }, {}), layer)
        : asValue(value, layer);
      const { dtype, shape } = now.type;
      if (dtype !== state.input.type.dtype || !sameShape(shape, state.input.type.shape)) {
        throw new Refusal(
          `${printType(now.type)} is assigned to a state of ${printType(state.input.type)}, which is not supported`,
        );
      }
      state.now = now;
    },
    memory() {
      if (states.size === 0 || batch === undefined) return undefined;
      const all = [...states.values()].map(({ input, now, initial }) => ({ input, next: now, initial }));
      return { batch, states: all };
    },
  };
}

/** The graph with what it keeps. Refuses batches that no memory holds. */
export function withStates(graph: Graph, states: Pick<StateValues, 'memory'>): Graph {
  const memory = states.memory();
  if (memory) {
    for (const { name, type } of graph.inputs)
      within(`input "${name}"`, () => refuseTooLarge(bind(type, memory.batch)));
  }
  return withMemory(graph, memory);
}

/** A state with a row for each sample of the batch. */
function stateInput(name: string, { dtype, shape }: Tensor, batch: number | undefined): Input {
  const [rows, ...rest] = shape;
  if (rows !== undefined && rows > MOST_ROWS)
    throw new Refusal(`a state for more than ${MOST_ROWS} samples at once is not supported`);
  if (batch === undefined || rows !== batch) {
    throw new Refusal(
      `it keeps a state of shape (${shape.join(', ')}) from one prediction to the next, and only one with a row for each of the samples is supported`,
    );
  }
  return { kind: 'input', name, type: { dtype, shape: [{ batch: 1 }, ...rest] } };
}

/** `lstm/state`, `lstm/state_1`, as the layers of Keras have them under several names; others keep theirs. */
function stateName(variable: string, taken: readonly string[]): string {
  const name = variable.replace(/\/(rnn_state|Variable)(_\d+)?$/, '/state');
  const count = taken.filter((other) => other.replace(/_\d+$/, '') === name).length;
  return count === 0 ? name : `${name}_${count}`;
}

/** A constant of a model for so many samples that is the same for all: what it is for one, to be used for each. */
export function rowForAll(operand: Operand, batch: number): Constant | undefined {
  if (operand.kind !== 'constant' || operand.tensor.shape[0] !== batch) return undefined;
  const { shape, data, dtype } = operand.tensor;
  const rest = shape.slice(1);
  const length = elements(rest);
  if (!data.every((x: number | bigint, i: number) => Object.is(x, data[i % length]))) return undefined;
  return constant({ dtype, shape: [1, ...rest], data: data.slice(0, length) });
}
