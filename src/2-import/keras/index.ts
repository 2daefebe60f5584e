/** A model that Keras saved becomes a graph: its config says which layers there are, and a file has their weights. */

import { isList, type Json, printJson, valueAt } from '../../1-read/json.ts';
import type { TensorInfo } from '../../1-read/saved-model.ts';
import { ConversionError, type Problem, Refusal, refuse, within } from '../../errors.ts';
import { asValue, newBudget } from '../../ir/builder.ts';
import type { Input, Output } from '../../ir/graph.ts';
import type { HalfFloat } from '../../ir/types.ts';
import type { KerasArgument, KerasOutputs } from '../../ops/keras.ts';
import type { ImportedModel, ImportOptions } from '../saved-model/index.ts';
import { numbered } from '../saved-model/output-order.ts';
import { fixedBatch, inputType } from '../saved-model/signature.ts';
import { stateValues, withStates } from '../state-values.ts';
import { isModel, type LayerConfig, layerConfig, type ModelConfig, modelConfig } from './config.ts';
import { typeNamed } from './dtype.ts';
import { inWordsOfKeras2 } from './keras-1.ts';
import type { KerasModel } from './keras-model.ts';
import { type Conversion, callLayer, isCalledFunction, loweringOf } from './layer.ts';
import { type ModelRun, runModel } from './run-model.ts';

export function importKeras(source: KerasModel, options: ImportOptions): ImportedModel {
  return within(source.file, () =>
    imported(majorOf(source.version) < 2 ? inWordsOfKeras2(source) : source, options),
  );
}

function imported(source: KerasModel, options: ImportOptions): ImportedModel {
  const root = layerConfig(source.config, source.file);
  if (!isModel(root)) {
    return refuse(
      source.file,
      `the model is a ${root.className}, a class of its own whose layers are not listed in the file; export a SavedModel with model.export(...)`,
    );
  }
  if (options.signature !== undefined) {
    return refuse('--signature', 'a Keras model has no signatures; leave the flag out');
  }
  const model = modelConfig(root);
  if (model.outputs.length === 0) refuse(source.file, 'damaged: the model has no outputs');
  const inputs = inputsOf(model, options);
  const batch = fixedBatch(model.inputs.map(({ layer }) => infoOf(inputLayer(model, layer))));
  const states = stateValues(batch);
  const problems: Problem[] = [];
  const warnings = (source.remarks ?? []).map((remark) => `${source.file}: ${remark}`);
  const halfFloats: HalfFloat[] = [];
  const conversion = conversionOf(source, { states, batch }, warnings, problems, halfFloats);
  const results = runModel({
    model,
    keras: conversion.keras,
    prefix: '',
    weights: source.weights.weights,
    inputs: inputs.map((operand): KerasArgument => ({ kind: 'tensor', operand, mask: undefined })),
    ...callsOf(conversion, problems),
  });
  const names = outputNames(model, conversion.keras);
  const outputs = names.map((name, i) => output(name, results[i], problems));
  if (problems.length === 0) refuseUnreadWeights(source);
  if (problems.length > 0) throw new ConversionError(problems);
  return {
    graph: withStates({ inputs, outputs: outputs as readonly Output[] }, states),
    variables: [...conversion.variables.values()],
    warnings,
    ...(halfFloats.length > 0 && { halfFloat: halfFloats.at(-1)! }),
  };
}

/** 3 of `3.15.1`. Files that do not say their version are older than those that do. */
function majorOf(version: string): number {
  return Number.parseInt(version, 10) || 1;
}

function conversionOf(
  source: KerasModel,
  kept: Pick<Conversion, 'states' | 'batch'>,
  warnings: string[],
  problems: Problem[],
  halfFloats: HalfFloat[],
): Conversion {
  const budget = newBudget();
  budget.left += source.size;
  let depth = 0;
  let layers = 0;
  const conversion: Conversion = {
    ...kept,
    keras: majorOf(source.version),
    budget,
    variables: new Map(),
    roundsTo: (halfFloat) => halfFloats.push(halfFloat),
    warn({ name, className }, what) {
      warnings.push(`layer "${name}"${className === undefined ? '' : ` (${className})`}: ${what}`);
    },
    runModel(config, path, weights, inputs) {
      const model = modelConfig(config);
      if (model.inputs.length !== inputs.length) {
        throw new Refusal(
          `it is called with ${inputs.length} tensors, and has ${model.inputs.length} inputs`,
        );
      }
      layers += model.layers.length;
      if (layers > mostLayers)
        throw new Refusal('the models in each other have too many layers, call by call');
      if (++depth > 64) throw new Refusal('its models contain each other without end');
      const results = runModel({
        model,
        keras: conversion.keras,
        prefix: `${path}/`,
        weights,
        inputs,
        ...callsOf(conversion, problems),
      });
      depth--;
      return tensorsOf(results);
    },
  };
  return conversion;
}

/** How often the layers of models that are called again and again may be converted. */
const mostLayers = 2 ** 16;

/** The outputs of a model inside; without some that could not be converted, which has been told. */
function tensorsOf(results: readonly (KerasArgument | undefined)[]): KerasOutputs {
  const tensors = results.flatMap((result) => (result?.kind === 'tensor' ? [result] : []));
  if (tensors.length < results.length) throw new Passed();
  return { outputs: tensors.map(({ operand }) => operand), masks: tensors.map(({ mask }) => mask) };
}

/** Thrown where a problem has been told already. */
class Passed extends Error {}

/** How the layers of a model are called: what cannot be converted becomes a problem. */
function callsOf(conversion: Conversion, problems: Problem[]): Pick<ModelRun, 'call' | 'passOver'> {
  const told = <T>(path: string, { className }: LayerConfig, attempt: () => T): T | undefined => {
    try {
      return attempt();
    } catch (error) {
      if (error instanceof Passed) return undefined;
      if (!(error instanceof Refusal)) throw error;
      const problem = { where: `layer "${path}" (${className})`, what: error.message };
      if (!problems.some(({ where, what }) => where === problem.where && what === problem.what)) {
        problems.push(problem);
      }
      return undefined;
    }
  };
  return {
    call: (call) => told(call.path, call.config, () => callLayer(call, conversion)),
    passOver: (config, path) => {
      if (!isModel(config)) told(path, config, () => loweringOf(config));
    },
  };
}

/** The inputs of the model, with the lengths that the user gave to those which are open. */
function inputsOf(model: ModelConfig, options: ImportOptions): readonly Input[] {
  const problems: Problem[] = [];
  const names = model.inputs.map(({ layer }) => layer);
  for (const given of options.inputShapes.keys()) {
    if (names.includes(given)) continue;
    const what = `the model has no such input, but: ${names.join(', ')}`;
    problems.push({ where: `--input_shape ${given}`, what });
  }
  const found = model.inputs.flatMap(({ layer: name }): readonly Input[] => {
    try {
      const info = infoOf(inputLayer(model, name));
      return [{ kind: 'input', name, type: inputType(name, info, options.inputShapes.get(name)) }];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      problems.push({ where: `input "${name}"`, what: error.message });
      return [];
    }
  });
  if (problems.length > 0) throw new ConversionError(problems);
  return found;
}

function inputLayer({ layers }: ModelConfig, name: string): LayerConfig {
  const layer = layers.find((candidate) => candidate.name === name);
  if (layer?.className !== 'InputLayer') throw new Refusal('damaged: no InputLayer has its name');
  return layer;
}

function infoOf({ name, config }: LayerConfig): TensorInfo {
  for (const key of ['sparse', 'ragged']) {
    if (valueAt(config, key) === true)
      throw new Refusal(`it is ${key}, and only dense tensors are supported`);
  }
  const dtype = valueAt(config, 'dtype') ?? 'float32';
  const shape = valueAt(config, 'batch_shape') ?? valueAt(config, 'batch_input_shape');
  const lengths = isList(shape) ? shape.map(lengthOf) : 'unknown';
  if (typeof dtype !== 'string') throw new Refusal(`its type is ${printJson(dtype)}`);
  return { name, type: typeNamed(dtype), shape: lengths, encoding: 'dense' };
}

function lengthOf(length: Json): number | undefined {
  if (length === null) return undefined;
  if (typeof length === 'number' && Number.isSafeInteger(length) && length >= 0) return length;
  throw new Refusal(`damaged: a length of it is ${printJson(length)}`);
}

/** Outputs have the names of their layers; functions have no names in Keras 3. */
function outputNames({ layers, outputs }: ModelConfig, keras: number): readonly string[] {
  const functions = new Set(layers.filter(isCalledFunction).map(({ name }) => name));
  return numbered(
    outputs.map(({ layer }, i) => (keras >= 3 && functions.has(layer) ? `output_${i}` : layer)),
  );
}

function output(name: string, result: KerasArgument | undefined, problems: Problem[]): Output | undefined {
  if (result?.kind !== 'tensor') return undefined;
  const { operand } = result;
  const where = `output "${name}"`;
  if (operand.kind === 'constant') {
    problems.push({ where, what: 'it does not depend on the inputs of the model' });
    return undefined;
  }
  if (typeof operand.type.shape[0] === 'number' || operand.type.shape.length === 0) {
    problems.push({ where, what: 'its first dimension is not the batch' });
    return undefined;
  }
  try {
    return { name, value: asValue(operand, { name }) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    problems.push({ where, what: error.message });
    return undefined;
  }
}

/** A weight that no layer asked for belongs to something that was not understood. */
function refuseUnreadWeights({ file, weights }: KerasModel): void {
  const unread = weights.unread();
  if (unread.length > 0) {
    const names = unread.slice(0, 5).join(', ') + (unread.length > 5 ? ` and ${unread.length - 5} more` : '');
    refuse(file, `its weights ${names} belong to no layer that reads them`);
  }
}
