/** JSON for people: indented, except for lists of numbers and names, which stay on one line. */

/** Objects are maps: their keys keep their order, whatever they are called. */
export type Json = string | number | boolean | null | readonly Json[] | JsonObject;
export interface JsonObject extends ReadonlyMap<string, Json> {}

/** The text of a file: 2 spaces for each level, and a line end after the last. */
export function printJson(value: Json): string {
  return `${print(value, '')}\n`;
}

function print(value: Json, indent: string): string {
  if (typeof value !== 'object' || value === null) return printScalar(value);
  const inner = `${indent}  `;
  if (isList(value)) {
    const parts = value.map((part) => print(part, inner));
    return isShort(value) ? `[${parts.join(', ')}]` : enclose('[', parts, ']', indent);
  }
  const parts = [...value].map(([key, part]) => `${JSON.stringify(key)}: ${print(part, inner)}`);
  return parts.length === 0 ? '{}' : enclose('{', parts, '}', indent);
}

/** NaN and the infinities, which JSON does not know, are their names. */
function printScalar(value: string | number | boolean | null): string {
  return JSON.stringify(typeof value === 'number' && !Number.isFinite(value) ? `${value}` : value);
}

function isList(value: readonly Json[] | JsonObject): value is readonly Json[] {
  return Array.isArray(value);
}

/** Scalars, or shapes: lists of lists of scalars. */
function isShort(list: readonly Json[], depth = 0): boolean {
  return list.every((part) => {
    if (typeof part !== 'object' || part === null) return true;
    return isList(part) && depth === 0 && isShort(part, depth + 1);
  });
}

function enclose(open: string, parts: readonly string[], close: string, indent: string): string {
  return `${open}\n${parts.map((part) => `${indent}  ${part}`).join(',\n')}\n${indent}${close}`;
}
