/** What flows between the nodes of a SavedModel while they are read. */

import type { Complex } from '../../ops/complex.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import type { TensorList } from './tensor-lists.ts';
import type { TextValue } from './text.ts';

/** A variable, before it is read. */
export interface Resource {
  readonly kind: 'variable';
  readonly name: string;
}

/** What could not be converted: nodes that read it are passed over, for its problem has been told. */
export interface Unknown {
  readonly kind: 'unknown';
}

export type Imported = Operand | Complex | Resource | TensorList | TextValue | Unknown;

export const unknown: Unknown = { kind: 'unknown' };

/** Whether it is numbers that an operator can take. */
export function isOperand(value: Imported): value is Operand {
  return ['by batch', 'constant', 'input', 'node'].includes(value.kind);
}
