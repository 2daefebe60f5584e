/** The tests in `src/lib.rs`: the samples against TensorFlow, and what a model promises besides. */

import { hasNaN, type SampleSource, type Samples } from '../samples/samples.ts';
import {
  type Crate,
  hasLifetime,
  type InputField,
  newModel,
  predictsOne,
  rowsOf,
  type Tolerance,
  tolerance,
  weightsConstant,
} from './crate.ts';
import { memoryTests, someRows } from './memory-tests-rs.ts';
import { letStatement, rustString, structLiteral, useStatement } from './rust-layout.ts';
import { withLifetime } from './sample-types.ts';
import { emptyOutputs, errorChecks, outputsType, withoutAllocating } from './test-outputs-rs.ts';
import { neededWords, tokenOutside, vocabularyOf, wordOutside } from './vocabulary.ts';

export function testsRs(crate: Crate, samples: Samples): string {
  const { source, rounding } = samples;
  const { value, cause } = tolerance(crate, rounding);
  const { inputs, outputs, memory, name } = crate;
  const all = memory ? memoryTests(crate, samples) : plainTests(crate, samples);
  const several = outputs.length > 1;
  const names = [
    'Batch',
    'InputError',
    ...(predictsOne(crate) ? ['Inputs'] : []),
    ...(several ? ['Prediction'] : []),
    name.type,
  ];
  const fields = [
    ...inputs.map(({ field, type }) => ({ field, type: `Vec<${withLifetime(type, 'static')}>` })),
    ...outputs.map(({ array, type }) => ({ field: array, type: `Vec<${type}>` })),
  ];
  const arrays = [
    ...inputs.map((input) => [input.field, rowsOf(input)] as const),
    ...outputs.map(({ array }) => [array, `file.rows(${rustString(array)})`] as const),
  ];
  return `/// Compares with ${source.kind === 'features' ? "TensorFlow's predictions" : "the converter's own predictions"}, in \`testdata/features.npz\`.
#[cfg(test)]
mod tests {
${useStatement('super', names).replace(/^/gm, '    ')}
${memory ? '    use std::ops::Range;\n' : ''}    use tf_layers::compare::largest_error;
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

${[
  ...(memory ? [] : [repeated(fields.map(({ field }) => field))]),
  ...(predictsOne(crate) ? [oneSample(inputs)] : []),
  memory ? someRows(inputs) : allRows(inputs),
].join('\n\n')}
    }

${all.join('\n\n')}
}`;
}

/** The tests of a model whose predictions do not depend on each other. */
function plainTests(crate: Crate, { source, predictions }: Samples): readonly string[] {
  const { inputs, outputs } = crate;
  const token = inputs.find(({ input }) => vocabularyOf(crate, input));
  const words = inputs.find(({ input }) => neededWords(crate, input));
  return [
    `    #[test]
    fn predicts_as_${source.kind === 'features' ? 'tensorflow' : 'the_converter'}_does() {
        let samples = Samples::read().unwrap();
${letStatement(2, `mut outputs${outputsType(crate)}`, emptyOutputs(crate, `samples.${outputs[0]!.array}.len()`))}
        let mut model = ${newModel(crate)};
        model.predict_from_array(samples.batch(), &mut outputs).unwrap();
${errorChecks(crate)}
    }`,
    sameInBatches(crate, !predictions.some(hasNaN)),
    withoutAllocating(
      crate,
      letStatement(
        2,
        `mut outputs${outputsType(crate)}`,
        emptyOutputs(crate, `samples.${inputs[0]!.field}.len()`),
      ),
      ['model.predict(&samples.inputs(0))', 'model.predict_from_array(samples.batch(), &mut outputs)'],
    ),
    ...(token ? [tokenOutside(crate, token)] : []),
    ...(words ? [wordOutside(crate, words)] : []),
    `    #[test]
    fn names_the_rows_that_do_not_match() {
        let samples = Samples::read().unwrap();
        let rows = samples.${inputs[0]!.field}.len();
${letStatement(2, `mut outputs${outputsType(crate)}`, emptyOutputs(crate, 'rows + 1'))}
        let mut model = ${newModel(crate)};
        let error = model.predict_from_array(samples.batch(), &mut outputs).unwrap_err();
        assert_eq!(error, InputError::Rows { name: "out", rows: rows + 1, expected: rows });
    }`,
  ];
}

/** The method that makes more samples of those in the file. */
function repeated(fields: readonly string[]): string {
  return `        /// \`count\` samples: these, over and over.
        fn repeated(&self, count: usize) -> Self {
            Self {
${fields.map(cycled).join('\n')}
            }
        }`;
}

function oneSample(inputs: readonly InputField[]): string {
  const fields = inputs.map(({ field, isNumber }) => `${field}: ${isNumber ? '' : '&'}self.${field}[sample]`);
  return `        fn inputs(&self, sample: usize) -> Inputs${hasLifetime(inputs) ? "<'_>" : ''} {
${structLiteral('            ', 'Inputs', fields)}
        }`;
}

function allRows(inputs: readonly InputField[]): string {
  const fields = inputs.map(({ field }) => `${field}: &self.${field}`);
  return `        fn batch(&self) -> Batch<'_> {
${structLiteral('            ', 'Batch', fields)}
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
