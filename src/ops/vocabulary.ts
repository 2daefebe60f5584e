/** Which number a word stands for: a function of strings that is known word by word. */

import { Refusal } from '../errors.ts';
import { type Tensor, tensor } from '../ir/types.ts';
import { type Bucketing, bucketOf, rustHash } from './hash.ts';

/** What stands for all words that are not listed. */
export type UnknownWord =
  | { readonly kind: 'number'; readonly number: string }
  /** The bucket of the hash, counted from `first`. */
  | { readonly kind: 'hash'; readonly hash: Bucketing; readonly first: string }
  /** Nothing: a prediction that reads such a word fails. */
  | { readonly kind: 'error' };

/** Words are strings of a character for each of their bytes. Numbers are integers of 64 bits. */
export interface WordNumbers {
  readonly numbers: ReadonlyMap<string, bigint>;
  readonly unknown: UnknownWord;
}

export function wordOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}

export function bytesOfWord(word: string): Uint8Array {
  return new Uint8Array(Buffer.from(word, 'latin1'));
}

/** The number of a word. */
export function numberOf({ numbers, unknown }: WordNumbers, word: string): bigint {
  return numbers.get(word) ?? unknownNumber(unknown, bytesOfWord(word));
}

export function unknownNumber(unknown: UnknownWord, bytes: Uint8Array): bigint {
  switch (unknown.kind) {
    case 'number':
      return BigInt(unknown.number);
    case 'hash':
      return BigInt.asIntN(64, BigInt(unknown.first) + bucketOf(unknown.hash, bytes));
    case 'error':
      throw new Refusal(`the word ${JSON.stringify(Buffer.from(bytes).toString())} is not known`);
  }
}

/** The same number for all words. */
export function everyWord(number: bigint): WordNumbers {
  return { numbers: new Map(), unknown: { kind: 'number', number: `${number}` } };
}

/** A word-by-word function of functions of the same words. `unknown` is what it comes to for all other words. */
export function combined(
  operands: readonly WordNumbers[],
  unknown: UnknownWord,
  combine: (...numbers: bigint[]) => bigint,
): WordNumbers {
  const words = new Set(operands.flatMap(({ numbers }) => [...numbers.keys()]));
  const numbers = new Map<string, bigint>();
  for (const word of words) {
    const number = combine(...operands.map((operand) => numberOf(operand, word)));
    if (number !== unknownNumber(unknown, bytesOfWord(word))) numbers.set(word, number);
  }
  return { numbers, unknown };
}

/** The words as weights of an operator: all their bytes, where each ends, and their numbers. */
export type VocabularyWeights = Readonly<Record<'bytes' | 'ends' | 'numbers', Tensor>>;

export function vocabularyWeights({ numbers }: WordNumbers): VocabularyWeights {
  const words = [...numbers.keys()].map(bytesOfWord);
  const ends: number[] = [];
  let end = 0;
  for (const { length } of words) {
    end += length;
    ends.push(end);
  }
  if (end >= 2 ** 31) throw new Refusal(`a vocabulary of ${end} bytes`);
  const bytes = new Uint8Array(Buffer.concat(words));
  return {
    bytes: { dtype: 'u8', shape: [end], data: bytes },
    ends: tensor('i32', [words.length], ends),
    numbers: tensor('i64', [words.length], [...numbers.values()]),
  };
}

/** The words of such weights. */
export function vocabularyOf({ bytes, ends, numbers }: VocabularyWeights): ReadonlyMap<string, bigint> {
  const words = new Map<string, bigint>();
  let start = 0;
  for (let i = 0; i < ends.data.length; i++) {
    const end = Number(ends.data[i]);
    words.set(
      Buffer.from(bytes.data.slice(start, end) as Uint8Array).toString('latin1'),
      BigInt(numbers.data[i]!),
    );
    start = end;
  }
  return words;
}

/** `Vocabulary<3, 3, 2>`, of these weights. */
export function rustVocabulary(words: number, bytes: number): string {
  const slots = 2 ** Math.ceil(Math.log2(2 * words));
  return `Vocabulary<${words}, ${bytes}, ${Math.ceil((12 * words + 4 * slots + bytes) / 64)}>`;
}

/** `UnknownWord::Number(0)` */
export function rustUnknown(
  unknown: Exclude<UnknownWord, { readonly kind: 'error' }>,
  use: (...names: readonly string[]) => string,
): string {
  const name = use('UnknownWord');
  switch (unknown.kind) {
    case 'number':
      return `${name}::Number(${unknown.number})`;
    case 'hash':
      return `${name}::Hash { hash: ${rustHash(unknown.hash, use)}, first: ${unknown.first} }`;
  }
}
