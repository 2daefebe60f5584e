/**
 * Deflate (RFC 1951) with its fixed codes: what compresses pictures of few colours well, and gives the same bytes
 * with any version of Node, whose own does not.
 */

export interface Deflater {
  /** Adds bytes. What repeats is looked for among the bytes of one call. */
  write(bytes: Uint8Array): void;
  /** All that was written, compressed. */
  end(): Uint8Array;
}

/** What a match may be: of so many bytes, so far back. */
const [SHORTEST, LONGEST, FARTHEST] = [4, 258, 32768];

/** For each hash of four bytes, where they were seen last. */
const HASH_BITS = 15;

export function makeDeflater(): Deflater {
  const bits = makeBits();
  const seen = new Int32Array(1 << HASH_BITS);
  // The one block is the last, and has fixed codes.
  bits.add(0b011, 3);

  const write = (bytes: Uint8Array) => {
    const hashAt = (i: number) => {
      const four = bytes[i]! | (bytes[i + 1]! << 8) | (bytes[i + 2]! << 16) | (bytes[i + 3]! << 24);
      return Math.imul(four, 0x9e3779b1) >>> (32 - HASH_BITS);
    };
    seen.fill(-1);
    const end = bytes.length;
    let at = 0;
    while (at < end) {
      let length = 0;
      let from = -1;
      if (at + SHORTEST <= end) {
        const hash = hashAt(at);
        from = seen[hash]!;
        seen[hash] = at;
        if (from >= 0 && at - from <= FARTHEST) length = matchLength(bytes, from, at, end);
      }
      if (length < SHORTEST) {
        const code = literals[bytes[at]!]!;
        bits.add(code.bits, code.length);
        at++;
        continue;
      }
      addMatch(bits, length, at - from);
      // A place in the middle of a match, so that what follows it is found again, and not only what begins as it does.
      const middle = at + (length >> 1);
      if (middle + SHORTEST <= end) seen[hashAt(middle)] = middle;
      at += length;
    }
  };
  return {
    write,
    end() {
      bits.add(literals[256]!.bits, literals[256]!.length);
      return bits.end();
    },
  };
}

function matchLength(bytes: Uint8Array, from: number, at: number, end: number): number {
  const most = Math.min(LONGEST, end - at);
  let length = 0;
  while (length < most && bytes[from + length] === bytes[at + length]) length++;
  return length;
}

function addMatch(bits: Bits, length: number, distance: number): void {
  const ofLength = rangeOf(lengths, length);
  const code = literals[257 + ofLength.index]!;
  bits.add(code.bits, code.length);
  bits.add(length - ofLength.start, ofLength.extra);
  const ofDistance = rangeOf(distances, distance);
  bits.add(reversed(ofDistance.index, 5), 5);
  bits.add(distance - ofDistance.start, ofDistance.extra);
}

/** Numbers that share a code, from `start` on, told apart by some bits more. */
interface Range {
  readonly index: number;
  readonly start: number;
  readonly extra: number;
}

const lengths = ranges(3, 4, 28, [[258, 0]]);
const distances = ranges(1, 2, 30, []);

/** Ranges as in RFC 1951, 3.2.5: twice `each` have no bits more, then as many each time have one more than before. */
function ranges(
  first: number,
  each: number,
  count: number,
  others: readonly (readonly [start: number, extra: number])[],
): readonly Range[] {
  let start = first;
  const regular = Array.from({ length: count }, (_, index) => {
    const range = { index, start, extra: Math.max(0, Math.floor(index / each) - 1) };
    start += 2 ** range.extra;
    return range;
  });
  return [...regular, ...others.map(([start, extra], i) => ({ index: count + i, start, extra }))];
}

function rangeOf(ranges: readonly Range[], value: number): Range {
  let [low, high] = [0, ranges.length - 1];
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (ranges[middle]!.start <= value) low = middle;
    else high = middle - 1;
  }
  return ranges[low]!;
}

interface Code {
  readonly bits: number;
  readonly length: number;
}

/** The fixed codes of bytes, of the end of a block, and of lengths (RFC 1951, 3.2.6). */
const literals: readonly Code[] = Array.from({ length: 288 }, (_, symbol) => {
  const [first, code, length] =
    symbol < 144
      ? [0, 0x30, 8]
      : symbol < 256
        ? [144, 0x190, 9]
        : symbol < 280
          ? [256, 0, 7]
          : [280, 0xc0, 8];
  return { bits: reversed(code + symbol - first, length), length };
});

/** Codes are written from their highest bit on, all else from its lowest. */
function reversed(code: number, length: number): number {
  let result = 0;
  for (let i = 0; i < length; i++) result |= ((code >> i) & 1) << (length - 1 - i);
  return result;
}

interface Bits {
  /** Adds the lowest `length` bits, the lowest first. */
  add(value: number, length: number): void;
  /** The bytes, the last of which may be filled up with zeros. */
  end(): Uint8Array;
}

function makeBits(): Bits {
  let bytes = new Uint8Array(1 << 16);
  let size = 0;
  let [waiting, count] = [0, 0];
  const flush = () => {
    if (size === bytes.length) {
      const larger = new Uint8Array(2 * size);
      larger.set(bytes);
      bytes = larger;
    }
    bytes[size++] = waiting;
    waiting >>>= 8;
    count -= 8;
  };
  return {
    add(value, length) {
      waiting |= value << count;
      count += length;
      while (count >= 8) flush();
    },
    end() {
      if (count > 0) flush();
      return bytes.slice(0, size);
    },
  };
}
