/**
 * Text while a SavedModel is read: strings are followed through TensorFlow's ops, as formulas, until numbers come of
 * them. TensorFlow writes one layer as fifty ops on ragged tensors; here it becomes one node.
 */

import type { StringTensor } from '../../1-read/element-types.ts';
import type { NodeDef } from '../../1-read/graph-def.ts';
import type { Input, Layer } from '../../ir/graph.ts';
import type { Dim, DType } from '../../ir/types.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import type { Tokenizer } from '../../ops/text-vectorization.ts';
import type { WordNumbers } from '../../ops/vocabulary.ts';
import type { ReadableNode } from './node.ts';
import type { TableContent } from './tables.ts';

/** Strings that are the same at every prediction. */
export interface Strings {
  readonly kind: 'strings';
  readonly tensor: StringTensor;
}

/** A look-up table. */
export interface Table {
  readonly kind: 'table';
  content(): TableContent;
}

/** The strings of an input, perhaps in lower case and without some characters. */
export interface Texts {
  readonly kind: 'texts';
  readonly source: Input;
  readonly shape: readonly Dim[];
  readonly isLower: boolean;
  readonly removed: string;
}

/** Integers in digits. */
export interface Digits {
  readonly kind: 'digits';
  readonly x: Operand;
}

/** The tokens of all strings of a vector, one after the other: a ragged tensor's values. */
export interface Tokens {
  readonly kind: 'tokens';
  readonly texts: Texts;
  readonly tokenizer: Tokenizer;
}

/** A number for each string or token, by the string itself; `bool` is 0 or 1. */
export interface Numbers {
  readonly kind: 'numbers';
  readonly of: Texts | Tokens;
  readonly numbers: WordNumbers;
  readonly dtype: DType;
  readonly layer: Layer;
}

/** How tokens belong to strings: `rows` is how many strings there are, `splits` where each begins, and the last ends. */
export interface Partition {
  readonly kind: 'partition';
  readonly tokens: Tokens;
  readonly form: 'indices' | 'shape' | 'row of each' | 'rows' | 'lengths' | 'ends' | 'splits';
}

/** The code points of characters: as many as tokens, in a shape that has their number in it. */
export interface CodePoints {
  readonly kind: 'code points';
  readonly tokens: Tokens;
  readonly shape: readonly Count[];
}

/** Lengths that follow from the number of tokens. */
export interface Counts {
  readonly kind: 'counts';
  readonly tokens: Tokens;
  readonly counts: readonly Count[];
}

/** `factor` times the number of tokens, and `offset`. */
export interface Count {
  readonly factor: number;
  readonly offset: number;
}

/** From 0 to the number of tokens, that included: where each begins, and the last ends. */
export interface Steps {
  readonly kind: 'steps';
  readonly tokens: Tokens;
}

/** A part of the sparse tensor that a crossing of features is. */
export interface Crossing {
  readonly kind: 'crossing';
  readonly part: 'indices' | 'values' | 'shape';
  readonly features: readonly (Texts | Operand)[];
  readonly buckets: number;
  readonly key: string;
}

export type TextValue =
  | CodePoints
  | Counts
  | Crossing
  | Digits
  | Numbers
  | Partition
  | Steps
  | Strings
  | Table
  | Texts
  | Tokens;

/** A node that reads text, or what comes of it. `node.inputs` has a stand-in for each such input. */
export interface TextNode {
  readonly definition: NodeDef;
  readonly node: ReadableNode;
  readonly inputs: readonly TextResult[];
  readonly layer: Layer;
}

export type TextResult = Operand | TextValue;

export type TextLowering = (text: TextNode) => TextResult | readonly TextResult[] | undefined;

/** The strings of an input of a model. */
export function textsOf(source: Input): Texts {
  return { kind: 'texts', source, shape: source.type.shape, isLower: false, removed: '' };
}

const kinds: { readonly [K in TextValue['kind']]: true } = {
  'code points': true,
  counts: true,
  crossing: true,
  digits: true,
  numbers: true,
  partition: true,
  steps: true,
  strings: true,
  table: true,
  texts: true,
  tokens: true,
};

export function isText(value: { readonly kind: string }): value is TextValue {
  return Object.hasOwn(kinds, value.kind);
}
