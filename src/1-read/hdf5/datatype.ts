/** What the elements of datasets and attributes are. */

import { elements, printShape } from '../../ir/types.ts';
import type { TypeName } from '../element-types.ts';
import { type Cursor, damaged, expectVersion, integer, nameUntilZero, take } from './cursor.ts';

export type Datatype = { readonly bytesPerElement: number } & (
  | { readonly kind: 'numbers'; readonly type: TypeName; readonly isBigEndian: boolean }
  | { readonly kind: 'strings'; readonly padding: Padding }
  /** References to the global heap. */
  | { readonly kind: 'heap strings'; readonly padding: Padding }
  | { readonly kind: 'opaque' }
  /** What is not read: `a compound`. */
  | { readonly kind: 'other'; readonly what: string }
);

/** What follows a string in its bytes: a zero and whatever comes then, zeros, or spaces. */
export type Padding = 'terminated' | 'zeros' | 'spaces';

export function readDatatype(cursor: Cursor): Datatype {
  const first = integer(cursor, 1);
  const version = first >> 4;
  if (version < 1 || version > 5) damaged(cursor, `is of version ${version}`);
  const bits = integer(cursor, 3);
  const bytesPerElement = integer(cursor, 4);
  if (bytesPerElement === 0) damaged(cursor, 'has elements of no bytes');
  const other = (what: string): Datatype => ({ kind: 'other', what, bytesPerElement });
  const numbers = (type: TypeName | undefined, what: string): Datatype =>
    type === undefined
      ? other(`${what} of ${bytesPerElement} bytes in a form of their own`)
      : { kind: 'numbers', type, isBigEndian: (bits & 1) === 1, bytesPerElement };
  switch (first & 15) {
    case 0:
      return numbers(integerType(cursor, bits, bytesPerElement), 'integers');
    case 1:
      return numbers(floatType(cursor, bits, bytesPerElement), 'floats');
    case 3:
      return { kind: 'strings', padding: paddingOf(cursor, bits & 15), bytesPerElement };
    case 5:
      return { kind: 'opaque', bytesPerElement };
    case 8:
      if (isBoolean(cursor, version, bits & 0xffff))
        return { kind: 'numbers', type: 'bool', isBigEndian: false, bytesPerElement };
      return other('an enumeration');
    case 9:
      if ((bits & 15) !== 1) return other('lists of any length');
      return { kind: 'heap strings', padding: paddingOf(cursor, (bits >> 4) & 15), bytesPerElement };
  }
  return other(otherClasses.get(first & 15) ?? `a datatype of the unknown class ${first & 15}`);
}

const otherClasses: ReadonlyMap<number, string> = new Map([
  [2, 'times'],
  [4, 'bit fields'],
  [6, 'a compound'],
  [7, 'references'],
  [10, 'arrays'],
  [11, 'complex numbers'],
]);

function integerType(cursor: Cursor, bits: number, bytes: number): TypeName | undefined {
  const offset = integer(cursor, 2);
  const precision = integer(cursor, 2);
  if (offset !== 0 || precision !== 8 * bytes) return undefined;
  const isSigned = (bits & 8) !== 0;
  return (isSigned ? signed : unsigned).get(bytes);
}

const signed: ReadonlyMap<number, TypeName> = new Map([
  [1, 'int8'],
  [2, 'int16'],
  [4, 'int32'],
  [8, 'int64'],
]);

const unsigned: ReadonlyMap<number, TypeName> = new Map([
  [1, 'uint8'],
  [2, 'uint16'],
  [4, 'uint32'],
  [8, 'uint64'],
]);

/** Where the sign, the exponent and the fraction of a float lie, and what its exponent is biased by. */
function floatType(cursor: Cursor, bits: number, bytes: number): TypeName | undefined {
  const offset = integer(cursor, 2);
  const precision = integer(cursor, 2);
  const [exponentAt, exponent, fractionAt, fraction] = take(cursor, 4);
  const bias = integer(cursor, 4);
  const sign = (bits >> 8) & 255;
  // The bits of the order of bytes are 0 and 6; a normalization of 2 says that the first bit of the fraction is implied.
  const isPlain = (bits & 0x40) === 0 && ((bits >> 4) & 3) === 2 && offset === 0 && fractionAt === 0;
  const found = floats.find((float) => float.exponent === exponent && float.fraction === fraction);
  if (!isPlain || found === undefined || found.bias !== bias) return undefined;
  if (precision !== 8 * bytes || sign !== 8 * bytes - 1) return undefined;
  return exponentAt === fraction && 1 + found.exponent + found.fraction === precision
    ? found.type
    : undefined;
}

const floats: readonly {
  readonly type: TypeName;
  readonly exponent: number;
  readonly fraction: number;
  readonly bias: number;
}[] = [
  { type: 'half', exponent: 5, fraction: 10, bias: 15 },
  { type: 'bfloat16', exponent: 8, fraction: 7, bias: 127 },
  { type: 'float', exponent: 8, fraction: 23, bias: 127 },
  { type: 'double', exponent: 11, fraction: 52, bias: 1023 },
];

function paddingOf(cursor: Cursor, code: number): Padding {
  const padding = (['terminated', 'zeros', 'spaces'] as const)[code];
  return padding ?? damaged(cursor, `has strings that are padded in the unknown way ${code}`);
}

/** Booleans as h5py writes them: an enumeration of bytes, FALSE and TRUE. */
function isBoolean(cursor: Cursor, version: number, members: number): boolean {
  const isOfIntegers = (integer(cursor, 1) & 15) === 0;
  take(cursor, 3);
  const bytes = integer(cursor, 4);
  if (members !== 2 || !isOfIntegers || bytes !== 1) return false;
  take(cursor, 4);
  const names = [readName(cursor, version), readName(cursor, version)];
  const [first, second] = take(cursor, 2);
  return names.join() === 'FALSE,TRUE' && first === 0 && second === 1;
}

/** The name of a member, which older files fill up to a multiple of eight bytes. */
function readName(cursor: Cursor, version: number): string {
  const start = cursor.at;
  const name = nameUntilZero(cursor);
  if (version < 3) take(cursor, -(cursor.at - start) & 7);
  return name;
}

export interface Dataspace {
  readonly shape: readonly number[];
  /** What the lengths can become; those that can become anything are Infinity. */
  readonly largestShape: readonly number[];
}

/** The lengths of an array; one that holds nothing at all has the length 0. */
export function readDataspace(cursor: Cursor, lengthBytes: number): Dataspace {
  const version = expectVersion(cursor, [1, 2]);
  const rank = integer(cursor, 1);
  if (rank > mostDimensions) damaged(cursor, `has ${rank} dimensions`);
  const flags = integer(cursor, 1);
  const isEmpty = integer(cursor, 1) === 2 && version === 2;
  if (version === 1) take(cursor, 4);
  if (isEmpty) return { shape: [0], largestShape: [0] };
  const shape = Array.from({ length: rank }, () => integer(cursor, lengthBytes));
  const largestShape = flags & 1 ? shape.map(() => integer(cursor, lengthBytes)) : shape;
  if (flags & 2) damaged(cursor, 'has dimensions in another order');
  // Also when one of the lengths is 0, the others are lengths.
  if (elements(shape.filter((length) => length > 0)) > Number.MAX_SAFE_INTEGER) {
    damaged(cursor, `has the impossible lengths ${printShape(shape)}`);
  }
  return { shape, largestShape };
}

/** HDF5's own limit. */
const mostDimensions = 32;
