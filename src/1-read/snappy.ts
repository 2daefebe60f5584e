/** Snappy, the compression of checkpoints of TensorFlow 1: https://github.com/google/snappy/blob/main/format_description.txt */

import { refuse } from '../errors.ts';

/** Decompresses a block, which says itself how long it becomes; `where` names it in errors. */
export function uncompress(block: Uint8Array, where: string): Uint8Array {
  const input: Input = { block, where, at: 0 };
  const size = readSize(input);
  if (size > block.length * bestRatio) damaged(input);
  const output = new Uint8Array(size);
  let end = 0;
  while (input.at < block.length) {
    const { length, distance } = readElement(input);
    if (length > size - end || distance > end) damaged(input);
    if (distance === 0) {
      output.set(takeBytes(input, length), end);
      end += length;
    } else {
      for (const stop = end + length; end < stop; end++) output[end] = output[end - distance]!;
    }
  }
  if (end !== size) damaged(input);
  return output;
}

/** A copy of 64 bytes takes three. */
const bestRatio = 22;

interface Input {
  readonly block: Uint8Array;
  readonly where: string;
  at: number;
}

/** A varint of 32 bits. */
function readSize(input: Input): number {
  let size = 0;
  for (let scale = 1; scale < 2 ** 35; scale *= 128) {
    const byte = readNumber(input, 1);
    size += (byte & 127) * scale;
    if (byte < 128) return size;
  }
  damaged(input);
}

/** Bytes that follow literally, which have the distance 0, or a copy of bytes that lie some way back. */
function readElement(input: Input): { readonly length: number; readonly distance: number } {
  const tag = readNumber(input, 1);
  const upper = tag >> 2;
  switch (tag & 3) {
    case 0:
      return { length: (upper < 60 ? upper : readNumber(input, upper - 59)) + 1, distance: 0 };
    case 1:
      return copy(input, (upper & 7) + 4, (tag >> 5) * 256 + readNumber(input, 1));
    case 2:
      return copy(input, upper + 1, readNumber(input, 2));
    default:
      return copy(input, upper + 1, readNumber(input, 4));
  }
}

function copy(
  input: Input,
  length: number,
  distance: number,
): { readonly length: number; readonly distance: number } {
  return distance === 0 ? damaged(input) : { length, distance };
}

/** Little-endian. */
function readNumber(input: Input, bytes: number): number {
  return takeBytes(input, bytes).reduceRight((number, byte) => number * 256 + byte, 0);
}

function takeBytes(input: Input, length: number): Uint8Array {
  if (length > input.block.length - input.at) damaged(input);
  input.at += length;
  return input.block.subarray(input.at - length, input.at);
}

function damaged({ where, at }: Input): never {
  refuse(where, `truncated or damaged: cannot be decompressed at byte ${at} of its block`);
}
