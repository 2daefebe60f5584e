/** Text becomes the numbers of its words, characters or n-grams, in their order or counted. */

import { Refusal } from '../errors.ts';
import { elements, type TensorType } from '../ir/types.ts';
import { defineOp } from './op.ts';
import { stringsOf } from './text.ts';
import { rustVocabulary, vocabularyOf, wordOf } from './vocabulary.ts';

/** How a string becomes tokens. */
export interface Tokenizer {
  /** Letters from A to Z are written in lower case first. */
  readonly isLower: boolean;
  /** ASCII characters that are left out then. */
  readonly removed: string;
  readonly split: 'whole' | 'words' | 'characters';
  /** For each of these sizes, as many tokens that follow each other, joined by spaces. */
  readonly ngrams: readonly number[];
}

export interface TextVectorizationAttributes {
  readonly tokenizer: Tokenizer;
  /** The number of all words that the vocabulary lacks. */
  readonly unknown: string;
  /** The numbers of the tokens, or for each number how often it is there, or whether. */
  readonly output: 'sequence' | 'counts' | 'multi_hot';
  /** How many numbers the output has for a sample: zeros fill a sequence, and what is too much is left out. */
  readonly length: number;
}

/** As Keras's TextVectorization: (N, …) strings → (N, length), all strings of a sample together. */
export const textVectorization = defineOp({
  name: 'TextVectorization',
  inputs: ['x'],
  weights: ['bytes', 'ends', 'numbers'],
  readsText: true,

  infer({ x }, { tokenizer, length }: TextVectorizationAttributes): TensorType {
    if (x.dtype !== 'text') throw new Refusal(`the words of ${x.dtype}`);
    if (tokenizer.ngrams.some((size) => !Number.isSafeInteger(size) || size < 1 || size > 64)) {
      throw new Refusal(`n-grams of ${tokenizer.ngrams} words`);
    }
    if (!Number.isSafeInteger(length) || length < 1) throw new Refusal(`${length} numbers for a text`);
    return { dtype: 'i64', shape: [x.shape[0]!, length] };
  },

  evaluate({ x, ...weights }, { tokenizer, unknown, output, length }) {
    const known = vocabularyOf(weights);
    const samples = x.shape[0]!;
    const strings = stringsOf(x);
    const each = strings.length / samples;
    const data = new BigInt64Array(samples * length);
    for (let sample = 0; sample < samples; sample++) {
      const y = data.subarray(sample * length, (sample + 1) * length);
      for (const [i, token] of tokensOf(
        tokenizer,
        strings.slice(sample * each, (sample + 1) * each),
      ).entries()) {
        const number = known.get(token) ?? BigInt(unknown);
        const place = output === 'sequence' ? i : Number(number);
        if (place < 0 || place >= length) continue;
        y[place] = output === 'sequence' ? number : output === 'counts' ? y[place]! + 1n : 1n;
      }
    }
    return data;
  },

  emit({ inputs, types, into, layer, use }, { tokenizer, unknown, output }) {
    const words = elements(types.ends.shape as number[]);
    const field = layer({
      rustType: rustVocabulary(words, elements(types.bytes.shape as number[])),
      doc: `${words} words.`,
      pack: ['bytes', 'ends', 'numbers'],
    });
    return `${field}.${output}(${inputs.x}, ${rustTokenizer(tokenizer, use)}, ${unknown}, ${into})`;
  },

  className: () => 'TextVectorization',
});

/** The tokens of strings, each as a word of a vocabulary. */
export function tokensOf(
  { isLower, removed, split, ngrams }: Tokenizer,
  strings: readonly Uint8Array[],
): readonly string[] {
  const pieces = strings.flatMap((bytes) => {
    // A character stands for a byte, so that only ASCII letters are changed.
    const text = wordOf(bytes).replace(/[A-Z]/g, (letter) => (isLower ? letter.toLowerCase() : letter));
    return piecesOf([...text].filter((character) => !removed.includes(character)).join(''), split);
  });
  return ngrams.flatMap((size) =>
    Array.from({ length: Math.max(0, pieces.length - size + 1) }, (_, i) =>
      pieces.slice(i, i + size).join(' '),
    ),
  );
}

function piecesOf(text: string, split: Tokenizer['split']): readonly string[] {
  switch (split) {
    case 'whole':
      return [text];
    case 'words':
      return text.split(/[ \t\n\v\f\r]+/).filter((word) => word !== '');
    case 'characters':
      return [...Buffer.from(text, 'latin1').toString()].map((character) => wordOf(Buffer.from(character)));
  }
}

/** `Tokenizer::words().lower().without("!,")` */
function rustTokenizer(
  { isLower, removed, split, ngrams }: Tokenizer,
  use: (...names: readonly string[]) => string,
): string {
  const lower = isLower ? '.lower()' : '';
  const without =
    removed === '' ? '' : isPunctuation(removed) ? '.without_punctuation()' : `.without(${escaped(removed)})`;
  const sizes = `${ngrams}` === '1' ? '' : `.ngrams(&[${ngrams.join(', ')}])`;
  return `${use('Tokenizer')}::${split}()${lower}${without}${sizes}`;
}

/** What Keras strips as punctuation. */
export const punctuation = '!"#$%&()*+,-./:;<=>?@[\\]^_`{|}~\'';

function isPunctuation(characters: string): boolean {
  return [...characters].sort().join('') === [...punctuation].sort().join('');
}

/** A literal of ASCII characters in which nothing looks like Rust. */
function escaped(characters: string): string {
  const escapeOf = (character: string) => `\\u{${character.charCodeAt(0).toString(16)}}`;
  return `"${characters.replace(/[^a-z0-9 ]/gi, escapeOf)}"`;
}
