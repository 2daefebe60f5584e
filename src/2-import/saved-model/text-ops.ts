/** What TensorFlow's ops make of strings, and of what comes of strings: other values of `text.ts`, or nodes. */

import { Refusal } from '../../errors.ts';
import { constant } from '../../ir/builder.ts';
import type { Layer } from '../../ir/graph.ts';
import { type DType, sameShape, tensor } from '../../ir/types.ts';
import { type Bucketing, checkBucketing, hash } from '../../ops/hash.ts';
import { hashedCrossing } from '../../ops/hashed-crossing.ts';
import { integerLookup, integerTable } from '../../ops/integer-lookup.ts';
import { reshapeTensorflow } from '../../ops/reshape.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import { combined, everyWord, type UnknownWord, type WordNumbers, wordOf } from '../../ops/vocabulary.ts';
import { FAILING_LOOK_UP } from './failing-look-ups.ts';
import { isOperand } from './imported.ts';
import type { ReadableNode } from './node.ts';
import { raggedTextTensorflow } from './ragged-text.ts';
import type { Numbers, Strings, TextLowering, TextNode, TextResult, Texts } from './text.ts';
import { inType } from './text-nodes.ts';
import { charactersOf } from './text-pattern.ts';

/** What the op makes of its inputs; undefined if it is one of numbers only. */
export const lowerText: TextLowering = (text) => {
  for (const table of [textTensorflow, raggedTextTensorflow]) {
    const { op } = text.definition;
    const lowered = Object.hasOwn(table, op) ? table[op]!(text) : undefined;
    if (lowered) return lowered;
  }
  return undefined;
};

export const textTensorflow: Readonly<Record<string, TextLowering>> = {
  AsString: ({ node }) => {
    const isPlain =
      node.number('precision', -1) === -1 &&
      node.number('width', -1) === -1 &&
      !node.flag('scientific', false) &&
      !node.flag('shortest', false) &&
      node.text('fill', '') === '';
    const x = node.input(0);
    if (!isPlain || !['i32', 'i64', 'u8'].includes(x.type.dtype)) {
      throw new Refusal('only integers as plain digits become strings');
    }
    return { kind: 'digits', x };
  },
  StringLower: ({ node, inputs: [x] }) => {
    if (node.text('encoding', '') !== '')
      throw new Refusal('letters other than a to z in lower case are not supported');
    if (x?.kind !== 'texts') return undefined;
    if (/[a-z]/i.test(x.removed))
      throw new Refusal('letters that are left out before others become lower case');
    return { ...x, isLower: true };
  },
  StaticRegexReplace: ({ node, inputs: [x] }) =>
    removed(x, node.text('pattern', ''), node.text('rewrite', ''), node),
  RegexReplace: ({ node, inputs: [x, pattern, rewrite] }) =>
    removed(x, oneString(pattern), oneString(rewrite), node),
  ExpandDims: reshapedText,
  Reshape: reshapedText,
  Squeeze: reshapedText,
  Rank: shapeOfText,
  Shape: shapeOfText,
  Size: shapeOfText,

  LookupTableFind: find(false),
  LookupTableFindV2: find(false),
  [FAILING_LOOK_UP]: find(true),
  LookupTableSizeV2: ({ inputs: [table] }) =>
    table?.kind === 'table' ? constant(tensor('i64', [], [table.content().keys.data.length])) : undefined,
  StringToHashBucketFast: (text) => hashed(text, { buckets: text.node.number('num_buckets', 0) }),
  StringToHashBucketStrong: (text) => {
    const key = text.node.bigints('key');
    if (key.length !== 2) throw new Refusal(`a hash with a key of ${key.length} numbers`);
    return hashed(text, { buckets: text.node.number('num_buckets', 0), key: [`${key[0]}`, `${key[1]}`] });
  },
  Equal: compared(1n),
  NotEqual: compared(0n),
  AddV2: added,
  Add: added,
  Select: selected,
  SelectV2: selected,
  OnesLike: ({ inputs: [x] }) => (x?.kind === 'numbers' ? { ...x, numbers: everyWord(1n) } : undefined),
  ZerosLike: ({ inputs: [x] }) => (x?.kind === 'numbers' ? { ...x, numbers: everyWord(0n) } : undefined),

  SparseCross: (text) => {
    const { node, inputs } = text;
    if (node.number('N', 0) !== 0) throw new Refusal('a crossing of sparse features is not supported');
    node.list('sparse_types');
    if (!node.flag('hashed_output', false))
      throw new Refusal('a crossing that makes strings is not supported');
    const features = inputs.map((x) => {
      if (x.kind !== 'texts' && !isOperand(x)) throw new Refusal('only inputs are crossed as they are');
      if (x.kind === 'texts' && isChanged(x))
        throw new Refusal('a crossing of text that was changed is not supported');
      return x;
    });
    const [key] = node.bigints('hash_key');
    const crossing = {
      kind: 'crossing' as const,
      features,
      buckets: node.number('num_buckets', 0),
      key: `${BigInt.asUintN(64, key ?? 0n)}`,
    };
    return (['indices', 'values', 'shape'] as const).map((part) => ({ ...crossing, part }));
  },
  SparseToDense: ({ node, inputs: [indices, shape, values] }) => {
    node.flag('validate_indices', true);
    const isCrossing =
      indices?.kind === 'crossing' &&
      shape?.kind === 'crossing' &&
      values?.kind === 'crossing' &&
      [indices.part, shape.part, values.part].join() === 'indices,shape,values' &&
      indices.features === shape.features &&
      indices.features === values.features;
    if (!isCrossing || Number(node.constant(3).data[0]) !== 0) return undefined;
    const { features, buckets, key } = values;
    const inputs = Object.fromEntries(
      features.map((x, i) => [`x${i}` as const, x.kind === 'texts' ? x.source : x]),
    );
    return node.add(hashedCrossing, inputs, { buckets, key }, {});
  },
};

function isChanged({ isLower, removed }: Texts): boolean {
  return isLower || removed !== '';
}

function removed(
  x: TextResult | undefined,
  pattern: string,
  rewrite: string,
  node: ReadableNode,
): TextResult | undefined {
  if (x?.kind !== 'texts') return undefined;
  if (!node.flag('replace_global', true))
    throw new Refusal('a pattern that is replaced only once is not supported');
  if (rewrite !== '')
    throw new Refusal(`a pattern that is replaced by ${JSON.stringify(rewrite)} is not supported`);
  return { ...x, removed: x.removed + charactersOf(pattern) };
}

/** The text of a constant of one string. */
function oneString(value: TextResult | undefined): string {
  return Buffer.from(onlyString(value)).toString('latin1');
}

function onlyString(value: TextResult | undefined): Uint8Array {
  if (value?.kind !== 'strings' || value.tensor.data.length !== 1) {
    throw new Refusal('a string that is computed, or several, where one that is known is expected');
  }
  return value.tensor.data[0]!;
}

/** The same strings in another shape. */
function reshapedText({ definition, node, inputs: [x] }: TextNode): TextResult | undefined {
  if (x?.kind !== 'texts') return undefined;
  const shaped = reshapeTensorflow[definition.op]!(node);
  return 'type' in shaped ? { ...x, shape: shaped.type.shape } : undefined;
}

/** What is known of the shape of strings. */
function shapeOfText({ definition, node, inputs: [x] }: TextNode): TextResult | undefined {
  const isShaped = x?.kind === 'texts' || (x?.kind === 'numbers' && x.of.kind === 'texts');
  const shape = isShaped ? reshapeTensorflow[definition.op]!(node) : undefined;
  return shape && 'type' in shape ? shape : undefined;
}

/** The values of a table, and what it has for others, which stands in the third input; if it `fails`, it has none. */
function find(fails: boolean): TextLowering {
  return (text) => found(text, fails);
}

function found({ node, inputs: [table, keys], layer }: TextNode, fails: boolean): TextResult | undefined {
  if (table?.kind !== 'table' || !keys) return undefined;
  const { keys: known, values } = table.content();
  if (known.data.length !== values.data.length)
    throw new Refusal('a table of other numbers of keys and values');
  if (values.dtype === 'string') {
    throw new Refusal(
      'it makes strings, as inverted look-ups do, and in Rust a model predicts numbers; export the model without it',
    );
  }
  const otherwise = node.constant(2);
  if (!isInteger(values.dtype) || otherwise.dtype !== values.dtype) {
    throw new Refusal(`a table of ${values.dtype} is not supported, but only one of integers`);
  }
  const number = `${otherwise.data[0]}`;
  if (known.dtype === 'string') {
    const numbers = new Map(known.data.map((bytes, i) => [wordOf(bytes), BigInt(values.data[i]!)]));
    const unknown: UnknownWord = fails ? { kind: 'error' } : { kind: 'number', number };
    return numbersOf(keys, { numbers, unknown }, values.dtype, layer);
  }
  if (!isInteger(known.dtype) || !isOperand(keys)) throw new Refusal(`a table with keys of ${known.dtype}`);
  const numbers = new Map(
    Array.from(
      known.data,
      (key: number | bigint, i: number) => [BigInt(key), BigInt(values.data[i]!)] as const,
    ),
  );
  const attributes = fails ? {} : { unknown: number };
  const y = node.add(integerLookup, { x: keys }, attributes, { table: integerTable(numbers) });
  return inType(node, y, values.dtype);
}

function isInteger(dtype: DType): boolean {
  return dtype === 'i32' || dtype === 'i64';
}

function numbersOf(of: TextResult, numbers: WordNumbers, dtype: DType, layer: Layer): Numbers | undefined {
  return of.kind === 'texts' || of.kind === 'tokens'
    ? { kind: 'numbers', of, numbers, dtype, layer }
    : undefined;
}

function hashed({ node, inputs: [x], layer }: TextNode, bucketing: Bucketing): TextResult | undefined {
  checkBucketing(bucketing);
  if (x?.kind === 'digits') return node.add(hash, { x: x.x }, bucketing, {});
  const unknown: UnknownWord = { kind: 'hash', hash: bucketing, first: '0' };
  return x && numbersOf(x, { numbers: new Map(), unknown }, 'i64', layer);
}

/** Numbers of the same strings, and single numbers that are known, as functions of a string. */
function asFunctions(
  inputs: readonly TextResult[],
): { readonly of: Numbers['of']; readonly functions: readonly WordNumbers[] } | undefined {
  const first = inputs.find((x) => x.kind === 'numbers');
  if (first?.kind !== 'numbers') return undefined;
  const functions = inputs.map((x) => {
    if (x.kind === 'numbers' && x.numbers.unknown.kind === 'error') return undefined;
    if (x.kind === 'numbers' && isSame(x.of, first.of)) return x.numbers;
    if (x.kind !== 'constant' || x.tensor.data.length !== 1 || x.tensor.shape.length > 0) return undefined;
    return Number.isInteger(Number(x.tensor.data[0])) ? everyWord(BigInt(x.tensor.data[0]!)) : undefined;
  });
  const known = functions.filter((x) => x !== undefined);
  return known.length === functions.length ? { of: first.of, functions: known } : undefined;
}

function isSame(a: Numbers['of'], b: Numbers['of']): boolean {
  if (a === b) return true;
  if (a.kind !== 'texts' || b.kind !== 'texts') return false;
  return (
    a.source === b.source && sameShape(a.shape, b.shape) && a.isLower === b.isLower && a.removed === b.removed
  );
}

function dtypeOfResult(inputs: readonly TextResult[]): DType {
  const last = inputs.at(-1)!;
  return last.kind === 'numbers' ? last.dtype : isOperand(last) ? last.type.dtype : 'i64';
}

/** Equality of strings with one that is known, or of their numbers; `equal` is what equals are. */
function compared(equal: 0n | 1n): TextLowering {
  const truth = (isEqual: boolean) => (isEqual ? equal : 1n - equal);
  return ({ node, inputs, layer }) => {
    node.flag('incompatible_shape_error', true);
    const known = inputs.find((x): x is Strings => x.kind === 'strings');
    const other = inputs.find((x) => x !== known);
    if (known && other && known.tensor.data.length === 1) {
      const numbers = new Map([[wordOf(onlyString(known)), truth(true)]]);
      return numbersOf(
        other,
        { numbers, unknown: { kind: 'number', number: `${truth(false)}` } },
        'bool',
        layer,
      );
    }
    const operands = asFunctions(inputs);
    if (!operands) return undefined;
    const [x, y] = operands.functions.map(({ unknown }) => unknown);
    if (x?.kind !== 'number' || y?.kind !== 'number') return undefined;
    const unknown = { kind: 'number', number: `${truth(x.number === y.number)}` } as const;
    const numbers = combined(operands.functions, unknown, (a, b) => truth(a === b));
    return numbersOf(operands.of, numbers, 'bool', layer);
  };
}

function added({ inputs, layer }: TextNode): TextResult | undefined {
  const operands = asFunctions(inputs);
  if (!operands || inputs.length !== 2) return undefined;
  const [a, b] = operands.functions.map(({ unknown }) => unknown);
  const unknown = sum(a!, b!);
  if (!unknown || dtypeOfResult(inputs) !== 'i64') return undefined;
  return numbersOf(
    operands.of,
    combined(operands.functions, unknown, (x, y) => BigInt.asIntN(64, x + y)),
    'i64',
    layer,
  );
}

function sum(a: UnknownWord, b: UnknownWord): UnknownWord | undefined {
  if (b.kind === 'hash' && a.kind === 'number') return sum(b, a);
  if (a.kind === 'error' || b.kind !== 'number') return undefined;
  const total = (x: string, y: string) => `${BigInt.asIntN(64, BigInt(x) + BigInt(y))}`;
  return a.kind === 'hash'
    ? { ...a, first: total(a.first, b.number) }
    : { kind: 'number', number: total(a.number, b.number) };
}

/** The numbers of the second input where the first is true, of the third elsewhere. */
function selected({ inputs, layer }: TextNode): TextResult | undefined {
  const operands = asFunctions(inputs);
  if (!operands || inputs.length !== 3) return undefined;
  const [condition, yes, no] = operands.functions as [WordNumbers, WordNumbers, WordNumbers];
  if (condition.unknown.kind !== 'number') return undefined;
  const unknown = condition.unknown.number === '0' ? no.unknown : yes.unknown;
  const numbers = combined(operands.functions, unknown, (is, x, y) => (is === 0n ? y : x));
  return numbersOf(operands.of, numbers, dtypeOfResult(inputs), layer);
}

/** What an input stands for while a node's attributes are read: numbers of its shape. */
export function standIn(value: TextResult): Operand {
  if (isOperand(value)) return value;
  const shape =
    value.kind === 'texts'
      ? value.shape
      : value.kind === 'numbers' && value.of.kind === 'texts'
        ? value.of.shape
        : [];
  return { kind: 'input', name: 'text', type: { dtype: 'u8', shape } };
}
