/** Integers become the numbers that a table has for them. */

import { Refusal } from '../errors.ts';
import { elements, type Tensor, type TensorType, tensor } from '../ir/types.ts';
import { defineOp } from './op.ts';

export interface IntegerLookupAttributes {
  /** The number of all integers that are not in the table; without one, a prediction that reads such fails. */
  readonly unknown?: string;
}

/** As Keras's IntegerLookup with numbers for its output. The table has a row for each key: the key and its number. */
export const integerLookup = defineOp({
  name: 'IntegerLookup',
  inputs: ['x'],
  weights: ['table'],

  infer({ x }, _: IntegerLookupAttributes): TensorType {
    if (!['i32', 'i64', 'u8'].includes(x.dtype))
      throw new Refusal(`a look-up of ${x.dtype} is not supported`);
    return { dtype: 'i64', shape: x.shape };
  },

  evaluate({ x, table }, { unknown }) {
    const numbers = new Map<bigint, bigint>();
    for (let i = 0; i < table.data.length; i += 2) {
      numbers.set(BigInt(table.data[i]!), BigInt(table.data[i + 1]!));
    }
    return BigInt64Array.from({ length: x.data.length }, (_, i) => {
      const found = numbers.get(BigInt(x.data[i]!)) ?? unknown;
      if (found === undefined) throw new Refusal(`the integer ${x.data[i]} is not known`);
      return BigInt(found);
    });
  },

  emit({ inputs, types, into, nameOf, layer, use }, { unknown }) {
    const keys = types.table.shape[0];
    const table = layer({
      rustType: `Constant<[[i64; 2]; ${keys}], ${Math.ceil((elements(types.table.shape as number[]) * 8) / 64)}>`,
      doc: `${keys} keys, each with its number.`,
      pack: ['table'],
    });
    if (unknown === undefined) {
      return `${use('ops')}::look_up_known_integers(${nameOf('x')}, ${inputs.x}, ${table}.values(), ${into})?`;
    }
    return `${use('ops')}::look_up_integers(${inputs.x}, ${table}.values(), ${unknown}, ${into})`;
  },

  className: () => 'IntegerLookup',
});

/** The table of these numbers: keys ascend in it. */
export function integerTable(numbers: ReadonlyMap<bigint, bigint>): Tensor {
  const rows = [...numbers].sort(([a], [b]) => (a < b ? -1 : 1));
  return tensor('i64', [rows.length, 2], rows.flat());
}
