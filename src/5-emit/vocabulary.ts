/** The numbers that an input may hold where it is looked up in the table of an Embedding, and the test of any other. */

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
  const rank = type.match(/^\[*/)![0].length;
  const bad = dtype === 'u8' ? [words] : [words, least - 1];
  const { memory } = crate;
  const last = (memory?.batch ?? 2) - 1;
  const samples = memory ? 'Samples::read().unwrap()' : 'Samples::read().unwrap().repeated(2)';
  const batch = memory ? `samples.rows(0..${crate.name.type}::BATCH)` : 'samples.batch()';
  const place = `samples.${field}[${last}]${'[0]'.repeat(rank)}`;
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
