/** `Reshape` to the same shape, an empty `Pad`, `Transpose` there and back, a `Slice` of all: → what they are given. */

import { sameShape } from '../ir/types.ts';
import { reshape } from '../ops/reshape.ts';
import { slice } from '../ops/slice.ts';
import { transpose } from '../ops/transpose.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const dropNoOps: Rewrite = (node) => {
  switch (node.op) {
    case 'Reshape': {
      if (sameShape(node.type.shape, node.inputs.x.type.shape)) return node.inputs.x;
      const before = nodeOf(node.inputs.x, 'Reshape');
      return before && make(node.layer, reshape, before.inputs, { shape: node.type.shape }, {});
    }
    case 'Transpose': {
      if (node.attributes.axes.every((axis, i) => axis === i)) return node.inputs.x;
      const before = nodeOf(node.inputs.x, 'Transpose');
      if (!before) return undefined;
      const axes = node.attributes.axes.map((axis) => before.attributes.axes[axis]!);
      return make(node.layer, transpose, before.inputs, { axes }, {});
    }
    case 'Slice': {
      const { begin, steps } = node.attributes;
      const isWhole = begin.every((at) => at === 0) && steps.every((step) => step === 1);
      if (isWhole && sameShape(node.type.shape, node.inputs.x.type.shape)) return node.inputs.x;
      const before = nodeOf(node.inputs.x, 'Slice');
      if (!before) return undefined;
      const first = before.attributes;
      const both = {
        begin: begin.map((at, i) => first.begin[i]! + at * first.steps[i]!),
        steps: steps.map((step, i) => step * first.steps[i]!),
        lengths: node.attributes.lengths,
      };
      return make(node.layer, slice, before.inputs, both, {});
    }
    case 'Pad':
      return node.attributes.borders.flat().every((steps) => steps === 0) ? node.inputs.x : undefined;
    case 'Broadcast':
      return sameShape(node.type.shape, node.inputs.x.type.shape) ? node.inputs.x : undefined;
    case 'Elementwise':
      return node.attributes.expression.kind === 'input' && Object.keys(node.inputs).length === 1
        ? node.inputs.x0
        : undefined;
    case 'Reduce': {
      const { axes, keepsAxes } = node.attributes;
      const { shape } = node.inputs.x.type;
      if (!axes.every((axis) => shape[axis] === 1)) return undefined;
      return keepsAxes
        ? node.inputs.x
        : make(node.layer, reshape, node.inputs, { shape: node.type.shape }, {});
    }
    default:
      return undefined;
  }
};
