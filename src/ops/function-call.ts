/** Functions that were called between the layers of a Keras model: their arguments, and what they have in common. */

import { isList, isObject, type Json, printJson, valueAt } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import type { Constant } from '../ir/graph.ts';
import { type DType, isFloat, tensor } from '../ir/types.ts';
import { axisOf } from './axes.ts';
import { apply, compute } from './elementwise.ts';
import { cast, input } from './expression.ts';
import type { FunctionName } from './functions.ts';
import type { KerasArgument, KerasLayer } from './keras.ts';
import { constantOf, type Operand } from './tensorflow.ts';
import { transpose } from './transpose.ts';

/** An argument of the call; a number or an array of numbers is a constant, of the type of `like` if that is wider. */
export function operandAt(layer: KerasLayer, name: string, place: number, like?: DType): Operand | undefined {
  const argument = layer.argument(name, place);
  return argument && operandOf(argument, name, like);
}

function operandOf(argument: KerasArgument, name: string, like: DType | undefined): Operand {
  switch (argument.kind) {
    case 'tensor':
      return argument.operand;
    case 'value':
      return arrayOf(argument.value, like);
    case 'list':
      throw new Refusal(`its argument "${name}" is a list of tensors, which is not supported`);
  }
}

/** The operands of a list, or the only one. */
export function operandsAt(layer: KerasLayer, name: string, place: number): readonly Operand[] {
  const argument = layer.argument(name, place);
  if (argument?.kind !== 'list') return argument ? [operandOf(argument, name, undefined)] : [];
  const like = argument.items.find((item) => item.kind === 'tensor')?.operand.type.dtype;
  return argument.items.map((item) => operandOf(item, name, like));
}

/** The value of an argument that is no tensor; undefined for None. */
export function plainValue(layer: KerasLayer, name: string, place: number): Json | undefined {
  const argument = layer.argument(name, place);
  if (argument === undefined) return undefined;
  if (argument.kind !== 'value')
    throw new Refusal(`its argument "${name}" is computed, which is not supported`);
  return argument.value;
}

/** A number, nested lists of numbers, or an array as Keras 3 writes it. */
export function arrayOf(json: Json, like?: DType): Constant {
  const config = isObject(json) && ['__numpy__', '__tensor__'].includes(`${valueAt(json, 'class_name')}`);
  const array = config ? valueAt(json, 'config') : undefined;
  const value = isObject(array) ? (valueAt(array, 'value') ?? null) : json;
  const dtype = isObject(array) ? dtypeNamed(valueAt(array, 'dtype')) : undefined;
  const shape: number[] = [];
  for (let at: Json | undefined = value; isList(at); at = at[0]) shape.push(at.length);
  const flat = (at: Json | undefined, depth: number): readonly number[] => {
    if (typeof at === 'number' && depth === shape.length) return [at];
    if (typeof at === 'boolean' && depth === shape.length) return [Number(at)];
    if (isList(at) && at.length === shape[depth]) return at.flatMap((item) => flat(item, depth + 1));
    throw new Refusal(`${printJson(json)} is no array of numbers`);
  };
  const numbers = flat(value, 0);
  const fit = (to: DType) => numbers.every((x) => Number.isInteger(x) && fits(x, to));
  const own = fit('i32') ? 'i32' : 'f32';
  // A number takes the type of what it is computed with, unless that has no room for it.
  const asLike = like !== undefined && (isFloat(like) || fit(like)) ? like : own;
  return constantOf(tensor(dtype ?? asLike, shape, numbers));
}

/** Whether a whole number is one of the type. */
function fits(x: number, dtype: DType): boolean {
  switch (dtype) {
    case 'bool':
      return x === 0 || x === 1;
    case 'u8':
      return x >= 0 && x < 2 ** 8;
    case 'i32':
      return x >= -(2 ** 31) && x < 2 ** 31;
    case 'i64':
      return Number.isSafeInteger(x);
    case 'f32':
    case 'f64':
      return true;
    case 'text':
      return false;
  }
}

/** The types that functions are told to compute with. Narrow integers wrap around where ours do not. */
const dtypes: ReadonlyMap<Json | undefined, DType> = new Map([
  ['bfloat16', 'f32'],
  ['bool', 'bool'],
  ['float16', 'f32'],
  ['float32', 'f32'],
  ['float64', 'f64'],
  ['int32', 'i32'],
  ['int64', 'i64'],
  ['uint8', 'u8'],
]);

/** The type that Keras and TensorFlow call so. */
export function dtypeNamed(name: Json | undefined): DType {
  const dtype = dtypes.get(name);
  if (!dtype) throw new Refusal(`numbers of type ${printJson(name)} are not supported`);
  return dtype;
}

/** Two operands as one type: the wider of theirs. */
export function pairAt(
  layer: KerasLayer,
  names: readonly [string, string],
  places: readonly [number, number] = [0, 1],
): readonly [Operand, Operand] {
  const tensors = names.map((name, i) => layer.argument(name, places[i]!));
  const like = tensors.find((argument) => argument?.kind === 'tensor');
  const dtype = like?.kind === 'tensor' ? like.operand.type.dtype : undefined;
  const [x, y] = names.map((name, i) => operandAt(layer, name, places[i]!, dtype));
  if (!x || !y) throw new Refusal(`it needs both "${names[0]}" and "${names[1]}"`);
  return alike(layer, x, y);
}

const widths: Readonly<Record<DType, number>> = { bool: 0, u8: 1, i32: 2, i64: 3, f32: 4, f64: 5, text: 6 };

function alike(layer: KerasLayer, x: Operand, y: Operand): readonly [Operand, Operand] {
  const wider = widths[x.type.dtype] >= widths[y.type.dtype] ? x.type.dtype : y.type.dtype;
  return [asType(layer, x, wider), asType(layer, y, wider)];
}

export function asType(layer: KerasLayer, x: Operand, dtype: DType): Operand {
  return x.type.dtype === dtype ? x : compute(layer, [x], cast(input(0, x.type.dtype), dtype));
}

/** Integers as floats, for functions that make fractions of them. */
export function asFloat(layer: KerasLayer, x: Operand): Operand {
  return isFloat(x.type.dtype) ? x : asType(layer, x, 'f32');
}

/** A function of two operands. */
export const binary =
  (name: FunctionName, names: readonly [string, string]) =>
  (layer: KerasLayer): Operand =>
    apply(layer, name, ...pairAt(layer, names));

/** An axis, a list of axes, or None for all. */
export function axesFrom(json: Json | undefined, rank: number): readonly number[] {
  if (json === undefined || json === null) return Array.from({ length: rank }, (_, i) => i);
  const list = isList(json) ? json : [json];
  return list
    .map((axis) => {
      if (typeof axis !== 'number') throw new Refusal(`the axis ${printJson(axis)}`);
      return axisOf(axis, rank);
    })
    .sort((a, b) => a - b);
}

/** A list of whole numbers, or one as a list of one. */
export function integersFrom(json: Json | undefined, name: string): readonly number[] {
  const list = isList(json) ? json : [json];
  return list.map((item) => {
    if (typeof item !== 'number' || !Number.isSafeInteger(item))
      throw new Refusal(`"${name}" is ${printJson(json)}`);
    return item;
  });
}

/** `x[1:, ..., None, 3]`, written item by item. */
export function itemsOf(layer: KerasLayer, x: Operand, spec: Json | undefined): Operand {
  const items = isList(spec) ? spec : [spec ?? null];
  const [begin, end, strides]: [number[], number[], number[]] = [[], [], []];
  const masks = { begin_mask: 0, end_mask: 0, ellipsis_mask: 0, new_axis_mask: 0, shrink_axis_mask: 0 };
  for (const [i, item] of items.entries()) {
    const bit = 1 << i;
    const range = rangeOf(item);
    begin.push(range?.start ?? (typeof item === 'number' ? item : 0));
    end.push(range?.stop ?? (typeof item === 'number' ? item + 1 : 0));
    strides.push(range?.step ?? 1);
    if (range) {
      if (range.start === undefined) masks.begin_mask |= bit;
      if (range.stop === undefined) masks.end_mask |= bit;
    } else if (item === null) masks.new_axis_mask |= bit;
    else if (typeof item === 'number') masks.shrink_axis_mask |= bit;
    else if (isObject(item) && valueAt(item, 'class_name') === '__ellipsis__') masks.ellipsis_mask |= bit;
    else throw new Refusal(`the index ${printJson(item)} is not supported`);
  }
  return layer.tensorflow('StridedSlice', [x, begin, end, strides], masks);
}

interface Range {
  readonly start: number | undefined;
  readonly stop: number | undefined;
  readonly step: number | undefined;
}

/** `{"start": 1, "stop": null, "step": null}`, which Keras 3 puts into a `__slice__`. */
function rangeOf(item: Json): Range | undefined {
  const config =
    isObject(item) && valueAt(item, 'class_name') === '__slice__' ? valueAt(item, 'config') : item;
  if (!isObject(config) || valueAt(config, 'stop') === undefined) return undefined;
  const at = (key: string) => {
    const value = valueAt(config, key) ?? undefined;
    if (value !== undefined && typeof value !== 'number') throw new Refusal(`the slice ${printJson(item)}`);
    return value;
  };
  return { start: at('start'), stop: at('stop'), step: at('step') };
}

/** The first argument. */
export function firstAt(layer: KerasLayer): Operand {
  return operandAt(layer, 'x', 0) ?? layer.input(0);
}

/** What `keras.ops` calls two operands. */
export const pair = ['x1', 'x2'] as const;

/** The operand with two of its axes in each other's place. */
export function swapped(layer: KerasLayer, operand: Operand, a: number, b: number): Operand {
  if (a === b) return operand;
  const axes = operand.type.shape.map((_, i) => (i === a ? b : i === b ? a : i));
  return layer.add(transpose, { x: operand }, { axes }, {});
}
