/** What the values of a model are: numbers of one type in an array of some shape. */

/**
 * The element types that a graph computes with. float16 and bfloat16 become `f32` when they are read. `text` is
 * strings: inputs of a model are, and what is computed from them is numbers.
 */
export type DType = 'f32' | 'f64' | 'i32' | 'i64' | 'u8' | 'bool' | 'text';

/** The floats of 16 bits that a model may compute with; here it computes in `f32`. */
export type HalfFloat = 'float16' | 'bfloat16';

/** A length: a number, or `batch` times the number of samples. */
export type Dim = number | { readonly batch: number };

/** The type of a value for any number of samples. */
export interface TensorType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** The type of a value whose every length is known. */
export interface StaticType {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

export type TensorData = Float32Array | Float64Array | Int32Array | BigInt64Array | Uint8Array;

/**
 * Numbers in row-major order. `bool` is 0 or 1 in a `Uint8Array`; `i64` is a `BigInt64Array`. `text` is the UTF-8 of
 * all strings in a `Uint8Array`, each filled up with zeros to the same width, as numpy does it.
 */
export interface Tensor extends StaticType {
  readonly data: TensorData;
}

/** How many numbers a tensor of this shape has. */
export function elements(shape: readonly number[]): number {
  return shape.reduce((product, dim) => product * dim, 1);
}

const arrays: { readonly [D in DType]: new (length: number) => TensorData } = {
  f32: Float32Array,
  f64: Float64Array,
  i32: Int32Array,
  i64: BigInt64Array,
  u8: Uint8Array,
  bool: Uint8Array,
  text: Uint8Array,
};

/** `length` zeros of the type; of bytes, for text. */
export function zeros(dtype: DType, length: number): TensorData {
  return new arrays[dtype](length);
}

/** The tensor of these numbers, rounded to `dtype`. */
export function tensor(dtype: DType, shape: readonly number[], numbers: ArrayLike<number | bigint>): Tensor {
  const data = zeros(dtype, numbers.length);
  if (data instanceof BigInt64Array) {
    for (let i = 0; i < data.length; i++) data[i] = BigInt(numbers[i]!);
  } else {
    for (let i = 0; i < data.length; i++) data[i] = Number(numbers[i]);
  }
  return { dtype, shape, data };
}

export function isStatic(type: TensorType): type is StaticType {
  return type.shape.every((dim) => typeof dim === 'number');
}

export function isFloat(dtype: DType): dtype is 'f32' | 'f64' {
  return dtype === 'f32' || dtype === 'f64';
}

export function sameDim(a: Dim, b: Dim): boolean {
  return typeof a === 'number' || typeof b === 'number' ? a === b : a.batch === b.batch;
}

export function sameShape(a: readonly Dim[], b: readonly Dim[]): boolean {
  return a.length === b.length && a.every((dim, i) => sameDim(dim, b[i]!));
}

/** The type for `samples` samples. */
export function bind(type: TensorType, samples: number): StaticType {
  return {
    dtype: type.dtype,
    shape: type.shape.map((dim) => (typeof dim === 'number' ? dim : dim.batch * samples)),
  };
}

/** `f32[N, 28, 28, 1]`, as the printed graph has it. */
export function printType(type: TensorType): string {
  return `${type.dtype}${printShape(type.shape)}`;
}

/** `[N, 28, 28, 1]` */
export function printShape(shape: readonly Dim[]): string {
  return `[${shape.map(printDim).join(', ')}]`;
}

export function printDim(dim: Dim): string {
  if (typeof dim === 'number') return `${dim}`;
  return dim.batch === 1 ? 'N' : `${dim.batch}N`;
}

/** How many numbers one sample of the type has. */
export function lengthOfSample({ shape }: TensorType): number {
  return elements(shape.map((dim) => (typeof dim === 'number' ? dim : dim.batch)));
}

/** The bytes of one number; of a string, those of the reference to it. */
export function bytesOf(dtype: DType): number {
  return { f32: 4, f64: 8, i32: 4, i64: 8, u8: 1, bool: 1, text: 16 }[dtype];
}
