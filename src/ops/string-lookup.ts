/** Strings become the numbers that a vocabulary has for them. */

import { elements, type TensorType } from '../ir/types.ts';
import { checkBucketing } from './hash.ts';
import { defineOp } from './op.ts';
import { stringsOf } from './text.ts';
import {
  rustUnknown,
  rustVocabulary,
  type UnknownWord,
  unknownNumber,
  vocabularyOf,
  wordOf,
} from './vocabulary.ts';

/** As Keras's StringLookup with numbers for its output. */
export const stringLookup = defineOp({
  name: 'StringLookup',
  inputs: ['x'],
  weights: ['bytes', 'ends', 'numbers'],
  readsText: true,

  infer({ x }, { unknown }: { readonly unknown: UnknownWord }): TensorType {
    if (x.dtype !== 'text') throw new Error(`a look-up of ${x.dtype}`);
    if (unknown.kind === 'hash') checkBucketing(unknown.hash);
    return { dtype: 'i64', shape: x.shape };
  },

  evaluate({ x, ...weights }, { unknown }) {
    const numbers = vocabularyOf(weights);
    return BigInt64Array.from(
      stringsOf(x),
      (bytes) => numbers.get(wordOf(bytes)) ?? unknownNumber(unknown, bytes),
    );
  },

  emit({ inputs, types, into, nameOf, layer, use }, { unknown }) {
    const words = elements(types.ends.shape as number[]);
    const field = layer({
      rustType: rustVocabulary(words, elements(types.bytes.shape as number[])),
      doc: `${words} words.`,
      pack: ['bytes', 'ends', 'numbers'],
    });
    if (unknown.kind === 'error') return `${field}.apply_known(${nameOf('x')}, ${inputs.x}, ${into})?`;
    return `${field}.apply(${inputs.x}, ${rustUnknown(unknown, use)}, ${into})`;
  },

  className: () => 'StringLookup',
});
