/** A planned model becomes the files of a crate, and those that describe it. */

import { writeNpz } from '../1-read/npz.ts';
import type { Pieces } from '../1-read/pieces.ts';
import type { TfLayers } from '../request.ts';
import type { Samples } from '../samples/samples.ts';
import { benchesRs } from './benches-rs.ts';
import { buildRs } from './build-rs.ts';
import { cargoLock, cargoToml, tfLayersVersion, vendored } from './cargo.ts';
import type { Crate } from './crate.ts';
import { exampleRs } from './example-rs.ts';
import { layersRs } from './layers-rs.ts';
import { libRs } from './lib-rs.ts';
import { modelRs } from './model-rs.ts';
import { packRs } from './pack-rs.ts';
import { readme } from './readme.ts';
import { checkedThresholds, defaultThresholds } from './thresholds.ts';

/** The files of `rust_generated_code/`, by their paths in it. */
export function emitCrate(
  crate: Crate,
  samples: Samples,
  tfLayers: TfLayers,
  thresholds: Uint8Array | undefined,
): ReadonlyMap<string, Pieces> {
  const files = new Map<string, Pieces>();
  const text = (path: string, content: string) => files.set(path, [new TextEncoder().encode(content)]);

  text('Cargo.toml', cargoToml(crate, tfLayers));
  text('README.md', readme(crate));
  text('rustfmt.toml', 'use_small_heuristics = "Max"\n');
  text('src/lib.rs', libRs(crate, samples));
  text('src/model.rs', modelRs(crate));
  text('benches/benchmarks.rs', benchesRs(crate));
  text('examples/predict.rs', exampleRs(crate));
  if (crate.layers.length > 0) {
    text('build.rs', buildRs(crate));
    text('src/layers.rs', layersRs(crate));
    if (crate.weights === 'file') text('examples/pack.rs', packRs(crate));
    const weights = crate.layers.flatMap((layer) =>
      layer.weights.flatMap((weight) =>
        weight.kind === 'array' ? [{ name: weight.array, tensor: weight.tensor }] : [],
      ),
    );
    files.set('model/model_weights.npz', writeNpz(weights));
  }
  if (crate.isBinary) {
    if (thresholds) files.set('model/thresholds.json', [checkedThresholds(thresholds)]);
    else text('model/thresholds.json', defaultThresholds);
  }
  files.set('testdata/features.npz', testdata(crate, samples));

  if (tfLayers.kind === 'vendored') {
    for (const [path, bytes] of vendored(crate, tfLayers.files)) files.set(`tf-layers/${path}`, [bytes]);
    text('Cargo.lock', cargoLock(crate, tfLayers, tfLayersVersion(tfLayers.files)) ?? '');
  }
  return files;
}

function testdata(crate: Crate, samples: Samples): Pieces {
  const inputs = crate.inputs.map(({ name }) => ({ name, tensor: samples.inputs.get(name)! }));
  const predictions = crate.outputs.map(({ array }, i) => ({ name: array, tensor: samples.predictions[i]! }));
  return writeNpz([...inputs, ...predictions]);
}
