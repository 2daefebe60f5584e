/** Integers become the numbers that a table has for them. */

import { Refusal } from '../errors.ts';
import { elements, type Tensor, type TensorType, tensor } from '../ir/types.ts';
import { defineOp } from './op.ts';

/** As Keras's IntegerLookup with numbers for its output. The table has a row for each key: the key and its number. */
export const integerLookup = defineOp({
  name: 'IntegerLookup',
  inputs: ['x'],
  weights: ['table'],

  infer({ x }, _: { readonly unknown: string }): TensorType {
    if (!['i32', 'i64', 'u8'].includes(x.dtype))
      throw new Refusal(`a look-up of ${x.dtype} is not supported`);
    return { dtype: 'i64', shape: x.shape };
  },

  evaluate({ x, table }, { unknown }) {
    const numbers = new Map<bigint, bigint>();
    for (let i = 0; i < table.data.length; i += 2) {
      numbers.set(BigInt(table.data[i]!), BigInt(table.data[i + 1]!));
    }
    const otherwise = BigInt(unknown);
    return BigInt64Array.from(
      { length: x.data.length },
      (_, i) => numbers.get(BigInt(x.data[i]!)) ?? otherwise,
    );
  },

  emit({ inputs, types, into, layer, use }, { unknown }) {
    const keys = types.table.shape[0];
    const table = layer({
      rustType: `Constant<[[i64; 2]; ${keys}], ${Math.ceil((elements(types.table.shape as number[]) * 8) / 64)}>`,
      doc: `${keys} keys, each with its number.`,
      pack: ['table'],
    });
    return `${use('ops')}::look_up_integers(${inputs.x}, ${table}.values(), ${unknown}, ${into})`;
  },

  className: () => 'IntegerLookup',
});

/** The table of these numbers: keys ascend in it. */
export function integerTable(numbers: ReadonlyMap<bigint, bigint>): Tensor {
  const rows = [...numbers].sort(([a], [b]) => (a < b ? -1 : 1));
  return tensor('i64', [rows.length, 2], rows.flat());
}
