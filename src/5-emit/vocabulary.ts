/** What an input may hold where it is looked up: in the table of an Embedding, or in a vocabulary. And the tests of anything else. */

import { vocabularyOf as wordsIn } from '../ops/vocabulary.ts';
import { type Crate, type InputField, newModel } from './crate.ts';
import { rustString } from './rust-layout.ts';

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

/** The test of what is said of a number outside the vocabulary, in the last sample of a batch. */
export function tokenOutside(crate: Crate, { field, name, type }: InputField): string {
  const { words, least } = vocabularyOf(crate, crate.inputs.find((input) => input.field === field)!.input)!;
  const dtype = type.match(/i32|i64|u8/)![0];
  const bad = dtype === 'u8' ? [words] : [words, least - 1];
  const { last, samples, batch, place } = lastSample(crate, { field, type });
  const message = `\`${name.replace(/[{}]/g, '$&$&')}\` of sample ${last} holds {token} at position 0, not in ${least}..${words}`;
  return `    #[test]
    fn names_the_token_outside_the_vocabulary() {
        let mut model = ${newModel(crate)};
        for token in [${bad.join(', ')}] {
            let mut samples = ${samples};
            ${place} = token;
            let error = model.predict_batch(${batch}).unwrap_err();
            assert_eq!(
                error.to_string(),
                format!(${rustString(message)}),
            );
        }
    }`;
}

/** The words of the first vocabulary that reads the input and has no number for any other. */
export function neededWords({ plan }: Crate, input: InputField['input']): ReadonlySet<string> | undefined {
  for (const { node } of plan.steps) {
    if (node.op !== 'StringLookup' || node.inputs.x !== input) continue;
    if (node.attributes.unknown.kind === 'error') return new Set(wordsIn(node.weights).keys());
  }
  return undefined;
}

/** The test of what is said of a word outside such a vocabulary, in the last sample of a batch. */
export function wordOutside(crate: Crate, { field, name, type, input }: InputField): string {
  let word = 'unknown';
  while (neededWords(crate, input)?.has(word)) word += '?';
  const { last, samples, batch, place } = lastSample(crate, { field, type });
  const message = `\`${name}\` of sample ${last} holds "${word}" at position 0, which is not known`;
  return `    #[test]
    fn names_the_word_outside_the_vocabulary() {
        let mut model = ${newModel(crate)};
        let mut samples = ${samples};
        ${place} = ${rustString(word)};
        let error = model.predict_batch(${batch}).unwrap_err();
        assert_eq!(
            error.to_string(),
            ${rustString(message)},
        );
    }`;
}

/** The last sample of a small batch, in the words of the crate's tests, and the place of its first number or string. */
function lastSample({ memory, name }: Crate, { field, type }: Pick<InputField, 'field' | 'type'>) {
  const last = (memory?.batch ?? 2) - 1;
  const rank = type.match(/^\[*/)![0].length;
  return {
    last,
    samples: memory ? 'Samples::read().unwrap()' : 'Samples::read().unwrap().repeated(2)',
    batch: memory ? `samples.rows(0..${name.type}::BATCH)` : 'samples.batch()',
    place: `samples.${field}[${last}]${'[0]'.repeat(rank)}`,
  };
}
