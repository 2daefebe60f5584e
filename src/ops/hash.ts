/** Strings and integers become the numbers of buckets, by their hashes. */

import { Refusal } from '../errors.ts';
import type { Tensor, TensorType } from '../ir/types.ts';
import { fingerprint, siphash } from './fingerprint.ts';
import { defineOp } from './op.ts';
import { stringsOf } from './text.ts';

/** How a string gets the number of its bucket. */
export interface Bucketing {
  readonly buckets: number;
  /** SipHash under this key; FarmHash's fingerprint without one. Decimal, as JSON has no numbers of 64 bits. */
  readonly key?: readonly [string, string];
}

/** The bucket of a string. */
export function bucketOf({ buckets, key }: Bucketing, bytes: Uint8Array): bigint {
  const hash = key ? siphash([BigInt(key[0]), BigInt(key[1])], bytes) : fingerprint(bytes);
  return hash % BigInt(buckets);
}

/** The Rust of a bucketing: `Hash::fast(7)`. */
export function rustHash({ buckets, key }: Bucketing, use: (...names: readonly string[]) => string): string {
  const hash = use('Hash');
  if (!key) return `${hash}::fast(${buckets})`;
  const words = key.map((word) => BigInt.asUintN(64, BigInt(word)));
  return `${hash}::strong([${words.join(', ')}], ${buckets})`;
}

export function checkBucketing({ buckets }: Bucketing): void {
  if (!Number.isSafeInteger(buckets) || buckets < 1) throw new Refusal(`a hash into ${buckets} buckets`);
}

/** Integers are hashed as the digits that they are written in. */
export const hash = defineOp({
  name: 'Hash',
  inputs: ['x'],
  weights: [],
  readsText: true,

  infer({ x }, bucketing: Bucketing): TensorType {
    if (!['text', 'i32', 'i64', 'u8'].includes(x.dtype))
      throw new Refusal(`a hash of ${x.dtype} is not supported`);
    checkBucketing(bucketing);
    return { dtype: 'i64', shape: x.shape };
  },

  evaluate: ({ x }, bucketing) => BigInt64Array.from(hashedStrings(x), (bytes) => bucketOf(bucketing, bytes)),

  emit({ inputs, types, into, use }, bucketing) {
    const kind = types.x.dtype === 'text' ? 'text' : 'integers';
    return `${use('ops')}::hash_${kind}(${inputs.x}, ${rustHash(bucketing, use)}, ${into})`;
  },

  className: () => 'Hashing',
});

/** What is hashed of each element. */
function hashedStrings(x: Tensor): readonly Uint8Array[] {
  if (x.dtype === 'text') return stringsOf(x);
  const encoder = new TextEncoder();
  return Array.from({ length: x.data.length }, (_, i) => encoder.encode(`${x.data[i]}`));
}
