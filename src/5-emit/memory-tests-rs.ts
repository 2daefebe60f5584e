/** The tests in `src/lib.rs` of a model that keeps a state: its samples are calls, one after the other. */

import { hasNaN, type Samples } from '../samples/samples.ts';
import { type Crate, type InputField, newModel, predictsOne } from './crate.ts';
import { letStatement, structLiteral } from './rust-layout.ts';
import { emptyOutputs, errorChecks, outputsType, withoutAllocating } from './test-outputs-rs.ts';
import { tokenOutside, vocabularyOf } from './vocabulary.ts';

export function memoryTests(crate: Crate, { source, predictions }: Samples): readonly string[] {
  const isEqualToItself = !predictions.some(hasNaN);
  const token = crate.inputs.find(({ input }) => vocabularyOf(crate, input));
  return [
    call(crate, source.kind === 'features' ? 'tensorflow' : 'the_converter'),
    startsAgain(crate, isEqualToItself),
    ...(predictsOne(crate) ? [oneByOne(crate, isEqualToItself)] : []),
    withoutAllocating(
      crate,
      `        let batch = samples.rows(0..${batchOf(crate)});
${letStatement(2, `mut outputs${outputsType(crate)}`, emptyOutputs(crate, batchOf(crate)))}`,
      ['model.predict_from_array(batch, &mut outputs)'],
    ),
    ...(token ? [tokenOutside(crate, token)] : []),
    anotherSize(crate),
    otherRows(crate),
  ];
}

/** The method that takes the rows of a call out of the samples. */
export function someRows(inputs: readonly InputField[]): string {
  const fields = inputs.map(
    ({ field }, i) => `${field}: &self.${field}[rows${i === inputs.length - 1 ? '' : '.clone()'}]`,
  );
  return `        fn rows(&self, rows: Range<usize>) -> Batch<'_> {
${structLiteral('            ', 'Batch', fields)}
        }`;
}

/** `SpamModel::BATCH` */
const batchOf = ({ name }: Crate) => `${name.type}::BATCH`;

function call(crate: Crate, whose: string): string {
  const { outputs } = crate;
  return `    /// Each call goes on where the one before has ended.
    #[test]
    fn predicts_as_${whose}_does() {
        let samples = Samples::read().unwrap();
${letStatement(2, `mut outputs${outputsType(crate)}`, emptyOutputs(crate, `samples.${outputs[0]!.array}.len()`))}
        let mut model = ${newModel(crate)};
        for (call, out) in outputs.chunks_mut(${batchOf(crate)}).enumerate() {
            let first = call * ${batchOf(crate)};
            model.predict_from_array(samples.rows(first..first + out.len()), out).unwrap();
        }
${errorChecks(crate)}
    }`;
}

/** `assert_eq!(a, b);`, or the same of numbers of which NaN is not equal to itself. */
function equal(a: string, b: string, isEqualToItself: boolean): string {
  return isEqualToItself ? `assert_eq!(${a}, ${b});` : `assert_eq!(largest_error(&${a}, &${b}), 0.0);`;
}

function startsAgain(crate: Crate, isEqualToItself: boolean): string {
  return `    #[test]
    fn starts_again_once_the_state_is_reset() {
        let samples = Samples::read().unwrap();
        let batch = samples.rows(0..${batchOf(crate)});
        let mut model = ${newModel(crate)};
        let first = model.predict_batch(batch).unwrap();
        model.predict_batch(batch).unwrap();
        model.reset_state();
        let again = model.predict_batch(batch).unwrap();
        ${equal('again', 'first', isEqualToItself)}
    }`;
}

function oneByOne(crate: Crate, isEqualToItself: boolean): string {
  const value = crate.isLarge ? '*model' : 'model';
  return `    #[test]
    fn predicts_a_sample_as_a_batch_of_one() {
        let samples = Samples::read().unwrap();
        let mut model = ${newModel(crate)};
        let mut other = model.clone();
        for sample in 0..samples.${crate.outputs[0]!.array}.len() {
            let one = [${value}.predict(&samples.inputs(sample)).unwrap()];
            let batch = other.predict_batch(samples.rows(sample..sample + 1)).unwrap();
            ${equal('batch[..]', 'one[..]', isEqualToItself)}
        }
    }`;
}

function anotherSize(crate: Crate): string {
  return `    #[test]
    fn names_the_batch_of_another_size() {
        let samples = Samples::read().unwrap();
        let mut model = ${newModel(crate)};
        let rows = ${batchOf(crate)} - 1;
        let error = model.predict_batch(samples.rows(0..rows)).unwrap_err();
        let expected = InputError::Batch { name: ${crate.inputs[0]!.literal}, rows, expected: rows + 1 };
        assert_eq!(error, expected);
    }`;
}

function otherRows(crate: Crate): string {
  return `    #[test]
    fn names_the_rows_that_do_not_match() {
        let samples = Samples::read().unwrap();
        let rows = ${batchOf(crate)};
${letStatement(2, `mut outputs${outputsType(crate)}`, emptyOutputs(crate, 'rows + 1'))}
        let mut model = ${newModel(crate)};
        let error = model.predict_from_array(samples.rows(0..rows), &mut outputs).unwrap_err();
        assert_eq!(error, InputError::Rows { name: "out", rows: rows + 1, expected: rows });
    }`;
}
