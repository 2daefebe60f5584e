/** The trained values of the variables, as the checkpoint holds them. */

import type { Files } from '../../1-read/files.ts';
import type { MetaGraph } from '../../1-read/saved-model.ts';
import { openTensorBundle } from '../../1-read/tensor-bundle.ts';
import { Refusal, refuse } from '../../errors.ts';
import type { Budget } from '../../ir/builder.ts';
import type { Tensor } from '../../ir/types.ts';
import { rowMajor, stridedIndices, take } from '../../ops/broadcasting.ts';
import { checkpointKeys } from './variables.ts';

/** The value of a variable, by the name of its node. What is read adds to the budget. */
export function variableValues(files: Files, graph: MetaGraph, budget: Budget): (name: string) => Tensor {
  const keys = checkpointKeys(graph);
  const tensors = new Map<string, Tensor>();
  let bundle: ReturnType<typeof openTensorBundle> | undefined;
  return (name) => {
    const found = tensors.get(name);
    if (found) return found;
    const at = keys.get(name);
    if (!at)
      return refuse(
        `variable "${name}"`,
        'nothing in the model says where its value is; save the model again',
      );
    bundle ??= openTensorBundle(files, 'variables/variables');
    const tensor = bundle.tensor(at.key);
    if (tensor.dtype === 'string')
      throw new Refusal(`the variable "${name}" holds strings, which are not supported`);
    budget.left += 4 * tensor.data.length;
    const part = at.slice === '' ? tensor : partOf(tensor, at.slice, name);
    tensors.set(name, part);
    return part;
  };
}

/** The part of a tensor that `5 4 0,2:0,4` names: the shape of all, then begin and length in each dimension. */
function partOf(tensor: Tensor, slice: string, name: string): Tensor {
  const ranges = slice.split(' ').at(-1)!.split(':');
  if (ranges.length !== tensor.shape.length)
    return refuse(`variable "${name}"`, `the slice ${slice} does not fit`);
  const bounds = ranges.map((range, i) => {
    if (range === '-') return [0, tensor.shape[i]!] as const;
    const [begin, length] = range.split(',').map(Number);
    return [begin ?? 0, length ?? 0] as const;
  });
  const lengths = bounds.map(([, length]) => length);
  const isInside = bounds.every(
    ([begin, length], i) => begin >= 0 && length > 0 && begin + length <= tensor.shape[i]!,
  );
  if (!isInside)
    return refuse(`variable "${name}"`, `the slice ${slice} does not fit its shape (${tensor.shape})`);
  const strides = rowMajor(tensor.shape);
  const start = bounds.reduce((sum, [begin], i) => sum + begin * strides[i]!, 0);
  return { ...tensor, shape: lengths, data: take(tensor, stridedIndices(lengths, strides, start)) };
}
