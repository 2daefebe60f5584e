/**
 * Google's protobuf wire format, field by field, out of bytes that nobody vouches for.
 * A message is a list of fields; which field means what is for the caller to say: `saved-model.ts`, `tensor-proto.ts`.
 */

import { refuse } from '../errors.ts';

/** A stretch of a file that holds the fields of one message. */
export interface Message {
  readonly source: Source;
  readonly start: number;
  readonly end: number;
  /** How many messages this one lies in. */
  readonly depth: number;
}

/** A field of a message. One that is length-delimited may be a message itself. */
export interface Field extends Message {
  readonly number: number;
  readonly wireType: number;
}

/** The file that a message lies in; `bytes` are all of it, so that offsets in errors are offsets in the file. */
interface Source {
  readonly file: string;
  readonly bytes: Buffer;
  readonly view: DataView;
}

const varintType = 0;
const fixed64Type = 1;
const lengthDelimitedType = 2;
const fixed32Type = 5;

/** Protobuf's own readers stop at this depth, too. */
const deepest = 100;

/** Protobuf's own limit. */
const largestField = 2 ** 29 - 1;

/** Strings of Node.js hold about twice this. */
const longestText = 2 ** 28;

/** The message that is a whole file. */
export function messageOf(bytes: Uint8Array, file: string): Message {
  const { buffer, byteOffset, length } = bytes;
  const source = {
    file,
    bytes: Buffer.from(buffer, byteOffset, length),
    view: new DataView(buffer, byteOffset, length),
  };
  return { source, start: 0, end: length, depth: 0 };
}

/** The fields of the message in their order; a field may come any number of times. */
export function* fieldsOf(message: Message): Generator<Field, void> {
  const { source, end } = message;
  if ('wireType' in message && message.wireType !== lengthDelimitedType) mistyped(message);
  if (message.depth > deepest)
    damaged(message, `messages lie more than ${deepest} deep at byte ${message.start}`);
  const depth = message.depth + 1;
  let at = message.start;
  while (at < end) {
    const tag = varintEnd(message, at);
    const key = smallVarint(message, at, tag);
    const number = Math.floor(key / 8);
    const wireType = key % 8;
    if (number === 0) damaged(message, `the field at byte ${at} has the number 0`);
    if (number > largestField)
      damaged(message, `the field at byte ${at} has a number beyond ${largestField}`);
    let start = tag;
    let next: number;
    switch (wireType) {
      case varintType:
        next = varintEnd(message, start);
        break;
      case fixed64Type:
        next = start + 8;
        break;
      case fixed32Type:
        next = start + 4;
        break;
      case lengthDelimitedType: {
        start = varintEnd(message, tag);
        next = start + smallVarint(message, tag, start);
        break;
      }
      default:
        damaged(message, `the field at byte ${at} has the wire type ${wireType}`);
    }
    if (next > end) damaged(message, `a field at byte ${at} reaches past the end`);
    yield { source, number, wireType, start, end: next, depth };
    at = next;
  }
}

/** A 64-bit integer with its sign. */
export function int64Of(field: Field): bigint {
  if (field.wireType !== varintType) mistyped(field);
  return int64At(field, field.start, field.end);
}

/** An int32 or an enum; as protobuf does it, bits past the 32nd are dropped. */
export function int32Of(field: Field): number {
  const { wireType, start, end } = field;
  if (wireType === varintType && end - start <= 4) return smallVarint(field, start, end);
  return Number(BigInt.asIntN(32, int64Of(field)));
}

export function boolOf(field: Field): boolean {
  return int64Of(field) !== 0n;
}

export function floatOf(field: Field): number {
  return field.source.view.getFloat32(fixed(field, fixed32Type), true);
}

export function fixed32Of(field: Field): number {
  return field.source.view.getUint32(fixed(field, fixed32Type), true);
}

/** The bytes of a length-delimited field, shared with the file. */
export function bytesOf(field: Field): Uint8Array {
  if (field.wireType !== lengthDelimitedType) mistyped(field);
  const { buffer, byteOffset } = field.source.bytes;
  return new Uint8Array(buffer, byteOffset + field.start, field.end - field.start);
}

/** A text in UTF-8; what isn't UTF-8 becomes replacement characters. */
export function textOf(field: Field): string {
  if (field.wireType !== lengthDelimitedType) mistyped(field);
  const length = field.end - field.start;
  if (length > longestText)
    refuse(field.source.file, `a text of ${length} bytes at byte ${field.start} is too long`);
  return field.source.bytes.toString('utf8', field.start, field.end);
}

/** The numbers of a repeated integer, enum or bool field, be they packed or not. */
export function* int64sOf(field: Field): Generator<bigint, void> {
  if (field.wireType !== lengthDelimitedType) {
    yield int64Of(field);
    return;
  }
  for (let at = field.start; at < field.end; ) {
    const next = varintEnd(field, at);
    yield int64At(field, at, next);
    at = next;
  }
}

export function* int32sOf(field: Field): Generator<number, void> {
  for (const value of int64sOf(field)) yield Number(BigInt.asIntN(32, value));
}

/** The numbers of a repeated float field, be they packed or not. */
export function* floatsOf(field: Field): Generator<number, void> {
  const { view } = field.source;
  for (const at of fixedsOf(field, fixed32Type, 4)) yield view.getFloat32(at, true);
}

/** The numbers of a repeated double field, be they packed or not. */
export function* doublesOf(field: Field): Generator<number, void> {
  const { view } = field.source;
  for (const at of fixedsOf(field, fixed64Type, 8)) yield view.getFloat64(at, true);
}

/** The last text of the message under that number; empty if there is none. */
export function lastTextOf(message: Message, number: number): string {
  return textsOf(message, number).at(-1) ?? '';
}

/** All texts under that number. */
export function textsOf(message: Message, number: number): readonly string[] {
  const texts: string[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number === number) texts.push(textOf(field));
  }
  return texts;
}

/** Key and value of an entry of a map; a value that is missing is an empty message. */
export function entryOf(entry: Field): { readonly key: string; readonly value: Message } {
  let key = '';
  let value: Message = { ...entry, start: entry.end };
  for (const field of fieldsOf(entry)) {
    if (field.number === 1) key = textOf(field);
    if (field.number === 2) value = field;
  }
  return { key, value };
}

/** Where the numbers of a repeated field of fixed width lie. */
function* fixedsOf(field: Field, wireType: number, width: number): Generator<number, void> {
  if (field.wireType !== lengthDelimitedType) {
    yield fixed(field, wireType);
    return;
  }
  if ((field.end - field.start) % width !== 0) {
    damaged(field, `the packed field at byte ${field.start} has ${field.end - field.start} bytes`);
  }
  for (let at = field.start; at < field.end; at += width) yield at;
}

function fixed(field: Field, wireType: number): number {
  if (field.wireType !== wireType) mistyped(field);
  return field.start;
}

/** Where the varint that starts at `at` ends: 7 bits a byte, the last one below 128, ten bytes at most. */
function varintEnd({ source, end }: Message, at: number): number {
  for (let i = at; i < end && i < at + 10; i++) {
    if (source.bytes[i]! < 128) return i + 1;
  }
  if (end < at + 10) refuse(source.file, `truncated or damaged: a number at byte ${at} reaches past the end`);
  refuse(source.file, `damaged: the number at byte ${at} has more than ten bytes`);
}

/** A varint that is a length or a tag, as a number; too large a one is Infinity, which reaches past any end. */
function smallVarint({ source }: Message, at: number, end: number): number {
  let value = 0;
  let scale = 1;
  for (let i = at; i < end; i++) {
    value += (source.bytes[i]! & 127) * scale;
    scale *= 128;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : Infinity;
}

function int64At(message: Message, at: number, end: number): bigint {
  const low = smallVarint(message, at, Math.min(end, at + 7));
  if (end - at <= 7) return BigInt(low);
  return BigInt.asIntN(64, (BigInt(smallVarint(message, at + 7, end)) << 49n) | BigInt(low));
}

function mistyped(message: Message): never {
  damaged(message, `the field at byte ${message.start} has an unexpected wire type`);
}

function damaged({ source }: Message, what: string): never {
  refuse(source.file, `truncated or damaged: ${what}`);
}
