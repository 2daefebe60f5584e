/** The methods of the model in `src/model.rs`: how it is made, and how it predicts. */

import type { Plan } from '../4-plan/plan.ts';
import { inputsOf, type Node } from '../ir/graph.ts';
import { type Crate, layerOf, type OutputField, predictsOne } from './crate.ts';
import { newState, publicBatch, resetState, stateReads, stateWrites } from './memory-rs.ts';
import { type Names, WORK } from './names.ts';
import {
  checkRows,
  letStatement,
  resultExpression,
  rustString,
  structLiteral,
  vecOf,
} from './rust-layout.ts';

export function methods(crate: Crate): string {
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

/** What `predict_from_array` writes for one sample. */
function rowType(crate: Crate): string {
  return crate.isBinary || crate.outputs.length === 1 ? crate.outputs[0]!.type : 'Prediction';
}

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
  const [first] = inputs;
  const counts = [
    ...inputs.map(({ literal, field }) => `(${literal}, batch.${field}.len())`),
    '("out", out.len())',
  ];
  const signature = `    pub fn predict_from_array(&mut self, batch: Batch, out: &mut [${rowType(crate)}]) -> Result<(), InputError> {`;
  const head =
    signature.length <= 100
      ? signature
      : `    pub fn predict_from_array(
        &mut self,
        batch: Batch,
        out: &mut [${rowType(crate)}],
    ) -> Result<(), InputError> {`;
  const steps = memory
    ? `        InputError::check_batch(${first!.literal}, batch.${first!.field}.len(), BATCH)?;
${outputsWritten('        ', outputs, `self.forward(batch)${isFallible ? '?' : ''}`)}`
    : `        for (tile, out) in out.chunks_mut(TILE).enumerate() {
            let first = tile * TILE;
            let inputs = batch.rows(first..first + out.len());
${outputsWritten('            ', outputs, `self.forward(inputs)${isFallible ? '.map_err(|error| error.after(first))?' : ''}`)}
        }`;
  return `    /// Writes the output for every sample of \`batch\` to its row of \`out\`, without allocating.
${head}
${checkRows('        ', counts)}
${steps}
        Ok(())
    }`;
}

/** What `forward` returns goes to the rows of `out`: an array, or a field of each row for each output. */
function outputsWritten(indent: string, outputs: readonly OutputField[], forward: string): string {
  if (outputs.length === 1) return `${indent}out.copy_from_slice(${forward});`;
  return `${indent}let outputs = ${forward};
${indent}for (row, out) in out.iter_mut().enumerate() {
${outputs.map(({ field }) => `${indent}    out.${field} = outputs.${field}[row];`).join('\n')}
${indent}}`;
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
  // The sign of equality may be beyond the last column.
  if (pattern.length <= 101) return `${pattern}\n            &mut self.scratch;`;
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
