/** A call of a Keras layer as the operators read it. What of its config nobody reads is a problem of the model. */

import { type Json, valueAt } from '../../1-read/json.ts';
import { Refusal } from '../../errors.ts';
import { type Budget, builderFor, constant, spend } from '../../ir/builder.ts';
import type { Constant, Layer } from '../../ir/graph.ts';
import { elements, type HalfFloat, isFloat, type Tensor, zeros } from '../../ir/types.ts';
import { compute } from '../../ops/elementwise.ts';
import { cast, input } from '../../ops/expression.ts';
import { calledFunctions, kerasLayers } from '../../ops/index.ts';
import {
  type InnerPlace,
  type KerasArgument,
  type KerasLayer,
  type KerasLowering,
  type KerasOutputs,
  outputsOf,
  type TensorflowAttribute,
} from '../../ops/keras.ts';
import type { Builder, Operand } from '../../ops/tensorflow.ts';
import type { StateValues } from '../state-values.ts';
import { isModel, type LayerConfig, layerConfig } from './config.ts';
import { configReader } from './config-reader.ts';
import { dtypeOfPolicy, halfFloatOfPolicy } from './dtype.ts';
import type { Weights } from './keras-model.ts';
import { tensorflow } from './tensorflow-op.ts';

/** What all layers of a model share while they are read. */
export interface Conversion {
  readonly keras: number;
  readonly budget: Budget;
  /** Every weight that a layer asked for, by the name that it has in Keras. */
  readonly variables: Map<string, { readonly layer: string; readonly name: string; readonly tensor: Tensor }>;
  warn(layer: Layer, what: string): void;
  readonly states: StateValues;
  /** How many samples the inputs have, if the model fixes it. */
  readonly batch: number | undefined;
  /** Told of a layer that computes with less than f32. */
  roundsTo(halfFloat: HalfFloat): void;
  /** Runs a model that is a layer of another one. */
  runModel(
    config: LayerConfig,
    path: string,
    weights: Weights,
    inputs: readonly KerasArgument[],
  ): KerasOutputs;
}

export interface LayerCall {
  readonly config: LayerConfig;
  /** `inner/dense`: its name with those of the models around it. */
  readonly path: string;
  readonly weights: Weights;
  readonly positional: readonly KerasArgument[];
  readonly named: ReadonlyMap<string, KerasArgument>;
}

/** What the layer makes of its arguments. Throws a `Refusal` for what is not understood. */
export function callLayer(call: LayerCall, conversion: Conversion): KerasOutputs {
  const { config, path, weights } = call;
  if (isModel(config)) {
    refuseArguments(call, new Set([0, 'mask']), conversion.keras);
    const mask = call.named.get('mask');
    const inputs = flattened(call.positional[0]).map((x, i): KerasArgument => {
      const own = mask && maskAt(mask, i);
      return x.kind === 'tensor' && own ? { ...x, mask: own } : x;
    });
    return conversion.runModel(config, path, weights, inputs);
  }
  const lowering = loweringOf(config);
  const layer = readableLayer(call, conversion);
  const result = outputsOf(lowering(layer));
  layer.refuseUnread();
  return result;
}

/** How the layer is read. Throws a `Refusal` if it is none that is known. */
export function loweringOf(config: LayerConfig): KerasLowering {
  refuseForeignClass(config);
  const known = isCalledFunction(config) ? calledFunctions : kerasLayers;
  const lowering = Object.hasOwn(known, config.className) ? known[config.className] : undefined;
  if (lowering) return lowering;
  if (config.className === 'Lambda') {
    throw new Refusal(
      'a Lambda holds Python code, which is never run; a SavedModel of the same model converts: export it with model.export(...)',
    );
  }
  throw new Refusal(`${known === kerasLayers ? 'the layer' : 'the function'} is not supported`);
}

/** Without its module, only its name tells a function from a layer that has as few settings. */
export function isCalledFunction({ isFunction, module, className }: LayerConfig): boolean {
  return isFunction && (module !== undefined || Object.hasOwn(calledFunctions, className));
}

/** A class of the author's own may have any meaning, even if it is called as one of Keras's. */
function refuseForeignClass({ className, module, registeredName }: LayerConfig): void {
  const isKeras = module === undefined || /^(keras|tf_keras|tensorflow)(\.|$)/.test(module);
  const isRegistered = registeredName?.includes('>') ?? false;
  if (!isKeras || isRegistered) {
    throw new Refusal(
      `the class ${registeredName ?? className} is the author's own${module === undefined ? '' : ` (${module})`}, which only its Python code explains; export a SavedModel with model.export(...)`,
    );
  }
}

interface ReadableLayer extends KerasLayer {
  refuseUnread(): void;
}

function readableLayer(call: LayerCall, conversion: Conversion): ReadableLayer {
  const { config: own, path, weights } = call;
  // Keras 2 makes layers of functions.
  const isFunction = isCalledFunction(own) && conversion.keras >= 3;
  const layer: Layer = { name: path, className: own.className, ...(isFunction && { isFunction }) };
  const dtype = dtypeOfPolicy(valueAt(own.config, 'dtype'), own.className);
  const halfFloat = halfFloatOfPolicy(valueAt(own.config, 'dtype'));
  if (halfFloat) conversion.roundsTo(halfFloat);
  const builder = builderFor(layer, conversion.budget);
  const inputs = flattened(call.positional[0]).filter(isTensor);
  const operands = inputs.map(({ operand }) =>
    isCalledFunction(own) ? operand : autocast(builder, operand, dtype),
  );
  const reader = configReader(own, isFunction);
  const readArguments = new Set<string | number>([0]);
  const inners: ReadableLayer[] = [];
  const variable = (name: string, value: Tensor): Constant => {
    const full = `${path}/${name}`;
    conversion.variables.set(full, { layer: path, name: full, tensor: value });
    return constant(value, full);
  };
  const weightsOf = <Name extends string>(
    from: Weights,
    prefix: string,
    names: readonly Name[],
  ): Readonly<Record<Name, Constant>> => {
    const tensors = from.own(names);
    const entries = names.map((name, i) => [name, variable(`${prefix}${name}`, tensors[i]!)]);
    return Object.fromEntries(entries) as Record<Name, Constant>;
  };
  const runTensorflow = (
    op: string,
    given: readonly (Operand | number | readonly number[])[],
    attributes: Readonly<Record<string, TensorflowAttribute>> = {},
  ): readonly Operand[] => tensorflow(layer, conversion.budget, op, given, attributes);
  const innerCall = (
    serialized: Json,
    place: InnerPlace,
    arguments_: readonly KerasArgument[],
  ): LayerCall => {
    const config = layerConfig(serialized, `layer "${path}" (${own.className})`);
    const positional: KerasArgument = { kind: 'list', items: arguments_ };
    return { config, path, weights: weights.inner(place), positional: [positional], named: new Map() };
  };

  return {
    ...builder,
    ...reader,
    className: own.className,
    name: path,
    keras: conversion.keras,
    dtype,
    inputs: operands,
    input(index) {
      const operand = operands[index];
      if (!operand)
        throw new Refusal(`it is called with ${operands.length} tensors, and should be with more`);
      return operand;
    },
    mask(index) {
      readArguments.add('mask');
      const given = call.named.get('mask');
      if (given && !isNone(given)) return maskAt(given, index);
      return inputs[index]?.mask;
    },
    argument(name, place) {
      readArguments.add(name).add(place);
      const given = call.named.get(name) ?? call.positional[place];
      return given && !isNone(given) ? given : undefined;
    },
    asset: weights.asset,
    weightCount: weights.count,
    weights: (...names) => weightsOf(weights, '', names),
    weightsAt: (place, ...names) =>
      weightsOf(weights.inner(place), `${place.name ?? place.attribute}/`, names),
    callInner(serialized, place, ...given) {
      const tensors = given.map(({ operand, mask }) => ({ kind: 'tensor', operand, mask }) as const);
      return callLayer(innerCall(serialized, place, tensors), conversion);
    },
    inner(serialized, place) {
      const inner = readableLayer(innerCall(serialized, place, []), conversion);
      inners.push(inner);
      return inner;
    },
    part: (place) =>
      readableLayer(
        { ...call, path: `${path}/${place.name ?? place.attribute}`, weights: weights.inner(place) },
        conversion,
      ),
    state(name, shape) {
      const { batch, states } = conversion;
      if (batch === undefined) {
        throw new Refusal(
          'it keeps a state from one prediction to the next, and the number of samples is open; give the inputs a batch_shape',
        );
      }
      return states.read(`${path}/${name}`, () => {
        spend(conversion.budget, elements([batch, ...shape]));
        return zerosOf([batch, ...shape]);
      });
    },
    keep(name, next) {
      const rest = next.type.shape.slice(1).map(Number);
      const initial = () => zerosOf([conversion.batch ?? 0, ...rest]);
      conversion.states.assign(`${path}/${name}`, initial, next, layer);
    },
    tensorflow(op, given, attributes) {
      const [first] = runTensorflow(op, given, attributes);
      if (!first) throw new Error(`${op} has no output`);
      return first;
    },
    tensorflowAll: runTensorflow,
    warn: (what) => conversion.warn(layer, what),
    refuseUnread() {
      reader.refuseUnread();
      for (const inner of inners) inner.refuseUnread();
      refuseArguments(call, readArguments, conversion.keras);
    },
  };
}

/** Refuses the arguments of a call that were not read, as they are named or by their places. */
function refuseArguments(
  { positional, named }: LayerCall,
  read: ReadonlySet<string | number>,
  keras: number,
): void {
  for (const [i, argument] of positional.entries()) {
    if (!read.has(i) && !isNone(argument)) throw new Refusal(`its argument ${i} is not supported`);
  }
  for (const [name, argument] of named) {
    if (read.has(name) || isNone(argument)) continue;
    if (name !== 'training') throw new Refusal(`its argument "${name}" is not supported`);
    // Keras 3 overrides it when it predicts; Keras 2 does as it says.
    if (keras < 3 && !(argument.kind === 'value' && !argument.value)) {
      throw new Refusal(
        'it is called with training=True, so that it does not predict as it was trained to, which is not supported; call it without, and save the model again',
      );
    }
  }
}

function zerosOf(shape: readonly number[]): Tensor {
  return { dtype: 'f32', shape, data: zeros('f32', elements(shape)) };
}

function isTensor(argument: KerasArgument): argument is KerasArgument & { readonly kind: 'tensor' } {
  return argument.kind === 'tensor';
}

function isNone(argument: KerasArgument): boolean {
  return argument.kind === 'value' && argument.value === null;
}

function flattened(argument: KerasArgument | undefined): readonly KerasArgument[] {
  if (argument === undefined) return [];
  return argument.kind === 'list' ? argument.items.flatMap(flattened) : [argument];
}

function maskAt(given: KerasArgument, index: number): Operand | undefined {
  const mask = flattened(given)[index];
  return mask?.kind === 'tensor' ? mask.operand : undefined;
}

/** A layer takes floats as those that it computes with. */
function autocast(builder: Builder, x: Operand, dtype: KerasLayer['dtype']): Operand {
  const from = x.type.dtype;
  if (!isFloat(from) || !isFloat(dtype) || from === dtype) return x;
  return compute(builder, [x], cast(input(0, from), dtype));
}
