/** `src/lib.rs`: the crate's documentation, its public names, and its tests against TensorFlow. */

import { hasNaN, type SampleSource, type Samples } from '../samples/samples.ts';
import {
  type Crate,
  hasLifetime,
  type InputField,
  newModel,
  type OutputField,
  rowsOf,
  type Tolerance,
  tolerance,
  weightsConstant,
  withLifetime,
} from './crate.ts';
import { codeText, letStatement, rustString, structLiteral, useStatement } from './rust-layout.ts';

export function libRs(crate: Crate, samples: Samples): string {
  const { name, isBinary, layers, hasIntermediates, weights } = crate;
  const ours = isBinary ? ['Confidence', 'InputError'] : ['InputError'];
  if (hasIntermediates) ours.push('Intermediate');
  if (weights === 'file') ours.push('WeightsError');
  return `${documentation(crate)}

#![forbid(unsafe_code)]

${layers.length > 0 ? 'mod layers;\n' : ''}mod model;

${useStatement('model', ['Batch', 'Inputs', 'Prediction', name.type]).replace('use ', 'pub use ')}
${useStatement('tf_layers', ours).replace('use ', 'pub use ')}

${tests(crate, samples)}
`;
}

function documentation(crate: Crate): string {
  const { name, inputs, isBinary, isLarge, weights, source, version } = crate;
  const isOpened = weights === 'file';
  const rows = inputs.map(
    ({ name, type, input }) => [codeText(name), codeText(type), describe(crate, input)] as const,
  );
  const samples = inputs.map(({ field, type, isNumber }) => ({
    field,
    value: zeroValue(type),
    argument: isNumber ? field : `${field}: &${field}`,
  }));
  const names = [...(isBinary ? ['Confidence'] : []), 'Inputs', name.type];
  const call = `model.predict(&Inputs { ${samples.map(({ argument }) => argument).join(', ')} })?;`;
  const use = isBinary
    ? `//! let prediction = ${call}
//! if prediction.confidence >= Some(Confidence::Medium) {
//!     println!("score {}", prediction.score);
//! }`
    : `//! let prediction = ${call}
//! println!("{prediction:?}");`;
  return `//! Predictions of the TensorFlow model ${codeText(crate.name.given)}, in safe Rust.
//!
${table(['input', 'type', 'what the model reads'], rows)}
//!
//! \`\`\`${isOpened ? 'no_run' : ''}
${samples.map(({ field, value }) => `//! # let ${field} = ${value};`).join('\n')}
${useStatement(name.crate, names).replace(/^/gm, '//! ')}
//!
//! let mut model = ${name.type}::${isOpened ? 'open("weights.bin")?' : 'new()'};
${use}
//! # Ok::<(), ${isOpened ? 'Box<dyn std::error::Error>' : `${name.crate}::InputError`}>(())
//! \`\`\`
//!
//! A [\`${name.type}\`] allocates its memory once: keep one per thread and use it again.${isLarge ? '\n//! A prediction stays in that memory: it is borrowed until the next one.' : ''}
//! Inputs that the model cannot read are an [\`InputError\`]; nothing here panics on them.
//!
//! Written by tf2rust ${version} from ${codeText(source)}. Do not edit: convert the model again.`;
}

/** What an input is for, as far as the graph says. */
function describe(crate: Crate, input: InputField['input']): string {
  const vocabulary = vocabularyOf(crate, input);
  if (vocabulary) return `numbers from ${vocabulary.least} to ${vocabulary.words - 1}`;
  if (input.type.dtype === 'text')
    return input.type.shape.length === 1 ? 'a text' : 'the texts of the sample';
  return input.type.shape.length === 1 ? 'one number for each sample' : 'the features of the sample';
}

interface Vocabulary {
  readonly words: number;
  readonly least: number;
}

/** The words of the Embedding that reads the input as it is. */
export function vocabularyOf({ plan }: Crate, input: InputField['input']): Vocabulary | undefined {
  for (const { node } of plan.steps) {
    if (node.op !== 'Embedding' || node.inputs.x !== input) continue;
    const words = node.weights.table.shape[0]!;
    return { words, least: node.attributes.wraps ? -words : 0 };
  }
  return undefined;
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

function tests(crate: Crate, { source, rounding, predictions }: Samples): string {
  const { value, cause } = tolerance(crate, rounding);
  const { inputs, outputs, name } = crate;
  const token = inputs.find(({ input }) => vocabularyOf(crate, input));
  const several = outputs.length > 1;
  const names = ['Batch', 'InputError', 'Inputs', ...(several ? ['Prediction'] : []), name.type];
  const fields = [
    ...inputs.map(({ field, type }) => ({ field, type: `Vec<${withLifetime(type, 'static')}>` })),
    ...outputs.map(({ array, type }) => ({ field: array, type: `Vec<${type}>` })),
  ];
  const arrays = [
    ...inputs.map((input) => [input.field, rowsOf(input)] as const),
    ...outputs.map(({ array }) => [array, `file.rows(${rustString(array)})`] as const),
  ];
  const first = inputs[0]!;
  return `/// Compares with ${source.kind === 'features' ? "TensorFlow's predictions" : "the converter's own predictions"}, in \`testdata/features.npz\`.
#[cfg(test)]
mod tests {
${useStatement('super', names).replace(/^/gm, '    ')}
    use tf_layers::compare::largest_error;
    use tf_layers::npz::{Npz, NpzError};

${weightsConstant(crate, '    ')}    /// ${toleranceReason(cause, source)}
    const TOLERANCE: f32 = ${value.toExponential().replace('+', '')};

    struct Samples {
${fields.map(({ field, type }) => `        ${field}: ${type},`).join('\n')}
    }

    impl Samples {
        fn read() -> Result<Self, NpzError> {
            let file = Npz::new(include_bytes!("../testdata/features.npz"))?;
${structLiteral(
  '            ',
  'Ok(Self',
  arrays.map(([field, rows]) => `${field}: ${rows}?`),
  ')',
)}
        }

        /// \`count\` samples: these, over and over.
        fn repeated(&self, count: usize) -> Self {
            Self {
${fields.map(({ field }) => cycled(field)).join('\n')}
            }
        }

        fn inputs(&self, sample: usize) -> Inputs${hasLifetime(inputs) ? "<'_>" : ''} {
${structLiteral(
  '            ',
  'Inputs',
  inputs.map(({ field, isNumber }) => `${field}: ${isNumber ? '' : '&'}self.${field}[sample]`),
)}
        }

        fn batch(&self) -> Batch<'_> {
${structLiteral(
  '            ',
  'Batch',
  inputs.map(({ field }) => `${field}: &self.${field}`),
)}
        }
    }

    #[test]
    fn predicts_as_${source.kind === 'features' ? 'tensorflow' : 'the_converter'}_does() {
        let samples = Samples::read().unwrap();
${letStatement(2, `mut outputs${outputsType(crate)}`, emptyOutputs(crate, `samples.${outputs[0]!.array}.len()`))}
        let mut model = ${newModel(crate)};
        model.predict_from_array(samples.batch(), &mut outputs).unwrap();
${outputs.map((output) => errorCheck(output, several)).join('\n')}
    }

${sameInBatches(crate, !predictions.some(hasNaN))}

${withoutAllocating(crate)}
${token ? `\n${namesTheToken(crate, token)}\n` : ''}
    #[test]
    fn names_the_rows_that_do_not_match() {
        let samples = Samples::read().unwrap();
        let rows = samples.${first.field}.len();
${letStatement(2, `mut outputs${outputsType(crate)}`, emptyOutputs(crate, 'rows + 1'))}
        let mut model = ${newModel(crate)};
        let error = model.predict_from_array(samples.batch(), &mut outputs).unwrap_err();
        assert_eq!(error, InputError::Rows { name: "out", rows: rows + 1, expected: rows });
    }
}`;
}

/** Why the predictions may be off at all. */
function toleranceReason(cause: Tolerance['cause'], source: SampleSource): string {
  const whose = source.kind === 'features' ? 'TensorFlow' : 'The converter';
  const reason = `${whose} and this crate add the same floats in different orders`;
  switch (cause) {
    case 'order':
      return `${reason}.`;
    case 'depth':
      return `${reason}, layer after layer.`;
    case 'half':
      return `${whose} rounds each result to 16 bits, and this crate to 32:\n    /// a few roundings make the difference.`;
    case 'rounding':
      return `${reason}, and the model makes\n    /// so much of rounding: its predictions move as far when its sums move by 2⁻²² of their layer's\n    /// largest.`;
  }
}

function cycled(field: string): string {
  const short = `                ${field}: self.${field}.iter().copied().cycle().take(count).collect(),`;
  if (short.length <= 100) return short;
  const indent = '                ';
  return `${indent}${field}: self\n${[`.${field}`, '.iter()', '.copied()', '.cycle()', '.take(count)', '.collect()'].map((part) => `${indent}    ${part}`).join('\n')},`;
}

function emptyOutputs({ outputs, isLarge }: Crate, rows: string): string {
  if (isLarge || outputs.length > 1) return `tf_layers::zeros(${rows})`;
  return `vec![${outputs[0]!.zero}; ${rows}]`;
}

function outputsType({ outputs, isLarge }: Crate): string {
  return outputs.length > 1 ? ': Vec<Prediction>' : isLarge ? `: Vec<${outputs[0]!.type}>` : '';
}

function errorCheck({ field, array }: OutputField, several: boolean): string {
  if (!several) {
    return `        let error = largest_error(&outputs, &samples.predictions);
        assert!(error <= TOLERANCE, "the largest error is {error}");`;
  }
  const column = letStatement(
    2,
    `${field}: Vec<_>`,
    `outputs.iter().map(|output| output.${field}).collect()`,
  );
  return `${column}
        let error = largest_error(&${field}, &samples.${array});
        assert!(error <= TOLERANCE, "the largest error of ${field} is {error}");`;
}

function sameInBatches(crate: Crate, isEqualToItself: boolean): string {
  const { plan, isLarge } = crate;
  const counts = [...new Set([0, 1, 3, 7, plan.tile - 1, plan.tile, plan.tile + 1, 2 * plan.tile])].sort(
    (a, b) => a - b,
  );
  const most = counts.at(-1)!;
  const one = isLarge
    ? `(0..${most}).map(|sample| *model.predict(&samples.inputs(sample)).unwrap()).collect();`
    : `(0..${most}).map(|sample| model.predict(&samples.inputs(sample)).unwrap()).collect();`;
  // NaN is not equal to itself.
  const comparison = isEqualToItself
    ? 'assert_eq!(predictions, one_by_one[..count]);'
    : 'assert_eq!(largest_error(&predictions, &one_by_one[..count]), 0.0);';
  return `    #[test]
    fn predicts_the_same_one_by_one_and_in_batches_of_any_size() {
        let samples = Samples::read().unwrap().repeated(${most});
        let mut model = ${newModel(crate)};
        let one_by_one: Vec<_> =
            ${one}
        for count in [${counts.join(', ')}] {
            let predictions = model.predict_batch(samples.repeated(count).batch()).unwrap();
            ${comparison}
        }
    }`;
}

function withoutAllocating(crate: Crate): string {
  return `    #[test]
    fn predicts_without_allocating() {
        let samples = Samples::read().unwrap();
        let mut model = ${newModel(crate)};
${letStatement(2, `mut outputs${outputsType(crate)}`, emptyOutputs(crate, `samples.${crate.inputs[0]!.field}.len()`))}
        let allocations = allocation_counter::measure(|| {
            model.predict(&samples.inputs(0)).unwrap();
            model.predict_from_array(samples.batch(), &mut outputs).unwrap();
        });
        assert_eq!(allocations.count_total, 0);
    }`;
}

function namesTheToken(crate: Crate, { field, name, type }: InputField): string {
  const { words, least } = vocabularyOf(crate, crate.inputs.find((input) => input.field === field)!.input)!;
  const dtype = type.match(/i32|i64|u8/)![0];
  const rank = type.match(/^\[*/)![0].length;
  const bad = dtype === 'u8' ? [words] : [words, least - 1];
  const place = `samples.${field}[1]${'[0]'.repeat(rank)}`;
  const message = `\`${name.replace(/[{}]/g, '$&$&')}\` of sample 1 holds {token} at position 0, not in ${least}..${words}`;
  return `    #[test]
    fn names_the_token_outside_the_vocabulary() {
        let mut model = ${newModel(crate)};
        for token in [${bad.join(', ')}] {
            let mut samples = Samples::read().unwrap().repeated(2);
            ${place} = token;
            let error = model.predict_batch(samples.batch()).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(${rustString(message)}),
            );
        }
    }`;
}
