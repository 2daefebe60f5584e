/**
 * Products of matrices for the evaluator, quick enough for whole networks: sums in f64, of four rows and four columns
 * at a time, whose numbers are laid side by side first.
 */

import type { TensorData } from '../ir/types.ts';
import { TILE, workplace } from './tile-product.ts';

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

/** How many numbers of the left matrix are laid out at once: they stay in the cache, one tile of columns after another. */
const MOST_AT_ONCE = 2 ** 17;

/** A place for more steps than that would be as large as the model. */
const MOST_STEPS = 2 ** 16;

export function addProduct(product: Product): void {
  for (let step = 0; step < product.steps; step += MOST_STEPS) {
    addSteps(product, step, Math.min(MOST_STEPS, product.steps - step));
  }
}

/** Adds the products of so many steps, from the `from`th on. */
function addSteps(
  { rows, columns, readRow, right, sums, ...all }: Product,
  from: number,
  steps: number,
): void {
  const tilesAtOnce = Math.max(
    1,
    Math.min(Math.ceil(rows / TILE), Math.floor(MOST_AT_ONCE / (TILE * steps))),
  );
  const row = new Float64Array(all.steps);
  const below = { ...right, start: right.start + from * right.row };
  const { left, right: panel, products, multiply } = workplace(tilesAtOnce, steps);
  for (let first = 0; first < rows; first += tilesAtOnce * TILE) {
    const count = Math.min(rows - first, tilesAtOnce * TILE);
    left.fill(0);
    for (let i = 0; i < count; i++) {
      readRow(first + i, row);
      const at = (i - (i % TILE)) * steps + (i % TILE);
      for (let s = 0; s < steps; s++) left[at + s * TILE] = row[from + s]!;
    }
    for (let column = 0; column < columns; column += TILE) {
      readColumns(below, column, Math.min(TILE, columns - column), steps, panel);
      multiply(Math.ceil(count / TILE));
      addColumns(products, sums, first, count, column, Math.min(TILE, columns - column));
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

function addColumns(
  products: Float64Array,
  { data, start, row, column }: Matrix<Float64Array>,
  firstRow: number,
  rows: number,
  firstColumn: number,
  columns: number,
): void {
  for (let i = 0; i < rows; i++) {
    const to = start + (firstRow + i) * row + firstColumn * column;
    for (let j = 0; j < columns; j++) data[to + j * column]! += products[i * TILE + j]!;
  }
}
