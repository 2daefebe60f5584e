/** Products of matrices: the last two axes; those before them broadcast. */

import { Refusal } from '../errors.ts';
import { type Dim, elements, lengthOfSample, printShape, sameDim } from '../ir/types.ts';
import { broadcastIndices, broadcastShape } from './broadcasting.ts';
import { defineOp } from './op.ts';
import { addProduct, rowsOf } from './product.ts';
import type { Operand, TensorflowNode, TensorflowOps } from './tensorflow.ts';

/** A larger sparse matrix is not written out. */
const MOST_NUMBERS = 2 ** 26;

export interface MatmulAttributes {
  readonly transposeX: boolean;
  readonly transposeZ: boolean;
}

/** (…, m, k) · (…, k, n) → (…, m, n), each transposed first if so told. */
export const matmul = defineOp({
  name: 'Matmul',
  inputs: ['x', 'z'],
  weights: [],

  infer({ x, z }, { transposeX, transposeZ }: MatmulAttributes) {
    const [m, k] = matrix(x.shape, transposeX);
    const [k2, n] = matrix(z.shape, transposeZ);
    if (!sameDim(k, k2))
      throw new Refusal(`matrices ${printShape(x.shape)} and ${printShape(z.shape)} do not fit`);
    if (typeof k !== 'number') throw new Refusal('a product that sums over the batch mixes the samples');
    if (x.dtype !== z.dtype) throw new Refusal(`a product of ${x.dtype} and ${z.dtype} is not supported`);
    return { dtype: x.dtype, shape: [...broadcastShape([x.shape.slice(0, -2), z.shape.slice(0, -2)]), m, n] };
  },

  evaluate({ x, z }, { transposeX, transposeZ }, output) {
    const outer = output.shape.slice(0, -2);
    const [m, n] = output.shape.slice(-2) as [number, number];
    const k = x.shape.at(transposeX ? -2 : -1)!;
    const [xRow, xStep] = transposeX ? [1, m] : [k, 1];
    const [zStep, zColumn] = transposeZ ? [1, k] : [n, 1];
    const xs = broadcastIndices(x.shape.slice(0, -2), outer);
    const zs = broadcastIndices(z.shape.slice(0, -2), outer);
    const sums = new Float64Array(elements(output.shape));
    for (const [product, left] of xs.entries()) {
      addProduct({
        rows: m,
        steps: k,
        columns: n,
        readRow: rowsOf({ data: x.data, start: left * m * k, row: xRow, column: xStep }),
        right: { data: z.data, start: zs[product]! * k * n, row: zStep, column: zColumn },
        sums: { data: sums, start: product * m * n, row: n, column: 1 },
      });
    }
    return x.dtype === 'f64' ? sums : Float32Array.from(sums);
  },

  emit({ inputs, types, into, use }, { transposeX, transposeZ }) {
    if (types.x.dtype !== 'f32') throw new Refusal(`a product of ${types.x.dtype} matrices is not supported`);
    if (types.x.shape.length < 3 && types.z.shape.length < 3) {
      throw new Refusal('a product of two results mixes the samples');
    }
    return `${use('ops')}::matmul(${inputs.x}, ${inputs.z}, ${transposeX}, ${transposeZ}, ${into})`;
  },

  className: () => 'Dot',
  operations: ({ x }, { transposeX }, output) =>
    lengthOfSample(output) * Number(x.shape.at(transposeX ? -2 : -1)),
});

function matrix(shape: readonly Dim[], transpose: boolean): readonly [Dim, Dim] {
  const [rows, columns] = shape.slice(-2);
  if (rows === undefined || columns === undefined) throw new Refusal(`${printShape(shape)} is no matrix`);
  return transpose ? [columns, rows] : [rows, columns];
}

const batchMatMul: TensorflowOps[string] = (node) => {
  for (const name of ['grad_x', 'grad_y']) node.flag(name, false);
  const attributes = { transposeX: node.flag('adj_x', false), transposeZ: node.flag('adj_y', false) };
  return node.add(matmul, { x: node.input(0), z: node.input(1) }, attributes, {});
};

/** The numbers of a matrix that are not 0, with their places. */
function sparseTimesDense(node: TensorflowNode): Operand {
  const [indices, values] = [node.constant(0), node.constant(1)];
  const [rows, columns] = node.integers(2) as [number, number];
  if (node.flag('adjoint_a', false)) throw new Refusal('a sparse matrix that is transposed is not supported');
  if (!(rows * columns <= MOST_NUMBERS)) throw new Refusal(`a sparse matrix of ${rows} × ${columns} numbers`);
  if (values.dtype !== 'f32') throw new Refusal(`a sparse matrix of ${values.dtype} is not supported`);
  const data = new Float32Array(rows * columns);
  for (let i = 0; i < values.data.length; i++) {
    const [row, column] = [Number(indices.data[2 * i]), Number(indices.data[2 * i + 1])];
    const isInside = row >= 0 && row < rows && column >= 0 && column < columns;
    if (!isInside) throw new Refusal(`place ${row}, ${column} of a matrix of ${rows} × ${columns}`);
    data[row * columns + column]! += Number(values.data[i]);
  }
  const tensor = { dtype: values.dtype, shape: [rows, columns], data };
  const x = { kind: 'constant', type: { dtype: tensor.dtype, shape: tensor.shape }, tensor } as const;
  const attributes = { transposeX: false, transposeZ: node.flag('adjoint_b', false) };
  return node.add(matmul, { x, z: node.input(3) }, attributes, {});
}

export const matmulTensorflow: TensorflowOps = {
  BatchMatMul: batchMatMul,
  BatchMatMulV2: batchMatMul,
  BatchMatMulV3: batchMatMul,
  SparseMatMul: (node) => {
    for (const name of ['a_is_sparse', 'b_is_sparse']) node.flag(name, false);
    const attributes = {
      transposeX: node.flag('transpose_a', false),
      transposeZ: node.flag('transpose_b', false),
    };
    return node.add(matmul, { x: node.input(0), z: node.input(1) }, attributes, {});
  },
  SparseTensorDenseMatMul: sparseTimesDense,
};
