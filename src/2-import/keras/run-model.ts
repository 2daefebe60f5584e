/** Calls the layers of a model, each after those whose results it reads. */

import { Refusal } from '../../errors.ts';
import type { KerasArgument, KerasOutputs } from '../../ops/keras.ts';
import {
  type Argument,
  type Call,
  type LayerConfig,
  type ModelConfig,
  type TensorPlace,
  tensorsIn,
} from './config.ts';
import type { Weights } from './keras-model.ts';
import type { LayerCall } from './layer.ts';

/** What a call came to; undefined if it could not be converted, which has been told. */
type Result = KerasOutputs | undefined;

export interface ModelRun {
  readonly model: ModelConfig;
  /** The major version of the Keras that saved it. */
  readonly keras: number;
  /** The names of the models around it, each with a `/`. */
  readonly prefix: string;
  readonly weights: Weights;
  /** One for each of the model's inputs. */
  readonly inputs: readonly KerasArgument[];
  /** Undefined if the layer cannot be converted. */
  call(layer: LayerCall): Result;
  /** A layer that is not called, because what it reads could not be converted. */
  passOver(layer: LayerConfig, path: string): void;
}

/** The outputs of the model, each undefined if a layer before it could not be converted. */
export function runModel(run: ModelRun): readonly (KerasArgument | undefined)[] {
  const model = countedFrom0(run.model, run.keras);
  const layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  const weightsOf = run.weights.ofLayers(model.layers);
  const results = new Map<string, Result>();
  for (const [i, place] of model.inputs.entries()) {
    const given = run.inputs[i];
    if (given?.kind === 'tensor') {
      results.set(keyOf(place), { outputs: [given.operand], masks: [given.mask] });
    }
  }

  const callAt = (place: TensorPlace): { readonly layer: LayerConfig; readonly call: Call } => {
    const layer = layers.get(place.layer);
    const call = layer?.calls[place.call];
    if (!layer || !call) {
      throw new Refusal(
        `damaged: nothing is result ${place.output} of call ${place.call} of "${place.layer}"`,
      );
    }
    return { layer, call };
  };
  const pick = (at: TensorPlace): KerasArgument | undefined => {
    const result = results.get(keyOf(at));
    if (!result) return undefined;
    const operand = result.outputs[at.output];
    if (!operand) throw new Refusal(`damaged: "${at.layer}" has no result ${at.output}`);
    return { kind: 'tensor', operand, mask: result.masks[at.output] };
  };

  for (const place of inOrder(model.outputs, (at) =>
    results.has(keyOf(at)) ? [] : placesIn(callAt(at).call),
  )) {
    if (results.has(keyOf(place))) continue;
    const { layer, call } = callAt(place);
    const positional = call.positional.map((argument) => resolved(argument, pick));
    const named = [...call.named].map(([name, argument]) => [name, resolved(argument, pick)] as const);
    if (![...positional, ...named.map(([, argument]) => argument)].every((argument) => argument)) {
      run.passOver(layer, run.prefix + layer.name);
      results.set(keyOf(place), undefined);
      continue;
    }
    results.set(
      keyOf(place),
      run.call({
        config: layer,
        path: run.prefix + layer.name,
        weights: weightsOf(layer),
        positional: positional as readonly KerasArgument[],
        named: new Map(named as readonly (readonly [string, KerasArgument])[]),
      }),
    );
  }
  return model.outputs.map(pick);
}

const keyOf = ({ layer, call }: TensorPlace) => `${call} ${layer}`;

/**
 * The model with the calls of its layers counted from 0. Keras counts the making of a model that is a layer as a call,
 * which is not written down: Keras 3 where it lists the outputs, for the models that it calls Functional, and Keras 2
 * everywhere, for most.
 */
function countedFrom0(model: ModelConfig, keras: number): ModelConfig {
  const isMade = keras >= 3 ? isFunctional(model) : hasOneCallMore(model);
  const counted = (at: TensorPlace) => (isMade(at.layer) ? { ...at, call: at.call - 1 } : at);
  const outputs = model.outputs.map(counted);
  if (keras >= 3) return { ...model, outputs };
  const layers = model.layers.map((layer) => ({
    ...layer,
    calls: layer.calls.map((call) => withPlaces(call, counted)),
  }));
  return { ...model, layers, outputs };
}

function isFunctional({ layers }: ModelConfig): (name: string) => boolean {
  const names = new Set(layers.filter(({ className }) => className === 'Functional').map(({ name }) => name));
  return (name) => names.has(name);
}

/** The last call of a layer has a result that something reads: it tells how calls are counted. */
function hasOneCallMore({ layers, outputs }: ModelConfig): (name: string) => boolean {
  const last = new Map<string, number>();
  for (const { layer, call } of [...outputs, ...layers.flatMap(({ calls }) => calls.flatMap(placesIn))]) {
    last.set(layer, Math.max(last.get(layer) ?? 0, call));
  }
  const counts = new Map(layers.map(({ name, calls }) => [name, calls.length]));
  return (name) => counts.get(name) !== 0 && last.get(name) === counts.get(name);
}

function withPlaces({ positional, named }: Call, change: (at: TensorPlace) => TensorPlace): Call {
  const changed = (argument: Argument): Argument => {
    switch (argument.kind) {
      case 'tensor':
        return { ...argument, at: change(argument.at) };
      case 'list':
        return { ...argument, items: argument.items.map(changed) };
      case 'value':
        return argument;
    }
  };
  return {
    positional: positional.map(changed),
    named: new Map([...named].map(([name, argument]) => [name, changed(argument)])),
  };
}

function placesIn(call: Call): readonly TensorPlace[] {
  return tensorsIn(call).map(({ at }) => at);
}

/** The places and all that they need, each after those it needs. */
function inOrder(
  roots: readonly TensorPlace[],
  needs: (place: TensorPlace) => readonly TensorPlace[],
): readonly TensorPlace[] {
  const order: TensorPlace[] = [];
  const state = new Map<string, 'begun' | 'done'>();
  const stack = [...roots].reverse();
  for (let top = stack.at(-1); top; top = stack.at(-1)) {
    const key = keyOf(top);
    if (state.get(key) === undefined) {
      state.set(key, 'begun');
      const open = needs(top).filter((place) => state.get(keyOf(place)) !== 'done');
      const circle = open.find((place) => state.get(keyOf(place)) === 'begun');
      if (circle) throw new Refusal(`damaged: the layer "${circle.layer}" needs its own result`);
      stack.push(...[...open].reverse());
      continue;
    }
    stack.pop();
    if (state.get(key) === 'done') continue;
    state.set(key, 'done');
    order.push(top);
  }
  return order;
}

/** The argument with tensors in place of their names; undefined if one of them could not be converted. */
function resolved(
  argument: Argument,
  pick: (at: TensorPlace) => KerasArgument | undefined,
): KerasArgument | undefined {
  switch (argument.kind) {
    case 'tensor':
      return pick(argument.at);
    case 'value':
      return argument;
    case 'list': {
      const items = argument.items.map((item) => resolved(item, pick));
      if (!items.every((item) => item !== undefined)) return undefined;
      return { kind: 'list', items };
    }
  }
}
