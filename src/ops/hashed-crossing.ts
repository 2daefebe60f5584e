/** Features that are taken together: the bucket of the hash of all of them. */

import { Refusal } from '../errors.ts';
import { sameShape, type Tensor, type TensorType } from '../ir/types.ts';
import { concatenatedFingerprints, fingerprint } from './fingerprint.ts';
import { checkBucketing } from './hash.ts';
import { defineOp } from './op.ts';
import { stringsOf } from './text.ts';

type InputName = `x${number}`;

export interface HashedCrossingAttributes {
  readonly buckets: number;
  /** Decimal. */
  readonly key: string;
}

/** One string or integer for each sample, of each of the inputs → (N, 1), as tf.sparse.cross_hashed. */
export const hashedCrossing = defineOp({
  name: 'HashedCrossing',
  inputs: undefined as readonly InputName[] | undefined,
  weights: [],
  readsText: true,

  infer(types, attributes: HashedCrossingAttributes): TensorType {
    checkBucketing({ buckets: attributes.buckets });
    const list = Object.values(types) as TensorType[];
    for (const { dtype, shape } of list) {
      if (dtype !== 'text' && dtype !== 'i64') throw new Refusal(`a crossing of ${dtype} is not supported`);
      if (!sameShape([...shape, 1].slice(0, 2), [{ batch: 1 }, 1]) || shape.length > 2)
        throw new Refusal('a crossing of several numbers or strings for a sample is not supported');
    }
    return { dtype: 'i64', shape: [{ batch: 1 }, 1] };
  },

  evaluate(values, { buckets, key }, output) {
    const hashes = (Object.values(values) as Tensor[]).map((x): readonly bigint[] =>
      x.dtype === 'text'
        ? stringsOf(x).map(fingerprint)
        : Array.from({ length: x.data.length }, (_, i) => BigInt.asUintN(64, BigInt(x.data[i]!))),
    );
    return BigInt64Array.from({ length: output.shape[0]! }, (_, i) => {
      const crossed = hashes.reduce((hash, x) => concatenatedFingerprints(hash, x[i]!), BigInt(key));
      return crossed % BigInt(buckets);
    });
  },

  emit({ inputs, into, use }, { buckets, key }) {
    const features = Object.values<string>(inputs).map((x) => `${x}.into()`);
    return `${use('ops')}::hash_crossing(&[${features.join(', ')}], ${key}, ${buckets}, ${into})`;
  },

  className: () => 'HashedCrossing',
});
