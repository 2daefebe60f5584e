/** `src/model.rs`: the inputs, the prediction, and a statement for every step. */

import type { Plan } from '../4-plan/plan.ts';
import { inputsOf, type Node } from '../ir/graph.ts';
import { bufferFields, hasBuffers } from './buffers-rs.ts';
import { type Crate, hasLifetime, type InputField, type OutputField, predictsOne } from './crate.ts';
import { loopFields, loopStructs } from './loop-rs.ts';
import {
  batchConstant,
  newState,
  publicBatch,
  resetState,
  stateReads,
  stateStruct,
  stateWrites,
} from './memory-rs.ts';
import { type Names, titleOf, WORK } from './names.ts';
import {
  checkRows,
  codeText,
  letStatement,
  resultExpression,
  rustString,
  structLiteral,
  useGroup,
  useStatement,
  vecOf,
} from './rust-layout.ts';
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

function imports(crate: Crate): string {
  const path = crate.weights === 'file' ? ['use std::path::Path;'] : [];
  const std = [
    ...(crate.memory ? [] : ['use std::ops::Range;']),
    ...path,
    ...(predictsOne(crate) ? ['use std::slice;'] : []),
  ];
  const uses = ['InputError', ...crate.uses.filter((use) => !use.startsWith('Activation::'))];
  if (hasBuffers(crate.plan)) uses.push('Buffer');
  if (crate.isBinary) uses.push('Confidence', 'Thresholds');
  if (crate.hasIntermediates) uses.push('Intermediate');
  if (crate.weights === 'file') uses.push('Weights', 'WeightsError');
  const activations = crate.uses.filter((use) => use.startsWith('Activation::')).map((use) => use.slice(12));
  const tfLayers = [
    ...(activations.length > 0 ? [useStatement('tf_layers::Activation', activations)] : []),
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

/** The layer of an output, for comments. */
function layerOf({ output }: OutputField): string {
  return codeText(output.value.kind === 'node' ? titleOf(output.value) : output.name);
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

/** What \`predict_from_array\` writes for one sample. */
function rowType(crate: Crate): string {
  return crate.isBinary || crate.outputs.length === 1 ? crate.outputs[0]!.type : 'Prediction';
}

function methods(crate: Crate): string {
  const { name } = crate;
  return `impl ${name.type} {
${crate.memory ? `${publicBatch}\n\n` : ''}${construction(crate)}

${[...(crate.memory ? [resetState(crate, crate.memory)] : []), ...(predictsOne(crate) ? [predict(crate)] : []), predictBatch(crate), predictFromArray(crate), ...(crate.hasIntermediates ? [intermediates(crate)] : []), forward(crate)].join('\n\n')}
}`;
}

function construction({ hasIntermediates, memory, weights }: Crate): string {
  const state = memory ? `, state: ${newState(memory, weights === 'embed' ? '&LAYERS' : '&layers')}` : '';
  const fields = `scratch: Scratch::new()${state}${hasIntermediates ? ', samples: 0' : ''}`;
  if (weights === 'embed') {
    return `    /// The trained model. Allocates the memory of all later predictions.
    pub fn new() -> Self {
        Self { ${fields} }
    }`;
  }
  return `    /// The trained model, with the weights of a file that \`cargo run --release --example pack\` wrote.
    /// Allocates the memory of all later predictions. For another thread, clone the model: it shares
    /// the weights.
    pub fn open(weights: impl AsRef<Path>) -> Result<Self, WeightsError> {
        let layers = Weights::open(weights.as_ref(), FINGERPRINT)?;
        Ok(Self { ${memory ? `${fields}, layers` : `layers, ${fields}`} })
    }`;
}

function defaultModel({ name }: Crate): string {
  return `impl Default for ${name.type} {
    fn default() -> Self {
        Self::new()
    }
}`;
}

function predict(crate: Crate): string {
  const { inputs, outputs, isBinary, isFallible, isLarge } = crate;
  const fields = inputs.map(
    ({ field, isNumber }) => `${field}: slice::from_ref(${isNumber ? '&' : ''}inputs.${field})`,
  );
  const batch = letStatement(2, 'batch', `Batch { ${fields.join(', ')} }`);
  if (isLarge) {
    return `    /// Predicts one sample, without allocating. The prediction stays in the model's memory.
    pub fn predict(&mut self, inputs: &Inputs) -> Result<&Prediction, InputError> {
${batch}
${outputs.length === 1 ? `        Ok(&self.forward(batch)${isFallible ? '?' : ''}[0])` : throughScratch}
    }`;
  }
  const zero = outputs.length === 1 ? outputs[0]!.zero : 'Prediction::new_zeroed()';
  return `    /// Predicts one sample, without allocating.
    pub fn predict(&mut self, inputs: &Inputs) -> Result<Prediction, InputError> {
${batch}
        let mut output = ${zero};
        self.predict_from_array(batch, slice::from_mut(&mut output))?;
        Ok(${isBinary ? 'Prediction::new(output)' : 'output'})
    }`;
}

/** A prediction with several fields is put together in the scratch, which is taken out of the model meanwhile. */
const throughScratch = `        let mut output = std::mem::take(&mut self.scratch.prediction);
        let result = self.predict_from_array(batch, &mut output);
        self.scratch.prediction = output;
        result.map(|()| &self.scratch.prediction[0])`;

function predictBatch(crate: Crate): string {
  const { inputs, outputs, memory, isBinary, isLarge } = crate;
  const rows = `batch.${inputs[0]!.field}.len()`;
  const isZeroed = isLarge || outputs.length > 1;
  const empty = isZeroed ? `tf_layers::zeros(${rows})` : `vec![${outputs[0]!.zero}; ${rows}]`;
  const result = isBinary ? 'outputs.into_iter().map(Prediction::new).collect()' : 'outputs';
  const type = isZeroed ? `: Vec<${rowType(crate)}>` : '';
  const counts = inputs.map(({ literal, field }) => `(${literal}, batch.${field}.len())`);
  const check = inputs.length > 1 ? `${checkRows('        ', counts)}\n` : '';
  if (memory) {
    return `    /// Predicts the [\`Self::BATCH\`] samples of \`batch\`, and goes on from them.
    pub fn predict_batch(&mut self, batch: Batch) -> Result<Vec<Prediction>, InputError> {
${letStatement(2, `mut outputs${type}`, empty)}
        self.predict_from_array(batch, &mut outputs)?;
        Ok(${result})
    }`;
  }
  return `    /// Predicts every sample of \`batch\`, in order; on all threads, with the feature \`parallel\`.
    pub fn predict_batch(&mut self, batch: Batch) -> Result<Vec<Prediction>, InputError> {
${check}${letStatement(2, `mut outputs${type}`, empty)}
        tf_layers::in_parallel(self, &mut outputs, TILE, |model, rows, out| {
            model.predict_from_array(batch.rows(rows), out)
        })?;
        Ok(${result})
    }`;
}

function predictFromArray(crate: Crate): string {
  const { inputs, outputs, memory, isFallible } = crate;
  const counts = [
    ...inputs.map(({ literal, field }) => `(${literal}, batch.${field}.len())`),
    '("out", out.len())',
  ];
  const check = checkRows('        ', counts);
  const signature = `    pub fn predict_from_array(&mut self, batch: Batch, out: &mut [${rowType(crate)}]) -> Result<(), InputError> {`;
  const head =
    signature.length <= 100
      ? signature
      : `    pub fn predict_from_array(
        &mut self,
        batch: Batch,
        out: &mut [${rowType(crate)}],
    ) -> Result<(), InputError> {`;
  if (memory) {
    const call = `self.forward(batch)${isFallible ? '?' : ''}`;
    const copy =
      outputs.length === 1
        ? `        out.copy_from_slice(${call});`
        : `        let outputs = ${call};
        for (row, out) in out.iter_mut().enumerate() {
${outputs.map(({ field }) => `            out.${field} = outputs.${field}[row];`).join('\n')}
        }`;
    return `    /// Writes the output for every sample of \`batch\` to its row of \`out\`, without allocating.
${head}
${check}
        InputError::check_batch(${inputs[0]!.literal}, batch.${inputs[0]!.field}.len(), BATCH)?;
${copy}
        Ok(())
    }`;
  }
  const call = isFallible
    ? 'self.forward(inputs).map_err(|error| error.after(first))?'
    : 'self.forward(inputs)';
  const copy =
    outputs.length === 1
      ? `            out.copy_from_slice(${call});`
      : `            let outputs = ${call};
            for (row, out) in out.iter_mut().enumerate() {
${outputs.map(({ field }) => `                out.${field} = outputs.${field}[row];`).join('\n')}
            }`;
  return `    /// Writes the output for every sample of \`batch\` to its row of \`out\`, without allocating.
${head}
${check}
        for (tile, out) in out.chunks_mut(TILE).enumerate() {
            let first = tile * TILE;
            let inputs = batch.rows(first..first + out.len());
${copy}
        }
        Ok(())
    }`;
}

const ABOUT_BANDS = `    ///
    /// [\`Bands\`] are large images that no memory holds: the next layer has their rows computed as it reads
    /// them, while they are in the cache.`;

function forward(crate: Crate): string {
  const { outputs, names, statements, layers, weights, isFallible, hasIntermediates, inputs } = crate;
  const source = { embed: '&LAYERS', file: '&*self.layers' };
  const type = outputs.length === 1 ? `&[${outputs[0]!.type}]` : "Outputs<'_>";
  const doc = outputs.map(layerOf).join(' and ');
  const setup = [
    ...(layers.length > 0 ? [`        let layers = ${source[weights]};`] : []),
    ...(statements.some(({ expression }) => /\bsamples\b/.test(expression)) || hasIntermediates
      ? [`        let samples = inputs.${inputs[0]!.field}.len();`]
      : []),
    ...(hasIntermediates ? ['        self.samples = samples;'] : []),
    destructured(
      [...names.buffers, ...(crate.plan.work > 0 ? [WORK] : []), ...crate.loops.map(({ field }) => field)],
      crate.isLarge && outputs.length > 1,
    ),
    ...(crate.memory ? stateReads(crate.memory) : []),
  ];
  const literal = structLiteral(
    '        ',
    'Outputs',
    outputs.map(({ field, variable }) => (field === variable ? field : `${field}: ${variable}`)),
  ).trimStart();
  const value = outputs.length === 1 ? outputs[0]!.variable : literal;
  const samples = crate.memory ? 'for [`BATCH`] samples' : 'for at most [`TILE`] samples';
  const hasBands = statements.some(({ type }) => type.startsWith('Bands<'));
  return `    /// The outputs of ${doc}, ${samples}.${hasBands ? `\n${ABOUT_BANDS}` : ''}
    fn forward(&mut self, inputs: Batch) -> ${isFallible ? `Result<${type}, InputError>` : type} {
${setup.join('\n')}

${body(crate, value).join('\n')}
    }`;
}

/** The statements, and the result: the last expression itself, where that is the output. */
function body({ statements, memory, isFallible }: Crate, output: string): readonly string[] {
  const lines = statements.map(({ variable, type, expression }) =>
    letStatement(2, `${variable}: ${type}`, expression),
  );
  if (memory) lines.push('', ...stateWrites(memory));
  const last = memory ? undefined : statements.at(-1);
  if (isFallible) return [...lines, `        Ok(${output})`];
  if (last?.variable !== output) return [...lines, `        ${output}`];
  return [...lines.slice(0, -1), resultExpression('        ', last.expression)];
}

function destructured(buffers: readonly string[], hasMore: boolean): string {
  const fields = [...buffers, ...(hasMore ? ['..'] : [])];
  const pattern = `        let Scratch { ${fields.join(', ')} } =`;
  if (`${pattern} &mut self.scratch;`.length <= 100) return `${pattern} &mut self.scratch;`;
  if (pattern.length <= 100) return `${pattern}\n            &mut self.scratch;`;
  return `        let Scratch {\n${fields.map((field) => `            ${field}${field === '..' ? '' : ','}`).join('\n')}\n        } = &mut self.scratch;`;
}

function intermediates({ plan, names }: Crate): string {
  const ofLayers = plan.steps.filter(({ node }) => !node.layer.isFunction);
  const lastOf = new Map(ofLayers.map(({ node }) => [node.layer.name, node]));
  const items = plan.steps.flatMap(({ node }) => {
    const buffer = bufferOf(node, plan, names);
    if (buffer === undefined) return [];
    const name = lastOf.get(node.layer.name) === node ? node.layer.name : names.steps.get(node)!;
    const [batch, ...rest] = node.type.shape.map((dim) => (typeof dim === 'number' ? dim : dim.batch));
    const shape = batch === 1 ? rest : [batch, ...rest];
    return [
      `Intermediate::new(${rustString(name)}, &[${shape.join(', ')}], self.samples, &self.scratch.${buffer})`,
    ];
  });
  return `    /// The result of every step for the samples that were predicted last, one tile of them at most.
    pub fn intermediates(&self) -> Vec<Intermediate<'_>> {
${vecOf('        ', items)}
    }`;
}

/** The buffer that a result is in, itself or as a view; undefined for a view of an input. */
function bufferOf(node: Node, plan: Plan, names: Names): string | undefined {
  if (plan.steps.find((step) => step.node === node)?.place.kind !== 'view') return names.steps.get(node);
  const [source] = inputsOf(node);
  return source?.kind === 'node' ? bufferOf(source, plan, names) : undefined;
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
