/** A TensorFlow node as the operators read it. An attribute that nobody read is a problem of the model. */

import { dtypeOf } from '../../1-read/element-types.ts';
import type { Attribute, NodeDef } from '../../1-read/graph-def.ts';
import { Refusal } from '../../errors.ts';
import { type Budget, builderFor, dimsOf } from '../../ir/builder.ts';
import type { Layer } from '../../ir/graph.ts';
import { type DType, lengthOfSample, type Tensor } from '../../ir/types.ts';
import type { Operand, TensorflowNode } from '../../ops/tensorflow.ts';

export interface ReadableNode extends TensorflowNode {
  /** The attributes that nobody has read. */
  unread(): readonly string[];
}

/** Axes, lengths and the like are short lists. */
const MOST_INTEGERS = 2 ** 20;

/** Counts of inputs and outputs, and types that the operands have anyway. */
function isImplied(name: string, attribute: Attribute): boolean {
  const isType =
    attribute.kind === 'type' || (attribute.kind === 'list' && attribute.values[0]?.kind === 'type');
  return name.startsWith('_') || isType || name === 'N' || name === 'num';
}

export function readableNode(
  { op, attributes }: NodeDef,
  inputs: readonly Operand[],
  layer: Layer,
  budget: Budget,
): ReadableNode {
  const read = new Set<string>();
  const attribute = (name: string): Attribute | undefined => {
    read.add(name);
    return attributes.get(name);
  };
  const misfit = (name: string, found: Attribute): never => {
    throw new Refusal(`${op}.${name} is a ${found.kind}, which it cannot be`);
  };
  const input = (index: number): Operand => {
    const operand = inputs[index];
    if (!operand) throw new Refusal(`${op} has ${inputs.length} inputs, and should have more`);
    return operand;
  };
  const constantInput = (index: number): Tensor => {
    const operand = input(index);
    if (operand.kind !== 'constant') {
      throw new Refusal(
        `input ${index} of ${op} is computed from the model's inputs, and only a constant is supported`,
      );
    }
    return operand.tensor;
  };
  const refuseLong = (index: number): void => {
    const length = lengthOfSample(input(index).type);
    if (length > MOST_INTEGERS)
      throw new Refusal(`input ${index} of ${op} has ${length} numbers, which is no list`);
  };
  return {
    ...builderFor(layer, budget),
    op,
    inputs,
    input,
    constant: constantInput,
    integers(index) {
      refuseLong(index);
      return Array.from(constantInput(index).data, Number);
    },
    dims(index) {
      refuseLong(index);
      return dimsOf(input(index));
    },
    number(name, otherwise) {
      const found = attribute(name);
      if (found === undefined) return otherwise;
      if (found.kind === 'int') return Number(found.value);
      return found.kind === 'float' ? found.value : misfit(name, found);
    },
    flag(name, otherwise) {
      const found = attribute(name);
      if (found === undefined) return otherwise;
      return found.kind === 'bool' ? found.value : misfit(name, found);
    },
    text(name, otherwise) {
      const found = attribute(name);
      if (found === undefined) return otherwise;
      return found.kind === 'string' ? found.value : misfit(name, found);
    },
    list(name) {
      const found = attribute(name);
      if (found === undefined) return [];
      if (found.kind !== 'list') return misfit(name, found);
      return found.values.map((item) => {
        if (item.kind === 'int') return Number(item.value);
        return item.kind === 'float' ? item.value : misfit(name, item);
      });
    },
    bigints(name) {
      const found = attribute(name);
      const items = found?.kind === 'list' ? found.values : found === undefined ? [] : [found];
      return items.map((item) => (item.kind === 'int' ? item.value : misfit(name, item)));
    },
    texts(name) {
      const found = attribute(name);
      if (found === undefined) return [];
      if (found.kind !== 'list') return misfit(name, found);
      return found.values.map((item) => (item.kind === 'string' ? item.value : misfit(name, item)));
    },
    dtype(name): DType {
      const found = attribute(name);
      // The types that TensorFlow's registry gives attributes which a file may leave out.
      if (found === undefined) return name === 'output_type' ? 'i64' : 'i32';
      const dtype = found.kind === 'type' ? dtypeOf(found.value) : misfit(name, found);
      if (dtype === undefined || dtype === 'string') {
        throw new Refusal(
          `${op} makes ${found.kind === 'type' ? found.value : 'strings'}, which is not supported`,
        );
      }
      return dtype;
    },
    unread: () =>
      [...attributes]
        .filter(([name, value]) => !read.has(name) && !isImplied(name, value))
        .map(([name]) => name),
  };
}
