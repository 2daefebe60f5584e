/** `src/model.rs`: the inputs, the prediction, and a statement for every step. */

import { bufferFields, hasBuffers } from './buffers-rs.ts';
import { type Crate, hasLifetime, type InputField, layerOf, type OutputField, predictsOne } from './crate.ts';
import { loopFields, loopStructs } from './loop-rs.ts';
import { batchConstant, stateStruct } from './memory-rs.ts';
import { methods } from './model-methods-rs.ts';
import { titleOf } from './names.ts';
import { codeText, structLiteral, useGroup, useStatement } from './rust-layout.ts';
import { withLifetime } from './sample-types.ts';

export function modelRs(crate: Crate): string {
  const { plan, inputs, outputs, memory } = crate;
  const title = `${inputs.map(({ name }) => codeText(name)).join(' and ')} → ${outputs
    .map(({ output }) => (output.value.kind === 'node' ? codeText(titleOf(output.value)) : ''))
    .join(' and ')}`;
  const parts = [
    `//! ${title}.`,
    imports(crate),
    ...(crate.layers.length > 0 ? [staticLayers(crate)] : []),
    ...(crate.isBinary
      ? ['const THRESHOLDS: Thresholds = Thresholds::from_json(include_str!("../model/thresholds.json"));']
      : []),
    memory
      ? batchConstant(memory)
      : `/// Samples that go through the layers together: each weight is read once for all of them.
const TILE: usize = ${plan.tile};`,
    ...(predictsOne(crate) ? [inputsStruct(inputs)] : []),
    batchStruct(inputs),
    ...(memory ? [] : [batchRows(inputs)]),
    prediction(crate),
    modelStruct(crate),
    methods(crate),
    ...(crate.weights === 'embed' ? [defaultModel(crate)] : []),
    ...(memory ? [stateStruct(memory)] : []),
    scratch(crate),
    ...loopStructs(crate.loops, memory ? 'BATCH' : 'TILE'),
  ];
  return `${parts.join('\n\n')}\n`;
}

/** The weights in the program, or what tells those in the file from others. */
function staticLayers({ name: { crate }, weights }: Crate): string {
  if (weights === 'file') {
    return `/// Of the bytes of the weights, as build.rs has packed them.
const FINGERPRINT: u64 = include!(concat!(env!("OUT_DIR"), "/${crate}.rs"));`;
  }
  const head = 'static LAYERS: Layers =';
  const value = `include_value!(concat!(env!("OUT_DIR"), "/${crate}.bin"));`;
  if (`${head} ${value}`.length <= 100) return `${head} ${value}`;
  if (`    ${value}`.length <= 100) return `${head}\n    ${value}`;
  return `${head} include_value!(concat!(\n    env!("OUT_DIR"),\n    "/${crate}.bin"\n));`;
}

/** What the names of activations begin with, among those of `tf_layers`. */
const ACTIVATIONS = 'activation::';

function imports(crate: Crate): string {
  const path = crate.weights === 'file' ? ['use std::path::Path;'] : [];
  const std = [
    ...(crate.memory ? [] : ['use std::ops::Range;']),
    ...path,
    ...(predictsOne(crate) ? ['use std::slice;'] : []),
  ];
  const uses = ['InputError', ...crate.uses.filter((use) => !use.startsWith(ACTIVATIONS))];
  if (hasBuffers(crate.plan)) uses.push('Buffer');
  if (crate.isBinary) uses.push('Confidence', 'Thresholds');
  if (crate.hasIntermediates) uses.push('Intermediate');
  if (crate.weights === 'file') uses.push('Weights', 'WeightsError');
  const activations = crate.uses
    .filter((use) => use.startsWith(ACTIVATIONS))
    .map((use) => use.slice(ACTIVATIONS.length));
  const tfLayers = [
    ...(activations.length > 0 ? [useStatement('tf_layers::activation', activations)] : []),
    ...zerocopyUse(crate),
    useStatement('tf_layers', uses),
  ];
  const own = crate.layers.length > 0 ? '\n\nuse super::layers::Layers;' : '';
  return `${std.length > 0 ? `${std.join('\n')}\n\n` : ''}${useGroup(tfLayers)}${own}`;
}

function zerocopyUse({ layers, outputs, weights }: Crate): readonly string[] {
  const names = [
    ...(layers.length > 0 && weights === 'embed' ? ['include_value'] : []),
    ...(outputs.length > 1 ? ['FromZeros'] : []),
  ];
  return names.length > 0 ? [useStatement('tf_layers::zerocopy', names)] : [];
}

function inputsStruct(inputs: readonly InputField[]): string {
  const fields = inputs.map(
    ({ field, type, isNumber }) => `    pub ${field}: ${isNumber ? '' : "&'a "}${withLifetime(type, 'a')},`,
  );
  const lifetime = hasLifetime(inputs) ? "<'a>" : '';
  return `/// The inputs of one prediction.
#[derive(Clone, Copy, Debug)]
pub struct Inputs${lifetime} {
${fields.join('\n')}
}`;
}

function batchStruct(inputs: readonly InputField[]): string {
  return `/// The inputs of many predictions: row \`i\` of every field belongs to sample \`i\`.
#[derive(Clone, Copy, Debug)]
pub struct Batch<'a> {
${inputs.map(({ field, type }) => `    pub ${field}: &'a [${withLifetime(type, 'a')}],`).join('\n')}
}`;
}

function batchRows(inputs: readonly InputField[]): string {
  const last = inputs.length - 1;
  const fields = inputs.map(
    ({ field }, i) => `${field}: &self.${field}[rows${i === last ? '' : '.clone()'}]`,
  );
  return `impl Batch<'_> {
    fn rows(&self, rows: Range<usize>) -> Self {
${structLiteral('        ', 'Self', fields)}
    }
}`;
}

function prediction(crate: Crate): string {
  const { outputs } = crate;
  const [output] = outputs;
  if (crate.isBinary) {
    const isNumber = output!.type === 'f32';
    return `/// The model's answer for one sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Prediction {
    /// Probability of the positive class, from 0 to 1.
    pub score: f32,
    /// The level of \`model/thresholds.json\` that the score reaches, if any.
    pub confidence: Option<Confidence>,
}

impl Prediction {
    fn new(${isNumber ? 'score: f32' : `${scorePattern(output!)}: ${output!.type}`}) -> Self {
        Self { score, confidence: THRESHOLDS.confidence(score) }
    }
}`;
  }
  if (outputs.length === 1) {
    return `/// The model's answer for one sample: the output of ${layerOf(output!)}.
pub type Prediction = ${output!.type};`;
  }
  const fields = outputs.map(
    (field) => `    /// The output of ${layerOf(field)}.\n    pub ${field.field}: ${field.type},`,
  );
  return `/// The model's answer for one sample.
#[derive(Clone, Copy, Debug, PartialEq, FromZeros)]
#[zerocopy(crate = "tf_layers::zerocopy")]
pub struct Prediction {
${fields.join('\n')}
}

/// The outputs for a tile of samples.
struct Outputs<'a> {
${outputs.map(({ field, type }) => `    ${field}: &'a [${type}],`).join('\n')}
}`;
}

/** `[score]`, `[[score]]` */
function scorePattern({ type }: OutputField): string {
  const depth = type.match(/^\[*/)![0].length;
  return `${'['.repeat(depth)}score${']'.repeat(depth)}`;
}

function modelStruct({ name, layers, weights, memory, hasIntermediates }: Crate): string {
  const shared = { embed: ' The weights are shared by all.', file: ' Its clones share the weights.' };
  const kept = memory ? ' A clone goes on from the same\n/// state, by itself.' : '';
  return `/// The model, and the memory in which it computes: one per thread.${kept}${layers.length > 0 ? shared[weights] : ''}
#[derive(Clone, Debug)]
pub struct ${name.type} {${weights === 'file' ? '\n    layers: Weights<Layers>,' : ''}
    scratch: Scratch,${memory ? '\n    state: State,' : ''}${hasIntermediates ? '\n    /// How many samples the scratch holds the results of.\n    samples: usize,' : ''}
}`;
}

function defaultModel({ name }: Crate): string {
  return `impl Default for ${name.type} {
    fn default() -> Self {
        Self::new()
    }
}`;
}

function scratch(crate: Crate): string {
  const { plan, names, outputs, memory, isLarge, hasIntermediates } = crate;
  const rows = memory ? 'BATCH' : 'TILE';
  const extra = isLarge && outputs.length > 1;
  const fields = [...bufferFields(plan, names.buffers, rows), ...loopFields(crate.loops)];
  const values = [...fields.map(({ value }) => value), ...(extra ? ['prediction: tf_layers::zeros(1)'] : [])];
  const use = hasIntermediates
    ? 'Each holds the result of one step until the next prediction.'
    : 'One is written again once nothing reads it any more.';
  return `/// The buffers of \`forward\`. ${use}
#[derive(Clone, Debug)]
struct Scratch {
${fields.map(({ field }) => field).join('\n')}${extra ? '\n    prediction: Vec<Prediction>,' : ''}
}

impl Scratch {
    fn new() -> Self {
${structLiteral('        ', 'Self', values)}
    }
}`;
}
