/** The buffers of a plan, as fields of the struct that holds them. */

import type { Plan } from '../4-plan/plan.ts';
import { WORK } from './names.ts';

export interface Field {
  /** `    a: Buffer<f32>,` */
  readonly field: string;
  /** `a: Buffer::zeros(TILE * 8)` */
  readonly value: string;
}

/** `names` are those of the buffers, and `rows` is the constant for the most samples. */
export function bufferFields(
  { buffers, work }: Plan,
  names: readonly string[],
  rows: string,
): readonly Field[] {
  const fields = names.map((name, i): Field => {
    const { dtype, length } = buffers[i]!;
    const count = `${rows}${length === 1 ? '' : ` * ${length}`}`;
    return dtype === 'bool'
      ? { field: `    ${name}: Vec<bool>,`, value: `${name}: vec![false; ${count}]` }
      : { field: `    ${name}: Buffer<${dtype}>,`, value: `${name}: Buffer::zeros(${count})` };
  });
  if (work === 0) return fields;
  return [...fields, { field: `    ${WORK}: Buffer<f32>,`, value: `${WORK}: Buffer::zeros(${work})` }];
}

/** Whether one of them is a `Buffer`, or one of the buffers of its loops. */
export function hasBuffers({ buffers, work, loops }: Plan): boolean {
  return work > 0 || buffers.some(({ dtype }) => dtype !== 'bool') || [...loops.values()].some(hasBuffers);
}
