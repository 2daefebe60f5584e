/** Every operator, and every TensorFlow op that they are. */

import { arg, argTensorflow } from './arg.ts';
import { axesTensorflow } from './axes.ts';
import { batchNormalization, batchNormalizationTensorflow } from './batch-normalization.ts';
import { broadcast, broadcastTensorflow } from './broadcast.ts';
import { concatenate, concatenateTensorflow } from './concatenate.ts';
import { convolution, convolutionTensorflow } from './convolution.ts';
import { dense, denseTensorflow } from './dense.ts';
import { depthwiseConvolution } from './depthwise-convolution.ts';
import { elementwise, elementwiseTensorflow } from './elementwise.ts';
import { embedding, embeddingTensorflow, select } from './embedding.ts';
import { matmul, matmulTensorflow } from './matmul.ts';
import { pad, padTensorflow } from './pad.ts';
import { pooling, poolingTensorflow } from './pooling.ts';
import { reduce, reduceTensorflow } from './reduce.ts';
import { reshape, reshapeTensorflow } from './reshape.ts';
import { slice, sliceTensorflow } from './slice.ts';
import { softmax, softmaxTensorflow } from './softmax.ts';
import { batchToSpace, spaceToBatch, spaceToBatchTensorflow } from './space-to-batch.ts';
import type { TensorflowOps } from './tensorflow.ts';
import { transpose, transposeTensorflow } from './transpose.ts';

export const ops = {
  Arg: arg,
  BatchNormalization: batchNormalization,
  BatchToSpace: batchToSpace,
  Broadcast: broadcast,
  Concatenate: concatenate,
  Convolution: convolution,
  Dense: dense,
  DepthwiseConvolution: depthwiseConvolution,
  Elementwise: elementwise,
  Embedding: embedding,
  Matmul: matmul,
  Pad: pad,
  Pooling: pooling,
  Reduce: reduce,
  Reshape: reshape,
  Select: select,
  Slice: slice,
  Softmax: softmax,
  SpaceToBatch: spaceToBatch,
  Transpose: transpose,
} as const;

export const tensorflowOps: TensorflowOps = {
  ...argTensorflow,
  ...axesTensorflow,
  ...batchNormalizationTensorflow,
  ...broadcastTensorflow,
  ...concatenateTensorflow,
  ...convolutionTensorflow,
  ...denseTensorflow,
  ...elementwiseTensorflow,
  ...embeddingTensorflow,
  ...matmulTensorflow,
  ...padTensorflow,
  ...poolingTensorflow,
  ...reduceTensorflow,
  ...reshapeTensorflow,
  ...sliceTensorflow,
  ...softmaxTensorflow,
  ...spaceToBatchTensorflow,
  ...transposeTensorflow,
};
