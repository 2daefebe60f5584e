import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { runIn } from './crates/command.ts';
import { readFolder } from './crates/folder.ts';
import { inRepository, needs, repository } from './crates/places.ts';

const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';

test(
  'the package, installed elsewhere, converts with all seven flags',
  needs('fixtures/models/two_inputs_k3'),
  () => {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tf2rust-package-'));
    try {
      const pack = runIn(repository, npm, ['pack', '--silent', '--pack-destination', folder]);
      assert.equal(pack.status, 0, pack.stderr);
      const [archive] = fs.readdirSync(folder);
      const application = path.join(folder, 'application');
      fs.mkdirSync(application);
      fs.writeFileSync(path.join(application, 'package.json'), '{ "private": true }\n');
      const quiet = ['--prefer-offline', '--no-audit', '--no-fund'];
      const install = runIn(application, npm, ['install', ...quiet, path.join(folder, archive!)]);
      assert.equal(install.status, 0, install.stderr);

      const model = inRepository('fixtures', 'models', 'two_inputs_k3');
      const flags = {
        path_to_tf_model: path.join(model, 'saved_model'),
        path_to_save: 'out/mnist',
        model_name: 'MNIST',
        binary_classification: 'True',
        enable_inplace: 'True',
        enable_memdrop: 'True',
        path_to_fv: path.join(model, 'features.npz'),
      };
      const args = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value]);
      const { status, stdout, stderr } = runIn(application, npx, ['--no-install', 'tf2rust', ...args]);
      assert.equal(status, 0, stderr);
      assert.match(stdout, /^MNISTModel in the crate mnist_model$/m);

      const files = readFolder(path.join(application, 'out', 'mnist'));
      assert.deepEqual([...files.keys()].filter((file) => !file.includes('/tf-layers/')).sort(), [
        '.tf2rust.json',
        'rust_generated_code/Cargo.lock',
        'rust_generated_code/Cargo.toml',
        'rust_generated_code/README.md',
        'rust_generated_code/benches/benchmarks.rs',
        'rust_generated_code/build.rs',
        'rust_generated_code/examples/predict.rs',
        'rust_generated_code/model/model_weights.npz',
        'rust_generated_code/model/thresholds.json',
        'rust_generated_code/rustfmt.toml',
        'rust_generated_code/src/layers.rs',
        'rust_generated_code/src/lib.rs',
        'rust_generated_code/src/model.rs',
        'rust_generated_code/testdata/features.npz',
        'saved_model_from_tensorflow/computation_graph.json',
        'saved_model_from_tensorflow/model_architecture.json',
        'saved_model_from_tensorflow/model_overview.png',
        'saved_model_from_tensorflow/model_overview.svg',
        'saved_model_from_tensorflow/model_weights.npz',
      ]);
      // The runtime in the package is that of the repository.
      for (const [file, bytes] of readFolder(inRepository('crates', 'tf-layers', 'src'))) {
        assert.deepEqual(files.get(`rust_generated_code/tf-layers/src/${file}`), bytes, file);
      }
    } finally {
      fs.rmSync(folder, { recursive: true });
    }
  },
);
