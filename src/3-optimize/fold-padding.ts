/**
 * `Pad → Convolution` → `Convolution` with padding: nothing is copied. Causal convolutions are exported so. And `Pad →
 * Pooling` of maxima, where the zeros are no more than what is pooled.
 */

import type { NodeWith, Value } from '../ir/graph.ts';
import { convolution } from '../ops/convolution.ts';
import { depthwiseConvolution } from '../ops/depthwise-convolution.ts';
import { pooling } from '../ops/pooling.ts';
import type { Window } from '../ops/window.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

export const foldPadding: Rewrite = (node) => {
  const sliding =
    nodeOf(node, 'Convolution') ?? nodeOf(node, 'DepthwiseConvolution') ?? nodeOf(node, 'Pooling');
  const pad = nodeOf(sliding?.inputs.x, 'Pad');
  if (!sliding || !pad || pad.attributes.value !== 0) return undefined;
  const { borders } = pad.attributes;
  if ([...borders[0]!, ...borders.at(-1)!].some((steps) => steps > 0)) return undefined;

  const { layer } = sliding;
  const window = widened(sliding.attributes.window, borders.slice(1, -1));
  switch (sliding.op) {
    case 'Convolution':
      return make(layer, convolution, pad.inputs, { ...sliding.attributes, window }, sliding.weights);
    case 'DepthwiseConvolution':
      return make(
        layer,
        depthwiseConvolution,
        pad.inputs,
        { ...sliding.attributes, window },
        sliding.weights,
      );
    case 'Pooling':
      return canPool(sliding, window, pad.inputs.x)
        ? make(layer, pooling, pad.inputs, { ...sliding.attributes, window }, {})
        : undefined;
  }
};

function widened(window: Window, borders: readonly (readonly [number, number])[]): Window {
  const padding = window.padding.map(([before, after], i) => {
    const [more, stillMore] = borders[i]!;
    return [before + more, after + stillMore] as const;
  });
  return { ...window, padding };
}

/** Whether each window sees a number of x, and all of them are positive or 0: padding does not count as a maximum. */
function canPool({ attributes }: NodeWith<'Pooling'>, { padding }: Window, x: Value): boolean {
  const { kind, sizes, window } = attributes;
  const seesX = sizes.every((size, i) => window.dilations[i] === 1 && Math.max(...padding[i]!) < size);
  return kind === 'max' && seesX && isPositive(x);
}

/** The functions that are nowhere negative, of those that come before pooling. */
const positive: ReadonlySet<string> = new Set(['exp', 'relu', 'relu6', 'sigmoid', 'softplus']);

function isPositive(x: Value): boolean {
  const { activation } = (nodeOf(x, 'Convolution') ?? nodeOf(x, 'ResidualConvolution'))?.attributes ?? {};
  if (activation) return positive.has(activation.name);
  const { expression } = nodeOf(x, 'Elementwise')?.attributes ?? {};
  return expression?.kind === 'call' && positive.has(expression.name);
}
