/**
 * Products of matrices for the evaluator, quick enough for whole networks: sums in f64, of four rows and four columns
 * at a time, whose numbers are laid side by side first.
 */

import type { TensorData } from '../ir/types.ts';

/** `sums += left · right`: (rows, steps) · (steps, columns). */
export interface Product {
  readonly rows: number;
  readonly steps: number;
  readonly columns: number;
  /** Writes the numbers of a row of the left matrix. */
  readonly readRow: (row: number, into: Float64Array) => void;
  readonly right: Matrix<TensorData>;
  /** Its columns lie side by side. */
  readonly sums: Matrix<Float64Array>;
}

/** A matrix within an array. */
export interface Matrix<Data> {
  readonly data: Data;
  /** Where its first number is. */
  readonly start: number;
  /** The distance from row to row, and from column to column. */
  readonly row: number;
  readonly column: number;
}

/** Rows and columns of a tile. The loop of `multiplyTile` is written out for it. */
const TILE = 4;

/** How many numbers of the left matrix are laid out at once: they stay in the cache, one tile of columns after another. */
const MOST_AT_ONCE = 2 ** 17;

export function addProduct({ rows, steps, columns, readRow, right, sums }: Product): void {
  const tilesAtOnce = Math.max(
    1,
    Math.min(Math.ceil(rows / TILE), Math.floor(MOST_AT_ONCE / (TILE * steps))),
  );
  const row = new Float64Array(steps);
  const left = new Float64Array(tilesAtOnce * TILE * steps);
  const panel = new Float64Array(TILE * steps);
  const tile = new Float64Array(TILE * TILE);
  for (let first = 0; first < rows; first += tilesAtOnce * TILE) {
    const count = Math.min(rows - first, tilesAtOnce * TILE);
    left.fill(0);
    for (let i = 0; i < count; i++) {
      readRow(first + i, row);
      const at = (i - (i % TILE)) * steps + (i % TILE);
      for (let s = 0; s < steps; s++) left[at + s * TILE] = row[s]!;
    }
    for (let column = 0; column < columns; column += TILE) {
      const width = Math.min(TILE, columns - column);
      readColumns(right, column, width, steps, panel);
      for (let i = 0; i < count; i += TILE) {
        multiplyTile(left, i * steps, panel, steps, tile);
        addTile(tile, sums, first + i, column, Math.min(TILE, count - i), width);
      }
    }
  }
}

/** A reader of the rows of a matrix. */
export function rowsOf({ data, start, row, column }: Matrix<TensorData>): Product['readRow'] {
  return (index, into) => {
    const from = start + index * row;
    for (let s = 0; s < into.length; s++) into[s] = Number(data[from + s * column]);
  };
}

/** Where the sums begin: at the bias, again and again. */
export function repeated(bias: TensorData, length: number): Float64Array {
  const sums = new Float64Array(length);
  for (let i = 0; i < length; i++) sums[i] = Number(bias[i % bias.length]);
  return sums;
}

function readColumns(
  { data, start, row, column }: Matrix<TensorData>,
  first: number,
  width: number,
  steps: number,
  panel: Float64Array,
): void {
  panel.fill(0);
  for (let s = 0; s < steps; s++) {
    const from = start + s * row + first * column;
    for (let j = 0; j < width; j++) panel[s * TILE + j] = Number(data[from + j * column]);
  }
}

/** The 16 sums are variables, so that they stay in registers. */
function multiplyTile(
  left: Float64Array,
  from: number,
  right: Float64Array,
  steps: number,
  tile: Float64Array,
): void {
  let [a0, a1, a2, a3, b0, b1, b2, b3] = [0, 0, 0, 0, 0, 0, 0, 0];
  let [c0, c1, c2, c3, d0, d1, d2, d3] = [0, 0, 0, 0, 0, 0, 0, 0];
  for (let s = 0, at = from; s < steps * TILE; s += TILE, at += TILE) {
    const z0 = right[s]!;
    const z1 = right[s + 1]!;
    const z2 = right[s + 2]!;
    const z3 = right[s + 3]!;
    const a = left[at]!;
    a0 += a * z0;
    a1 += a * z1;
    a2 += a * z2;
    a3 += a * z3;
    const b = left[at + 1]!;
    b0 += b * z0;
    b1 += b * z1;
    b2 += b * z2;
    b3 += b * z3;
    const c = left[at + 2]!;
    c0 += c * z0;
    c1 += c * z1;
    c2 += c * z2;
    c3 += c * z3;
    const d = left[at + 3]!;
    d0 += d * z0;
    d1 += d * z1;
    d2 += d * z2;
    d3 += d * z3;
  }
  tile.set([a0, a1, a2, a3, b0, b1, b2, b3, c0, c1, c2, c3, d0, d1, d2, d3]);
}

function addTile(
  tile: Float64Array,
  { data, start, row, column }: Matrix<Float64Array>,
  firstRow: number,
  firstColumn: number,
  height: number,
  width: number,
): void {
  for (let i = 0; i < height; i++) {
    const to = start + (firstRow + i) * row + firstColumn * column;
    for (let j = 0; j < width; j++) data[to + j * column]! += tile[i * TILE + j]!;
  }
}
