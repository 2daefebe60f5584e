/** The attention layers of Keras, as the products, formulas and softmax that they are. */

import { Refusal } from '../errors.ts';
import type { Constant } from '../ir/graph.ts';
import { type Dim, tensor } from '../ir/types.ts';
import { compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import type { KerasArgument, KerasLayer, KerasLayers, KerasOutputs } from './keras.ts';
import { reshaped } from './reshape.ts';
import { softmaxOver } from './softmax.ts';
import { constantOf, type Operand } from './tensorflow.ts';

/** What attends, what it is given, and by what it chooses; each with its mask. */
interface Attended {
  readonly query: Tensor;
  readonly value: Tensor;
  readonly key: Tensor | undefined;
}

interface Tensor {
  readonly operand: Operand;
  readonly mask: Operand | undefined;
}

/** The query and the value are a list, and so are their masks. */
function attention(
  layer: KerasLayer,
  scoresOf: (query: Operand, key: Operand) => Operand,
  isCausalLayer: boolean,
): KerasOutputs {
  layer.ignore('dropout');
  const [query, value] = [layer.input(0), layer.input(1)];
  const key = layer.inputs.length > 2 ? layer.input(2) : value;
  const [queryMask, valueMask] = [layer.mask(0), layer.mask(1)];
  const scores = scoresOf(query, key);
  const isCausal = isCausalLayer || flagOf(layer, 'use_causal_mask');
  const given = valueMask && layer.tensorflow('ExpandDims', [valueMask, -2]);
  const causal = isCausal ? causalMask(scores.type.shape.at(-2)!, scores.type.shape.at(-1)!) : undefined;
  const mask = allOf(layer, [given, causal]);
  const { dtype } = scores.type;
  const masked = mask
    ? compute(
        layer,
        [scores, mask],
        call(
          'select',
          input(1, 'bool'),
          input(0, dtype),
          call('subtract', input(0, dtype), number(1e9, dtype)),
        ),
      )
    : scores;
  const weights = softmaxOver(layer, masked, [-1]);
  const attended = layer.tensorflow('BatchMatMulV2', [weights, value]);
  const y = queryMask ? where(layer, layer.tensorflow('ExpandDims', [queryMask, -1]), attended, 0) : attended;
  const all = flagOf(layer, 'return_attention_scores') ? [y, weights] : [y];
  return { outputs: all, masks: [queryMask] };
}

/** Whether an argument of the call is true. */
function flagOf(layer: KerasLayer, name: string): boolean {
  const argument = layer.argument(name, Number.POSITIVE_INFINITY);
  if (argument === undefined) return false;
  if (argument.kind === 'value' && typeof argument.value === 'boolean') return argument.value;
  throw new Refusal(`its argument "${name}" is neither true nor false`);
}

/** A step attends to itself and to those before it. */
function causalMask(steps: Dim, keys: Dim): Constant {
  return bandMask(steps, keys, (step, key) => key <= step);
}

function bandMask(steps: Dim, keys: Dim, isSeen: (step: number, key: number) => boolean): Constant {
  if (typeof steps !== 'number' || typeof keys !== 'number') throw new Refusal('attention over the batch');
  const cells = Array.from({ length: steps * keys }, (_, i) =>
    Number(isSeen(Math.floor(i / keys), i % keys)),
  );
  return constantOf(tensor('bool', [1, steps, keys], cells));
}

/** What all of the masks let through. */
function allOf(layer: KerasLayer, masks: readonly (Operand | undefined)[]): Operand | undefined {
  const [first, ...others] = masks.filter((mask) => mask !== undefined);
  return others.reduce((all, mask) => layer.tensorflow('LogicalAnd', [all!, mask]), first);
}

function where(layer: KerasLayer, mask: Operand, x: Operand, otherwise: number): Operand {
  const { dtype } = x.type;
  return compute(
    layer,
    [x, mask],
    call('select', input(1, 'bool'), input(0, dtype), number(otherwise, dtype)),
  );
}

function dotScores(layer: KerasLayer): (query: Operand, key: Operand) => Operand {
  const [usesScale, mode] = [layer.flag('use_scale', false), layer.text('score_mode', 'dot')];
  if (mode !== 'dot' && mode !== 'concat') throw new Refusal(`the score mode ${mode} is not known`);
  const names = [...(usesScale ? ['scale'] : []), ...(mode === 'concat' ? ['concat_score_weight'] : [])];
  const { scale, concat_score_weight: weight } = layer.weights(...names);
  return (query, key) => {
    if (mode === 'dot') {
      const scores = layer.tensorflow('BatchMatMulV2', [query, key], { adj_y: true });
      return scale ? layer.tensorflow('Mul', [scores, scale]) : scores;
    }
    const sums = addedPairs(layer, query, key);
    const scaled = scale ? layer.tensorflow('Mul', [sums, scale]) : sums;
    return layer.tensorflow('Mul', [
      layer.tensorflow('Sum', [layer.tensorflow('Tanh', [scaled]), [-1]]),
      weight!,
    ]);
  };
}

/** (…, steps, dim) and (…, keys, dim) → (…, steps, keys, dim) */
function addedPairs(layer: KerasLayer, query: Operand, key: Operand): Operand {
  return layer.tensorflow('AddV2', [
    layer.tensorflow('ExpandDims', [query, -2]),
    layer.tensorflow('ExpandDims', [key, -3]),
  ]);
}

function additiveScores(layer: KerasLayer): (query: Operand, key: Operand) => Operand {
  const scale = layer.flag('use_scale', true) ? layer.weights('scale').scale : undefined;
  return (query, key) => {
    const tanh = layer.tensorflow('Tanh', [addedPairs(layer, query, key)]);
    return layer.tensorflow('Sum', [scale ? layer.tensorflow('Mul', [tanh, scale]) : tanh, [-1]]);
  };
}

/** The tensors that a layer with heads is called with. */
function attended(layer: KerasLayer): Attended {
  const given = (name: string, place: number): Tensor | undefined => {
    const argument = layer.argument(name, place);
    if (argument && argument.kind !== 'tensor') throw new Refusal(`its argument "${name}" is no tensor`);
    return argument;
  };
  const maskOf = (name: string, own: Operand | undefined) =>
    tensorOf(layer.argument(`${name}_mask`, -1)) ?? own;
  const value =
    given('value', 1) ??
    (layer.inputs.length > 1 ? { operand: layer.input(1), mask: layer.mask(1) } : undefined);
  if (!value) throw new Refusal('it is called without a value');
  const key =
    given('key', 2) ??
    (layer.inputs.length > 2 ? { operand: layer.input(2), mask: layer.mask(2) } : undefined);
  return {
    query: { operand: layer.input(0), mask: maskOf('query', layer.mask(0)) },
    value: { operand: value.operand, mask: maskOf('value', value.mask) },
    key: key && { operand: key.operand, mask: maskOf('key', key.mask) },
  };
}

function tensorOf(argument: KerasArgument | undefined): Operand | undefined {
  return argument?.kind === 'tensor' ? argument.operand : undefined;
}

/** Which key each step sees: (batch, steps, keys) or what broadcasts to it. */
function attentionMask(layer: KerasLayer, { query, value, key }: Attended): Operand | undefined {
  const given = tensorOf(layer.argument('attention_mask', 6));
  const asBool = (mask: Operand) =>
    mask.type.dtype === 'bool' ? mask : layer.tensorflow('Cast', [mask], { DstT: { dtype: 'bool' } });
  const rows = query.mask && layer.tensorflow('ExpandDims', [asBool(query.mask), -1]);
  const columns = [value.mask, key?.mask].map(
    (mask) => mask && layer.tensorflow('ExpandDims', [asBool(mask), -2]),
  );
  const [steps, keys] = [query.operand.type.shape[1]!, value.operand.type.shape[1]!];
  const causal = flagOf(layer, 'use_causal_mask') ? causalMask(steps, keys) : undefined;
  const width = layer.value('sliding_window') === undefined ? undefined : layer.number('sliding_window');
  const near =
    width === undefined ? undefined : bandMask(steps, keys, (step, at) => Math.abs(step - at) < width);
  return allOf(layer, [given && asBool(given), rows, ...columns, causal, near]);
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz';

/** `x` projected by the kernel, which sums over its first axes: (…, features) → (…, heads, size). */
function projected(
  layer: KerasLayer,
  x: Operand,
  place: { readonly attribute: string; readonly name: string },
  summed: number,
): Operand {
  const hasBias = layer.flag('use_bias', true);
  const part = layer.part(place);
  const weights = part.weights('kernel', ...(hasBias ? ['bias'] : []));
  const rank = x.type.shape.length;
  const kernelRank = weights.kernel!.type.shape.length;
  const from = LETTERS.slice(0, rank);
  const to = LETTERS.slice(rank, rank + kernelRank - summed);
  const kernel = from.slice(rank - summed) + to;
  const equation = `${from},${kernel}->${from.slice(0, rank - summed)}${to}`;
  const y = part.tensorflow('Einsum', [x, weights.kernel!], { equation });
  return weights.bias ? part.tensorflow('AddV2', [y, weights.bias]) : y;
}

const places = {
  query: { attribute: 'query_dense', name: 'query' },
  key: { attribute: 'key_dense', name: 'key' },
  value: { attribute: 'value_dense', name: 'value' },
  gate: { attribute: 'gate_dense', name: 'gate' },
  output: { attribute: 'output_dense', name: 'attention_output' },
} as const;

/** The equations of `_build_attention_equation` in keras/src/layers/attention/multi_head_attention.py. */
function equationsFor(
  rank: number,
  axes: readonly number[],
): { readonly dot: string; readonly combine: string } {
  const target = LETTERS.slice(0, rank);
  const isOuter = (i: number) => !axes.includes(i) && i !== rank - 1;
  let next = rank;
  const source = [...target].map((letter, i) => (axes.includes(i) ? LETTERS[next++]! : letter)).join('');
  const pick = (from: string, which: (i: number) => boolean) => [...from].filter((_, i) => which(i)).join('');
  const product =
    pick(target, isOuter) + pick(target, (i) => axes.includes(i)) + pick(source, (i) => axes.includes(i));
  return { dot: `${target},${source}->${product}`, combine: `${product},${source}->${target}` };
}

/** Every head attends by itself. */
function multiHead(layer: KerasLayer, headSize: number, repeats: number): KerasOutputs {
  layer.ignore('key_dim', 'value_dim', 'num_heads', 'output_shape', 'flash_attention');
  layer.ignore(
    'query_shape',
    'key_shape',
    'value_shape',
    'head_dim',
    'num_query_heads',
    'num_key_value_heads',
  );
  const hasDropout = layer.number('dropout', 0) > 0;
  const parts = attended(layer);
  const mask = attentionMask(layer, parts);
  const gate = layer.flag('use_gate', false)
    ? layer.tensorflow('Sigmoid', [projected(layer, parts.query.operand, places.gate, 1)])
    : undefined;
  const query = projected(layer, parts.query.operand, places.query, 1);
  const [key, value] = (['key', 'value'] as const).map((name) => {
    const x = (parts[name] ?? parts.value).operand;
    return repeatedHeads(layer, projected(layer, x, places[name], 1), repeats);
  }) as [Operand, Operand];

  const rank = query.type.shape.length;
  const given = layer.value('attention_axes');
  const axes =
    given === undefined ? Array.from({ length: rank - 3 }, (_, i) => i + 1) : layer.list('attention_axes');
  const equations = equationsFor(
    rank,
    axes.map((axis) => (axis < 0 ? axis + rank - 1 : axis)),
  );
  const { dtype } = query.type;
  const scale = constantOf(tensor(dtype, [], [1 / Math.sqrt(headSize)]));
  const returnsScores = flagOf(layer, 'return_attention_scores');
  // Keras 3 computes by another function then, which differs where a step sees no key at all.
  const isFused = layer.keras >= 3 && !hasDropout && !returnsScores && rank === 4;
  const product = (x: Operand) => layer.tensorflow('Einsum', [x, key], { equation: equations.dot });
  const scores = isFused
    ? layer.tensorflow('Mul', [product(query), scale])
    : product(layer.tensorflow('Mul', [query, scale]));
  const wide = mask && withHeads(layer, mask, scores.type.shape.length, axes.length);
  const all = axes.map((_, i) => i - axes.length);
  const weights = isFused
    ? softmaxOver(layer, wide ? where(layer, wide, scores, LEAST) : scores, all)
    : softmaxOver(layer.part({ attribute: 'softmax' }), scores, all, wide);
  const combined = layer.tensorflow('Einsum', [weights, value], { equation: equations.combine });
  const gated = gate ? layer.tensorflow('Mul', [combined, gate]) : combined;
  const y = projected(layer, gated, places.output, 2);
  return { outputs: returnsScores ? [y, weights] : [y], masks: [parts.query.mask] };
}

/** (batch, …, steps, keys) → (batch, 1, …, steps, keys), of as many axes as the scores. */
function withHeads(layer: KerasLayer, mask: Operand, rank: number, axes: number): Operand {
  const { shape } = mask.type;
  const place = shape.length - 2 * axes;
  const missing = Array<number>(rank - shape.length).fill(1);
  return reshaped(layer, mask, shape.toSpliced(Math.max(place, 0), 0, ...missing));
}

/** Each head as often as queries share it. */
function repeatedHeads(layer: KerasLayer, x: Operand, repeats: number): Operand {
  if (repeats === 1) return x;
  const [batch, steps, heads, size] = x.type.shape;
  const apart = reshaped(layer, x, [batch!, steps!, heads!, 1, size!]);
  const all = layer.tensorflow('Tile', [apart, [1, 1, 1, repeats, 1]]);
  return reshaped(layer, all, [batch!, steps!, Number(heads) * repeats, size!]);
}

function groupedQuery(layer: KerasLayer): KerasOutputs {
  const groups = layer.number('num_query_heads') / layer.number('num_key_value_heads');
  if (!Number.isInteger(groups))
    throw new Refusal('its heads for queries do not share those for keys evenly');
  return multiHead(layer, layer.number('head_dim'), groups);
}

/** Keras's function for queries, keys and values as (batch, steps, heads, size). */
export function dotProductAttention(
  layer: KerasLayer,
  query: Operand,
  key: Operand,
  value: Operand,
  options: { readonly mask: Operand | undefined; readonly isCausal: boolean; readonly scale: number },
): Operand {
  const { dtype } = query.type;
  const products = layer.tensorflow('Einsum', [query, key], { equation: 'BTNH,BSNH->BNTS' });
  const scores = layer.tensorflow('Mul', [products, constantOf(tensor(dtype, [], [options.scale]))]);
  const [steps, keys] = scores.type.shape.slice(-2);
  const mask = allOf(layer, [options.mask, options.isCausal ? causalMask(steps!, keys!) : undefined]);
  const seen = mask ? where(layer, mask, scores, LEAST) : scores;
  return layer.tensorflow('Einsum', [softmaxOver(layer, seen, [-1]), value], { equation: 'BNTS,BSNH->BTNH' });
}

/** What Keras has scores be that do not count. */
const LEAST = -0.7 * 3.38953e38;

export const attentionKeras: KerasLayers = {
  AdditiveAttention: (layer) => attention(layer, additiveScores(layer), layer.flag('causal', false)),
  Attention: (layer) => attention(layer, dotScores(layer), layer.flag('causal', false)),
  GroupQueryAttention: groupedQuery,
  GroupedQueryAttention: groupedQuery,
  MultiHeadAttention: (layer) => multiHead(layer, layer.number('key_dim'), 1),
};
