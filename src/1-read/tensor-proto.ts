/** TensorProto: how a graph holds its constants, either as one run of bytes or as a list of values. */

import { refuse } from '../errors.ts';
import { elements, type Tensor } from '../ir/types.ts';
import {
  type AnyTensor,
  encodingOf,
  mostNumbers,
  mostStrings,
  type Shape,
  type StringTensor,
  type TypeName,
  tensorOfBytes,
  typeName,
} from './element-types.ts';
import {
  boolOf,
  bytesOf,
  doublesOf,
  type Field,
  fieldsOf,
  floatsOf,
  int32Of,
  int32sOf,
  int64Of,
  int64sOf,
  type Message,
} from './protobuf.ts';

/** A constant whose elements are not decoded yet: see `tensorOf`. */
export interface TensorProto {
  readonly type: TypeName;
  readonly shape: Shape;
  readonly message: Message;
}

export function readTensorProto(message: Message): TensorProto {
  let type = typeName(0);
  let shape: Shape = [];
  for (const field of fieldsOf(message)) {
    if (field.number === 1) type = typeName(int32Of(field));
    if (field.number === 2) shape = readShape(field);
  }
  return { type, shape, message };
}

/** TensorShapeProto: a length of −1 is open. */
export function readShape(message: Message): Shape {
  const shape: (number | undefined)[] = [];
  let rankIsUnknown = false;
  for (const field of fieldsOf(message)) {
    if (field.number === 2) shape.push(readLength(field));
    if (field.number === 3) rankIsUnknown = boolOf(field);
  }
  return rankIsUnknown ? 'unknown' : shape;
}

/** The elements of the constant; `where` names its node in errors. */
export function tensorOf(proto: TensorProto, where: string): AnyTensor {
  const shape = closed(proto.shape, where);
  let content: Uint8Array | undefined;
  const values: Field[] = [];
  for (const field of fieldsOf(proto.message)) {
    if (field.number === 4) content = bytesOf(field);
    if (field.number > 4) values.push(field);
  }
  if (proto.type === 'string') return stringTensor(shape, content, values, where);
  if (content !== undefined && content.length > 0) return tensorOfBytes(proto.type, shape, content, where);
  return tensorOfValues(proto.type, shape, values, where);
}

/**
 * `count` strings that lie end to end behind their lengths, which are varints; `gap` bytes lie between the two.
 * This is how both constants and checkpoints hold strings.
 */
export function stringsOfBytes(bytes: Uint8Array, count: number, gap: number, where: string): Uint8Array[] {
  if (count > bytes.length) refuse(where, `truncated or damaged: ${count} strings in ${bytes.length} bytes`);
  const lengths: number[] = [];
  let at = 0;
  while (lengths.length < count) {
    let length = 0;
    let scale = 1;
    let byte: number;
    do {
      byte =
        bytes[at++] ?? refuse(where, 'truncated or damaged: the lengths of its strings reach past its end');
      length += (byte & 127) * scale;
      scale *= 128;
    } while (byte >= 128);
    lengths.push(length);
  }
  at += gap;
  const strings = lengths.map((length) => {
    if (length > bytes.length - at) refuse(where, 'truncated or damaged: its strings reach past its end');
    at += length;
    return bytes.subarray(at - length, at);
  });
  if (at !== bytes.length) refuse(where, `damaged: its strings take ${at} bytes of ${bytes.length}`);
  return strings;
}

/** A shape that tensors can have, out of numbers in a file. */
export function closed(shape: Shape, where: string): readonly number[] {
  if (shape === 'unknown') refuse(where, 'holds a tensor of unknown rank');
  return shape.map((length) => length ?? refuse(where, `holds a tensor of shape ${printOpen(shape)}`));
}

function printOpen(shape: readonly (number | undefined)[]): string {
  return `[${shape.map((length) => length ?? '?').join(', ')}]`;
}

function readLength(message: Message): number | undefined {
  let length = 0n;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) length = int64Of(field);
  }
  if (length === -1n) return undefined;
  if (length < 0n || length > Number.MAX_SAFE_INTEGER) {
    refuse(message.source.file, `damaged: a shape at byte ${message.start} has the length ${length}`);
  }
  return Number(length);
}

function stringTensor(
  shape: readonly number[],
  content: Uint8Array | undefined,
  values: readonly Field[],
  where: string,
): StringTensor {
  if (content !== undefined && content.length > 0) {
    return { dtype: 'string', shape, data: stringsOfBytes(content, elements(shape), 0, where) };
  }
  const listed = values.filter(({ number }) => number === 8).map(bytesOf);
  const count = elements(shape) === listed.length ? listed.length : bounded(shape, mostStrings, where);
  if (listed.length > count) tooMany(listed.length, shape, where);
  const last = listed.at(-1) ?? new Uint8Array();
  return { dtype: 'string', shape, data: Array.from({ length: count }, (_, i) => listed[i] ?? last) };
}

/** A list of values: the last one stands for all that are not listed, and no list at all for zeros. */
function tensorOfValues(
  type: TypeName,
  shape: readonly number[],
  values: readonly Field[],
  where: string,
): Tensor {
  const encoding = encodingOf(type);
  const list = valueLists.get(type);
  if (encoding === undefined || list === undefined)
    refuse(where, `holds elements of type ${type}, which is not supported`);
  const width = encoding.bytesPerElement;
  const bytes = new Uint8Array(bounded(shape, mostNumbers, where) * width);
  const view = new DataView(bytes.buffer);
  let end = 0;
  for (const field of values) {
    if (field.number !== list.field) continue;
    for (const value of list.values(field)) {
      if (end === bytes.length) tooMany(end / width + 1, shape, where);
      list.write(view, end, value);
      end += width;
    }
  }
  const last = end - width;
  for (let length = width; end > 0 && last + length < bytes.length; length *= 2) {
    bytes.copyWithin(last + length, last, last + length);
  }
  return tensorOfBytes(type, shape, bytes, where);
}

function bounded(shape: readonly number[], most: number, where: string): number {
  const count = elements(shape);
  if (count <= most) return count;
  refuse(
    where,
    `holds ${count} elements, and at most ${most} are supported; keep them in a variable instead`,
  );
}

function tooMany(count: number, shape: readonly number[], where: string): never {
  refuse(where, `damaged: lists ${count} values or more for the shape ${printOpen(shape)}`);
}

/** The field of TensorProto that lists the values of a type, and how one is written as an element of that type. */
interface ValueList {
  readonly field: number;
  values(field: Field): Iterable<number | bigint>;
  write(view: DataView, at: number, value: number | bigint): void;
}

const valueLists: ReadonlyMap<TypeName, ValueList> = new Map<TypeName, ValueList>([
  ['float', { field: 5, values: floatsOf, write: (view, at, x) => view.setFloat32(at, Number(x), true) }],
  ['double', { field: 6, values: doublesOf, write: (view, at, x) => view.setFloat64(at, Number(x), true) }],
  ['int8', { field: 7, values: int32sOf, write: (view, at, x) => view.setInt8(at, Number(x)) }],
  ['uint8', { field: 7, values: int32sOf, write: (view, at, x) => view.setUint8(at, Number(x)) }],
  ['int16', { field: 7, values: int32sOf, write: (view, at, x) => view.setInt16(at, Number(x), true) }],
  ['uint16', { field: 7, values: int32sOf, write: (view, at, x) => view.setUint16(at, Number(x), true) }],
  ['int32', { field: 7, values: int32sOf, write: (view, at, x) => view.setInt32(at, Number(x), true) }],
  ['int64', { field: 10, values: int64sOf, write: (view, at, x) => view.setBigInt64(at, BigInt(x), true) }],
  ['bool', { field: 11, values: int64sOf, write: (view, at, x) => view.setUint8(at, x ? 1 : 0) }],
  ['half', { field: 13, values: int32sOf, write: (view, at, x) => view.setUint16(at, Number(x), true) }],
  ['bfloat16', { field: 13, values: int32sOf, write: (view, at, x) => view.setUint16(at, Number(x), true) }],
  ['uint32', { field: 16, values: int32sOf, write: (view, at, x) => view.setInt32(at, Number(x), true) }],
  ['uint64', { field: 17, values: int64sOf, write: (view, at, x) => view.setBigInt64(at, BigInt(x), true) }],
]);
