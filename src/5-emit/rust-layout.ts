/** Lays out statements as rustfmt does, with `use_small_heuristics = "Max"`. */

const WIDTH = 100;

/** `let name: type = expression;` at the given depth of four spaces. */
export function letStatement(depth: number, pattern: string, expression: string): string {
  const indent = '    '.repeat(depth);
  return fitted(indent, `let ${pattern} =`, expression, ';');
}

/** `head expression tail`, broken where it must be. */
export function fitted(indent: string, head: string, expression: string, tail: string): string {
  const oneLine = `${indent}${head} ${expression}${tail}`;
  if (oneLine.length <= WIDTH) return oneLine;
  const nextLine = `${indent}    ${expression}${tail}`;
  if (nextLine.length <= WIDTH) return `${indent}${head}\n${nextLine}`;
  return `${indent}${head} ${broken(indent, expression)}${tail}`;
}

/** An expression that stands by itself at the end of a method. */
export function resultExpression(expression: string): string {
  const indent = '        ';
  const text = expression.replace(/\s*\n\s*/g, '');
  return `${indent}${text}`.length <= WIDTH ? `${indent}${text}` : `${indent}${broken(indent, text)}`;
}

/** A call with each argument on its own line; the last one, a closure, in a block if that is enough. */
function broken(indent: string, expression: string): string {
  const { before, items, after } = lastBrackets(expression);
  const closure = items.at(-1)!.match(/^(\|[^|]*\|) (.*)$/s);
  const deeper = `${indent}    `;
  if (closure && before.endsWith('(') && !closure[2]!.startsWith('if ')) {
    return `${before}${[...items.slice(0, -1), closure[1]].join(', ')} {\n${deeper}${closure[2]}\n${indent}}${after}`;
  }
  if (closure && before.endsWith('(')) {
    const first = `${before}${[...items.slice(0, -1), closure[1]].join(', ')} {`;
    return `${first}\n${deeper}${closure[2]}\n${indent}}${after}`;
  }
  const lines = items.map((item) => `${deeper}${argument(deeper, item)},`);
  return `${before}\n${lines.join('\n')}\n${indent}${after}`;
}

function argument(indent: string, item: string): string {
  if (`${indent}${item},`.length <= WIDTH || !/[[(]/.test(item)) return item;
  const { before, items, after } = lastBrackets(item);
  const deeper = `${indent}    `;
  const isShort = items.every((part) => /^[\w.-]+$/.test(part) && part.length <= 10);
  const lines = isShort ? filled(deeper, items) : items.map((part) => `${deeper}${argument(deeper, part)},`);
  return `${before}\n${lines.join('\n')}\n${indent}${after}`;
}

/** As many items on a line as fit: how rustfmt lays out arrays of short items. */
function filled(indent: string, items: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  for (const item of items) {
    const next = line === indent ? `${line}${item},` : `${line} ${item},`;
    if (next.length > WIDTH) {
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

/** `use path::{a, b};` for names of one path, sorted as rustfmt sorts them: broken over lines if they are many. */
export function useStatement(path: string, names: readonly string[]): string {
  const sorted = [...new Set(names)].sort();
  if (sorted.length === 1) return `use ${path}::${sorted[0]};`;
  const oneLine = `use ${path}::{${sorted.join(', ')}};`;
  if (oneLine.length <= WIDTH) return oneLine;
  return `use ${path}::{\n${filled('    ', sorted).join('\n')}\n};`;
}

/** `head Name { a, b }tail` on a line, or with a line for each field. */
export function structLiteral(indent: string, name: string, fields: readonly string[], tail = ''): string {
  const short = `${indent}${name} { ${fields.join(', ')} }${tail}`;
  if (short.length <= WIDTH) return short;
  return `${indent}${name} {\n${fields.map((field) => `${indent}    ${field},`).join('\n')}\n${indent}}${tail}`;
}

/** `receiver.field.method(a, b);`: on a line, as a chain, or with a line for each argument. */
export function methodStatement(
  indent: string,
  receiver: string,
  method: string,
  args: readonly string[],
): string {
  const call = `.${method}(${args.join(', ')});`;
  if (`${indent}${receiver}${call}`.length <= WIDTH) return `${indent}${receiver}${call}`;
  const deeper = `${indent}    `;
  if (`${deeper}${call}`.length <= WIDTH) {
    const [first, ...rest] = receiver.split('.');
    return `${indent}${[first, ...rest.map((part) => `.${part}`), call].join(`\n${deeper}`)}`;
  }
  return `${indent}${receiver}.${method}(\n${args.map((arg) => `${deeper}${arg},`).join('\n')}\n${indent});`;
}
