/**
 * Look-ups without a number for unknown keys. Keras looks such a key up as -1, and an Assert beside the look-up fails
 * if there is one: `Assert(Size(Where(look-up == -1)) == 0)`. The two become one op, which fails itself.
 */

import type { NodeDef } from '../../1-read/graph-def.ts';
import { reference, type Scope } from './scope.ts';

/** What such a look-up is called here. */
export const FAILING_LOOK_UP = 'LookupTableFind that fails';

/** What leads from the look-up to the Assert. */
const comparing = new Set(['Equal', 'Size', 'Where']);

/** The nodes with look-ups that fail in place of those which an Assert watches. */
export function withFailingLookUps(scope: Scope): Scope {
  const failing = new Map<string, NodeDef>();
  for (const { op, inputs } of scope.nodes.values()) {
    const watched = op === 'Assert' ? lookUpBehind(scope, inputs[0]) : undefined;
    if (watched) failing.set(watched.name, { ...watched, op: FAILING_LOOK_UP });
  }
  return failing.size === 0 ? scope : { ...scope, nodes: new Map([...scope.nodes, ...failing]) };
}

/** The look-up that a condition is computed from, each time from the first input. */
function lookUpBehind(scope: Scope, condition: string | undefined): NodeDef | undefined {
  let node = nodeAt(scope, condition);
  for (let steps = 0; node && comparing.has(node.op) && steps < 8; steps++) {
    node = nodeAt(scope, node.inputs[0]);
  }
  return node?.op === 'LookupTableFind' || node?.op === 'LookupTableFindV2' ? node : undefined;
}

function nodeAt(scope: Scope, input: string | undefined): NodeDef | undefined {
  return input === undefined ? undefined : scope.nodes.get(reference(input).name);
}
