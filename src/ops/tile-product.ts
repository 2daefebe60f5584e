/**
 * The innermost loop of products of matrices, as WebAssembly: V8 computes two numbers of f64 with one instruction
 * there, and one in JavaScript. The module is assembled here (https://webassembly.github.io/spec/core/binary).
 */

/** Rows and columns of a tile. */
export const TILE = 4;

/** What a product computes in: a stretch of rows, four columns, and the tiles of their product. */
export interface Workplace {
  /** `[tile][steps][TILE]`: four rows after four rows. */
  readonly left: Float64Array;
  /** `[steps][TILE]` */
  readonly right: Float64Array;
  /** `[tile][TILE][TILE]`: row after row. */
  readonly products: Float64Array;
  /** Multiplies so many tiles. */
  multiply(tiles: number): void;
}

/** A place for so many tiles. It holds until the next one is asked for. */
export function workplace(tiles: number, steps: number): Workplace {
  const [products, right, left] = arrays([tiles * TILE * TILE, TILE * steps, tiles * TILE * steps]) as [
    Float64Array,
    Float64Array,
    Float64Array,
  ];
  return {
    left,
    right,
    products,
    multiply: (tiles) =>
      exported.multiply(left.byteOffset, right.byteOffset, steps, products.byteOffset, tiles),
  };
}

/** What TypeScript's library for Node lacks, as far as it is used. */
declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object;
  readonly Instance: new (
    module: object,
  ) => {
    readonly exports: {
      readonly memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
      multiply(left: number, right: number, steps: number, products: number, tiles: number): void;
    };
  };
};

const DOUBLE = 8;
const PAGE = 2 ** 16;

/** Arrays in the memory of the module, one after another, all zero. */
function arrays(lengths: readonly number[]): readonly Float64Array[] {
  const { memory } = exported;
  const needed = DOUBLE * lengths.reduce((sum, length) => sum + length, 0);
  const missing = needed - memory.buffer.byteLength;
  if (missing > 0) memory.grow(Math.ceil(missing / PAGE));
  let at = 0;
  return lengths.map((length) => {
    const array = new Float64Array(memory.buffer, at, length).fill(0);
    at += array.byteLength;
    return array;
  });
}

/** The locals of `multiply`: its parameters, which are places in bytes but for the counts, and its own. */
const [LEFT, RIGHT, STEPS, PRODUCTS, TILES] = [0, 1, 2, 3, 4];
const [START, END, LAST, NUMBER, COLUMNS, SUMS] = [5, 6, 7, 8, 9, 11];

const [I32, V128] = [0x7f, 0x7b];
/** Instructions. */
const get = (local: number) => [0x20, local];
const set = (local: number) => [0x21, local];
const constant = (value: number) => [0x41, ...signed(value)];
const [ADD, MULTIPLY, LESS] = [[0x6a], [0x6c], [0x49]];
const vector = (instruction: number) => [0xfd, ...unsigned(instruction)];
/** Of numbers of 8 bytes, `offset` bytes from the place on the stack. */
const at = (offset: number) => [3, ...unsigned(offset)];
const load = (offset: number) => [...vector(0x00), ...at(offset)];
const loadTwice = (offset: number) => [...vector(0x0a), ...at(offset)];
const store = (offset: number) => [...vector(0x0b), ...at(offset)];
const zero = [...vector(0x0c), ...Array<number>(16).fill(0)];
const [ADD_F64, MULTIPLY_F64] = [vector(0xf0), vector(0xf2)];
/** `block loop condition eqz br_if 1 body br 0 end end` */
const repeatWhile = (condition: readonly number[], body: readonly number[]) => [
  ...[0x02, 0x40, 0x03, 0x40, ...condition, 0x45, 0x0d, 1],
  ...[...body, 0x0c, 0, 0x0b, 0x0b],
];
const goOn = (place: number, bytes: number) => [...get(place), ...constant(bytes), ...ADD, ...set(place)];

const ROW = TILE * DOUBLE;
const PAIR = 2 * DOUBLE;
const rows = Array.from({ length: TILE }, (_, row) => row);
const pairs = Array.from({ length: TILE / 2 }, (_, pair) => pair);
/** Two sums of a tile, which stay in a register. */
const sums = rows.flatMap((row) =>
  pairs.map((pair) => ({ row, pair, local: SUMS + row * pairs.length + pair })),
);

const addStep = [
  ...pairs.flatMap((pair) => [...get(RIGHT), ...load(pair * PAIR), ...set(COLUMNS + pair)]),
  ...rows.flatMap((row) => [
    ...[...get(LEFT), ...loadTwice(row * DOUBLE), ...set(NUMBER)],
    ...sums
      .filter((sum) => sum.row === row)
      .flatMap(({ pair, local }) => [
        ...[...get(NUMBER), ...get(COLUMNS + pair), ...MULTIPLY_F64],
        ...[...get(local), ...ADD_F64, ...set(local)],
      ]),
  ]),
  ...[...goOn(LEFT, ROW), ...goOn(RIGHT, ROW)],
];

const multiplyTile = [
  ...[...get(START), ...set(RIGHT)],
  ...sums.flatMap(({ local }) => [...zero, ...set(local)]),
  ...repeatWhile([...get(RIGHT), ...get(END), ...LESS], addStep),
  ...sums.flatMap(({ row, pair, local }) => [
    ...[...get(PRODUCTS), ...get(local), ...store(row * ROW + pair * PAIR)],
  ]),
  ...goOn(PRODUCTS, TILE * ROW),
];

const multiply = [
  ...[...get(RIGHT), ...set(START)],
  ...[...get(RIGHT), ...get(STEPS), ...constant(ROW), ...MULTIPLY, ...ADD, ...set(END)],
  ...[...get(PRODUCTS), ...get(TILES), ...constant(TILE * ROW), ...MULTIPLY, ...ADD, ...set(LAST)],
  ...repeatWhile([...get(PRODUCTS), ...get(LAST), ...LESS], multiplyTile),
  0x0b,
];

/** LEB128. */
function unsigned(value: number): readonly number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

/** LEB128 of a number that is not negative, with a sign. */
function signed(value: number): readonly number[] {
  return value < 0x40 ? [value] : [(value & 0x7f) | 0x80, ...signed(value >>> 7)];
}

const sized = (bytes: readonly number[]) => [...unsigned(bytes.length), ...bytes];
const section = (id: number, items: readonly (readonly number[])[]) => [
  id,
  ...sized([items.length, ...items.flat()]),
];
const named = (name: string, kind: number) => [...sized([...Buffer.from(name)]), kind, 0];

const numbers = [NUMBER - START, I32];
const vectors = [SUMS - NUMBER + sums.length, V128];
const compiled = new WebAssembly.Module(
  Uint8Array.of(
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    // The type of the function, the function, a memory without limit, and the names of both.
    ...section(1, [[0x60, ...sized([I32, I32, I32, I32, I32]), 0]]),
    ...section(3, [[0]]),
    ...section(5, [[0, 0]]),
    ...section(7, [named('multiply', 0), named('memory', 2)]),
    ...section(10, [sized([2, ...numbers, ...vectors, ...multiply])]),
  ),
);
const exported = new WebAssembly.Instance(compiled).exports;
