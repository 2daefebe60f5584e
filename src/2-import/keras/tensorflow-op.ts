/** Ops of TensorFlow that are not in a graph, but that a layer of Keras is made of. */

import type { TypeName } from '../../1-read/element-types.ts';
import type { Attribute } from '../../1-read/graph-def.ts';
import { Refusal } from '../../errors.ts';
import { type Budget, constant } from '../../ir/builder.ts';
import type { Layer } from '../../ir/graph.ts';
import { type DType, tensor } from '../../ir/types.ts';
import { tensorflowOps } from '../../ops/index.ts';
import type { TensorflowAttribute } from '../../ops/keras.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import { readableNode } from '../saved-model/node.ts';

/** The outputs of an op of TensorFlow that a layer is made of. */
export function tensorflow(
  layer: Layer,
  budget: Budget,
  op: string,
  given: readonly (Operand | number | readonly number[])[],
  attributes: Readonly<Record<string, TensorflowAttribute>>,
): readonly Operand[] {
  const lowering = tensorflowOps[op];
  if (!lowering) throw new Refusal(`the op ${op} of TensorFlow, of which it is made, is not supported`);
  const operands = given.map((operand): Operand => {
    if (typeof operand === 'number') return constant(tensor('i32', [], [operand]));
    return 'kind' in operand ? operand : constant(tensor('i32', [operand.length], operand));
  });
  const entries = Object.entries(attributes).map(([key, value]) => [key, attributeOf(value)] as const);
  const node = readableNode(
    { name: layer.name, op, inputs: [], attributes: new Map(entries) },
    operands,
    layer,
    budget,
  );
  const result = lowering(node);
  const unread = node.unread();
  if (unread.length > 0) throw new Error(`${op} does not read ${unread.join(', ')}`);
  return 'kind' in result ? [result] : result;
}

/** TensorFlow's names of our types. */
const typeNames: { readonly [D in DType]: TypeName } = {
  f32: 'float',
  f64: 'double',
  i32: 'int32',
  i64: 'int64',
  u8: 'uint8',
  bool: 'bool',
  text: 'string',
};

function attributeOf(value: TensorflowAttribute): Attribute {
  switch (typeof value) {
    case 'number':
      return { kind: 'float', value };
    case 'boolean':
      return { kind: 'bool', value };
    case 'string':
      return { kind: 'string', value, bytes: new TextEncoder().encode(value) };
    case 'object':
      return 'dtype' in value
        ? { kind: 'type', value: typeNames[value.dtype] }
        : { kind: 'list', values: value.map((item) => ({ kind: 'float', value: item })) };
  }
}
