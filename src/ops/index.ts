/** Every operator, and every TensorFlow op and Keras layer that they are. */

import { adaptivePoolingKeras } from './adaptive-pooling.ts';
import { applicationsKeras } from './applications.ts';
import { arg, argTensorflow } from './arg.ts';
import { attentionKeras } from './attention.ts';
import { axesTensorflow } from './axes.ts';
import {
  batchNormalization,
  batchNormalizationKeras,
  batchNormalizationTensorflow,
} from './batch-normalization.ts';
import { bincount, bincountTensorflow } from './bincount.ts';
import { broadcast, broadcastTensorflow } from './broadcast.ts';
import { bucketize, bucketizeTensorflow } from './bucketize.ts';
import { categoriesKeras } from './categories.ts';
import { type ComplexOps, complexTensorflow } from './complex.ts';
import { concatenate, concatenateTensorflow } from './concatenate.ts';
import { convolution, convolutionKeras, convolutionTensorflow } from './convolution.ts';
import {
  convolutionTranspose,
  convolutionTransposeKeras,
  convolutionTransposeTensorflow,
} from './convolution-transpose.ts';
import { cumulative, cumulativeTensorflow } from './cumulative.ts';
import { dense, denseKeras, denseTensorflow } from './dense.ts';
import { depthwiseConvolution } from './depthwise-convolution.ts';
import { einsumKeras, einsumTensorflow } from './einsum.ts';
import { elementwise, elementwiseTensorflow } from './elementwise.ts';
import { embedding, embeddingKeras, embeddingTensorflow, select } from './embedding.ts';
import { fourier, fourierTensorflow } from './fourier.ts';
import { gatherAlong } from './gather-along.ts';
import { gru } from './gru.ts';
import { hash } from './hash.ts';
import { hashedCrossing } from './hashed-crossing.ts';
import { identityKeras } from './identity.ts';
import { integerLookup } from './integer-lookup.ts';
import type { KerasLayers } from './keras.ts';
import { activationKeras } from './keras-activation.ts';
import { convLstmKeras } from './keras-conv-lstm.ts';
import { layerFunctions } from './keras-function-layers.ts';
import { numberFunctions } from './keras-function-numbers.ts';
import { reductionFunctions } from './keras-function-reductions.ts';
import { shapeFunctions } from './keras-function-shapes.ts';
import { recurrentKeras } from './keras-recurrent.ts';
import { layerNormalization } from './layer-normalization.ts';
import { localResponseNormalizationTensorflow } from './local-response-normalization.ts';
import { locallyConnectedKeras } from './locally-connected.ts';
import { lookUpsKeras } from './look-ups.ts';
import { loop } from './loop.ts';
import { lstm } from './lstm.ts';
import { masksTensorflow } from './masks.ts';
import { matmul, matmulTensorflow } from './matmul.ts';
import { mergingKeras } from './merging.ts';
import { mirrorPad, mirrorPadTensorflow } from './mirror-pad.ts';
import { normalizingKeras } from './normalizing.ts';
import { pad, padKeras, padTensorflow } from './pad.ts';
import { pooling, poolingKeras, poolingTensorflow } from './pooling.ts';
import { preprocessingKeras } from './preprocessing.ts';
import { rearrangingTensorflow } from './rearranging.ts';
import { reduce, reduceKeras, reduceTensorflow } from './reduce.ts';
import { repeat } from './repeat.ts';
import { resampling } from './resampling.ts';
import { reshape, reshapeKeras, reshapeTensorflow } from './reshape.ts';
import { residualConvolution, residualDense } from './residual.ts';
import { resizeKeras, resizeTensorflow } from './resize.ts';
import { simpleRnn } from './simple-rnn.ts';
import { slice, sliceKeras, sliceTensorflow } from './slice.ts';
import { softmax, softmaxKeras, softmaxTensorflow } from './softmax.ts';
import { batchToSpace, spaceToBatch, spaceToBatchTensorflow } from './space-to-batch.ts';
import { spectraFunctions, spectraKeras } from './spectra.ts';
import { stringLookup } from './string-lookup.ts';
import type { TensorflowOps } from './tensorflow.ts';
import { tensorflowFunctions } from './tensorflow-functions.ts';
import { textVectorization } from './text-vectorization.ts';
import { topK, topKTensorflow } from './top-k.ts';
import { transpose, transposeKeras, transposeTensorflow } from './transpose.ts';

export const ops = {
  Arg: arg,
  BatchNormalization: batchNormalization,
  BatchToSpace: batchToSpace,
  Bincount: bincount,
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
  Fourier: fourier,
  GatherAlong: gatherAlong,
  Gru: gru,
  LayerNormalization: layerNormalization,
  Loop: loop,
  Lstm: lstm,
  Hash: hash,
  HashedCrossing: hashedCrossing,
  IntegerLookup: integerLookup,
  Matmul: matmul,
  MirrorPad: mirrorPad,
  Pad: pad,
  Pooling: pooling,
  Reduce: reduce,
  Repeat: repeat,
  Resampling: resampling,
  Reshape: reshape,
  ResidualConvolution: residualConvolution,
  ResidualDense: residualDense,
  Select: select,
  SimpleRnn: simpleRnn,
  Slice: slice,
  Softmax: softmax,
  SpaceToBatch: spaceToBatch,
  StringLookup: stringLookup,
  TextVectorization: textVectorization,
  TopK: topK,
  Transpose: transpose,
} as const;

/** The ops that take complex numbers, or make them. */
export const complexOps: ComplexOps = { ...complexTensorflow, ...fourierTensorflow };

export const tensorflowOps: TensorflowOps = {
  ...argTensorflow,
  ...axesTensorflow,
  ...batchNormalizationTensorflow,
  ...bincountTensorflow,
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

/** What was called between the layers of a Keras model. */
export const calledFunctions: KerasLayers = {
  ...layerFunctions,
  ...numberFunctions,
  ...reductionFunctions,
  ...shapeFunctions,
  ...spectraFunctions,
  ...tensorflowFunctions,
};

export const kerasLayers: KerasLayers = {
  ...activationKeras,
  ...adaptivePoolingKeras,
  ...applicationsKeras,
  ...attentionKeras,
  ...batchNormalizationKeras,
  ...convLstmKeras,
  ...convolutionKeras,
  ...convolutionTransposeKeras,
  ...categoriesKeras,
  ...lookUpsKeras,
  ...denseKeras,
  ...einsumKeras,
  ...embeddingKeras,
  ...identityKeras,
  ...locallyConnectedKeras,
  ...mergingKeras,
  ...normalizingKeras,
  ...padKeras,
  ...poolingKeras,
  ...preprocessingKeras,
  ...recurrentKeras,
  ...reduceKeras,
  ...reshapeKeras,
  ...resizeKeras,
  ...sliceKeras,
  ...softmaxKeras,
  ...spectraKeras,
  ...transposeKeras,
};
