/** Numbers that come of strings, as nodes of the graph. */

import { Refusal } from '../../errors.ts';
import { type DType, lengthOfSample, type TensorType } from '../../ir/types.ts';
import { compute } from '../../ops/elementwise.ts';
import { call, cast, input, number } from '../../ops/expression.ts';
import { hash } from '../../ops/hash.ts';
import { reshaped } from '../../ops/reshape.ts';
import { stringLookup } from '../../ops/string-lookup.ts';
import type { Builder, Operand } from '../../ops/tensorflow.ts';
import { type TextVectorizationAttributes, textVectorization } from '../../ops/text-vectorization.ts';
import { vocabularyWeights, type WordNumbers } from '../../ops/vocabulary.ts';
import type { Numbers, Texts, Tokens } from './text.ts';

/** The numbers of strings, in their shape. */
export function nodeOfNumbers(builder: Builder, { of, numbers, dtype }: Numbers): Operand {
  if (of.kind === 'tokens') {
    throw new Refusal('a list of as many numbers as a text has words is not supported; give it a length');
  }
  return shapedAs(of, builder, inType(builder, numbersOfTexts(builder, of, numbers), dtype));
}

function numbersOfTexts(builder: Builder, texts: Texts, numbers: WordNumbers): Operand {
  const { source, isLower, removed } = texts;
  const { unknown } = numbers;
  if (isLower || removed !== '') {
    const tokenizer = { isLower, removed, split: 'whole', ngrams: [1] } as const;
    const length = lengthOfSample({ dtype: 'text', shape: texts.shape });
    return vectorized(builder, { kind: 'tokens', texts, tokenizer }, numbers, { output: 'sequence', length });
  }
  if (numbers.numbers.size > 0) {
    return builder.add(stringLookup, { x: source }, { unknown }, vocabularyWeights(numbers));
  }
  if (unknown.kind !== 'hash') throw new Refusal('a vocabulary without words');
  const buckets = builder.add(hash, { x: source }, unknown.hash, {});
  if (unknown.first === '0') return buckets;
  return compute(builder, [buckets], call('add', input(0, 'i64'), number(Number(unknown.first), 'i64')));
}

/** The numbers of the tokens of each string, in their order or counted: (N, length). */
export function vectorized(
  builder: Builder,
  { texts, tokenizer }: Tokens,
  numbers: WordNumbers,
  { output, length }: Pick<TextVectorizationAttributes, 'output' | 'length'>,
): Operand {
  const { unknown } = numbers;
  if (unknown.kind === 'error') {
    throw new Refusal(
      'a look-up of text that was changed or split and that fails for unknown words is not supported; give it num_oov_indices',
    );
  }
  if (unknown.kind === 'hash') {
    throw new Refusal(
      'the hash of a text that was changed or split is not supported; hash the strings as they are',
    );
  }
  if (numbers.numbers.size === 0) throw new Refusal('a vocabulary without words');
  const attributes = { tokenizer, unknown: unknown.number, output, length };
  return builder.add(textVectorization, { x: texts.source }, attributes, vocabularyWeights(numbers));
}

/** The numbers in another type; truths are 0 and 1. */
export function inType(builder: Builder, x: Operand, dtype: DType): Operand {
  return x.type.dtype === dtype ? x : compute(builder, [x], cast(input(0, x.type.dtype), dtype));
}

function shapedAs({ shape }: { readonly shape: TensorType['shape'] }, builder: Builder, x: Operand): Operand {
  const isSame = `${JSON.stringify(shape)}` === JSON.stringify(x.type.shape);
  return isSame ? x : reshaped(builder, x, shape);
}
