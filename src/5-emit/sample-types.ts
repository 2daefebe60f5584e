/** The Rust types of samples: arrays, or numbers. */

import type { DType, TensorType } from '../ir/types.ts';

/** `[[f32; 32]; 100]`: a sample, without the batch. */
export function sampleType({ dtype, shape }: TensorType): string {
  return arrayOf(shape.slice(1).map(lengthOf), dtype === 'text' ? '&str' : dtype);
}

/** The type with a lifetime: `[&'static str; 4]`. */
export function withLifetime(type: string, lifetime: string): string {
  return type.replace('&str', `&'${lifetime} str`);
}

/** `[[f32; 32]; 100]`, `[[0.0; 32]; 100]`: what Rust writes for a type, or a value, over and over. */
export function arrayOf(shape: readonly number[], element: string): string {
  return shape.reduceRight((inner, length) => `[${inner}; ${length}]`, element);
}

/** Zeros of such a type. */
export function zeroOf({ dtype, shape }: TensorType): string {
  const zeros: Readonly<Record<DType, string>> = {
    f32: '0.0',
    f64: '0.0',
    i32: '0',
    i64: '0',
    u8: '0',
    bool: 'false',
    text: '""',
  };
  return arrayOf(shape.slice(1).map(lengthOf), zeros[dtype]);
}

/** The length of a dimension in a sample. */
export function lengthOf(dim: TensorType['shape'][number]): number {
  return typeof dim === 'number' ? dim : dim.batch;
}
