/** Damage to protobuf: its fields are changed, left out, repeated, and exchanged for others of the same place. */

import { damaged, numbers, texts } from './bytes.ts';
import type { Random } from './random.ts';

/** A field of a message; bytes that can be read as a message are taken for one. */
interface Field {
  readonly number: number;
  readonly wireType: number;
  /** The numbers of the fields that lead here. */
  readonly path: string;
  value: bigint | Uint8Array | Field[];
}

export function damagedProtobuf(bytes: Uint8Array, random: Random): Uint8Array {
  const message = fieldsOf(bytes, '', 0);
  if (message === undefined || random.once(12)) return damaged(bytes, random);
  for (let changes = random.below(3); changes >= 0; changes--) change(message, random);
  return encoded(message);
}

function change(message: Field[], random: Random): void {
  const places = [...placesOf(message)];
  if (places.length === 0) return;
  const { field, siblings } = random.pick(places);
  const others = places.filter((place) => place.field.path === field.path);
  switch (random.below(6)) {
    case 0:
      siblings.splice(siblings.indexOf(field), 1);
      return;
    case 1:
      siblings.splice(random.below(siblings.length), 0, structuredClone(field));
      return;
    case 2:
    case 3:
      field.value = structuredClone(random.pick(others).field.value);
      return;
  }
  const leaves = places.filter((place) => !Array.isArray(place.field.value));
  const leaf = leaves.length === 0 ? field : random.pick(leaves).field;
  if (typeof leaf.value === 'bigint') leaf.value = random.pick(numbers);
  else if (Array.isArray(leaf.value)) leaf.value = [];
  else if (leaf.wireType === 2 && random.once(2))
    leaf.value = new Uint8Array(Buffer.from(random.pick(texts)));
  else leaf.value = sameLength(damaged(leaf.value, random), leaf);
}

/** Numbers of fixed width keep it. */
function sameLength(bytes: Uint8Array, { wireType }: Field): Uint8Array {
  if (wireType === 2) return bytes;
  return Uint8Array.from({ length: wireType === 1 ? 8 : 4 }, (_, i) => bytes[i] ?? 0);
}

function* placesOf(fields: Field[]): Generator<{ readonly field: Field; readonly siblings: Field[] }, void> {
  for (const field of fields) {
    yield { field, siblings: fields };
    if (Array.isArray(field.value)) yield* placesOf(field.value);
  }
}

function fieldsOf(bytes: Uint8Array, path: string, depth: number): Field[] | undefined {
  if (depth > 40) return undefined;
  const fields: Field[] = [];
  let at = 0;
  const varint = () => {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++];
      if (byte === undefined) return undefined;
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) return value;
    }
    return undefined;
  };
  while (at < bytes.length) {
    const key = varint();
    if (key === undefined || key >> 3n < 1n || key >> 3n > 9999n) return undefined;
    const number = Number(key >> 3n);
    const wireType = Number(key & 7n);
    const place = `${path}.${number}`;
    if (wireType === 0) {
      const value = varint();
      if (value === undefined) return undefined;
      fields.push({ number, wireType, path: place, value });
      continue;
    }
    const length = wireType === 1 ? 8n : wireType === 5 ? 4n : wireType === 2 ? varint() : undefined;
    if (length === undefined || length > BigInt(bytes.length - at)) return undefined;
    const content = bytes.slice(at, at + Number(length));
    at += content.length;
    const message = wireType === 2 && content.length > 1 ? fieldsOf(content, place, depth + 1) : undefined;
    fields.push({ number, wireType, path: place, value: message ?? content });
  }
  return fields;
}

function encoded(fields: readonly Field[]): Uint8Array {
  const parts: Uint8Array[] = [];
  for (const { number, wireType, value } of fields) {
    parts.push(varintBytes(BigInt(number * 8 + wireType)));
    if (typeof value === 'bigint') {
      parts.push(varintBytes(value));
      continue;
    }
    const content = Array.isArray(value) ? encoded(value) : value;
    if (wireType === 2) parts.push(varintBytes(BigInt(content.length)));
    parts.push(content);
  }
  return new Uint8Array(Buffer.concat(parts));
}

export function varintBytes(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, value);
  do {
    const low = Number(rest & 127n);
    rest >>= 7n;
    bytes.push(rest > 0n ? low | 128 : low);
  } while (rest > 0n);
  return Uint8Array.from(bytes);
}
