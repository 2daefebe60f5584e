/** The ops of ragged tensors of words: which tokens belong to which string is known without a look at one. */

import { Refusal } from '../../errors.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import type { Tokenizer } from '../../ops/text-vectorization.ts';
import { isOperand } from './imported.ts';
import type {
  Count,
  Counts,
  Partition,
  TextLowering,
  TextNode,
  TextResult,
  Texts,
  TextValue,
  Tokens,
} from './text.ts';
import { inType, vectorized } from './text-nodes.ts';

export const raggedTextTensorflow: Readonly<Record<string, TextLowering>> = {
  StringSplitV2: ({ node, inputs: [x, separator] }) => {
    if (x?.kind !== 'texts') return undefined;
    const isAtSpace =
      separator?.kind === 'strings' && separator.tensor.data.every(({ length }) => length === 0);
    if (!isAtSpace || node.number('maxsplit', -1) !== -1) {
      throw new Refusal('text that is split elsewhere than at white space is not supported');
    }
    const tokens = tokensOf(x, 'words');
    return [partition(tokens, 'indices'), tokens, partition(tokens, 'shape')];
  },
  UnicodeDecode: ({ node, inputs: [x] }) => {
    if (x?.kind !== 'texts') return undefined;
    node.text('errors', 'replace');
    node.number('replacement_char', 65533);
    const isPlain =
      node.text('input_encoding', '') === 'UTF-8' && !node.flag('replace_control_characters', false);
    if (!isPlain) throw new Refusal('characters of another encoding than UTF-8 are not supported');
    const tokens = tokensOf(x, 'characters');
    return [partition(tokens, 'splits'), { kind: 'code points', tokens, shape: [every] }];
  },
  UnicodeEncode: ({ node, inputs: [points, splits] }) => {
    const isPlain =
      node.text('output_encoding', '') === 'UTF-8' &&
      points?.kind === 'code points' &&
      splits?.kind === 'steps' &&
      splits.tokens === points.tokens &&
      points.shape.length === 1;
    node.text('errors', 'replace');
    node.number('replacement_char', 65533);
    return isPlain ? points.tokens : undefined;
  },
  StringNGrams: ({ node, inputs: [tokens, splits] }) => {
    if (tokens?.kind !== 'tokens' || !isOf(splits, tokens, 'splits')) return undefined;
    node.text('left_pad', '');
    node.text('right_pad', '');
    const isPlain =
      node.text('separator', '') === ' ' &&
      node.number('pad_width', 0) === 0 &&
      !node.flag('preserve_short_sequences', false) &&
      tokens.tokenizer.ngrams.join() === '1';
    if (!isPlain)
      throw new Refusal('n-grams with padding, or with another separator than a space, are not supported');
    const joined = { ...tokens, tokenizer: { ...tokens.tokenizer, ngrams: node.list('ngram_widths') } };
    return [joined, partition(joined, 'splits')];
  },

  Cast: ({ node, inputs: [x] }) => {
    if (x?.kind !== 'partition') return undefined;
    node.flag('Truncate', false);
    return x;
  },
  StridedSlice: (text) => {
    const { node, inputs } = text;
    const [x] = inputs;
    if (x?.kind === 'counts') return slicedCounts(x, text);
    if (x?.kind !== 'partition') return undefined;
    const masks = [...['begin_mask', 'end_mask', 'ellipsis_mask', 'new_axis_mask', 'shrink_axis_mask']].map(
      (name) => node.number(name, 0),
    );
    const slice = JSON.stringify([node.integers(1), node.integers(2), node.integers(3), masks]);
    if (x.form === 'indices' && slice === '[[0,0],[0,1],[1,1],[1,1,0,0,2]]')
      return partition(x.tokens, 'row of each');
    if (x.form === 'shape' && slice === '[[0],[1],[1],[0,0,0,0,1]]') return partition(x.tokens, 'rows');
    return undefined;
  },
  Reshape: ({ node, inputs: [x, shape] }) => {
    if (x?.kind === 'partition' && x.form === 'row of each' && `${node.integers(1)}` === '-1') return x;
    if (x?.kind !== 'code points') return undefined;
    const counts = shape && countsOf(shape, x.tokens);
    return counts && sizeOf(counts) === sizeOf(x.shape) ? { ...x, shape: counts } : undefined;
  },
  DenseBincount: ({ node, inputs: [rows, count, weights] }) => {
    const isLengths =
      rows?.kind === 'partition' &&
      rows.form === 'row of each' &&
      isOf(count, rows.tokens, 'rows') &&
      isEmpty(weights) &&
      !node.flag('binary_output', false);
    return isLengths ? partition(rows.tokens, 'lengths') : undefined;
  },
  Cumsum: ({ node, inputs: [lengths] }) => {
    const isPlain = !node.flag('exclusive', false) && !node.flag('reverse', false);
    return lengths?.kind === 'partition' && lengths.form === 'lengths' && isPlain
      ? partition(lengths.tokens, 'ends')
      : undefined;
  },
  ConcatV2: ({ inputs }) => {
    const [first, second] = inputs;
    const isSplits =
      inputs.length === 3 &&
      second?.kind === 'partition' &&
      second.form === 'ends' &&
      first?.kind === 'constant' &&
      first.tensor.shape.length === 1 &&
      Array.from(first.tensor.data, Number).join() === '0';
    return isSplits ? partition(second.tokens, 'splits') : joinedCounts(inputs.slice(0, -1));
  },

  RaggedTensorToTensor: ({ node, inputs: [, values, , ...partitions] }) => {
    if (values?.kind !== 'numbers' || values.of.kind !== 'tokens') return undefined;
    const { of: tokens } = values;
    const names = node.texts('row_partition_types');
    node.number('num_row_partition_tensors', 0);
    const isKnown =
      names.join() === 'ROW_SPLITS'
        ? isOf(partitions[0], tokens, 'splits')
        : names.join() === 'FIRST_DIM_SIZE,VALUE_ROWIDS' &&
          isOf(partitions[0], tokens, 'rows') &&
          isOf(partitions[1], tokens, 'row of each');
    if (!isKnown) return undefined;
    const [rows, length] = node.integers(0);
    if (rows !== -1 || length === undefined || length < 1) {
      throw new Refusal(
        'it makes as many numbers as the longest text of a batch has words; give the layer an output_sequence_length',
      );
    }
    if (Number(node.constant(2).data[0]) !== 0)
      throw new Refusal('text that is filled up with other numbers than 0');
    return inType(
      node,
      vectorized(node, tokens, values.numbers, { output: 'sequence', length }),
      values.dtype,
    );
  },
  RaggedBincount: ({ node, inputs: [splits, values, , weights] }) => {
    if (values?.kind !== 'numbers' || values.of.kind !== 'tokens' || !isOf(splits, values.of, 'splits'))
      return undefined;
    if (!isEmpty(weights)) throw new Refusal('counts with weights are not supported');
    const output = node.flag('binary_output', false) ? 'multi_hot' : 'counts';
    const length = node.integers(2)[0]!;
    const counts = vectorized(node, values.of, values.numbers, { output, length });
    return inType(node, counts, weights.type.dtype);
  },

  ExpandDims: ({ node, inputs: [x] }) => {
    const isColumn = x?.kind === 'code points' && x.shape.length === 1 && `${node.integers(1)}` === '1';
    return isColumn ? { ...x, shape: [...x.shape, fixed(1)] } : undefined;
  },
  Shape: ({ node, inputs: [x] }) => {
    if (x?.kind !== 'code points') return undefined;
    node.dtype('out_type');
    return { kind: 'counts', tokens: x.tokens, counts: x.shape };
  },
  Pack: ({ node, inputs }) => {
    node.number('axis', 0);
    return joinedCounts(inputs);
  },
  Mul: ({ inputs: [x, y] }) => {
    if (x?.kind === 'steps') return y && isOperand(y) && isOne(y) ? x : undefined;
    return arithmetic(x, y, (a, b) =>
      a.factor === 0 || b.factor === 0
        ? { factor: a.factor * b.offset + b.factor * a.offset, offset: a.offset * b.offset }
        : undefined,
    );
  },
  AddV2: ({ inputs: [x, y] }) =>
    arithmetic(x, y, (a, b) => ({ factor: a.factor + b.factor, offset: a.offset + b.offset })),
  Range: ({ inputs: [start, limit, step] }) => {
    if (limit?.kind !== 'counts' || !start || !step || !isOperand(start) || !isOperand(step))
      return undefined;
    const isWhole = sizeOf(limit.counts) === '1,1' && isOne(step) && isConstant(start, 0);
    return isWhole ? { kind: 'steps', tokens: limit.tokens } : undefined;
  },
};

function tokensOf(texts: Texts, split: Tokenizer['split']): Tokens {
  if (texts.shape.length !== 1)
    throw new Refusal('text is split into words for one string of each sample only');
  const { isLower, removed } = texts;
  return { kind: 'tokens', texts, tokenizer: { isLower, removed, split, ngrams: [1] } };
}

function partition(tokens: Tokens, form: Partition['form']): Partition {
  return { kind: 'partition', tokens, form };
}

/** Whether a value says in this form how the tokens belong to strings. */
function isOf(value: TextResult | undefined, tokens: Tokens, form: Partition['form']): boolean {
  return value?.kind === 'partition' && value.tokens === tokens && value.form === form;
}

function isEmpty(weights: TextResult | undefined): weights is Operand {
  return weights !== undefined && isOperand(weights) && `${weights.type.shape}` === '0';
}

const every: Count = { factor: 1, offset: 0 };

function fixed(offset: number): Count {
  return { factor: 0, offset };
}

function isConstant(value: TextResult, number: number): boolean {
  return (
    value.kind === 'constant' && value.tensor.data.length === 1 && Number(value.tensor.data[0]) === number
  );
}

function isOne(value: TextResult): boolean {
  return isConstant(value, 1);
}

/** The lengths that a value holds. */
function countsOf(value: TextResult, tokens: Tokens): readonly Count[] | undefined {
  if (value.kind === 'counts') return value.tokens === tokens ? value.counts : undefined;
  return value.kind === 'constant' ? Array.from(value.tensor.data, Number).map(fixed) : undefined;
}

/** How many elements a shape has, if it is a multiple of one length: `1,0` is one for each token. */
function sizeOf(shape: readonly Count[]): string {
  let size: Count = fixed(1);
  for (const { factor, offset } of shape) {
    if (size.factor !== 0 && factor !== 0) return 'unknown';
    size = { factor: size.factor * offset + factor * size.offset, offset: size.offset * offset };
  }
  return `${size.factor},${size.offset}`;
}

function tokensOfCounts(values: readonly (TextResult | undefined)[]): Tokens | undefined {
  return values.find((x): x is Counts => x?.kind === 'counts')?.tokens;
}

function joinedCounts(values: readonly TextResult[]): TextValue | undefined {
  const tokens = tokensOfCounts(values);
  if (!tokens) return undefined;
  const counts = values.map((x) => countsOf(x, tokens));
  return counts.every((x) => x !== undefined) ? { kind: 'counts', tokens, counts: counts.flat() } : undefined;
}

/** Of one length each. */
function arithmetic(
  x: TextResult | undefined,
  y: TextResult | undefined,
  combine: (a: Count, b: Count) => Count | undefined,
): TextValue | undefined {
  const tokens = tokensOfCounts([x, y]);
  const [a, b] = [x, y].map((value) => (value && tokens ? countsOf(value, tokens) : undefined));
  const result = a?.length === 1 && b?.length === 1 ? combine(a[0]!, b[0]!) : undefined;
  return tokens && result ? { kind: 'counts', tokens, counts: [result] } : undefined;
}

/** One length of several, or those from a place to the end. */
function slicedCounts({ tokens, counts }: Counts, { node }: TextNode): TextValue | undefined {
  const [begin, end, step] = [1, 2, 3].map((i) => node.integers(i)[0]!) as [number, number, number];
  const isPlain =
    step === 1 &&
    node.number('begin_mask', 0) === 0 &&
    node.number('ellipsis_mask', 0) === 0 &&
    node.number('new_axis_mask', 0) === 0;
  const isOpen = node.number('end_mask', 0) === 1;
  node.number('shrink_axis_mask', 0);
  if (!isPlain || begin < 0 || (!isOpen && end < begin)) return undefined;
  return { kind: 'counts', tokens, counts: counts.slice(begin, isOpen ? undefined : end) };
}
