/** Ops that compare places with numbers: formulas of their input and of a constant that counts. */

import { Refusal } from '../errors.ts';
import { type DType, tensor } from '../ir/types.ts';
import { compute } from './elementwise.ts';
import { call, type Expression, input, number } from './expression.ts';
import { reshaped } from './reshape.ts';
import { constantOf, type TensorflowNode, type TensorflowOps } from './tensorflow.ts';

/** The only number of an input. */
function numberAt(node: TensorflowNode, index: number): Expression {
  const { dtype, data } = node.constant(index);
  if (data.length !== 1) throw new Refusal(`input ${index} of ${node.op} is more than one number`);
  return number(data[0]!, dtype);
}

/** `1` where the number along a new axis is that of the input, `0` elsewhere. */
function oneHot(node: TensorflowNode) {
  const x = node.input(0);
  const { shape, dtype } = x.type;
  const depth = node.integers(1)[0]!;
  const axis = node.number('axis', -1);
  const place = axis === -1 ? shape.length : axis;
  if (!(place >= 0 && place <= shape.length))
    throw new Refusal(`axis ${axis} of OneHot is not one of ${shape.length + 1}`);
  if (place === 0) throw new Refusal('an axis before the batch is not supported');
  if (!(depth >= 0 && depth < 2 ** 24)) throw new Refusal(`a depth of ${depth} is not supported`);
  const after = Array<number>(shape.length - place).fill(1);
  const places = tensor(
    dtype,
    [depth, ...after],
    Array.from({ length: depth }, (_, i) => i),
  );
  const wide = reshaped(node, x, shape.toSpliced(place, 0, 1));
  const isPlace = call('equal', input(0, dtype), input(1, dtype));
  return compute(
    node,
    [wide, constantOf(places)],
    call('select', isPlace, numberAt(node, 2), numberAt(node, 3)),
  );
}

/** The diagonals of matrices from `lower` below to `upper` above the main one; a negative count is all. */
function bandPart(node: TensorflowNode) {
  const x = node.input(0);
  const [rows, columns] = x.type.shape.slice(-2);
  const [lower, upper] = [node.integers(1)[0]!, node.integers(2)[0]!];
  if (typeof rows !== 'number' || typeof columns !== 'number') {
    throw new Refusal('diagonals over the batch mix the samples');
  }
  const isKept = (row: number, column: number) =>
    (lower < 0 || row - column <= lower) && (upper < 0 || column - row <= upper);
  const band = tensor(
    'bool',
    [rows, columns],
    Array.from({ length: rows * columns }, (_, i) => Number(isKept(Math.floor(i / columns), i % columns))),
  );
  const zero = (dtype: DType) => number(0, dtype);
  const { dtype } = x.type;
  return compute(node, [x, constantOf(band)], call('select', input(1, 'bool'), input(0, dtype), zero(dtype)));
}

export const masksTensorflow: TensorflowOps = { MatrixBandPart: bandPart, OneHot: oneHot };
