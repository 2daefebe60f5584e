/** model_architecture.json: of each layer, what it is, how it is set, and what flows through it. */

import { type Json, printJson } from './json.ts';
import type { LayerSummary } from './layers.ts';
import { settingOfDtype, settingOfShape } from './settings.ts';

export function architecture(layers: readonly LayerSummary[]): string {
  return printJson(new Map(layers.map((layer) => [layer.name, describe(layer)])));
}

function describe(layer: LayerSummary): Json {
  return new Map<string, Json>(
    Object.entries({
      class: layer.className,
      settings: new Map(Object.entries(layer.settings)),
      input_shapes: layer.inputs.map(({ shape }) => settingOfShape(shape)),
      output_shapes: layer.outputs.map(({ shape }) => settingOfShape(shape)),
      output_dtypes: layer.outputs.map(({ dtype }) => settingOfDtype(dtype)),
      parameters: layer.parameters,
      inbounds: layer.inbounds,
      outbounds: layer.outbounds,
      is_output: layer.isOutput,
    }),
  );
}
