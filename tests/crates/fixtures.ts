/** The fixtures: models by TensorFlow with its own predictions, and the flags that they need. */

import fs from 'node:fs';
import path from 'node:path';
import type { ModelToConvert } from './convert-model.ts';
import { inRepository } from './places.ts';

/** `fixtures/models/<name>`, and the example model. */
export function fixtures(): readonly ModelToConvert[] {
  const folder = inRepository('fixtures', 'models');
  const models = fs.readdirSync(folder).map((name) => fixture(name, path.join(folder, name)));
  return [...models, logits(), fixture('digits', inRepository('examples', 'digits'))];
}

export function fixtureNamed(name: string): ModelToConvert {
  return fixture(name, inRepository('fixtures', 'models', name));
}

/** The model with two signatures, by its other one. */
function logits(): ModelToConvert {
  const model = fixtureNamed('tf1_frozen_style');
  const features = inRepository('fixtures', 'models', 'tf1_frozen_style', 'features_of_logits.npz');
  return { ...model, name: 'tf1_logits', features: bytesOf(features), signature: 'logits' };
}

function fixture(name: string, folder: string): ModelToConvert {
  const flags = flagsOf(path.join(folder, 'case.json'));
  const file = ['saved_model', 'model.keras', 'model.h5', 'model.weights.h5', 'model.pb'].find((each) =>
    fs.existsSync(path.join(folder, each)),
  );
  const [input, lengths] = flags.input_shape?.split('=') ?? [];
  return {
    name,
    model: path.join(folder, file ?? 'saved_model'),
    features: bytesOf(path.join(folder, 'features.npz')),
    ...(flags.path_to_architecture !== undefined && {
      architecture: path.join(folder, flags.path_to_architecture),
    }),
    ...(input && lengths && { inputShapes: new Map([[input, lengths.split(',').map(Number)]]) }),
    binaryClassification: name.startsWith('two_inputs'),
  };
}

function flagsOf(file: string): Readonly<Record<string, string>> {
  if (!fs.existsSync(file)) return {};
  const { flags }: { flags: Readonly<Record<string, string>> } = JSON.parse(fs.readFileSync(file, 'utf8'));
  return flags;
}

function bytesOf(file: string): Uint8Array {
  return new Uint8Array(fs.readFileSync(file));
}
