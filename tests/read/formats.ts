/** The files of fixtures/formats, whole and damaged. */

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { type Files, memoryFiles } from '../../src/1-read/files.ts';
import { ConversionError } from '../../src/errors.ts';

export function format(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(`../../../fixtures/formats/${name}`, import.meta.url)));
}

export function formats(...names: readonly string[]): Files {
  return memoryFiles(new Map(names.map((name) => [name, format(name)])));
}

/** Models of others that are beside the project, where they are: their files are not ours to copy. */
const halfPlusTwo = new URL('../../../../shared/real/tf1_half_plus_two/saved_model/', import.meta.url);

/** Why a test that reads `halfPlusTwo` is passed over; false if it need not be. */
export const withoutHalfPlusTwo = existsSync(halfPlusTwo)
  ? false
  : 'skipped: ../shared/real/tf1_half_plus_two is not there';

export function halfPlusTwoFile(name: string): Uint8Array {
  return new Uint8Array(readFileSync(new URL(name, halfPlusTwo)));
}

/** The message of the ConversionError that `read` throws. */
export function refusal(read: () => unknown): string {
  try {
    read();
  } catch (error) {
    assert(error instanceof ConversionError, error instanceof Error ? error.stack : `${error}`);
    return error.message;
  }
  assert.fail('nothing was refused');
}

/** Reads beginnings of the bytes, and the bytes with some changed: either works or ends in a ConversionError. */
export function readDamaged(bytes: Uint8Array, read: (damaged: Uint8Array) => unknown, rounds = 1000): void {
  for (let length = 0; length < bytes.length; length += Math.ceil(bytes.length / 500)) {
    readOrRefuse(bytes.slice(0, length), read);
  }
  let random = 1;
  for (let round = 0; round < rounds; round++) {
    const damaged = bytes.slice();
    for (let changes = 1 + (round % 3); changes > 0; changes--) {
      random = (Math.imul(random, 1664525) + 1013904223) >>> 0;
      const at = Math.floor((random / 2 ** 32) * bytes.length);
      damaged[at] = round % 2 === 0 ? damaged[at]! ^ (1 << (random & 7)) : random & 255;
    }
    readOrRefuse(damaged, read);
  }
}

function readOrRefuse(bytes: Uint8Array, read: (damaged: Uint8Array) => unknown): void {
  try {
    read(bytes);
  } catch (error) {
    assert(error instanceof ConversionError, error instanceof Error ? error.stack : `${error}`);
  }
}

/** What fixtures/formats/make.py puts into an array of `count` elements. */
export function counted(count: number): readonly number[] {
  return Array.from({ length: count }, (_, i) => i - 2);
}
