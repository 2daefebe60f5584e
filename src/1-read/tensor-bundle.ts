/**
 * TensorFlow's checkpoints: `variables.index`, which says where each tensor lies, and `variables.data-00000-of-00001`.
 * tensorflow/core/util/tensor_bundle, tensorflow/core/protobuf/tensor_bundle.proto.
 */

import { refuse } from '../errors.ts';
import { elements, printShape, type Tensor } from '../ir/types.ts';
import { crc32c, masked } from './crc32.ts';
import {
  type AnyTensor,
  dtypeOf,
  encodingOf,
  type StringTensor,
  type TypeName,
  tensorOfBytes,
  typeName,
} from './element-types.ts';
import type { Files } from './files.ts';
import { readTable } from './level-table.ts';
import { fieldsOf, fixed32Of, int32Of, int64Of, type Message, messageOf } from './protobuf.ts';
import { closed, readShape, stringsOfBytes } from './tensor-proto.ts';

export interface TensorBundle {
  /** In the order of the index. */
  readonly keys: readonly string[];
  has(key: string): boolean;
  /** Type and shape, without reading the tensor. */
  entry(key: string): { readonly type: TypeName; readonly shape: readonly number[] };
  /** Reads the tensor and verifies its checksum. */
  tensor(key: string): AnyTensor;
}

/** Opens the checkpoint `prefix`.index, `prefix`.data-…; of the latter only what a tensor needs is ever read. */
export function openTensorBundle(files: Files, prefix: string): TensorBundle {
  const file = `${prefix}.index`;
  const size = files.size(file) ?? refuse(file, 'is missing; the weights of the model are listed there');
  if (size > largestIndex) refuse(file, `has ${size} bytes, and at most ${largestIndex} are supported`);
  const entries = readTable(files.read(file, 0, size), file);
  const header = readHeader(
    messageOf(entries.get('') ?? refuse(file, 'damaged: its header is missing'), file),
  );
  const bundle: OpenBundle = { files, prefix, file, shards: header.shards, entries };
  checkShards(bundle);
  const keys = [...entries.keys()].filter((key) => key !== '' && !key.startsWith('\0'));
  return {
    keys: keys.map((key) => Buffer.from(key, 'latin1').toString()),
    has: (key) => key !== '' && entries.has(tableKey(key)),
    entry(key) {
      const { type, shape } = findEntry(bundle, tableKey(key), key);
      return { type, shape };
    },
    tensor(key) {
      const entry = findEntry(bundle, tableKey(key), key);
      return entry.slices.length > 0 ? assemble(bundle, key, entry) : readWhole(bundle, key, entry);
    },
  };
}

/** A checkpoint that was not copied whole is told at once, even where what is missing is not needed. */
function checkShards(bundle: OpenBundle): void {
  const ends = new Map<number, number>();
  for (const [key, bytes] of bundle.entries) {
    if (key === '') continue;
    const { shard, offset, size } = placeOf(messageOf(bytes, bundle.file), bundle.file);
    ends.set(shard, Math.max(ends.get(shard) ?? 0, offset + size));
  }
  for (const [shard, end] of ends) {
    const file = shardFile(bundle, shard);
    const available = bundle.files.size(file);
    if (available === undefined) refuse(file, `is missing; ${bundle.file} says that weights lie in it`);
    if (end > available) {
      refuse(
        file,
        `truncated: has ${available} bytes, and ${bundle.file} says that weights lie in it up to ${end}`,
      );
    }
  }
}

/** Where an entry's bytes lie. */
function placeOf(message: Message, where: string): Pick<Entry, 'shard' | 'offset' | 'size'> {
  const place = { shard: 0, offset: 0, size: 0 };
  for (const field of fieldsOf(message)) {
    if (field.number === 3) place.shard = int32Of(field);
    if (field.number === 4) place.offset = count(int64Of(field), where);
    if (field.number === 5) place.size = count(int64Of(field), where);
  }
  return place;
}

/** Tables have bytes for keys; here each byte is a character. */
function tableKey(key: string): string {
  return Buffer.from(key).toString('latin1');
}

/** A variable takes about a hundred bytes. */
const largestIndex = 2 ** 30;

/** What an array of Node.js 20 can hold. */
const mostBytes = 2 ** 32 - 1;

interface OpenBundle {
  readonly files: Files;
  readonly prefix: string;
  /** The index. */
  readonly file: string;
  readonly shards: number;
  readonly entries: ReadonlyMap<string, Uint8Array>;
}

/** BundleEntryProto */
interface Entry {
  readonly type: TypeName;
  readonly shape: readonly number[];
  readonly shard: number;
  readonly offset: number;
  readonly size: number;
  readonly checksum: number;
  /** The parts of a variable that was saved in parts; such an entry has no bytes of its own. */
  readonly slices: readonly Slice[];
}

/** TensorSliceProto: a range in each dimension; a dimension without a length is whole. */
type Slice = readonly Extent[];

interface Extent {
  readonly start: number;
  readonly length?: number;
}

/** BundleHeaderProto */
function readHeader(message: Message): { readonly shards: number } {
  let shards = 0;
  for (const field of fieldsOf(message)) {
    if (field.number === 1) shards = int32Of(field);
    if (field.number === 2 && int32Of(field) !== 0) {
      refuse(
        message.source.file,
        'was written on a big-endian machine; save it again on a little-endian one',
      );
    }
  }
  return { shards };
}

/** `variable` is what errors call the entry. */
function findEntry(bundle: OpenBundle, key: string, variable: string): Entry {
  const bytes = bundle.entries.get(key) ?? refuse(bundle.file, `has no variable "${variable}"`);
  return readEntry(messageOf(bytes, bundle.file), `${bundle.file}, variable "${variable}"`);
}

function readEntry(message: Message, where: string): Entry {
  let type = typeName(0);
  let shape: readonly number[] = [];
  let shard = 0;
  let offset = 0;
  let size = 0;
  let checksum = 0;
  const slices: Slice[] = [];
  for (const field of fieldsOf(message)) {
    switch (field.number) {
      case 1:
        type = typeName(int32Of(field));
        break;
      case 2:
        shape = closed(readShape(field), where);
        break;
      case 3:
        shard = int32Of(field);
        break;
      case 4:
        offset = count(int64Of(field), where);
        break;
      case 5:
        size = count(int64Of(field), where);
        break;
      case 6:
        checksum = fixed32Of(field);
        break;
      case 7:
        slices.push(readSlice(field, where));
        break;
    }
  }
  return { type, shape, shard, offset, size, checksum, slices };
}

function readSlice(message: Message, where: string): Slice {
  const slice: Extent[] = [];
  for (const field of fieldsOf(message)) {
    if (field.number !== 1) continue;
    let extent: Extent = { start: 0 };
    for (const part of fieldsOf(field)) {
      if (part.number === 1) extent = { ...extent, start: count(int64Of(part), where) };
      if (part.number === 2) extent = { ...extent, length: count(int64Of(part), where) };
    }
    slice.push(extent);
  }
  return slice;
}

function count(value: bigint, where: string): number {
  if (value >= 0n && value <= Number.MAX_SAFE_INTEGER) return Number(value);
  refuse(where, `damaged: has the offset or length ${value}`);
}

function readWhole(bundle: OpenBundle, variable: string, entry: Entry): AnyTensor {
  const { bytes, where } = readBytes(bundle, variable, entry);
  if (entry.type === 'string') return readStrings(bytes, entry, where);
  verify(bytes, entry, where);
  return tensorOfBytes(entry.type, entry.shape, bytes, where);
}

function readBytes(
  bundle: OpenBundle,
  variable: string,
  entry: Entry,
): { readonly bytes: Uint8Array; readonly where: string } {
  const { type, offset, size } = entry;
  const file = shardFile(bundle, entry.shard);
  const where = `${file}, variable "${variable}"`;
  if (dtypeOf(type) === undefined) refuse(where, `has elements of type ${type}, which is not supported`);
  if (size > mostBytes) refuse(where, `takes ${size} bytes, and at most ${mostBytes} are supported`);
  checkSize(entry, where);
  return { bytes: bundle.files.read(file, offset, size), where };
}

function shardFile({ prefix, shards }: OpenBundle, shard: number): string {
  const digits = (n: number) => `${n}`.padStart(5, '0');
  return `${prefix}.data-${digits(shard)}-of-${digits(shards)}`;
}

function verify(bytes: Uint8Array, { checksum }: Entry, where: string): void {
  if (masked(crc32c(bytes)) !== checksum) wrongChecksum(where);
}

function checkSize({ type, shape, size }: Entry, where: string): void {
  const bytesPerElement = encodingOf(type)?.bytesPerElement;
  if (bytesPerElement === undefined || elements(shape) * bytesPerElement === size) return;
  refuse(
    where,
    `damaged: has ${size} bytes, but ${type}${printShape(shape)} takes ${elements(shape) * bytesPerElement}`,
  );
}

/**
 * Strings lie behind their lengths and a checksum of the lengths.
 * Both checksums go over each length as four bytes (eight, if it needs them), not over the varint that is in the file;
 * that of the entry goes on over the stored checksum and the strings.
 */
function readStrings(bytes: Uint8Array, { shape, checksum }: Entry, where: string): StringTensor {
  const data = stringsOfBytes(bytes, elements(shape), 4, where);
  const gap = bytes.length - data.reduce((sum, { length }) => sum + length, 0) - 4;
  const lengths = Buffer.concat(data.map(({ length }) => lengthBytes(length)));
  const stored = bytes.subarray(gap, gap + 4);
  const computed = Buffer.alloc(4);
  computed.writeUInt32LE(masked(crc32c(lengths)));
  if (!computed.equals(stored)) wrongChecksum(where);
  if (masked(crc32c(Buffer.concat([lengths, stored, ...data]))) !== checksum) wrongChecksum(where);
  return { dtype: 'string', shape, data };
}

function lengthBytes(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length);
  return bytes;
}

function wrongChecksum(where: string): never {
  refuse(where, 'damaged: its checksum is wrong');
}

/** Puts a variable together that was saved in parts. */
function assemble(bundle: OpenBundle, variable: string, entry: Entry): Tensor {
  const { type, shape } = entry;
  const where = `${bundle.file}, variable "${variable}"`;
  const width = encodingOf(type)?.bytesPerElement;
  if (width === undefined)
    refuse(where, `was saved in parts, with elements of type ${type}, which is not supported`);
  const parts = entry.slices.map((slice) => findPart(bundle, variable, entry, slice));
  const found = parts.reduce((sum, part) => sum + elements(part.entry.shape), 0);
  if (found !== elements(shape)) {
    refuse(
      where,
      `damaged: its parts have ${found} elements, but ${printShape(shape)} has ${elements(shape)}`,
    );
  }
  checkStored(bundle, parts, found * width, where);
  const bytes = new Uint8Array(found * width);
  const filled = new Uint8Array(found);
  for (const part of parts) {
    const { bytes: values, where: place } = readBytes(bundle, variable, part.entry);
    verify(values, part.entry, place);
    const row = part.entry.shape.at(-1) ?? 1;
    let from = 0;
    for (const to of rowsOf(part, shape)) {
      bytes.set(values.subarray(from * width, (from + row) * width), to * width);
      filled.fill(1, to, to + row);
      from += row;
    }
  }
  if (filled.includes(0)) refuse(where, 'damaged: its parts overlap');
  return tensorOfBytes(type, shape, bytes, where);
}

/** One part of a variable: its own entry, and where it begins in each dimension of the variable. */
interface Part {
  readonly starts: readonly number[];
  readonly entry: Entry;
}

function findPart(bundle: OpenBundle, variable: string, whole: Entry, slice: Slice): Part {
  const where = `${bundle.file}, variable "${variable}"`;
  const { shape } = whole;
  const lengths = slice.map(({ length }, i) => length ?? shape[i] ?? 0);
  if (slice.length !== shape.length || slice.some(({ start }, i) => start + lengths[i]! > shape[i]!)) {
    refuse(where, `damaged: has a part that doesn't lie within ${printShape(shape)}`);
  }
  const key = sliceKey(variable, slice);
  if (!bundle.entries.has(key)) refuse(where, 'damaged: one of its parts is missing');
  const entry = findEntry(bundle, key, variable);
  if (entry.type !== whole.type || printShape(entry.shape) !== printShape(lengths)) {
    refuse(
      where,
      `damaged: a part is ${entry.type}${printShape(entry.shape)} instead of ${whole.type}${printShape(lengths)}`,
    );
  }
  return { starts: slice.map(({ start }) => start), entry };
}

/** Parts that share their bytes could make a small file claim endless memory: all must fit into their files together. */
function checkStored(bundle: OpenBundle, parts: readonly Part[], needed: number, where: string): void {
  const shards = new Set(parts.map(({ entry }) => entry.shard));
  let stored = 0;
  for (const shard of shards) stored += bundle.files.size(shardFile(bundle, shard)) ?? 0;
  if (needed <= Math.min(stored, mostBytes)) return;
  refuse(where, `truncated or damaged: takes ${needed} bytes, but the files of its parts have ${stored}`);
}

/** Where each row of the part, a run along the last dimension, begins in the variable's elements. */
function* rowsOf({ starts, entry }: Part, shape: readonly number[]): Generator<number, void> {
  const outer = entry.shape.slice(0, -1);
  const rows = elements(entry.shape) === 0 ? 0 : elements(outer);
  for (let row = 0; row < rows; row++) {
    let rest = row;
    let at = starts.at(-1) ?? 0;
    let stride = shape.at(-1) ?? 1;
    for (let i = outer.length - 1; i >= 0; i--) {
      at += (starts[i]! + (rest % outer[i]!)) * stride;
      rest = Math.floor(rest / outer[i]!);
      stride *= shape[i]!;
    }
    yield at;
  }
}

/** The key of a part: tensorflow/core/util/saved_tensor_slice_util.cc, in OrderedCode, as characters for bytes. */
function sliceKey(variable: string, slice: Slice): string {
  const name = tableKey(variable).replace(/[\0\xff]/g, (byte) => (byte === '\0' ? '\0\xff' : '\xff\0'));
  const extents = slice.map(({ start, length }) => signedCode(start) + signedCode(length ?? -1));
  return `${unsignedCode(0)}${name}\0\x01${unsignedCode(slice.length)}${extents.join('')}`;
}

/** OrderedCode of an unsigned number: how many bytes, then the bytes, the highest first. */
function unsignedCode(value: number): string {
  const bytes = value === 0 ? '' : bigEndian(BigInt(value), Math.ceil(value.toString(16).length / 2));
  return String.fromCharCode(bytes.length) + bytes;
}

/** OrderedCode of a number with a sign: as many leading ones as there are bytes, turned over when it is negative. */
function signedCode(value: number): string {
  let bytes = 1;
  while ((value < 0 ? ~value : value) >= 2 ** (7 * bytes - 1)) bytes++;
  const ones = ((1n << BigInt(bytes)) - 1n) << BigInt(7 * bytes);
  return bigEndian(BigInt(value) ^ ones, bytes);
}

function bigEndian(value: bigint, bytes: number): string {
  const digits = BigInt.asUintN(8 * bytes, value).toString(16);
  return Buffer.from(digits.padStart(2 * bytes, '0'), 'hex').toString('latin1');
}
