/** Graph → graph: first TensorFlow's many small ops become the layers that they are, then layers become fewer. */

import type { Graph } from '../ir/graph.ts';
import { denseFromMatmul, denseOnLastAxis, turnedMatmul } from './dense-layers.ts';
import { depthwiseGroups } from './depthwise-groups.ts';
import { dilatedConvolution } from './dilated-convolution.ts';
import { dropNoOps } from './drop-no-ops.ts';
import {
  foldBatchNormalizationAfter,
  foldBatchNormalizationBefore,
  foldBias,
} from './fold-batch-normalization.ts';
import { foldPadding } from './fold-padding.ts';
import { fuseActivations } from './fuse-activations.ts';
import { fuseElementwise, fuseElementwiseOfLayer } from './fuse-elementwise.ts';
import { fuseResiduals } from './fuse-residuals.ts';
import { insideLoops } from './inside-loops.ts';
import { moveBatch } from './move-batch.ts';
import { moveReshapes } from './move-reshapes.ts';
import { moveTransposes } from './move-transposes.ts';
import { recognizeActivations } from './recognize-activations.ts';
import { recognizeEmbedding } from './recognize-embedding.ts';
import { recognizeLayerNormalization } from './recognize-layer-normalization.ts';
import { recognizeRepeat } from './recognize-repeat.ts';
import { recognizeSoftmax } from './recognize-softmax.ts';
import { recognizeTimeDistributed } from './recognize-time-distributed.ts';
import { recurrentResults } from './recurrent-results.ts';
import { type Rewrite, rewriteAll } from './rewrite.ts';
import { scaleAndShift } from './scale-and-shift.ts';
import { tidyFormulas } from './tidy-formulas.ts';
import { transposedProducts } from './transposed-products.ts';
import { unitDimensions } from './unit-dimensions.ts';

/** The graph of the layers that the model's author knows. */
export function recognize(graph: Graph): Graph {
  // A bias is folded into its layer before an activation takes it.
  const layers = [insideLoops(recognize), ...layersOfSteps];
  return rewriteAll(rewriteAll(graph, layers), [...layers, ...stepsOfLayers]);
}

const layersOfSteps: readonly Rewrite[] = [
  dropNoOps,
  moveBatch,
  recognizeTimeDistributed,
  moveTransposes,
  moveReshapes,
  // Before a reshape comes between the layer and its bias.
  foldBias,
  dilatedConvolution,
  unitDimensions,
  turnedMatmul,
  denseFromMatmul,
  denseOnLastAxis,
];

const stepsOfLayers: readonly Rewrite[] = [
  recognizeRepeat,
  recognizeLayerNormalization,
  recognizeSoftmax,
  fuseElementwiseOfLayer,
  scaleAndShift,
  recognizeActivations,
  recognizeEmbedding,
  recurrentResults,
];

/** The same numbers with less work. */
export function optimize(graph: Graph): Graph {
  return rewriteAll(graph, [
    insideLoops(optimize),
    foldPadding,
    depthwiseGroups,
    transposedProducts,
    foldBatchNormalizationAfter,
    foldBatchNormalizationBefore,
    fuseActivations,
    fuseResiduals,
    fuseElementwise,
    recognizeActivations,
    tidyFormulas,
    dropNoOps,
  ]);
}
