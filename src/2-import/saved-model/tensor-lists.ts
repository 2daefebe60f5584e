/** Lists of tensors, which loops read and write step by step: known item by item while a model is imported. */

import { Refusal } from '../../errors.ts';
import type { Input } from '../../ir/graph.ts';
import { stacked as stackedOperands } from '../../ops/concatenate.ts';
import { reshaped } from '../../ops/reshape.ts';
import { steps } from '../../ops/slice.ts';
import type { Operand, TensorflowNode } from '../../ops/tensorflow.ts';
import { transpose } from '../../ops/transpose.ts';

export type TensorList =
  /** Items one by one, as far as they have been written. */
  | { readonly kind: 'list'; readonly of: 'items'; readonly items: readonly (Operand | undefined)[] }
  /** The first axis of a tensor, step by step. */
  | { readonly kind: 'list'; readonly of: 'tensor'; readonly tensor: Operand }
  /** In the body of a loop that is read once for all its rounds: the item of the round. */
  | { readonly kind: 'list'; readonly of: 'rounds'; readonly time: Operand; readonly item: Input }
  /** In such a body: what a round writes, and at which index. */
  | {
      readonly kind: 'list';
      readonly of: 'writes';
      readonly length: number;
      readonly written?: { readonly index: Operand; readonly item: Operand };
    };

/** No sequence is longer, and the items of a list are kept one by one. */
const MOST_ITEMS = 2 ** 20;

type Adds = Pick<TensorflowNode, 'add'>;

/** What can be an input of an op on lists. */
interface ListNode extends Adds {
  readonly op: string;
  operand(index: number): Operand;
  list(index: number): TensorList;
}

/** The ops on lists, each with its one output. */
const table: Readonly<Record<string, (node: ListNode) => Operand | TensorList>> = {
  TensorListFromTensor: (node) => ({ kind: 'list', of: 'tensor', tensor: node.operand(0) }),
  TensorListGetItem: (node) => itemOf(node, node.list(0), node.operand(1)),
  TensorListReserve: (node) => {
    const length = integer(node.operand(1));
    if (!(length >= 0 && length <= MOST_ITEMS)) throw new Refusal(`a list of ${length} tensors`);
    return { kind: 'list', of: 'items', items: Array<undefined>(length).fill(undefined) };
  },
  TensorListSetItem: (node) => written(node.list(0), node.operand(1), node.operand(2)),
  TensorListStack: (node) => stacked(node, node.list(0)),
};

export function isListOp(op: string): boolean {
  return Object.hasOwn(table, op);
}

/** What an op on lists comes to. */
export function lowerListOp(
  op: string,
  inputs: readonly (Operand | TensorList)[],
  builder: Adds,
): Operand | TensorList {
  const input = (index: number) => {
    const found = inputs[index];
    if (!found) throw new Refusal(`${op} has ${inputs.length} inputs, and should have more`);
    return found;
  };
  return table[op]!({
    ...builder,
    op,
    operand(index) {
      const found = input(index);
      if (found.kind === 'list') throw new Refusal(`input ${index} of ${op} is a list of tensors`);
      return found;
    },
    list(index) {
      const found = input(index);
      if (found.kind !== 'list') throw new Refusal(`input ${index} of ${op} is no list of tensors`);
      return found;
    },
  });
}

function integer(operand: Operand): number {
  if (operand.kind !== 'constant' || operand.tensor.data.length !== 1) {
    throw new Refusal('the place in a list of tensors is computed from the inputs');
  }
  return Number(operand.tensor.data[0]);
}

function itemOf(node: Adds, list: TensorList, index: Operand): Operand {
  switch (list.of) {
    case 'items': {
      const item = list.items[integer(index)];
      if (!item) throw new Refusal('an item of a list is read before it is written');
      return item;
    }
    case 'tensor':
      return step(node, list.tensor, integer(index));
    case 'rounds':
      if (index !== list.time) throw new Refusal('a loop reads another item than that of its round');
      return list.item;
    case 'writes':
      throw new Refusal('a loop reads what it writes');
  }
}

/** One step along the first axis, without it. */
function step(node: Adds, tensor: Operand, index: number): Operand {
  const { shape } = tensor.type;
  if (typeof shape[0] !== 'number') throw new Refusal('a loop over the batch mixes the samples');
  if (!(index >= 0 && index < shape[0])) throw new Refusal(`item ${index} of a list of ${shape[0]}`);
  if (tensor.kind === 'node' && tensor.op === 'Transpose' && tensor.attributes.axes[0] === 1) {
    // The batch comes first in what is transposed: the step is taken there.
    const { x } = tensor.inputs;
    const part = steps(node, x, 1, index, 1);
    const rest = reshaped(node, part, x.type.shape.toSpliced(1, 1));
    const axes = tensor.attributes.axes.slice(1).map((axis) => (axis === 0 ? 0 : axis - 1));
    return axes.every((axis, i) => axis === i) ? rest : node.add(transpose, { x: rest }, { axes }, {});
  }
  return reshaped(node, steps(node, tensor, 0, index, 1), shape.slice(1));
}

function written(list: TensorList, index: Operand, item: Operand): TensorList {
  switch (list.of) {
    case 'items': {
      const at = integer(index);
      if (!(at >= 0 && at < list.items.length)) {
        throw new Refusal(`item ${at} of a list of ${list.items.length} is written`);
      }
      return { ...list, items: list.items.with(at, item) };
    }
    case 'writes':
      if (list.written) throw new Refusal('a round of a loop writes several items of a list');
      return { ...list, written: { index, item } };
    case 'tensor':
    case 'rounds':
      throw new Refusal('a loop writes over what it reads');
  }
}

/** The items one after the other, along a new first axis. */
function stacked(node: Adds, list: TensorList): Operand {
  switch (list.of) {
    case 'tensor':
      return list.tensor;
    case 'items': {
      const items = list.items.map((item) => {
        if (!item) throw new Refusal('an item of a list is read before it is written');
        return item;
      });
      if (items.length === 0) throw new Refusal('a list without items is stacked');
      return stackedOperands(node, items, 0);
    }
    case 'rounds':
    case 'writes':
      throw new Refusal('a loop stacks what it reads or writes');
  }
}

/** (batch, steps, …) → (steps, batch, …), and back. */
export function timeMajor(node: Adds, x: Operand): Operand {
  const rest = x.type.shape.map((_, i) => i).slice(2);
  return node.add(transpose, { x }, { axes: [1, 0, ...rest] }, {});
}
