/** `src/lib.rs`: the crate's documentation, its public names, and its tests. */

import type { Samples } from '../samples/samples.ts';
import { type Crate, type InputField, predictsOne } from './crate.ts';
import { testsRs } from './lib-tests-rs.ts';
import { codeText, useStatement } from './rust-layout.ts';
import { vocabularyOf } from './vocabulary.ts';

export function libRs(crate: Crate, samples: Samples): string {
  const { name, isBinary, layers, hasIntermediates, weights } = crate;
  const ours = isBinary ? ['Confidence', 'InputError'] : ['InputError'];
  if (hasIntermediates) ours.push('Intermediate');
  if (weights === 'file') ours.push('WeightsError');
  return `${documentation(crate)}

#![forbid(unsafe_code)]

${layers.length > 0 ? 'mod layers;\n' : ''}mod model;

${useStatement('model', [...inputTypes(crate), 'Prediction', name.type]).replace('use ', 'pub use ')}
${useStatement('tf_layers', ours).replace('use ', 'pub use ')}

${testsRs(crate, samples)}
`;
}

/** The types of what the model is called with. */
function inputTypes(crate: Crate): readonly string[] {
  return predictsOne(crate) ? ['Batch', 'Inputs'] : ['Batch'];
}

function documentation(crate: Crate): string {
  const { name, isLarge, memory, weights, source, version } = crate;
  const isOpened = weights === 'file';
  const rows = crate.inputs.map(
    ({ name, type, input }) => [codeText(name), codeText(type), describe(crate, input)] as const,
  );
  const { names, samples, use } = predictsOne(crate) ? useOfOne(crate) : useOfBatch(crate);
  const kept = memory
    ? `
//!
//! The model keeps a state: what it predicts depends on what it has predicted before, until
//! [\`${name.type}::reset_state\`]. Every call is for ${memory.batch === 1 ? 'one sample' : `${memory.batch} samples`}.`
    : '';
  return `//! Predictions of the TensorFlow model ${codeText(crate.name.given)}, in safe Rust.
//!
${table(['input', 'type', 'what the model reads'], rows)}
//!
//! \`\`\`${isOpened ? 'no_run' : ''}
${samples}
${useStatement(name.crate, [...names, name.type]).replace(/^/gm, '//! ')}
//!
//! let mut model = ${name.type}::${isOpened ? 'open("weights.bin")?' : 'new()'};
${use}
//! # Ok::<(), ${isOpened ? 'Box<dyn std::error::Error>' : `${name.crate}::InputError`}>(())
//! \`\`\`
//!
//! A [\`${name.type}\`] allocates its memory once: keep one per thread and use it again.${isLarge ? '\n//! A prediction stays in that memory: it is borrowed until the next one.' : ''}
//! Inputs that the model cannot read are an [\`InputError\`]; nothing here panics on them.${kept}
//!
//! Written by tf2rust ${version} from ${codeText(source)}. Do not edit: convert the model again.`;
}

/** An example, and what it needs. */
interface Use {
  readonly names: readonly string[];
  /** The inputs, in lines that are not shown. */
  readonly samples: string;
  readonly use: string;
}

function useOfOne({ inputs, isBinary }: Crate): Use {
  const fields = inputs.map(({ field, isNumber }) => (isNumber ? field : `${field}: &${field}`));
  const call = `model.predict(&Inputs { ${fields.join(', ')} })?;`;
  return {
    names: [...(isBinary ? ['Confidence'] : []), 'Inputs'],
    samples: inputs.map(({ field, type }) => `//! # let ${field} = ${zeroValue(type)};`).join('\n'),
    use: isBinary
      ? `//! let prediction = ${call}
//! if prediction.confidence >= Some(Confidence::Medium) {
//!     println!("score {}", prediction.score);
//! }`
      : `//! let prediction = ${call}
//! println!("{prediction:?}");`,
  };
}

function useOfBatch({ inputs, name }: Crate): Use {
  const rows = inputs.map(
    ({ field, type }) => `//! # let ${field} = [${zeroValue(type)}; ${name.type}::BATCH];`,
  );
  return {
    names: ['Batch'],
    samples: rows.join('\n'),
    use: `//! let predictions = model.predict_batch(Batch { ${inputs.map(({ field }) => `${field}: &${field}`).join(', ')} })?;
//! println!("{predictions:?}");`,
  };
}

/** What an input is for, as far as the graph says. */
function describe(crate: Crate, input: InputField['input']): string {
  const vocabulary = vocabularyOf(crate, input);
  if (vocabulary) return `numbers from ${vocabulary.least} to ${vocabulary.words - 1}`;
  if (input.type.dtype === 'text')
    return input.type.shape.length === 1 ? 'a text' : 'the texts of the sample';
  return input.type.shape.length === 1 ? 'one number for each sample' : 'the features of the sample';
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((title, i) => Math.max(title.length, ...rows.map((row) => row[i]!.length)));
  const line = (cells: readonly string[]) =>
    `//! | ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`;
  return [
    line(head),
    `//! |${widths.map((width) => '-'.repeat(width + 2)).join('|')}|`,
    ...rows.map(line),
  ].join('\n');
}

/** `[0.0; 8]`, `0.0`, `[[0; 3]; 2]` */
function zeroValue(type: string): string {
  return type.replace(/f32|f64|i32|i64|u8|bool|&str/, (dtype) =>
    dtype === '&str' ? '""' : dtype === 'bool' ? 'false' : dtype.startsWith('f') ? '0.0' : '0',
  );
}
