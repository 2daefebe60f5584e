/** Regular expressions of RE2, as far as they are single ASCII characters to leave out. */

import { Refusal } from '../../errors.ts';

/** The characters that a pattern matches: `[!"#\-a-z]`, `\.`, or one character. */
export function charactersOf(pattern: string): string {
  const characters = new Set<string>();
  const inside = /^\[(?!\^)((?:\\.|[^\]\\])+)\]\+?$/s.exec(pattern)?.[1];
  const items = itemsOf(inside ?? pattern);
  const isPlain = inside !== undefined || (items.length === 1 && !/^[.*+?()|^$[\]{}]$/.test(pattern));
  if (!isPlain || items.some(({ character }) => character === undefined)) {
    throw new Refusal(
      `the pattern ${JSON.stringify(pattern)} is not supported, but only characters to leave out, such as "[!?]"`,
    );
  }
  for (let i = 0; i < items.length; i++) {
    const isRange = items[i + 1]?.text === '-' && i + 2 < items.length;
    const [first, last] = [items[i]!, items[isRange ? i + 2 : i]!].map(({ character }) =>
      character!.charCodeAt(0),
    );
    for (let code = first!; code <= last!; code++) characters.add(String.fromCharCode(code));
    if (isRange) i += 2;
  }
  return [...characters].join('');
}

interface Item {
  readonly text: string;
  /** The character that it stands for, if it is one of ASCII. */
  readonly character: string | undefined;
}

/** Characters and those that follow a backslash, which stand for themselves unless they are letters or digits. */
function itemsOf(pattern: string): readonly Item[] {
  return (pattern.match(/\\?./gsu) ?? []).map((text) => {
    const isPlain = text.length === 1 && /[\x20-\x7e]/.test(text) && text !== '[' && text !== '\\';
    const isEscaped = /^\\[\x20-\x7e]$/.test(text) && /\W|_/.test(text[1]!);
    return { text, character: isPlain ? text : isEscaped ? text[1] : undefined };
  });
}
