/**
 * Levels with a floor below the loudest of all samples, as a MelSpectrogram of Keras has it: `max(x, max(x) − c)`. A
 * crate predicts each sample by itself, so that the floor is taken from the loudest of the sample.
 */

import type { NodeDef } from '../../1-read/graph-def.ts';
import { Refusal } from '../../errors.ts';
import { reduce } from '../../ops/reduce.ts';
import type { Builder, Operand } from '../../ops/tensorflow.ts';
import { reference, type Scope } from './scope.ts';

/** What the largest level is called here. */
export const LARGEST_LEVEL = 'Max of levels';

/** The nodes with largest levels in place of those of all samples. */
export function withLevelFloors(scope: Scope): Scope {
  const changed = new Map<string, NodeDef>();
  for (const { op, inputs } of scope.nodes.values()) {
    if (op !== 'Maximum') continue;
    const [levels, floor] = inputs;
    const difference = nodeAt(scope, floor, 'Sub');
    const largest = nodeAt(scope, difference?.inputs[0], 'Max');
    const isFloor = largest?.inputs[0] === levels && nodeAt(scope, difference?.inputs[1], 'Const');
    if (largest && isFloor) changed.set(largest.name, { ...largest, op: LARGEST_LEVEL });
  }
  return changed.size === 0 ? scope : { ...scope, nodes: new Map([...scope.nodes, ...changed]) };
}

/** The largest number of each sample, in the shape of one number. */
export function largestLevel(builder: Builder, levels: Operand): Operand {
  const axes = levels.type.shape.map((_, axis) => axis).slice(1);
  if (axes.length === 0) throw new Refusal('the loudest of numbers that are samples each');
  return builder.add(reduce, { x: levels }, { kind: 'max', axes, keepsAxes: true }, {});
}

function nodeAt(scope: Scope, input: string | undefined, op: string) {
  const node = input === undefined ? undefined : scope.nodes.get(reference(input).name);
  return node?.op === op ? node : undefined;
}
