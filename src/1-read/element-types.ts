/** TensorFlow's element types and shapes, and the tensors that bytes of these types stand for. */

import { refuse } from '../errors.ts';
import { type DType, elements, type Tensor, type TensorData } from '../ir/types.ts';

/** The types by number (tensorflow/core/framework/types.proto), named as TensorFlow prints them. */
const names = [
  'type_0',
  'float',
  'double',
  'int32',
  'uint8',
  'int16',
  'int8',
  'string',
  'complex64',
  'int64',
  'bool',
  'qint8',
  'quint8',
  'qint32',
  'bfloat16',
  'qint16',
  'quint16',
  'uint16',
  'complex128',
  'half',
  'resource',
  'variant',
  'uint32',
  'uint64',
  'float8_e5m2',
  'float8_e4m3fn',
] as const;

type KnownName = (typeof names)[number];

/** The name of an element type: `float`, `int64`, `float_ref`, or `type_99` when the number is not known here. */
export type TypeName = KnownName | `${KnownName}_ref` | `type_${number}`;

/** A length is undefined when it is open; `unknown` when even the rank is. */
export type Shape = readonly (number | undefined)[] | 'unknown';

/** Strings in row-major order, each as its bytes. */
export interface StringTensor {
  readonly dtype: 'string';
  readonly shape: readonly number[];
  readonly data: readonly Uint8Array[];
}

export type AnyTensor = Tensor | StringTensor;

export function typeName(number: number): TypeName {
  const name = names[number];
  if (name !== undefined) return name;
  const referred = number > 100 ? names[number - 100] : undefined;
  return referred === undefined ? `type_${number}` : `${referred}_ref`;
}

/** How many numbers a tensor may have of which the file doesn't hold each one. */
export const mostNumbers = 2 ** 26;

/** The same for strings, which take more memory. */
export const mostStrings = 2 ** 20;

/**
 * The type that tensors of a TensorFlow type are read as, or undefined when they are not read.
 * It holds every value of the TensorFlow type, save uint64 from 2^63, which is refused.
 */
export function dtypeOf(type: TypeName): DType | 'string' | undefined {
  return type === 'string' ? 'string' : encodingOf(type)?.dtype;
}

/** Integers that are read as wider ones: these wrap around where the wider ones do not. */
export const narrowIntegers: ReadonlySet<string> = new Set(['int8', 'int16', 'uint16', 'uint32', 'uint64']);

/** How the numbers of a type lie in memory. */
export interface Encoding {
  readonly dtype: DType;
  readonly bytesPerElement: number;
  /** The numbers, from little-endian bytes that start at a multiple of `bytesPerElement` in their buffer. */
  decode(buffer: ArrayBufferLike, offset: number, count: number, where: string): TensorData;
}

export function encodingOf(type: TypeName): Encoding | undefined {
  return encodings.get(type);
}

/** The tensor of a numeric type whose elements are these little-endian bytes. The bytes may be shared, not copied. */
export function tensorOfBytes(
  type: TypeName,
  shape: readonly number[],
  bytes: Uint8Array,
  where: string,
): Tensor {
  const encoding = encodingOf(type);
  if (encoding === undefined) refuse(where, `holds elements of type ${type}, which is not supported`);
  const { dtype, bytesPerElement } = encoding;
  const count = elements(shape);
  if (count * bytesPerElement !== bytes.length) {
    refuse(
      where,
      `damaged: shape [${shape.join(', ')}] of type ${type} takes ${count * bytesPerElement} bytes, but there are ${bytes.length}`,
    );
  }
  const { buffer, byteOffset } = aligned(bytes, bytesPerElement);
  return { dtype, shape, data: encoding.decode(buffer, byteOffset, count, where) };
}

/** Typed arrays may only start at multiples of their element size: the same bytes, copied when they don't. */
export function aligned(bytes: Uint8Array, bytesPerElement: number): Uint8Array {
  return bytes.byteOffset % bytesPerElement === 0 ? bytes : new Uint8Array(bytes);
}

/** The bytes of each element in the other order. */
export function reversed(bytes: Uint8Array, width: number): Uint8Array {
  const swapped = new Uint8Array(bytes.length);
  for (let at = 0; at < bytes.length; at += width) {
    for (let i = 0; i < width; i++) swapped[at + i] = bytes[at + width - 1 - i]!;
  }
  return swapped;
}

const encodings: ReadonlyMap<TypeName, Encoding> = new Map<TypeName, Encoding>([
  ['float', encoding('f32', 4, (buffer, offset, count) => new Float32Array(buffer, offset, count))],
  ['double', encoding('f64', 8, (buffer, offset, count) => new Float64Array(buffer, offset, count))],
  ['int32', encoding('i32', 4, (buffer, offset, count) => new Int32Array(buffer, offset, count))],
  ['int64', encoding('i64', 8, (buffer, offset, count) => new BigInt64Array(buffer, offset, count))],
  ['uint8', encoding('u8', 1, (buffer, offset, count) => new Uint8Array(buffer, offset, count))],
  ['bool', encoding('bool', 1, (buffer, offset, count) => booleans(new Uint8Array(buffer, offset, count)))],
  [
    'half',
    encoding('f32', 2, (buffer, offset, count) => floatsOfHalves(new Uint16Array(buffer, offset, count))),
  ],
  [
    'bfloat16',
    encoding('f32', 2, (buffer, offset, count) => floatsOfBfloat16(new Uint16Array(buffer, offset, count))),
  ],
  [
    'int8',
    encoding('i32', 1, (buffer, offset, count) => new Int32Array(new Int8Array(buffer, offset, count))),
  ],
  [
    'int16',
    encoding('i32', 2, (buffer, offset, count) => new Int32Array(new Int16Array(buffer, offset, count))),
  ],
  [
    'uint16',
    encoding('i32', 2, (buffer, offset, count) => new Int32Array(new Uint16Array(buffer, offset, count))),
  ],
  ['uint32', encoding('i64', 4, (buffer, offset, count) => widened(new Uint32Array(buffer, offset, count)))],
  ['uint64', encoding('i64', 8, signedOfUnsigned)],
]);

function encoding(dtype: DType, bytesPerElement: number, decode: Encoding['decode']): Encoding {
  return { dtype, bytesPerElement, decode };
}

/** Any byte but 0 is true. */
export function booleans(bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => (byte === 0 ? 0 : 1));
}

export function floatsOfHalves(halves: Uint16Array): Float32Array {
  return new Float32Array(halves).map(floatOfHalf);
}

/** IEEE half precision: sign, 5 bits of exponent, 10 of fraction. */
function floatOfHalf(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 0x3ff;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return exponent === 0 ? sign * fraction * 2 ** -24 : sign * (1024 + fraction) * 2 ** (exponent - 25);
}

/** bfloat16 is the upper half of a float. */
function floatsOfBfloat16(halves: Uint16Array): Float32Array {
  return new Float32Array(new Uint32Array(halves).map((half) => half << 16).buffer);
}

function widened(words: Uint32Array): BigInt64Array {
  const wide = new BigInt64Array(words.length);
  for (let i = 0; i < words.length; i++) wide[i] = BigInt(words[i]!);
  return wide;
}

function signedOfUnsigned(buffer: ArrayBufferLike, offset: number, count: number, where: string): TensorData {
  const data = new BigInt64Array(buffer, offset, count);
  if (data.some((value) => value < 0n))
    refuse(where, 'holds a uint64 of 2^63 or more, which is not supported');
  return data;
}
