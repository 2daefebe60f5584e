/** `npm run demo`: converts the example model, tests the crate, and lets it read handwritten digits. */

import fs from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkRequirements, installPackages, local, repository, run, stop } from './requirements.mjs';

checkRequirements();
await installPackages();

const example = path.join(repository, 'examples', 'digits');
const demo = path.join(repository, 'build', 'demo');
const crate = path.join(demo, 'rust_generated_code');
const features = path.join(example, 'features.npz');
const predicted = path.join(repository, 'build', 'predicted.npz');
const target = { cwd: crate, env: { CARGO_TARGET_DIR: path.join(repository, 'build', 'demo-target') } };

await step('Building tf2rust', local('tsc'), ['-p', 'tsconfig.build.json']);
await step('Converting examples/digits', process.execPath, [
  path.join(repository, 'dist', 'main.js'),
  ...[
    '--path_to_tf_model',
    path.join(example, 'saved_model'),
    '--path_to_save',
    demo,
    '--model_name',
    'Digits',
  ],
  ...['--binary_classification', 'False', '--path_to_fv', features, '--force'],
]);
await step("Testing the crate against TensorFlow's predictions", 'cargo', ['test', '--locked'], target);
const predict = [
  'run',
  '--release',
  '--quiet',
  '--locked',
  '--example',
  'predict',
  '--',
  features,
  predicted,
];
await step('Predicting 100 digits', 'cargo', predict, target);
await showDigits();
console.log(`\nThe crate is in ${crate}`);

async function step(title, command, args, options) {
  console.log(`\n── ${title}`);
  if ((await run(command, args, options)).status !== 0) stop(`${title} failed: see above`);
}

/** Shows the first digit with its prediction, and how many of all are right. */
async function showDigits() {
  const npz = await import(pathToFileURL(path.join(repository, 'dist', '1-read', 'npz.js')).href);
  const read = (file) => npz.readNpz(new Uint8Array(fs.readFileSync(file)), path.basename(file));
  const images = read(features).get('image').data;
  const labels = read(path.join(example, 'labels.npz')).get('labels').data;
  const scores = read(predicted).get('predictions').data;
  const digitOf = (i) => {
    const row = [...scores.slice(10 * i, 10 * i + 10)];
    return row.indexOf(Math.max(...row));
  };

  for (let row = 0; row < 8; row++) {
    const pixels = [...images.slice(8 * row, 8 * row + 8)];
    console.log(`  ${pixels.map((pixel) => ' .:+#'[Math.round(pixel * 4)].repeat(2)).join('')}`);
  }
  const percent = (scores[digitOf(0)] * 100).toFixed(1);
  console.log(`The crate reads a ${digitOf(0)} (${percent} %), and it is a ${labels[0]}.`);
  const right = Array.from(labels, (label, i) => digitOf(i) === Number(label)).filter(Boolean).length;
  console.log(`It reads ${right} of ${labels.length} digits right.`);
}
