/** `Matmul` with a `Transpose` of the right matrices → `Matmul` that reads them turned. */

import { matmul } from '../ops/matmul.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

/** To read the left ones turned takes as long as to turn them before. */
export const transposedProducts: Rewrite = (node, { isReadOnce }) => {
  const product = nodeOf(node, 'Matmul');
  const turned = nodeOf(product?.inputs.z, 'Transpose');
  if (!product || !turned || !isReadOnce(turned)) return undefined;
  const { axes } = turned.attributes;
  const swapped = axes.map((_, i) => (i < axes.length - 2 ? i : 2 * axes.length - 3 - i));
  if (axes.length < 3 || `${axes}` !== `${swapped}`) return undefined;
  const attributes = { ...product.attributes, transposeZ: !product.attributes.transposeZ };
  return make(product.layer, matmul, { x: product.inputs.x, z: turned.inputs.x }, attributes, {});
};
