/** Literals of Python as numpy writes them into the headers of its files: nothing is ever evaluated. */

import { refuse } from '../errors.ts';

export type PythonValue =
  | { readonly kind: 'none' }
  | { readonly kind: 'bool'; readonly value: boolean }
  | { readonly kind: 'int'; readonly value: number }
  | { readonly kind: 'string'; readonly value: string }
  | { readonly kind: 'list' | 'tuple'; readonly items: readonly PythonValue[] }
  /** Keys are strings. */
  | { readonly kind: 'dict'; readonly entries: ReadonlyMap<string, PythonValue> };

/** The value of `{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }`; `where` names it in errors. */
export function readPythonLiteral(text: string, where: string): PythonValue {
  const cursor: Cursor = { tokens: tokensOf(text, where), where, next: 0 };
  const value = readValue(cursor, 0);
  if (cursor.next < cursor.tokens.length) damaged(where, cursor.tokens[cursor.next]);
  return value;
}

interface Cursor {
  readonly tokens: readonly string[];
  readonly where: string;
  next: number;
}

/** Brackets and commas, words, integers (with the L of Python 2), and strings with their quotes. */
const token = /\s*([{}[\](),:]|[A-Za-z_]+|-?\d+L?|'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*")\s*/y;

function tokensOf(text: string, where: string): readonly string[] {
  const tokens: string[] = [];
  token.lastIndex = 0;
  while (token.lastIndex < text.length) {
    const at = token.lastIndex;
    const [, found] = token.exec(text) ?? damaged(where, text.slice(at, at + 20));
    tokens.push(found!);
  }
  return tokens;
}

/** Structured dtypes are lists of tuples of tuples. */
const deepest = 8;

function readValue(cursor: Cursor, depth: number): PythonValue {
  const { where } = cursor;
  const first = cursor.tokens[cursor.next++];
  if (first === undefined || depth > deepest) damaged(where, first);
  if (first === '{') return readDict(cursor, depth);
  if (first === '[') return { kind: 'list', items: readItems(cursor, ']', depth).items };
  if (first === '(') {
    const { items, hasComma } = readItems(cursor, ')', depth);
    return items.length === 1 && !hasComma ? items[0]! : { kind: 'tuple', items };
  }
  if (first === 'True' || first === 'False') return { kind: 'bool', value: first === 'True' };
  if (first === 'None') return { kind: 'none' };
  if (/^["']/.test(first)) return { kind: 'string', value: unescaped(first.slice(1, -1), where) };
  if (/^-?\d/.test(first)) return { kind: 'int', value: Number.parseInt(first, 10) };
  damaged(where, first);
}

function readDict(cursor: Cursor, depth: number): PythonValue {
  const entries = new Map<string, PythonValue>();
  while (cursor.tokens[cursor.next] !== '}') {
    const key = readValue(cursor, depth + 1);
    if (key.kind !== 'string') damaged(cursor.where, 'a key that is no string');
    expect(cursor, ':');
    entries.set(key.value, readValue(cursor, depth + 1));
    if (cursor.tokens[cursor.next] !== '}') expect(cursor, ',');
  }
  cursor.next++;
  return { kind: 'dict', entries };
}

function readItems(
  cursor: Cursor,
  end: string,
  depth: number,
): { readonly items: readonly PythonValue[]; readonly hasComma: boolean } {
  const items: PythonValue[] = [];
  let hasComma = false;
  while (cursor.tokens[cursor.next] !== end) {
    items.push(readValue(cursor, depth + 1));
    if (cursor.tokens[cursor.next] === end) break;
    expect(cursor, ',');
    hasComma = true;
  }
  cursor.next++;
  return { items, hasComma };
}

function expect(cursor: Cursor, expected: string): void {
  const found = cursor.tokens[cursor.next++];
  if (found !== expected) damaged(cursor.where, found);
}

/** Names of dtypes and fields have no need of escapes but for quotes and backslashes. */
function unescaped(text: string, where: string): string {
  return text.replace(/\\(.)/g, (sequence, character) => {
    if (character === '\\' || character === "'" || character === '"') return character;
    damaged(where, sequence);
  });
}

function damaged(where: string, found: string | undefined): never {
  refuse(
    where,
    `damaged: found ${found === undefined ? 'the end' : JSON.stringify(found)} where a Python literal goes on`,
  );
}
