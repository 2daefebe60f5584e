/** One program of all the crates of a folder of models, which runs the one that it is told. */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkRequirements, installPackages, local, repository, run, stop } from '../requirements.mjs';
import { benchFolder } from './settings.mjs';

const crates = path.join(benchFolder, 'crates');
const folder = path.join(benchFolder, 'program');
const tfLayers = path.join(repository, 'crates', 'tf-layers');

/** Converts and builds: the path of the program, what is in it, and why other models are not. */
export async function buildProgram(zoo) {
  checkRequirements();
  await installPackages();
  await step('tsc', local('tsc'), ['-p', 'tsconfig.build.json']);
  const { converted, refused } = await convertAll(zoo);
  if (converted.length === 0) stop(`no model of ${zoo} converts`);

  fs.rmSync(path.join(folder, 'src'), { recursive: true, force: true });
  const text = (file, content) => {
    const place = path.join(folder, file);
    fs.mkdirSync(path.dirname(place), { recursive: true });
    fs.writeFileSync(place, content);
  };
  text('Cargo.toml', manifest(converted));
  text('src/main.rs', fs.readFileSync(new URL('protocol.rs', import.meta.url), 'utf8'));
  text('src/models.rs', modelsRs(converted, refused));
  for (const one of converted) {
    text(`src/bin/${one.model}/main.rs`, fs.readFileSync(new URL('protocol.rs', import.meta.url), 'utf8'));
    text(`src/bin/${one.model}/models.rs`, modelsRs([one], new Map()));
  }
  const target = { CARGO_TARGET_DIR: path.join(folder, 'target') };
  await step('cargo build', 'cargo', ['build', '--release', '--bin', PROGRAM], { cwd: folder, env: target });
  for (const { model, crate, opens } of converted) {
    const pack = ['run', '--release', '--quiet', '--example', 'pack', '--', weightsOf(model)];
    if (opens) await step(`writing the weights of ${model}`, 'cargo', pack, { cwd: crate, env: target });
  }
  return { program: built(PROGRAM), converted, refused };
}

/** A program for each model alone: their paths, and the seconds that it took to build the crate and the program. */
export async function buildAlone({ model, name }) {
  const env = { CARGO_TARGET_DIR: path.join(folder, 'target') };
  await step(`cargo clean of ${model}`, 'cargo', ['clean', '--release', '-p', name], { cwd: folder, env });
  const started = performance.now();
  await step(`cargo build of ${model}`, 'cargo', ['build', '--release', '--bin', model], {
    cwd: folder,
    env,
  });
  return { program: built(model), seconds: (performance.now() - started) / 1000 };
}

const PROGRAM = 'tf2rust-bench';

const built = (program) => path.join(folder, 'target', 'release', program);

async function step(title, command, args, options) {
  if ((await run(command, args, options)).status !== 0) stop(`${title} failed: see above`);
}

/** The models of the zoo that convert, and what tf2rust says of the others. */
async function convertAll(zoo) {
  const names = fs.existsSync(zoo) ? fs.readdirSync(zoo).sort() : [];
  const models = names.filter((name) => fs.existsSync(path.join(zoo, name, 'saved_model')));
  if (models.length === 0)
    stop(`${zoo} has no folder with a saved_model in it: make the zoo with \`npm run bench\``);
  const converted = [];
  const refused = new Map();
  for (const model of models) {
    const to = path.join(crates, model);
    const args = [
      ...[
        '--path_to_tf_model',
        path.join(zoo, model, 'saved_model'),
        '--path_to_save',
        to,
        '--model_name',
        model,
      ],
      ...['--binary_classification', 'False', '--samples', '1', '--tf_layers', tfLayers, '--force', '--json'],
    ];
    console.log(`converting ${model}`);
    const main = path.join(repository, 'dist', 'main.js');
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], { encoding: 'utf8' });
    if (status === 0)
      converted.push(described(model, path.join(to, 'rust_generated_code'), JSON.parse(stdout)));
    else refused.set(model, reasonOf(stdout, stderr));
  }
  return { converted, refused };
}

/** The first problem, and how many more there are. */
function reasonOf(stdout, stderr) {
  try {
    const { problems } = JSON.parse(stdout).error;
    const more = problems.length > 1 ? `, and ${problems.length - 1} more` : '';
    return `${problems[0].where}: ${problems[0].what}${more}`;
  } catch {
    return (stderr || stdout || 'tf2rust ended without a word').trim();
  }
}

/** What the program has to know of a crate; its example says how the samples are read. */
function described(model, crate, { struct, crate: name, summary }) {
  const example = fs.readFileSync(path.join(crate, 'examples', 'predict.rs'), 'utf8');
  const opens = fs.existsSync(path.join(crate, 'examples', 'pack.rs'));
  const [, row] = /let mut outputs: Vec<(.*)> =/.exec(example);
  return {
    model,
    crate,
    struct,
    name,
    summary,
    row,
    opens,
    samples: example.slice(example.indexOf('struct Samples {')),
  };
}

function manifest(converted) {
  const dependencies = converted.map(({ name, crate }) => `${name} = { path = ${JSON.stringify(crate)} }`);
  return `[package]
name = "${PROGRAM}"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
tf-layers = { path = ${JSON.stringify(tfLayers)}, features = ["npz"] }
${dependencies.join('\n')}

[profile.release]
codegen-units = 1
lto = "thin"
strip = true

# For build.rs too, which packs the weights.
[profile.release.package.tf-layers]
opt-level = 3
`;
}

/** A module for each model, and which of them runs. */
function modelsRs(converted, refused) {
  const arms = [
    ...converted.map(({ model, name }) => `        ${JSON.stringify(model)} => ${name}::run(task),`),
    ...[...refused].map(
      ([model, reason]) => `        ${JSON.stringify(model)} => Err(${rustString(reason)}.into()),`,
    ),
  ];
  return `use std::error::Error;

use super::Task;

pub fn run(task: &Task) -> Result<String, Box<dyn Error>> {
    match task.model.as_str() {
${arms.join('\n')}
        other => Err(format!("{other} is not in this program").into()),
    }
}

${converted.map(moduleRs).join('\n')}`;
}

function moduleRs({ model, name, struct, row, opens, samples }) {
  const load = opens ? `${struct}::open(${rustString(weightsOf(model))})?` : `${struct}::new()`;
  return `mod ${name} {
use std::error::Error;
use std::ops::Range;

use ${name}::{Batch, ${struct}};
use tf_layers::InputError;
use tf_layers::npz::Npz;

use super::Task;

pub fn run(task: &Task) -> Result<String, Box<dyn Error>> {
    let samples = Samples::read(&task.features)?;
    task.run(
        || Ok(${load}),
        |model, rows, output: &mut [${row}]| model.predict_from_array(samples.rows(rows), output),
    )
}

${samples}}
`;
}

/** The file of the weights of a crate that does not hold them. */
function weightsOf(model) {
  return path.join(folder, `${model}.weights`);
}

function rustString(text) {
  return JSON.stringify(text.replaceAll(/[^\x20-\x7e]/g, ' '));
}
