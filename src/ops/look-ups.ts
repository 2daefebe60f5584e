/** The layers of Keras that look up strings and integers: StringLookup, IntegerLookup and TextVectorization. */

import { isList, type Json, printJson } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { elements, tensor } from '../ir/types.ts';
import { bucketing, encoded, inType, refuseSparse } from './categories.ts';
import { compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import { type Bucketing, hash } from './hash.ts';
import { integerLookup, integerTable } from './integer-lookup.ts';
import type { KerasLayer, KerasLayers } from './keras.ts';
import { stringLookup } from './string-lookup.ts';
import { constantOf, type Operand } from './tensorflow.ts';
import { punctuation, type Tokenizer, textVectorization } from './text-vectorization.ts';
import { type UnknownWord, vocabularyWeights, type WordNumbers, wordOf } from './vocabulary.ts';

export const lookUpsKeras: KerasLayers = {
  IntegerLookup: integerLookupLayer,
  StringLookup: stringLookupLayer,
  TextVectorization: vectorization,
};

/** The settings that StringLookup and IntegerLookup share. */
interface Lookup {
  readonly mode: string;
  readonly oovBuckets: number;
  /** The number of the first bucket for unknown keys, and of the first word after them. */
  readonly oovStart: number;
  readonly start: number;
  readonly depth: (words: number) => number;
  readonly hash: Bucketing;
}

function lookupOf(layer: KerasLayer, hasMask: boolean): Lookup {
  refuseSparse(layer);
  if (layer.flag('invert', false)) {
    throw new Refusal(
      'an inverted look-up makes strings, and in Rust a model predicts numbers; leave it out of the model',
    );
  }
  layer.ignore('oov_token', 'encoding', 'vocabulary_size', 'vocabulary_dtype', 'has_input_vocabulary');
  const mode = layer.text('output_mode', 'int');
  const oovBuckets = layer.number('num_oov_indices', 1);
  const oovStart = hasMask && mode === 'int' ? 1 : 0;
  const start = oovStart + oovBuckets;
  const most = layer.value('max_tokens');
  const isPadded = layer.flag('pad_to_max_tokens', false) && typeof most === 'number';
  return {
    mode,
    oovBuckets,
    oovStart,
    start,
    depth: (words) => (isPadded ? most : start + words),
    hash: bucketing(layer, oovBuckets),
  };
}

/** The known words, without those that stand for no word or for unknown ones. */
function wordsOf(layer: KerasLayer, start: number, tokens: readonly (Json | undefined)[]): readonly Json[] {
  const given = layer.value('vocabulary');
  if (typeof given === 'string')
    throw new Refusal(`its vocabulary is the file ${given}, which is not in the model`);
  const words = isList(given) ? given : assetWords(layer);
  // A vocabulary may begin with the tokens for no word and for unknown ones.
  const special = tokens.slice(0, start);
  const hasSpecial =
    special.length > 0 && special.every((token, i) => token !== undefined && words[i] === token);
  return hasSpecial ? words.slice(start) : words;
}

function assetWords(layer: KerasLayer): readonly string[] {
  const lines = layer.asset('vocabulary.txt');
  if (!lines) {
    throw new Refusal(
      'its vocabulary is not in the file; save the model as .keras, or export a SavedModel with model.export(...)',
    );
  }
  const words = new TextDecoder().decode(lines).split('\n');
  while (words.at(-1) === '') words.pop();
  return words;
}

/** The tokens at the beginning of a vocabulary: that of no word, and one for each bucket of unknown ones. */
function specialTokens(
  layer: KerasLayer,
  { oovStart, oovBuckets }: Lookup,
  mask: Json | undefined,
  oov: Json,
): readonly (Json | undefined)[] {
  const unknown = layer.value('oov_token') ?? oov;
  return [...(oovStart > 0 ? [mask] : []), ...Array<Json>(oovBuckets).fill(unknown)];
}

function wordNumbers(words: readonly Json[], lookup: Lookup, mask: string | undefined): WordNumbers {
  const encoder = new TextEncoder();
  const numbers = new Map<string, bigint>();
  for (const [i, word] of words.entries()) {
    if (typeof word !== 'string') throw new Refusal(`the word ${printJson(word)} is no string`);
    numbers.set(wordOf(encoder.encode(word)), BigInt(lookup.start + i));
  }
  // Where categories are counted, no word has a number beyond all.
  if (mask !== undefined)
    numbers.set(wordOf(encoder.encode(mask)), lookup.mode === 'int' ? 0n : 2n ** 63n - 1n);
  return { numbers, unknown: unknownWord(lookup) };
}

/** Without a bucket for unknown words, predictions fail that read one. */
function unknownWord({ oovBuckets, oovStart, hash }: Lookup): UnknownWord {
  const first = `${oovStart}`;
  if (oovBuckets === 0) return { kind: 'error' };
  return oovBuckets === 1 ? { kind: 'number', number: first } : { kind: 'hash', hash, first };
}

function weighted(layer: KerasLayer, lookup: Lookup, counts: Operand, words: number): Operand {
  if (lookup.mode !== 'tf_idf') return counts;
  const given = layer.value('idf_weights');
  const isInside = layer.className === 'TextVectorization' && layer.weightCount > 0;
  // Text vectorization keeps its own copy of the weights of the look-up in it.
  if (isInside) layer.weightsAt({ attribute: '_lookup_layer' }, 'idf_weights');
  const stored = layer.weightCount > 0 ? layer.weights('idf_weights').idf_weights : undefined;
  if (!stored && !isList(given)) throw new Refusal('the weights of its words are not in the file');
  const known = isList(given) ? given.slice(given.length > words ? lookup.start : 0) : [];
  const idf = stored ?? paddedWeights(known, lookup, lookup.depth(words));
  return layer.tensorflow('Mul', [inType(layer, counts, idf.type.dtype), idf]);
}

/** Unknown words weigh as much as the known ones on average. */
function paddedWeights(given: readonly Json[], { start }: Lookup, depth: number) {
  const known = given.map((weight) => (typeof weight === 'number' ? weight : Number.NaN));
  if (known.some(Number.isNaN)) throw new Refusal('weights that are no numbers');
  const mean = known.reduce((sum, weight) => sum + weight, 0) / known.length;
  const all = [...Array<number>(start).fill(mean), ...known];
  return constantOf(
    tensor('f32', [depth], [...all, ...Array<number>(Math.max(0, depth - all.length)).fill(0)]),
  );
}

function stringLookupLayer(layer: KerasLayer): Operand {
  const mask = layer.value('mask_token');
  const lookup = lookupOf(layer, mask !== undefined);
  // Strings are always hashed.
  layer.ignore('oov_method');
  const words = wordsOf(layer, lookup.start, specialTokens(layer, lookup, mask, '[UNK]'));
  const { unknown, ...rest } = wordNumbers(words, lookup, typeof mask === 'string' ? mask : undefined);
  const numbers = layer.add(
    stringLookup,
    { x: layer.input(0) },
    { unknown },
    vocabularyWeights({ unknown, ...rest }),
  );
  return categories(layer, lookup, numbers, words.length);
}

/** The numbers of a look-up, as the layer's mode has them. */
function categories(layer: KerasLayer, lookup: Lookup, numbers: Operand, words: number): Operand {
  const { mode } = lookup;
  const dtype = mode === 'int' || layer.keras >= 3 ? 'i64' : layer.dtype;
  const counted = mode === 'tf_idf' ? 'count' : mode;
  const y = encoded(layer, numbers, { mode: counted, depth: lookup.depth(words), dtype });
  return weighted(layer, lookup, y, words);
}

function integerLookupLayer(layer: KerasLayer): Operand {
  const mask = layer.value('mask_token');
  const lookup = lookupOf(layer, mask !== undefined);
  const words = wordsOf(layer, lookup.start, specialTokens(layer, lookup, mask, -1));
  const numbers = new Map<bigint, bigint>();
  for (const [i, word] of words.entries()) {
    const isInteger = typeof word === 'number' ? Number.isSafeInteger(word) : /^-?\d+$/.test(`${word}`);
    if (!isInteger) throw new Refusal(`the key ${printJson(word)} is no integer that is known exactly`);
    numbers.set(BigInt(`${word}`), BigInt(lookup.start + i));
  }
  if (mask !== undefined) {
    if (!Number.isSafeInteger(mask)) throw new Refusal(`the mask ${printJson(mask)} is no integer`);
    numbers.set(BigInt(`${mask}`), lookup.mode === 'int' ? 0n : 2n ** 63n - 1n);
  }
  const x = inType(layer, layer.input(0), 'i64');
  const isHashed = layer.text('oov_method', 'floormod') === 'farmhash';
  const unknown = lookup.oovBuckets === 1 ? `${lookup.oovStart}` : '-1';
  const attributes = lookup.oovBuckets === 0 ? {} : { unknown };
  const found = layer.add(integerLookup, { x }, attributes, { table: integerTable(numbers) });
  if (lookup.oovBuckets <= 1) return categories(layer, lookup, found, words.length);
  const buckets = isHashed
    ? layer.add(hash, { x }, lookup.hash, {})
    : layer.tensorflow('FloorMod', [x, constantOf(tensor('i64', [], [lookup.oovBuckets]))]);
  const all = compute(
    layer,
    [found, buckets],
    call(
      'select',
      call('equal', input(0, 'i64'), number(-1, 'i64')),
      call('add', input(1, 'i64'), number(lookup.oovStart, 'i64')),
      input(0, 'i64'),
    ),
  );
  return categories(layer, lookup, all, words.length);
}

function vectorization(layer: KerasLayer): Operand {
  refuseSparse(layer);
  if (layer.flag('ragged', false)) throw new Refusal('ragged results are not supported');
  layer.ignore('encoding', 'vocabulary_size');
  const mode = layer.text('output_mode', 'int');
  const oovStart = mode === 'int' ? 1 : 0;
  const most = layer.value('max_tokens');
  const isPadded = layer.flag('pad_to_max_tokens', false) && typeof most === 'number';
  const start = oovStart + 1;
  const lookup: Lookup = {
    mode,
    oovBuckets: 1,
    oovStart,
    start,
    depth: (words) => (isPadded ? most : start + words),
    hash: { buckets: 1 },
  };
  const words = wordsOf(layer, start, oovStart > 0 ? ['', '[UNK]'] : ['[UNK]']);
  const numbers = wordNumbers(words, lookup, '');
  const x = layer.input(0);
  const each = elements(x.type.shape.slice(1).map(Number));
  const tokenizer = tokenizerOf(layer);
  if (tokenizer.split !== 'whole' && each !== 1) throw new Refusal('several texts of a sample are not split');
  const length = mode === 'int' ? sequenceLength(layer, tokenizer, each) : lookup.depth(words.length);
  const output = mode === 'int' ? 'sequence' : mode === 'multi_hot' ? 'multi_hot' : 'counts';
  if (!['int', 'multi_hot', 'count', 'tf_idf'].includes(mode)) throw new Refusal(`the output_mode "${mode}"`);
  const y = layer.add(
    textVectorization,
    { x },
    { tokenizer, unknown: `${oovStart}`, output, length },
    vocabularyWeights(numbers),
  );
  return weighted(layer, lookup, y, words.length);
}

function sequenceLength(layer: KerasLayer, tokenizer: Tokenizer, each: number): number {
  const length = layer.value('output_sequence_length');
  if (typeof length === 'number') return length;
  if (tokenizer.split === 'whole' && `${tokenizer.ngrams}` === '1') return each;
  throw new Refusal(
    'it makes as many numbers as the longest text of a batch has words; give the layer an output_sequence_length',
  );
}

function tokenizerOf(layer: KerasLayer): Tokenizer {
  const standardize = layer.value('standardize') ?? 'none';
  const split = layer.value('split') ?? 'whole';
  const kinds: ReadonlyMap<Json, Tokenizer['split']> = new Map([
    ['whitespace', 'words'],
    ['character', 'characters'],
    ['whole', 'whole'],
  ]);
  const known = ['none', 'lower', 'strip_punctuation', 'lower_and_strip_punctuation'];
  if (typeof standardize !== 'string' || !known.includes(standardize)) {
    throw new Refusal(
      `the function that standardizes text is the author's own; export a SavedModel with model.export(...)`,
    );
  }
  const kind = kinds.get(split);
  if (!kind)
    throw new Refusal(
      `the function that splits text is the author's own; export a SavedModel with model.export(...)`,
    );
  const ngrams = layer.value('ngrams') ?? 1;
  const sizes =
    typeof ngrams === 'number' ? Array.from({ length: ngrams }, (_, i) => i + 1) : layer.list('ngrams');
  return {
    isLower: standardize.startsWith('lower'),
    removed: standardize.endsWith('punctuation') ? punctuation : '',
    split: kind,
    ngrams: sizes,
  };
}
