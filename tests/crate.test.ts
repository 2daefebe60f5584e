import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { readNpz } from '../src/1-read/npz.ts';
import { readZip } from '../src/1-read/zip.ts';
import { cargo, runIn, tf2rust } from './crates/command.ts';
import { readFolder } from './crates/folder.ts';
import { compressedZip, fortranNpy, zipOf } from './crates/npz-writers.ts';
import { buildFolder, inRepository, needs, repository, targetFolder } from './crates/places.ts';

const here = needs('fixtures/models/two_inputs_k3', 'examples/digits/saved_model');

/** Crates inside the workspace of an application that uses two of them. */
const host = buildFolder('host');
const digits = { name: 'Digits', crate: 'digits_model', source: 'examples/digits', flags: [] };
const spam = { name: 'Spam', crate: 'spam_model', source: 'fixtures/models/two_inputs_k3', flags: [] };
const opened = { ...spam, name: 'Opened', crate: 'opened_model', flags: ['--weights', 'file'] };
const models = [digits, spam, opened];

const saved = ({ name }: { readonly name: string }) => path.join(host, name);
const generated = (model: { readonly name: string }) => path.join(saved(model), 'rust_generated_code');

function convertTo(folder: string, { name, source, flags }: (typeof models)[number]): void {
  const model = ['--path_to_tf_model', inRepository(source, 'saved_model'), '--model_name', name];
  const binary = String(source === spam.source);
  const samples = ['--path_to_fv', inRepository(source, 'features.npz'), '--binary_classification', binary];
  const { status, stderr } = tf2rust(repository, [
    ...model,
    ...samples,
    ...flags,
    '--path_to_save',
    folder,
    '--force',
  ]);
  assert.equal(status, 0, stderr);
}

function rustFiles(folder: string): readonly string[] {
  return [...readFolder(folder).keys()].filter((file) => file.endsWith('.rs') && !file.startsWith('target/'));
}

for (const model of models) {
  const crate = generated(model);

  test(`${model.name}: two conversions write the same bytes`, here, () => {
    fs.rmSync(saved(model), { recursive: true, force: true });
    convertTo(saved(model), model);
    const again = fs.mkdtempSync(path.join(os.tmpdir(), 'tf2rust-again-'));
    try {
      convertTo(path.join(again, 'out'), model);
      const [first, second] = [readFolder(saved(model)), readFolder(path.join(again, 'out'))];
      assert.deepEqual([...first.keys()].sort(), [...second.keys()].sort());
      for (const [file, bytes] of first) assert.ok(Buffer.from(second.get(file)!).equals(bytes), file);
    } finally {
      fs.rmSync(again, { recursive: true });
    }
  });

  test(`${model.name}: cargo test --locked`, here, (t) => {
    const { stdout, seconds } = cargo(crate, ['test', '--locked']);
    const counts = [...stdout.matchAll(/^test result: ok\. (\d+) passed/gm)].map(([, count]) =>
      Number(count),
    );
    assert.ok(counts[0]! >= 4, stdout);
    assert.equal(counts.at(-1), 1, 'the example of the documentation runs');
    t.diagnostic(`${seconds.toFixed(1)} s with all dependencies`);
  });

  test(`${model.name}: clippy finds no fault`, here, () => {
    cargo(crate, ['clippy', '--locked', '--all-targets', '--', '-D', 'warnings']);
  });

  test(`${model.name}: cargo doc finds no fault`, here, () => {
    const { status, stderr } = runIn(crate, 'cargo', ['doc', '--locked', '--no-deps'], {
      CARGO_TARGET_DIR: buildFolder('target'),
      RUSTDOCFLAGS: '-D warnings',
    });
    assert.equal(status, 0, stderr);
  });

  test(`${model.name}: rustfmt changes nothing`, here, () => {
    const files = rustFiles(crate);
    const { status, stdout, stderr } = runIn(crate, 'rustfmt', ['--check', '--edition', '2024', ...files]);
    assert.equal(status, 0, stdout + stderr);
  });

  test(`${model.name}: no unsafe code`, here, () => {
    for (const file of rustFiles(crate)) {
      const code = fs.readFileSync(path.join(crate, file), 'utf8').replaceAll(/\/\/.*$/gm, '');
      assert.doesNotMatch(code, /\bunsafe\b/, file);
    }
    for (const root of ['src/lib.rs', 'build.rs', 'benches/benchmarks.rs', 'examples/predict.rs']) {
      assert.match(fs.readFileSync(path.join(crate, root), 'utf8'), /^#!\[forbid\(unsafe_code\)\]$/m, root);
    }
    assert.match(
      fs.readFileSync(path.join(crate, 'tf-layers/src/lib.rs'), 'utf8'),
      /^#!\[forbid\(unsafe_code\)\]$/m,
    );
  });

  test(`${model.name}: line ends are those of every system`, here, () => {
    for (const [file, bytes] of readFolder(crate)) {
      if (/\.(rs|toml|md|lock|json)$/.test(file)) assert.ok(!bytes.includes(13), file);
    }
  });
}

test('an application inside a workspace uses two generated crates', here, () => {
  const used = [digits, spam];
  const excluded = used.map((model) => {
    const readme = fs.readFileSync(path.join(generated(model), 'README.md'), 'utf8');
    const [, line] = /^exclude = \[(".*")\]$/m.exec(readme) ?? assert.fail('the README has no exclude line');
    return line!.replace('path/to', model.name);
  });
  const application = path.join(host, 'application');
  fs.mkdirSync(path.join(application, 'src'), { recursive: true });
  fs.writeFileSync(
    path.join(host, 'Cargo.toml'),
    `[workspace]\nresolver = "3"\nmembers = ["application"]\nexclude = [${excluded.join(', ')}]\n`,
  );
  const dependencies = used.map(
    ({ name, crate }) => `${crate} = { path = "../${name}/rust_generated_code" }\n`,
  );
  fs.writeFileSync(
    path.join(application, 'Cargo.toml'),
    `[package]\nname = "application"\nversion = "0.1.0"\nedition = "2024"\n\n[dependencies]\n${dependencies.join('')}`,
  );
  fs.writeFileSync(
    path.join(application, 'src', 'main.rs'),
    `use digits_model::DigitsModel;
use spam_model::SpamModel;

fn main() {
    let digits = DigitsModel::new().predict(&digits_model::Inputs { image: &[[[0.0]; 8]; 8] }).unwrap();
    let inputs = spam_model::Inputs { tokens: &[0; 100], features: &[0.0; 8] };
    let spam = SpamModel::new().predict(&inputs).unwrap();
    println!("{} {}", digits.iter().sum::<f32>(), spam.score);
}
`,
  );
  const { stdout } = cargo(application, ['run', '--quiet']);
  const [sum, score] = stdout.trim().split(' ').map(Number);
  assert.ok(Math.abs(sum! - 1) < 1e-5, stdout);
  assert.ok(score! > 0 && score! < 1, stdout);
  for (const model of used)
    cargo(generated(model), ['metadata', '--locked', '--no-deps', '--format-version=1']);
});

test('with the feature parallel a sample has the same prediction for any number of threads', here, () => {
  const args = ['test', '--locked', '--quiet', '--features', 'parallel', '--lib'];
  for (const threads of ['1', '2', '5']) {
    const variables = { CARGO_TARGET_DIR: targetFolder, RAYON_NUM_THREADS: threads };
    const { status, stdout, stderr } = runIn(generated(spam), 'cargo', args, variables);
    assert.equal(status, 0, stdout + stderr);
  }
});

test('weights in a file are opened once for all clones, and checked', here, () => {
  const crate = generated(opened);
  const weights = path.join(host, 'weights.bin');
  cargo(crate, ['run', '--quiet', '--locked', '--example', 'pack', '--', weights]);
  const main = path.join(host, 'opens', 'src', 'main.rs');
  fs.mkdirSync(path.dirname(main), { recursive: true });
  fs.writeFileSync(
    path.join(host, 'opens', 'Cargo.toml'),
    `[package]\nname = "opens"\nversion = "0.1.0"\nedition = "2024"\n\n[workspace]\n\n[dependencies]
${spam.crate} = { path = "../Spam/rust_generated_code" }
${opened.crate} = { path = "../Opened/rust_generated_code" }\n`,
  );
  fs.writeFileSync(
    main,
    `use opened_model::{Inputs, OpenedModel, WeightsError};
use spam_model::SpamModel;

fn main() {
    if let Err(error) = run() {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

fn run() -> Result<(), WeightsError> {
    let first = OpenedModel::open(std::env::args().nth(1).unwrap())?;
    let scores = [first.clone(), first].map(|mut model| {
        std::thread::spawn(move || {
            model.predict(&Inputs { tokens: &[1; 100], features: &[0.5; 8] }).unwrap().score
        })
    });
    let inputs = spam_model::Inputs { tokens: &[1; 100], features: &[0.5; 8] };
    let embedded = SpamModel::new().predict(&inputs).unwrap().score;
    for score in scores {
        assert_eq!(score.join().unwrap().to_bits(), embedded.to_bits());
    }
    Ok(())
}
`,
  );
  const open = () =>
    runIn(path.dirname(main), 'cargo', ['run', '--quiet', '--', weights], { CARGO_TARGET_DIR: targetFolder });
  assert.deepEqual([open().status, open().stderr], [0, '']);

  const bytes = fs.readFileSync(weights);
  for (const [damaged, reason] of [
    [
      bytes.subarray(1),
      /bytes where the weights are \d+; write it with `cargo run --release --example pack`/,
    ],
    [bytes.with(40, bytes[40]! ^ 1), /damaged, or the weights of another training/],
  ] as const) {
    fs.writeFileSync(weights, damaged);
    const { status, stderr } = open();
    assert.equal(status, 1);
    assert.match(stderr, /weights\.bin: /);
    assert.match(stderr, reason);
  }
  fs.rmSync(weights);
});

test('examples/predict.rs predicts files of other batches and forms to the bit', here, () => {
  const features = new Uint8Array(fs.readFileSync(inRepository(digits.source, 'features.npz')));
  const { data } = readNpz(features, 'features.npz').get('image')!;
  assert.ok(data instanceof Float32Array);
  const whole = predictions(features);
  assert.equal(whole.length, 1000);

  const firsts = (count: number) => fortranNpy([count, 8, 8, 1], data.slice(0, count * 64));
  const stored = (bytes: Uint8Array) => zipOf([{ name: 'image.npy', bytes }]);
  for (const count of [1, 3, 7, 33]) {
    assert.deepEqual(
      predictions(stored(firsts(count))),
      whole.slice(0, count * 10),
      `${count} in Fortran's order`,
    );
  }
  const members = [...readZip(features, 'features.npz')].map(([name, member]) => ({
    name,
    bytes: member.read(),
  }));
  assert.deepEqual(predictions(compressedZip(members)), whole, 'compressed');
});

test('examples/predict.rs says what is wrong with a file', here, () => {
  const { status, stderr } = predict(
    zipOf([{ name: 'picture.npy', bytes: fortranNpy([1, 2], new Float32Array(2)) }]),
  );
  assert.equal(status, 1);
  assert.match(stderr, /image/);
  assert.doesNotMatch(stderr, /panicked/);
});

test('examples/predict.rs prints times as JSON', here, () => {
  const features = new Uint8Array(fs.readFileSync(inRepository(digits.source, 'features.npz')));
  const { stdout } = predict(features, ['--repeat', '3', '--batch', '7']);
  const { samples, batch, seconds }: Readonly<Record<string, unknown>> = JSON.parse(stdout);
  assert.deepEqual([samples, batch], [100, 7]);
  assert.ok(Array.isArray(seconds) && seconds.length === 3);
});

test('cargo check for aarch64-unknown-linux-gnu', { skip: here.skip || crossSkip() }, (t) => {
  const tools = crossTools();
  if (tools === undefined) return t.skip('the compilers cannot be fetched');
  const root = path.join(tools, 'root', 'usr');
  const { status, stderr } = runIn(
    generated(spam),
    path.join(root, 'bin', 'cargo'),
    ['check', '--locked', '--target', 'aarch64-unknown-linux-gnu'],
    {
      CARGO_TARGET_DIR: buildFolder('cross'),
      RUSTC: path.join(root, 'bin', 'rustc'),
      LD_LIBRARY_PATH: path.join(root, 'lib', 'x86_64-linux-gnu'),
    },
  );
  assert.equal(status, 0, stderr);
});

/** Compilers for other machines: minutes to fetch, so they are kept, and fetched only when asked for. */
function crossSkip(): string | false {
  const script = '../shared/cross/fetch-cross.sh';
  if (!process.env.CI && process.env.TF2RUST_CROSS !== '1')
    return 'TF2RUST_CROSS=1 runs it (fetches compilers)';
  return needs(script).skip;
}

function crossTools(): string | undefined {
  const folder = path.join(os.tmpdir(), 'tf2rust-cross');
  const finished = path.join(folder, 'finished');
  if (!fs.existsSync(finished)) {
    fs.rmSync(folder, { recursive: true, force: true });
    if (runIn(repository, inRepository('../shared/cross/fetch-cross.sh'), [folder]).status !== 0)
      return undefined;
    fs.writeFileSync(finished, '');
  }
  return folder;
}

function predictions(features: Uint8Array): readonly number[] {
  const { status, stderr, outputs } = predict(features);
  assert.equal(status, 0, stderr);
  return [...readNpz(outputs!, 'out.npz').get('predictions')!.data].map(Number);
}

function predict(
  features: Uint8Array,
  options: readonly string[] = [],
): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly outputs?: Uint8Array;
} {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tf2rust-predict-'));
  try {
    const [from, to] = [path.join(folder, 'features.npz'), path.join(folder, 'out.npz')];
    fs.writeFileSync(from, features);
    const args = ['run', '--quiet', '--locked', '--example', 'predict', '--', from, to, ...options];
    const ran = runIn(generated(digits), 'cargo', args, { CARGO_TARGET_DIR: buildFolder('target') });
    return { ...ran, ...(fs.existsSync(to) && { outputs: new Uint8Array(fs.readFileSync(to)) }) };
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
