/** Every operator, and every TensorFlow op and Keras layer that they are. */

import { arg, argTensorflow } from './arg.ts';
import { axesTensorflow } from './axes.ts';
import { batchNormalization, batchNormalizationTensorflow } from './batch-normalization.ts';
import { broadcast, broadcastTensorflow } from './broadcast.ts';
import { bucketize, bucketizeTensorflow } from './bucketize.ts';
import { concatenate, concatenateTensorflow } from './concatenate.ts';
import { convolution, convolutionTensorflow } from './convolution.ts';
import { convolutionTranspose, convolutionTransposeTensorflow } from './convolution-transpose.ts';
import { cumulative, cumulativeTensorflow } from './cumulative.ts';
import { dense, denseKeras, denseTensorflow } from './dense.ts';
import { depthwiseConvolution } from './depthwise-convolution.ts';
import { einsumTensorflow } from './einsum.ts';
import { elementwise, elementwiseTensorflow } from './elementwise.ts';
import { embedding, embeddingTensorflow, select } from './embedding.ts';
import { gru } from './gru.ts';
import type { KerasLayers } from './keras.ts';
import { activationKeras } from './keras-activation.ts';
import { localResponseNormalizationTensorflow } from './local-response-normalization.ts';
import { lstm } from './lstm.ts';
import { masksTensorflow } from './masks.ts';
import { matmul, matmulTensorflow } from './matmul.ts';
import { mirrorPad, mirrorPadTensorflow } from './mirror-pad.ts';
import { pad, padTensorflow } from './pad.ts';
import { pooling, poolingTensorflow } from './pooling.ts';
import { rearrangingTensorflow } from './rearranging.ts';
import { reduce, reduceTensorflow } from './reduce.ts';
import { repeat } from './repeat.ts';
import { resampling } from './resampling.ts';
import { reshape, reshapeTensorflow } from './reshape.ts';
import { resizeTensorflow } from './resize.ts';
import { simpleRnn } from './simple-rnn.ts';
import { slice, sliceTensorflow } from './slice.ts';
import { softmax, softmaxTensorflow } from './softmax.ts';
import { batchToSpace, spaceToBatch, spaceToBatchTensorflow } from './space-to-batch.ts';
import type { TensorflowOps } from './tensorflow.ts';
import { topK, topKTensorflow } from './top-k.ts';
import { transpose, transposeTensorflow } from './transpose.ts';

export const ops = {
  Arg: arg,
  BatchNormalization: batchNormalization,
  BatchToSpace: batchToSpace,
  Broadcast: broadcast,
  Bucketize: bucketize,
  Concatenate: concatenate,
  Convolution: convolution,
  ConvolutionTranspose: convolutionTranspose,
  Cumulative: cumulative,
  Dense: dense,
  DepthwiseConvolution: depthwiseConvolution,
  Elementwise: elementwise,
  Embedding: embedding,
  Gru: gru,
  Lstm: lstm,
  Matmul: matmul,
  MirrorPad: mirrorPad,
  Pad: pad,
  Pooling: pooling,
  Reduce: reduce,
  Repeat: repeat,
  Resampling: resampling,
  Reshape: reshape,
  Select: select,
  SimpleRnn: simpleRnn,
  Slice: slice,
  Softmax: softmax,
  SpaceToBatch: spaceToBatch,
  TopK: topK,
  Transpose: transpose,
} as const;

export const tensorflowOps: TensorflowOps = {
  ...argTensorflow,
  ...axesTensorflow,
  ...batchNormalizationTensorflow,
  ...broadcastTensorflow,
  ...bucketizeTensorflow,
  ...concatenateTensorflow,
  ...convolutionTensorflow,
  ...convolutionTransposeTensorflow,
  ...cumulativeTensorflow,
  ...denseTensorflow,
  ...einsumTensorflow,
  ...elementwiseTensorflow,
  ...embeddingTensorflow,
  ...localResponseNormalizationTensorflow,
  ...masksTensorflow,
  ...matmulTensorflow,
  ...mirrorPadTensorflow,
  ...padTensorflow,
  ...poolingTensorflow,
  ...rearrangingTensorflow,
  ...reduceTensorflow,
  ...reshapeTensorflow,
  ...resizeTensorflow,
  ...sliceTensorflow,
  ...softmaxTensorflow,
  ...spaceToBatchTensorflow,
  ...topKTensorflow,
  ...transposeTensorflow,
};

export const kerasLayers: KerasLayers = {
  ...activationKeras,
  ...denseKeras,
};
