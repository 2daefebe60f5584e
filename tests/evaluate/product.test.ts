import assert from 'node:assert/strict';
import test from 'node:test';
import { addProduct, rowsOf } from '../../src/ops/product.ts';

/** Small integers, whose sums are exact in any order. */
function counted(length: number, start: number): Float32Array {
  return Float32Array.from({ length }, (_, i) => ((i + start) % 7) - 3);
}

for (const [rows, steps, columns] of [
  [1, 1, 1],
  [1, 9, 5],
  [3, 5, 7],
  [4, 4, 4],
  [5, 0, 3],
  [0, 3, 4],
  [8, 17, 9],
  // More rows than are laid out at once.
  [41, 5000, 5],
  // More steps.
  [5, 70_000, 3],
] as const) {
  test(`a product of ${rows} × ${steps} and ${steps} × ${columns}, either transposed or not`, () => {
    const [x, z] = [counted(rows * steps, 1), counted(steps * columns, 2)];
    const expected = new Float64Array(rows * columns).fill(10);
    for (let i = 0; i < rows; i++) {
      for (let j = 0; j < columns; j++) {
        for (let s = 0; s < steps; s++) expected[i * columns + j]! += x[i * steps + s]! * z[s * columns + j]!;
      }
    }
    const plain = { row: steps, column: 1 };
    const turned = { row: 1, column: rows };
    const xTurned = Float32Array.from(x, (_, at) => x[(at % rows) * steps + Math.floor(at / rows)]!);
    const zTurned = Float32Array.from(z, (_, at) => z[(at % steps) * columns + Math.floor(at / steps)]!);
    for (const readRow of [
      rowsOf({ data: x, start: 0, ...plain }),
      rowsOf({ data: xTurned, start: 0, ...turned }),
    ]) {
      for (const right of [
        { data: z, start: 0, row: columns, column: 1 },
        { data: zTurned, start: 0, row: 1, column: steps },
      ]) {
        const data = new Float64Array(rows * columns).fill(10);
        addProduct({
          rows,
          steps,
          columns,
          readRow,
          right,
          sums: { data, start: 0, row: columns, column: 1 },
        });
        assert.deepEqual(data, expected);
      }
    }
  });
}
