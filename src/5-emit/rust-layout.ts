/** Lays out statements as rustfmt does, with `use_small_heuristics = "Max"`. */

const WIDTH = 100;

/** `let name: type = expression;` at the given depth of four spaces. */
export function letStatement(depth: number, pattern: string, expression: string): string {
  const indent = '    '.repeat(depth);
  return fitted(indent, `let ${pattern} =`, expression, ';');
}

/** `head expression tail`, broken where it must be. */
export function fitted(indent: string, head: string, expression: string, tail: string): string {
  // Of a method's call with a question mark rustfmt keeps two columns free.
  const width = /^\w+\..*\)\?$/s.test(expression) ? WIDTH - 2 : WIDTH;
  const oneLine = `${indent}${head} ${expression}${tail}`;
  if (oneLine.length <= width) return oneLine;
  const deeper = `${indent}    `;
  const nextLine = `${deeper}${expression}${tail}`;
  if (nextLine.length <= width) return `${indent}${head}\n${nextLine}`;
  const lines = `${broken(indent, `${head} `, `${expression}${tail}`)}`;
  const below = `${indent}${head}\n${broken(deeper, '', `${expression}${tail}`)}`;
  const first = lines.slice(0, lines.indexOf('\n'));
  // Of a chain rustfmt keeps a column free.
  const fits = first.length < WIDTH || (first.length === WIDTH && !/\.\w+\($/.test(first));
  // A closure in a block is worth a line of its own before it.
  const isClosureBelow = /^.*\n.*\| \{\n/.test(below) && !/^.*\| \{\n/.test(lines);
  return fits && !isClosureBelow ? lines : below;
}

/** An expression that stands by itself at the end of a block. */
export function resultExpression(indent: string, expression: string): string {
  return `${indent}${expression}`.length <= WIDTH ? `${indent}${expression}` : broken(indent, '', expression);
}

/** A chain on several lines, else a call with each argument on its own; a closure at its end in a block, if it fits. */
function broken(indent: string, head: string, expression: string): string {
  const deeper = `${indent}    `;
  const [receiver, ...links] = chainOf(expression);
  if (links.filter((link) => link.includes('(')).length > 1) {
    const lines = links.map((link) => resultExpression(deeper, link));
    return [`${indent}${head}${receiver}`, ...lines].join('\n');
  }
  const { before, items, after } = lastBrackets(expression);
  const chain = expression.match(/^(\w+)\.(\w+)(\.\w+\(.*)$/s);
  // rustfmt prefers a chain to arguments that take fewer than five lines.
  const isLong = items.length >= 3 && `${indent}${head}${before}`.length < WIDTH;
  if (chain && !isLong && `${deeper}${chain[3]}`.length <= WIDTH) {
    return `${indent}${head}${chain[1]}\n${deeper}.${chain[2]}\n${deeper}${chain[3]}`;
  }
  const closure = before.endsWith('(') ? items.at(-1)?.match(/^(\|[^|]*\|) (.*)$/s) : undefined;
  if (closure) {
    const first = `${indent}${head}${before}${[...items.slice(0, -1), closure[1]].join(', ')} {`;
    if (`${first}${after.slice(1)}`.length < WIDTH - 1)
      return `${first}\n${formula(deeper, closure[2]!)}\n${indent}}${after}`;
  }
  const lines = items.map((item) => `${deeper}${argument(deeper, item)},`);
  return `${indent}${head}${before}\n${lines.join('\n')}\n${indent}${after}`;
}

/** `layers`, `.lstm`, `.run(x)`, `.last(a)`: the parts of a chain, or the whole of what is none. */
function chainOf(expression: string): readonly string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (const [i, character] of [...expression].entries()) {
    if ('([{|'.includes(character) && depth === 0 && !/[\w.]/.test(expression[i - 1] ?? ''))
      return [expression];
    if ('([{'.includes(character)) depth++;
    if (')]}'.includes(character)) depth--;
    if (character !== '.' || depth !== 0) continue;
    parts.push(expression.slice(start, i));
    start = i;
  }
  return [...parts, expression.slice(start)];
}

/** The body of a closure, broken before its weakest operators, or else between the arguments of its call. */
function formula(indent: string, body: string): string {
  if (`${indent}${body}`.length <= WIDTH) return `${indent}${body}`;
  for (const operators of [/ (?:<|>|<=|>=|==|!=) /, / [|&] /, / [+-] /, / [*/] /]) {
    const parts = splitAt(body, operators);
    if (parts.length > 1) return `${indent}${parts.join(`\n${indent}    `)}`;
  }
  return broken(indent, '', body);
}

/** The operands of operators that stand in no brackets, each but the first with its operator. */
function splitAt(text: string, operators: RegExp): readonly string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let i = 0; i < text.length; i++) {
    if ('([{'.includes(text[i]!)) depth++;
    if (')]}'.includes(text[i]!)) depth--;
    const isOperator = depth === 0 && new RegExp(`^${operators.source}`).test(text.slice(i));
    if (!isOperator) continue;
    parts.push(text.slice(start, i));
    start = i + 1;
  }
  return [...parts, text.slice(start)];
}

function argument(indent: string, item: string): string {
  if (`${indent}${item},`.length <= WIDTH || !/[[(]/.test(item)) return item;
  const closure = item.match(/^(\|[^|]*\|) (.*)$/s);
  if (closure) return `${closure[1]} {\n${formula(`${indent}    `, closure[2]!)}\n${indent}}`;
  const { before, items, after } = lastBrackets(item);
  const deeper = `${indent}    `;
  const [receiver, ...links] = chainOf(item);
  if (links.filter((link) => link.includes('(')).length > 1)
    return [receiver, ...links.map((link) => `${deeper}${link}`)].join('\n');
  const isShort = items.every((part) => /^[\w.-]+$/.test(part) && part.length <= 10);
  const lines = isShort
    ? filled(deeper, items, WIDTH)
    : items.map((part) => `${deeper}${argument(deeper, part)},`);
  return `${before}\n${lines.join('\n')}\n${indent}${after}`;
}

/** As many items on a line as fit: how rustfmt lays out arrays of short items. */
function filled(indent: string, items: readonly string[], width: number): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  for (const item of items) {
    const next = line === indent ? `${line}${item},` : `${line} ${item},`;
    if (next.length > width) {
      lines.push(line);
      line = `${indent}${item},`;
    } else {
      line = next;
    }
  }
  return [...lines, line];
}

/** The text up to the last group of brackets that is not nested, what is in it, and what follows. */
function lastBrackets(text: string): { before: string; items: readonly string[]; after: string } {
  let depth = 0;
  let [open, close] = [-1, -1];
  for (const [i, character] of [...text].entries()) {
    if ('([{'.includes(character) && depth++ === 0) open = i;
    if (')]}'.includes(character) && --depth === 0) close = i;
  }
  return {
    before: text.slice(0, open + 1),
    items: split(text.slice(open + 1, close)),
    after: text.slice(close),
  };
}

/** The parts between the commas that stand in no brackets and in no closure's parameters. */
function split(text: string): readonly string[] {
  const items: string[] = [];
  let [depth, start, inParameters] = [0, 0, false];
  for (const [i, character] of [...text].entries()) {
    if ('([{'.includes(character)) depth++;
    if (')]}'.includes(character)) depth--;
    if (character === '|' && depth === 0) inParameters = !inParameters;
    if (character === ',' && depth === 0 && !inParameters) {
      items.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  return last === '' ? items : [...items, last];
}

/** rustfmt's order: by characters, `_` before all others, digits by the number that they are; lists in braces last. */
function byVersion(a: string, b: string): number {
  const key = (text: string) =>
    text
      .replace(/[{_;,]/g, (mark) => ({ '{': '~', _: '!' })[mark] ?? '')
      .replace(/\d+/g, (digits) => digits.padStart(9, '0'));
  return key(a) < key(b) ? -1 : 1;
}

/** `use` lines of one group, in rustfmt's order. */
export function useGroup(lines: readonly string[]): string {
  return [...lines].sort(byVersion).join('\n');
}

/** `use path::{a, b};` for names of one path, sorted as rustfmt sorts them: broken over lines if they are many. */
export function useStatement(path: string, names: readonly string[]): string {
  const sorted = [...new Set(names)].sort(byVersion);
  if (sorted.length === 1) return `use ${path}::${sorted[0]};`;
  const oneLine = `use ${path}::{${sorted.join(', ')}};`;
  if (oneLine.length < WIDTH - 1) return oneLine;
  return `use ${path}::{\n${filled('    ', sorted, WIDTH - 1).join('\n')}\n};`;
}

/** `head Name { a, b }tail` on a line, or with a line for each field. */
export function structLiteral(indent: string, name: string, fields: readonly string[], tail = ''): string {
  const short = `${indent}${name} { ${fields.join(', ')} }${tail}`;
  if (short.length <= WIDTH) return short;
  return `${indent}${name} {\n${fields.map((field) => `${indent}    ${field},`).join('\n')}\n${indent}}${tail}`;
}

/** The check that all these have as many rows: `("tokens", batch.tokens.len())`. */
export function checkRows(indent: string, counts: readonly string[]): string {
  const short = `${indent}InputError::check_rows([${counts.join(', ')}])?;`;
  if (short.length <= WIDTH) return short;
  return `${indent}InputError::check_rows([\n${counts.map((count) => `${indent}    ${count},`).join('\n')}\n${indent}])?;`;
}

/** `vec![…]` of calls: on a line, around its only item, or with a line for each. */
export function vecOf(indent: string, items: readonly string[]): string {
  const short = `${indent}vec![${items.join(', ')}]`;
  if (short.length <= WIDTH) return short;
  const deeper = `${indent}    `;
  const [only] = items;
  if (items.length === 1) {
    const { before, items: args } = lastBrackets(only!);
    return `${indent}vec![${before}\n${args.map((arg) => `${deeper}${arg},`).join('\n')}\n${indent})]`;
  }
  return `${indent}vec![\n${items.map((item) => resultExpression(deeper, `${item},`)).join('\n')}\n${indent}]`;
}

/** A string literal. Names come from the model's file, and may hold anything. */
export function rustString(text: string): string {
  const escaped = text.replace(/["\\\p{C}]/gu, (character) =>
    character === '"' || character === '\\'
      ? `\\${character}`
      : `\\u{${character.codePointAt(0)!.toString(16)}}`,
  );
  return `"${escaped}"`;
}

/** A name between backticks in a comment: what would end the comment or the backticks is left out. */
export function codeText(name: string): string {
  return `\`${name.replace(/[`\p{C}\p{Zl}\p{Zp}]/gu, '')}\``;
}
