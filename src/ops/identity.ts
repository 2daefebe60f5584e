/** Layers of Keras that pass on what they are given: they act when a model is trained, if at all. */

import { type KerasLayers, type KerasLowering, keepsMask } from './keras.ts';

/** Only in training does anything happen; `settings` are for that alone. */
const inTraining = (...settings: readonly string[]): KerasLowering =>
  keepsMask((layer) => {
    layer.ignore(...settings);
    return layer.input(0);
  });

const image = ['data_format', 'value_range', 'factor'];
const filled = ['fill_mode', 'fill_value', 'interpolation'];

export const identityKeras: KerasLayers = {
  ActivityRegularization: inTraining('l1', 'l2'),
  AlphaDropout: inTraining('rate', 'noise_shape'),
  AugMix: inTraining(...image, 'num_chains', 'chain_depth', 'alpha', 'all_ops', 'interpolation'),
  CutMix: inTraining(...image),
  Dropout: inTraining('rate', 'noise_shape'),
  GaussianDropout: inTraining('rate'),
  GaussianNoise: inTraining('stddev'),
  Identity: keepsMask((layer) => layer.input(0)),
  MixUp: inTraining(...image, 'alpha'),
  RandAugment: inTraining(...image, 'num_ops', 'interpolation'),
  RandomBrightness: inTraining(...image),
  RandomColorDegeneration: inTraining(...image),
  RandomColorJitter: inTraining(
    ...image,
    'brightness_factor',
    'contrast_factor',
    'saturation_factor',
    'hue_factor',
  ),
  RandomContrast: inTraining(...image),
  RandomElasticTransform: inTraining(...image, ...filled, 'scale'),
  RandomErasing: inTraining(...image, ...filled, 'scale'),
  RandomFlip: inTraining(...image, 'mode'),
  RandomGaussianBlur: inTraining(...image, 'kernel_size', 'sigma'),
  RandomGrayscale: inTraining(...image),
  RandomHeight: inTraining(...image, ...filled),
  RandomHue: inTraining(...image),
  RandomInvert: inTraining(...image),
  RandomPerspective: inTraining(...image, ...filled, 'scale'),
  RandomPosterization: inTraining(...image),
  RandomRotation: inTraining(...image, ...filled),
  RandomSaturation: inTraining(...image),
  RandomSharpness: inTraining(...image),
  RandomShear: inTraining(...image, ...filled, 'x_factor', 'y_factor'),
  RandomTranslation: inTraining(...image, ...filled, 'height_factor', 'width_factor'),
  RandomWidth: inTraining(...image, ...filled),
  RandomZoom: inTraining(...image, ...filled, 'height_factor', 'width_factor'),
  Solarization: inTraining(...image, 'addition_factor', 'threshold_factor'),
  SpatialDropout1D: inTraining('rate', 'noise_shape'),
  SpatialDropout2D: inTraining('rate', 'noise_shape', 'data_format'),
  SpatialDropout3D: inTraining('rate', 'noise_shape', 'data_format'),
};
