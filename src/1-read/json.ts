/** JSON as plain data: what a file says, before anybody knows what it means. */

import { refuse } from '../errors.ts';

export type Json = null | boolean | number | string | readonly Json[] | JsonObject;

export interface JsonObject {
  readonly [key: string]: Json;
}

/** Deeper than any real model nests its layers; what walks over the data may recurse. */
const DEEPEST = 200;

/** The config of the largest models has some megabytes, and as objects takes many times as much. */
const LONGEST = 2 ** 25;

/** The JSON text in these bytes. `where` names the file in errors. */
export function parseJson(bytes: Uint8Array, where: string): Json {
  if (bytes.length > LONGEST) {
    refuse(where, `has ${bytes.length} bytes of JSON, and at most ${LONGEST} are supported`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return refuse(where, 'damaged: it should be JSON, and is not even text (UTF-8)');
  }
  refuseDeep(text, where);
  try {
    const value: Json = JSON.parse(text);
    return value;
  } catch {
    return refuse(where, 'damaged: it is no JSON');
  }
}

/** Counts the brackets outside of strings. */
function refuseDeep(text: string, where: string): void {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '"') isInString = !isInString;
    else if (isInString && character === '\\') at++;
    else if (isInString) continue;
    else if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    if (depth > DEEPEST) refuse(where, `its JSON nests more than ${DEEPEST} deep, which is not supported`);
  }
}

export function isObject(json: Json | undefined): json is JsonObject {
  return typeof json === 'object' && json !== null && !isList(json);
}

export function isList(json: Json | undefined): json is readonly Json[] {
  return Array.isArray(json);
}

/** What the object has under the key itself; what all objects have, such as `constructor`, is none of it. */
export function valueAt(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}

/** As errors quote it: short. */
export function printJson(json: Json | undefined): string {
  const text = JSON.stringify(json) ?? 'nothing';
  return text.length > 60 ? `${text.slice(0, 57)}…` : text;
}
