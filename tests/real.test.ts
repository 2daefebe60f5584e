import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { cargo, tf2rust } from './crates/command.ts';
import { buildFolder, inRepository, needs, repository } from './crates/places.ts';

/** Trained models of others, with the most seconds that each step may take on two cores. */
const models = [
  // Takes the logarithm of what is nearly 0: its tolerance is found by moving its sums.
  { name: 'basic_pitch', limits: { convert: 15, release: 60, test: 60 } },
  { name: 'mlperf_kws', limits: { convert: 3, release: 20, test: 30 } },
  { name: 'tf1_half_plus_two', limits: { convert: 3, release: 20, test: 30 } },
] as const;

for (const { name, limits } of models) {
  const source = `../shared/real/${name}`;

  test(`${name} converts, and its crate agrees with TensorFlow`, needs(source), (t) => {
    const folder = path.join(buildFolder('real'), name);
    fs.rmSync(folder, { recursive: true, force: true });
    const converted = convert(source, 'saved_model', folder, name);
    assert.equal(converted.status, 0, converted.stderr);
    const crate = path.join(folder, 'rust_generated_code');

    // Dependencies are built first: the times are those of the crate itself.
    const build = ['build', '--release', '--locked'];
    cargo(crate, build);
    cargo(crate, ['test', '--locked', '--no-run']);
    touch(path.join(crate, 'src', 'lib.rs'), path.join(crate, 'src', 'model.rs'));
    const released = cargo(crate, build);
    assert.match(released.stderr, /Compiling/);
    const tested = cargo(crate, ['test', '--locked']);
    assert.match(tested.stdout, /^test result: ok\. [1-9]/m);

    const times = { convert: converted.seconds, release: released.seconds, test: tested.seconds };
    for (const step of ['convert', 'release', 'test'] as const) {
      t.diagnostic(`${name}: ${step} ${times[step].toFixed(1)} s (at most ${limits[step]} s)`);
    }
    if (process.env.TF2RUST_TIMES === '1') {
      for (const step of ['convert', 'release', 'test'] as const)
        assert.ok(times[step] <= limits[step], step);
    }
  });
}

/** The same of others, and a model in all the forms in which it is there; built with one tf-layers for all. */
const others = [
  ['ethnicolr_census2010_lstm', 'model.h5'],
  ['fer2013_mini_xception', 'model.hdf5'],
  ['magika_standard_v1', 'model.h5'],
  ['malurl_cnn_lstm', 'saved_model_resaved_keras213'],
  ['malurl_cnn_lstm', 'model_resaved_keras213.h5'],
  ['malurl_cnn_lstm', 'weights.h5', 'architecture.json'],
  ['mlperf_resnet8', 'model.h5'],
] as const;

for (const [name, model, architecture] of others) {
  const source = `../shared/real/${name}`;

  test(`${name}/${model} converts, and its crate agrees`, needs(`${source}/${model}`), (t) => {
    const folder = path.join(buildFolder('real'), `${name}.${path.parse(model).name}`);
    fs.rmSync(folder, { recursive: true, force: true });
    const more = architecture ? ['--path_to_architecture', inRepository(source, architecture)] : [];
    const tfLayers = ['--tf_layers', inRepository('crates', 'tf-layers')];
    const { status, stderr, seconds } = convert(source, model, folder, name, [...more, ...tfLayers]);
    assert.equal(status, 0, stderr);
    t.diagnostic(`${name}/${model}: convert ${seconds.toFixed(1)} s`);
    const tested = cargo(path.join(folder, 'rust_generated_code'), ['test']);
    assert.match(tested.stdout, /^test result: ok\. [1-9]/m);
  });
}

function convert(source: string, model: string, folder: string, name: string, more: readonly string[] = []) {
  const samples = ['--path_to_fv', inRepository(source, 'features.npz'), '--binary_classification', 'False'];
  const files = ['--path_to_tf_model', inRepository(source, model), '--path_to_save', folder];
  return tf2rust(repository, [...files, '--model_name', name, ...samples, ...more]);
}

function touch(...files: readonly string[]): void {
  const now = new Date();
  for (const file of files) fs.utimesSync(file, now, now);
}
