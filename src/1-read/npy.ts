/** numpy's .npy files: a header that is a Python dictionary, and the numbers. numpy/lib/format.py describes it. */

import { refuse } from '../errors.ts';
import { elements } from '../ir/types.ts';
import { type AnyTensor, aligned, booleans, floatsOfHalves, mostStrings, reversed } from './element-types.ts';
import type { Pieces } from './pieces.ts';
import { type PythonValue, readPythonLiteral } from './python-literal.ts';

/** An array in row-major order; `dtype` is numpy's name without the byte order. `f2` is widened, `b1` is 0 or 1. */
export type NpyArray = NpyData & { readonly shape: readonly number[] };

export type NpyData =
  | { readonly dtype: 'f2' | 'f4'; readonly data: Float32Array }
  | { readonly dtype: 'f8'; readonly data: Float64Array }
  | { readonly dtype: 'i1'; readonly data: Int8Array }
  | { readonly dtype: 'i2'; readonly data: Int16Array }
  | { readonly dtype: 'i4'; readonly data: Int32Array }
  | { readonly dtype: 'i8'; readonly data: BigInt64Array }
  | { readonly dtype: 'u1' | 'b1'; readonly data: Uint8Array }
  | { readonly dtype: 'u2'; readonly data: Uint16Array }
  | { readonly dtype: 'u4'; readonly data: Uint32Array }
  | { readonly dtype: 'u8'; readonly data: BigUint64Array }
  /** Strings without the zeros that fill them up; those of `U` in UTF-8. */
  | { readonly dtype: 'S' | 'U'; readonly data: readonly Uint8Array[] };

/** Decodes the file; `where` names the array in errors. The numbers may be shared with the bytes, not copied. */
export function readNpy(bytes: Uint8Array, where: string): NpyArray {
  const { type, isFortran, shape, start } = readHeader(bytes, where);
  const count = elements(shape);
  const content = bytes.subarray(start);
  if (count * type.width !== content.length) {
    refuse(
      where,
      `truncated or damaged: ${type.descr} of shape (${shape.join(', ')}) takes ${count * type.width} bytes, but there are ${content.length}`,
    );
  }
  if (type.width === 0 && count > mostStrings)
    refuse(where, `has ${count} empty strings, which is not supported`);
  const ordered = isFortran && shape.length > 1 ? rowMajor(content, shape, type.width) : content;
  return { ...decode(type, ordered, count, where), shape };
}

/** A .npy file of version 1.0: its header, and the numbers, which start at a multiple of 64 bytes. */
export function writeNpy(tensor: AnyTensor): Pieces {
  const { descr, bytes } = encode(tensor);
  const sizes = tensor.shape.length === 1 ? `${tensor.shape[0]},` : tensor.shape.join(', ');
  const header = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const unpadded = magic.length + 4 + header.length + 1;
  const padded = `${header}${' '.repeat((64 - (unpadded % 64)) % 64)}\n`;
  const start = Uint8Array.of(...magic, 1, 0, padded.length & 255, padded.length >> 8);
  return [start, Buffer.from(padded, 'latin1'), bytes];
}

/** `\x93NUMPY` */
const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59);

interface Header {
  readonly type: ElementType;
  readonly isFortran: boolean;
  readonly shape: readonly number[];
  /** Where the numbers start. */
  readonly start: number;
}

interface ElementType {
  readonly descr: string;
  readonly kind: NpyArray['dtype'];
  readonly isBigEndian: boolean;
  /** Bytes per element. */
  readonly width: number;
}

function readHeader(bytes: Uint8Array, where: string): Header {
  if (bytes.length < 10 || magic.some((byte, i) => bytes[i] !== byte)) {
    refuse(where, 'truncated, or no .npy file: the magic at its start is missing');
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3)
    refuse(where, `is a .npy file of version ${version}, and only 1, 2 and 3 are known`);
  const sizeBytes = version === 1 ? 2 : 4;
  const from = 8 + sizeBytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (from > bytes.length) refuse(where, 'truncated: ends in its header');
  const start = from + (version === 1 ? view.getUint16(8, true) : view.getUint32(8, true));
  if (start > bytes.length) refuse(where, 'truncated: ends in its header');
  if (start - from > longestHeader) refuse(where, `damaged: its header has ${start - from} bytes`);
  const text = Buffer.from(bytes.subarray(from, start)).toString(version === 3 ? 'utf8' : 'latin1');
  const header = readPythonLiteral(text, `${where}, header`);
  if (header.kind !== 'dict') refuse(where, 'damaged: its header is no dictionary');
  return {
    type: elementType(header.entries.get('descr'), where),
    isFortran: order(header.entries.get('fortran_order'), where),
    shape: shapeOf(header.entries.get('shape'), where),
    start,
  };
}

/** Those of plain arrays have about a hundred bytes. */
const longestHeader = 2 ** 16;

function elementType(descr: PythonValue | undefined, where: string): ElementType {
  if (descr?.kind === 'list')
    refuse(where, 'is a structured array, which is not supported; save its fields one by one');
  if (descr?.kind !== 'string') refuse(where, 'damaged: its header has no descr');
  const [, order, kind, digits] = /^([<>|=]?)([a-zA-Z])(\d*)$/.exec(descr.value) ?? [];
  if (kind === 'O') {
    refuse(
      where,
      'holds Python objects, which are never unpickled; save plain numbers: array.astype("float32")',
    );
  }
  const size = Number(digits);
  const isBigEndian = order === '>';
  if (digits && kind === 'S') return { descr: descr.value, kind, isBigEndian, width: size };
  if (digits && kind === 'U') return { descr: descr.value, kind, isBigEndian, width: 4 * size };
  const name = numericTypes.find((type) => type === `${kind}${digits}`);
  if (name === undefined) {
    refuse(
      where,
      `has the dtype ${descr.value}, which is not supported; convert it, for instance with astype("float32")`,
    );
  }
  return { descr: descr.value, kind: name, isBigEndian, width: size };
}

const numericTypes = ['f2', 'f4', 'f8', 'i1', 'i2', 'i4', 'i8', 'u1', 'u2', 'u4', 'u8', 'b1'] as const;

function order(value: PythonValue | undefined, where: string): boolean {
  if (value?.kind !== 'bool') refuse(where, 'damaged: its header has no fortran_order');
  return value.value;
}

function shapeOf(value: PythonValue | undefined, where: string): readonly number[] {
  if (value?.kind !== 'tuple') refuse(where, 'damaged: its header has no shape');
  if (value.items.length > mostDimensions) refuse(where, `damaged: has ${value.items.length} dimensions`);
  return value.items.map((item) => {
    const length = item.kind === 'int' ? item.value : -1;
    if (length < 0 || length > Number.MAX_SAFE_INTEGER)
      refuse(where, 'damaged: a length in its shape is none');
    return length;
  });
}

/** numpy's own limit. */
const mostDimensions = 64;

/** Elements of `width` bytes, of which the first dimension moves fastest, in the order in which the last one does. */
function rowMajor(bytes: Uint8Array, shape: readonly number[], width: number): Uint8Array {
  const ordered = new Uint8Array(bytes.length);
  const index = shape.map(() => 0);
  const strides = shape.map((_, i) => elements(shape.slice(0, i)) * width);
  let from = 0;
  for (let to = 0; to < bytes.length; to += width) {
    for (let i = 0; i < width; i++) ordered[to + i] = bytes[from + i]!;
    for (let dim = shape.length - 1; dim >= 0; dim--) {
      from += strides[dim]!;
      if (++index[dim]! < shape[dim]!) break;
      from -= strides[dim]! * shape[dim]!;
      index[dim] = 0;
    }
  }
  return ordered;
}

function decode(type: ElementType, content: Uint8Array, count: number, where: string): NpyData {
  const { kind, width, isBigEndian } = type;
  switch (kind) {
    case 'S':
      return {
        dtype: kind,
        data: Array.from({ length: count }, (_, i) => byteString(content, i * width, width)),
      };
    case 'U': {
      const swapped = isBigEndian ? reversed(content, 4) : content;
      return {
        dtype: kind,
        data: utf8Strings(new Uint32Array(...span(swapped, 4)), count, width / 4, where),
      };
    }
  }
  const [buffer, offset] = span(isBigEndian ? reversed(content, width) : content, width);
  switch (kind) {
    case 'f2':
      return { dtype: kind, data: floatsOfHalves(new Uint16Array(buffer, offset, count)) };
    case 'f4':
      return { dtype: kind, data: new Float32Array(buffer, offset, count) };
    case 'f8':
      return { dtype: kind, data: new Float64Array(buffer, offset, count) };
    case 'i1':
      return { dtype: kind, data: new Int8Array(buffer, offset, count) };
    case 'i2':
      return { dtype: kind, data: new Int16Array(buffer, offset, count) };
    case 'i4':
      return { dtype: kind, data: new Int32Array(buffer, offset, count) };
    case 'i8':
      return { dtype: kind, data: new BigInt64Array(buffer, offset, count) };
    case 'u1':
      return { dtype: kind, data: new Uint8Array(buffer, offset, count) };
    case 'b1':
      return { dtype: kind, data: booleans(new Uint8Array(buffer, offset, count)) };
    case 'u2':
      return { dtype: kind, data: new Uint16Array(buffer, offset, count) };
    case 'u4':
      return { dtype: kind, data: new Uint32Array(buffer, offset, count) };
    case 'u8':
      return { dtype: kind, data: new BigUint64Array(buffer, offset, count) };
  }
}

/** Where a typed array of these bytes starts, and how many elements it has. */
function span(bytes: Uint8Array, width: number): [buffer: ArrayBufferLike, offset: number, count: number] {
  const { buffer, byteOffset, length } = aligned(bytes, width);
  return [buffer, byteOffset, length / width];
}

function byteString(bytes: Uint8Array, start: number, width: number): Uint8Array {
  let end = start + width;
  while (end > start && bytes[end - 1] === 0) end--;
  return bytes.subarray(start, end);
}

function utf8Strings(
  codePoints: Uint32Array,
  count: number,
  width: number,
  where: string,
): readonly Uint8Array[] {
  return Array.from({ length: count }, (_, i) => {
    let end = (i + 1) * width;
    while (end > i * width && codePoints[end - 1] === 0) end--;
    let text = '';
    for (let at = i * width; at < end; at++) {
      const codePoint = codePoints[at]!;
      if (codePoint > 0x10ffff || (codePoint >= 0xd800 && codePoint < 0xe000)) {
        refuse(where, `damaged: a string has the character ${codePoint}, which Unicode doesn't have`);
      }
      text += String.fromCodePoint(codePoint);
    }
    return new Uint8Array(Buffer.from(text));
  });
}

/** numpy's dtype of a tensor, and its bytes. */
function encode(tensor: AnyTensor): { readonly descr: string; readonly bytes: Uint8Array } {
  if (tensor.dtype === 'string') return encodeStrings(tensor.data);
  const { buffer, byteOffset, byteLength } = tensor.data;
  const width = byteLength / Math.max(1, elements(tensor.shape));
  const descr = tensor.dtype === 'text' ? `|S${width}` : descrs[tensor.dtype];
  return { descr, bytes: new Uint8Array(buffer, byteOffset, byteLength) };
}

const descrs = { f32: '<f4', f64: '<f8', i32: '<i4', i64: '<i8', u8: '|u1', bool: '|b1' } as const;

/** Strings of one width, which zeros fill up; so one that ends in a zero would be read as another. */
function encodeStrings(strings: readonly Uint8Array[]): {
  readonly descr: string;
  readonly bytes: Uint8Array;
} {
  const width = Math.max(
    1,
    strings.reduce((most, { length }) => Math.max(most, length), 0),
  );
  const bytes = new Uint8Array(strings.length * width);
  for (const [i, string] of strings.entries()) {
    if (string.at(-1) === 0) refuse('.npy file', 'a string that ends in a zero byte cannot be written');
    bytes.set(string, i * width);
  }
  return { descr: `|S${width}`, bytes };
}
