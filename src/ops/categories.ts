/** The layers of Keras that make categories of numbers and strings, and what they make of the numbers of those. */

import { isList, printJson } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import { type DType, tensor } from '../ir/types.ts';
import { bincount } from './bincount.ts';
import { bucketize } from './bucketize.ts';
import { compute } from './elementwise.ts';
import { call, cast, input, number } from './expression.ts';
import { type Bucketing, hash } from './hash.ts';
import { hashedCrossing } from './hashed-crossing.ts';
import type { KerasLayer, KerasLayers } from './keras.ts';
import { reshaped } from './reshape.ts';
import { stringLookup } from './string-lookup.ts';
import { constantOf, type Operand } from './tensorflow.ts';
import { type UnknownWord, vocabularyWeights, wordOf } from './vocabulary.ts';

export const categoriesKeras: KerasLayers = {
  CategoryEncoding: categoryEncoding,
  Discretization: discretization,
  HashedCrossing: crossing,
  Hashing: hashing,
};

/** What Keras makes of numbers of categories. */
interface Encoding {
  readonly mode: string;
  readonly depth: number;
  readonly dtype: DType;
}

/** As `encode_categorical_inputs` of both versions of Keras. */
export function encoded(layer: KerasLayer, x: Operand, { mode, depth, dtype }: Encoding): Operand {
  switch (mode) {
    case 'int':
      return inType(layer, x, dtype);
    case 'multi_hot':
    case 'count': {
      if (x.type.shape.length === 1) throw new Refusal('counts of all samples together mix the samples');
      return layer.add(bincount, { x }, { depth, isBinary: mode === 'multi_hot', dtype }, {});
    }
    case 'one_hot': {
      const { shape } = x.type;
      const rows = shape.length > 1 && shape.at(-1) === 1 ? reshaped(layer, x, shape.slice(0, -1)) : x;
      const places = layer.tensorflow(
        'OneHot',
        [rows, depth, constantOf(tensor(dtype, [], [1])), constantOf(tensor(dtype, [], [0]))],
        { axis: -1 },
      );
      return inType(layer, places, dtype);
    }
    default:
      throw new Refusal(`the output_mode "${mode}" is not supported`);
  }
}

export function inType(layer: KerasLayer, x: Operand, dtype: DType): Operand {
  return x.type.dtype === dtype ? x : compute(layer, [x], cast(input(0, x.type.dtype), dtype));
}

export function refuseSparse(layer: KerasLayer): void {
  if (layer.flag('sparse', false)) throw new Refusal('sparse results are not supported');
}

/** By SipHash, if there is a salt: one number or two. */
export function bucketing(layer: KerasLayer, buckets: number): Bucketing {
  const salt = layer.value('salt');
  if (salt === undefined) return { buckets };
  const numbers = typeof salt === 'number' ? [salt, salt] : isList(salt) ? salt : [];
  const [first, second] = numbers.map((item) => {
    if (!Number.isSafeInteger(item)) throw new Refusal(`the salt ${printJson(salt)} is not supported`);
    return `${item}`;
  });
  if (first === undefined || second === undefined) throw new Refusal(`the salt ${printJson(salt)}`);
  return { buckets, key: [first, second] };
}

function hashing(layer: KerasLayer): Operand {
  refuseSparse(layer);
  const bins = layer.number('num_bins');
  const mask = layer.value('mask_value');
  const mode = layer.text('output_mode', 'int');
  const hasMask = mask !== undefined && bins > 1;
  const buckets = bucketing(layer, hasMask ? bins - 1 : bins);
  const x = layer.input(0);
  const depth = bins;
  const { dtype } = layer;
  if (!hasMask) return encoded(layer, layer.add(hash, { x }, buckets, {}), { mode, depth, dtype });
  if (x.type.dtype === 'text') {
    if (typeof mask !== 'string') throw new Refusal(`the mask ${printJson(mask)} of strings`);
    const numbers = new Map([[wordOf(new TextEncoder().encode(mask)), 0n]]);
    const unknown: UnknownWord = { kind: 'hash', hash: buckets, first: '1' };
    const y = layer.add(stringLookup, { x }, { unknown }, vocabularyWeights({ numbers, unknown }));
    return encoded(layer, y, { mode, depth, dtype });
  }
  if (!Number.isSafeInteger(mask)) throw new Refusal(`the mask ${printJson(mask)} of integers`);
  const hashed = layer.add(hash, { x }, buckets, {});
  const type = x.type.dtype;
  const y = compute(
    layer,
    [x, hashed],
    call(
      'select',
      call('equal', input(0, type), number(Number(mask), type)),
      number(0, 'i64'),
      call('add', input(1, 'i64'), number(1, 'i64')),
    ),
  );
  return encoded(layer, y, { mode, depth, dtype });
}

/** The key that `tf.sparse.cross_hashed` takes. */
const CROSSING_KEY = '956888297470';

function crossing(layer: KerasLayer): Operand {
  refuseSparse(layer);
  const buckets = layer.number('num_bins');
  const features = Object.fromEntries(
    layer.inputs.map((x, i) => [`x${i}` as const, x.type.dtype === 'text' ? x : inType(layer, x, 'i64')]),
  );
  const columns = layer.add(hashedCrossing, features, { buckets, key: CROSSING_KEY }, {});
  const { shape } = layer.input(0).type;
  const y = shape.length === 1 ? reshaped(layer, columns, shape) : columns;
  return encoded(layer, y, { mode: layer.text('output_mode', 'int'), depth: buckets, dtype: layer.dtype });
}

function categoryEncoding(layer: KerasLayer): Operand {
  refuseSparse(layer);
  if (layer.argument('count_weights', 1)) throw new Refusal('counts with weights are not supported');
  const depth = layer.number('num_tokens');
  const x = layer.input(0);
  const numbers = x.type.dtype === 'f32' || x.type.dtype === 'f64' ? inType(layer, x, 'i64') : x;
  return encoded(layer, numbers, { mode: layer.text('output_mode', 'multi_hot'), depth, dtype: layer.dtype });
}

function discretization(layer: KerasLayer): Operand {
  refuseSparse(layer);
  layer.ignore('num_bins', 'epsilon');
  const boundaries = layer.list('bin_boundaries');
  const y = layer.add(bucketize, { x: layer.input(0) }, { boundaries: boundaries.map(Math.fround) }, {});
  const mode = layer.text('output_mode', 'int');
  const dtype = mode === 'int' && layer.keras >= 3 ? 'i32' : layer.dtype;
  return encoded(layer, y, { mode, depth: boundaries.length + 1, dtype });
}
