/** Complex numbers: a value of their real parts and one of their imaginary parts. */

import { apply, compute } from './elementwise.ts';
import { call, input, number } from './expression.ts';
import type { FunctionName } from './functions.ts';
import type { Lowering, Operand, TensorflowNode } from './tensorflow.ts';

export interface Complex {
  readonly kind: 'complex';
  readonly real: Operand;
  readonly imaginary: Operand;
}

/** What an op of complex numbers comes to. The inputs of the node are the real parts; an input that is real has no others. */
export type ComplexLowering = (
  node: TensorflowNode,
  imaginary: readonly (Operand | undefined)[],
) => Operand | Complex;

export type ComplexOps = Readonly<Record<string, ComplexLowering>>;

/** Ops that move numbers and compute nothing: they do the same with both parts. */
export const movingOps: ReadonlySet<string> = new Set([
  'ConcatV2',
  'ExpandDims',
  'GatherV2',
  'Pack',
  'Pad',
  'Reshape',
  'ReverseV2',
  'Slice',
  'Squeeze',
  'StridedSlice',
  'Transpose',
]);

export function zerosLike(node: TensorflowNode, x: Operand): Operand {
  return compute(node, [x], call('multiply', input(0, x.type.dtype), number(0, x.type.dtype)));
}

/** An op that does the same with both parts. */
const partByPart =
  (name: FunctionName): ComplexLowering =>
  (node, imaginary) => ({
    kind: 'complex',
    real: apply(node, name, ...node.inputs),
    imaginary: apply(node, name, ...imaginary.map((part, i) => part ?? zerosLike(node, node.input(i)))),
  });

const [a, b] = [input(0, 'f32'), input(1, 'f32')] as const;

export const complexTensorflow: ComplexOps = {
  AddV2: partByPart('add'),
  Complex: (node) => ({ kind: 'complex', real: node.input(0), imaginary: node.input(1) }),
  ComplexAbs: (node, [imaginary]) =>
    imaginary
      ? compute(
          node,
          [node.input(0), imaginary],
          call('sqrt', call('add', call('multiply', a, a), call('multiply', b, b))),
        )
      : apply(node, 'abs', node.input(0)),
  Conj: (node, [imaginary]) => {
    const real = node.input(0);
    return { kind: 'complex', real, imaginary: apply(node, 'negative', imaginary ?? zerosLike(node, real)) };
  },
  Imag: (node, [imaginary]) => imaginary ?? zerosLike(node, node.input(0)),
  Mul: (node, imaginary) => {
    const [x, z] = [node.input(0), node.input(1)];
    const [y, w] = [imaginary[0] ?? zerosLike(node, x), imaginary[1] ?? zerosLike(node, z)];
    const product = (p: Operand, q: Operand) => apply(node, 'multiply', p, q);
    return {
      kind: 'complex',
      real: apply(node, 'subtract', product(x, z), product(y, w)),
      imaginary: apply(node, 'add', product(x, w), product(y, z)),
    };
  },
  Neg: partByPart('negative'),
  Real: (node) => node.input(0),
  Sub: partByPart('subtract'),
};

/** What an op that moves numbers makes of complex ones. */
export function moved(
  lowering: Lowering,
  real: TensorflowNode,
  imaginary: TensorflowNode,
): readonly Complex[] {
  const results = [real, imaginary].map((node) => {
    const lowered = lowering(node);
    return 'kind' in lowered ? [lowered] : lowered;
  });
  return results[0]!.map((part, i) => ({ kind: 'complex', real: part, imaginary: results[1]![i]! }));
}
