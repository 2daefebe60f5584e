/** `model/thresholds.json`: the lowest score of each confidence level. */

import { refuse } from '../errors.ts';

const FILE = 'model/thresholds.json';

/** The levels of a score, where nobody has changed them. */
export const defaultThresholds = '{ "bottom": 0.5, "low": 0.6, "medium": 0.8, "high": 0.95 }\n';

/** The file as its user has edited it, if the crate can be built with it. */
export function checkedThresholds(bytes: Uint8Array): Uint8Array {
  const names = ['bottom', 'low', 'medium', 'high'];
  const levels = parsed(bytes);
  const found = Object.keys(levels);
  if (found.length !== names.length || !names.every((name) => Object.hasOwn(levels, name))) {
    refuse(FILE, `it has the levels ${found.join(', ') || 'none'}, and should have ${names.join(', ')}`);
  }
  const scores = names.map((name) => Number(typeof levels[name] === 'number' ? levels[name] : Number.NaN));
  const ascends = scores.every((score, i) => i === 0 || score > scores[i - 1]!);
  if (!ascends || scores.some(Number.isNaN)) {
    refuse(FILE, `the levels ${scores.join(', ')} should be numbers that ascend from bottom to high`);
  }
  return bytes;
}

function parsed(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  try {
    const json: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
    if (typeof json === 'object' && json !== null && !Array.isArray(json)) return { ...json };
  } catch {
    // Told below, as anything else that is no object.
  }
  return refuse(
    FILE,
    'it is not a JSON object such as { "bottom": 0.5, "low": 0.6, "medium": 0.8, "high": 0.95 }',
  );
}
