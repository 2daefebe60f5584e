/** Layers that the models of keras.applications define for themselves. */

import { tensor } from '../ir/types.ts';
import type { KerasLayers, KerasLowering } from './keras.ts';
import { constantOf } from './tensorflow.ts';

const customScale: KerasLowering = (layer) => {
  const scale = constantOf(tensor(layer.dtype, [], [layer.number('scale')]));
  const scaled = layer.tensorflow('Mul', [layer.input(1), scale]);
  return layer.tensorflow('AddV2', [layer.input(0), scaled]);
};

export const applicationsKeras: KerasLayers = {
  // InceptionResNetV2 of Keras 3 and of Keras 2, which registers it as authors do theirs.
  CustomScaleLayer: customScale,
  'Custom>CustomScaleLayer': customScale,
  // ConvNeXt.
  LayerScale: (layer) => {
    layer.number('projection_dim');
    layer.ignore('init_values');
    const { gamma } = layer.weights('gamma');
    return layer.tensorflow('Mul', [layer.input(0), gamma]);
  },
  StochasticDepth: (layer) => {
    layer.ignore('drop_path_rate');
    return layer.input(0);
  },
};
