/** `model/thresholds.json`: the lowest score of each confidence level. */

import { refuse } from '../errors.ts';

const FILE = 'rust_generated_code/model/thresholds.json';

/** The levels of a score, where nobody has changed them. */
export const defaultThresholds = '{ "bottom": 0.5, "low": 0.6, "medium": 0.8, "high": 0.95 }\n';

/** A level as the generated crate reads it when it is built: a plain decimal number. */
const LEVEL = /"(\w+)"\s*:\s*(-?\d+(?:\.\d{1,30})?(?:[eE][+-]?\d{1,2})?)/;

/** The file as its user has edited it, if the crate can be built with it. */
export function checkedThresholds(bytes: Uint8Array): Uint8Array {
  const text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  const four = Array.from({ length: 4 }, () => LEVEL.source).join('\\s*,\\s*');
  const found = text.match(new RegExp(`^\\s*\\{\\s*${four}\\s*\\}\\s*$`));
  const levels = new Map(
    found ? [1, 3, 5, 7].map((i) => [found[i], Math.fround(Number(found[i + 1]))] as const) : [],
  );
  const scores = ['bottom', 'low', 'medium', 'high'].map((name) => levels.get(name) ?? Number.NaN);
  const ascends = scores.every(
    (score, i) => Math.abs(score) < 2 ** 127 && (i === 0 || score > scores[i - 1]!),
  );
  if (ascends) return bytes;
  return refuse(
    FILE,
    `it should hold the levels bottom, low, medium and high, numbers that ascend, such as ${defaultThresholds.trim()}; ` +
      'mend the file, or move it away to get these again',
  );
}
