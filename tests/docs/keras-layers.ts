/**
 * The Keras layers that convert. A SavedModel holds TensorFlow's ops and not these names, so they are listed by hand;
 * a test finds each of them in `fixtures/make.py`.
 */
export const kerasLayers: readonly { readonly kind: string; readonly names: readonly string[] }[] = [
  { kind: 'core', names: ['Dense', 'Embedding', 'Activation'] },
  {
    kind: 'convolution',
    names: ['Conv1D', 'Conv2D', 'DepthwiseConv1D', 'DepthwiseConv2D', 'SeparableConv1D', 'SeparableConv2D'],
  },
  {
    kind: 'pooling',
    names: [
      'MaxPooling1D',
      'MaxPooling2D',
      'AveragePooling1D',
      'AveragePooling2D',
      'GlobalMaxPooling1D',
      'GlobalMaxPooling2D',
      'GlobalAveragePooling1D',
      'GlobalAveragePooling2D',
    ],
  },
  { kind: 'normalization', names: ['BatchNormalization', 'Rescaling'] },
  {
    kind: 'merging',
    names: ['Add', 'Subtract', 'Multiply', 'Average', 'Maximum', 'Minimum', 'Concatenate', 'Dot'],
  },
  {
    kind: 'shape',
    names: [
      'Flatten',
      'Reshape',
      'Permute',
      'RepeatVector',
      'ZeroPadding1D',
      'ZeroPadding2D',
      'Cropping1D',
      'Cropping2D',
    ],
  },
  { kind: 'activation', names: ['ReLU', 'ThresholdedReLU', 'LeakyReLU', 'PReLU', 'ELU', 'Softmax'] },
  {
    kind: 'nothing to do when predicting',
    names: [
      'Dropout',
      'SpatialDropout1D',
      'AlphaDropout',
      'GaussianDropout',
      'GaussianNoise',
      'ActivityRegularization',
    ],
  },
];
