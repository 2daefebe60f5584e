/**
 * `Matmul` with a constant → `Dense`; `Reshape → Dense → Reshape` → `Dense` on the last axis, as a Dense layer on
 * three and more dimensions is exported.
 */

import { sameShape } from '../ir/types.ts';
import { linear } from '../ops/activation.ts';
import { dense } from '../ops/dense.ts';
import { matmul } from '../ops/matmul.ts';
import { transpose } from '../ops/transpose.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const denseFromMatmul: Rewrite = (node) => {
  const matmul = nodeOf(node, 'Matmul');
  const z = matmul?.inputs.z;
  if (z?.kind !== 'constant' || z.tensor.shape.length !== 2 || z.tensor.dtype !== 'f32') return undefined;
  const { transposeX, transposeZ } = matmul!.attributes;
  if (transposeX) return undefined;
  const kernel = transposeZ ? make(node.layer, transpose, { x: z }, { axes: [1, 0] }, {}) : z;
  if (kernel.kind !== 'constant') return undefined;
  const units = kernel.tensor.shape[1]!;
  const bias = { dtype: 'f32', shape: [units], data: new Float32Array(units) } as const;
  return make(
    node.layer,
    dense,
    { x: matmul!.inputs.x },
    { activation: linear },
    { kernel: kernel.tensor, bias },
  );
};

/** `Transpose(constant · xᵀ)` → `x · constantᵀ`, which is a `Dense`. */
export const turnedMatmul: Rewrite = (node, { isReadOnce }) => {
  const product = nodeOf(nodeOf(node, 'Transpose')?.inputs.x, 'Matmul');
  const { x, z } = product?.inputs ?? {};
  if (!product || !z || x?.kind !== 'constant' || !isReadOnce(product)) return undefined;
  const { transposeX, transposeZ } = product.attributes;
  if (x.type.shape.length !== 2 || z.type.shape.length !== 2 || !transposeZ) return undefined;
  return make(node.layer, matmul, { x: z, z: x }, { transposeX: false, transposeZ: !transposeX }, {});
};

export const denseOnLastAxis: Rewrite = (node, { isReadOnce }) => {
  const after = nodeOf(node, 'Reshape');
  const layer = after && nodeOf(after.inputs.x, 'Dense');
  const before = layer && nodeOf(layer.inputs.x, 'Reshape');
  if (!before || !isReadOnce(layer)) return undefined;
  const { x } = before.inputs;
  const wanted = [...x.type.shape.slice(0, -1), layer.type.shape.at(-1)!];
  const keepsLast = x.type.shape.at(-1) === before.type.shape.at(-1);
  if (!keepsLast || !sameShape(wanted, after.type.shape)) return undefined;
  return make(layer.layer, dense, { x }, layer.attributes, layer.weights);
};
