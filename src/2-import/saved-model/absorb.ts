/**
 * min(c, max(c, y)) is c, whatever y is. TensorFlow writes a known number of bins so when it counts, with the largest
 * number of all samples for y, which nobody needs to know.
 */

import type { NodeDef } from '../../1-read/graph-def.ts';
import { tensorOf } from '../../1-read/tensor-proto.ts';
import { reference, type Scope } from './scope.ts';

/** The input that a node is the same as, if it is such a Minimum. */
export function absorbed(scope: Scope, node: NodeDef): string | undefined {
  if (node.op !== 'Minimum' || node.inputs.length !== 2) return undefined;
  const [first, second] = node.inputs as readonly [string, string];
  return [
    [first, second],
    [second, first],
  ].find(([c, other]) => {
    const maximum = scope.nodes.get(reference(other!).name);
    return maximum?.op === 'Maximum' && maximum.inputs.some((input) => isSame(scope, input, c!));
  })?.[0];
}

/** The same output of a node, or the same known number. */
function isSame(scope: Scope, a: string, b: string): boolean {
  if (a === b) return true;
  const [x, y] = [a, b].map((input) => knownNumber(scope, input));
  return x !== undefined && x === y;
}

function knownNumber(scope: Scope, input: string): string | undefined {
  const node = scope.nodes.get(reference(input).name);
  const value = node?.op === 'Const' ? node.attributes.get('value') : undefined;
  if (value?.kind !== 'tensor' || value.value.shape === 'unknown' || value.value.shape.length > 0)
    return undefined;
  return `${tensorOf(value.value, `node "${node?.name}" (Const)`).data[0]}`;
}
