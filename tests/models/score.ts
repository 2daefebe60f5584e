/**
 * `npm run models -- FOLDER`: converts the models that `fixtures/applications.py FOLDER` made, predicts with their
 * crates, and writes docs/models.md. Fails if a model is refused or disagrees with TensorFlow. What is known of a model
 * is kept in `FOLDER/results.json`, so that a part of them can be run again.
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { NpyArray } from '../../src/1-read/npy.ts';
import { readNpz } from '../../src/1-read/npz.ts';
import { largestError } from '../../src/evaluate/error.ts';
import { cargo } from '../crates/command.ts';
import { buildFolder, inRepository } from '../crates/places.ts';

/** Every way in which `applications.py` saves a model, and the samples that go with it. */
const formats = {
  'saved_model.k3export': 'features.k3.npz',
  'model.k3.keras': 'features.k3.npz',
  'model.k3.h5': 'features.k3.npz',
  'saved_model.k2': 'features.k2.npz',
  'model.k2.h5': 'features.k2.npz',
} as const;

type Format = keyof typeof formats;

/** Of a whole network, as DESIGN has it. */
const TOLERANCE = 1e-4;

interface Result {
  /** `ResNet50` */
  readonly family: string;
  /** `logits` or `probabilities` */
  readonly kind: string;
  readonly format: Format;
  readonly parameters: number;
  /** Of the converter's own evaluator, and of the crate. */
  readonly evaluatorError: number;
  readonly crateError?: number;
  readonly hasSameArgmax?: boolean;
  /** CPU time of the conversion, and the most memory that it had. */
  readonly seconds: number;
  readonly bytes: number;
}

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    only: { type: 'string', default: '' },
    format: { type: 'string', multiple: true },
    'typescript-only': { type: 'boolean', default: false },
  },
});
const [folder] = positionals;
if (folder === undefined) {
  throw new Error('npm run models -- FOLDER [--only REGEX] [--format FORMAT]… [--typescript-only]');
}
main(folder);

function main(folder: string): void {
  const file = path.join(folder, 'results.json');
  const results = new Map<string, Result>(
    fs.existsSync(file) ? Object.entries(JSON.parse(fs.readFileSync(file, 'utf8'))) : [],
  );
  let faults = 0;
  for (const name of fs.readdirSync(folder).sort()) {
    if (!fs.statSync(path.join(folder, name)).isDirectory() || !new RegExp(values.only).test(name)) continue;
    for (const format of Object.keys(formats) as Format[]) {
      const isWanted = !values.format || values.format.includes(format);
      if (!isWanted || !fs.existsSync(path.join(folder, name, format))) continue;
      const result = tryModel(folder, name, format);
      if (typeof result === 'string') {
        faults++;
        results.delete(`${name} ${format}`);
        console.log(`${name} ${format}: ${result}`);
        continue;
      }
      if (!agrees(result)) faults++;
      results.set(`${name} ${format}`, { ...results.get(`${name} ${format}`), ...result });
      console.log(`${name} ${format}: ${JSON.stringify(result)}`);
      fs.writeFileSync(file, JSON.stringify(Object.fromEntries(results), undefined, 1));
    }
  }
  writeDocument([...results.values()]);
  process.exitCode = faults === 0 ? 0 : 1;
}

function agrees({ crateError, hasSameArgmax }: Result): boolean {
  return !((crateError ?? 0) > TOLERANCE) && hasSameArgmax !== false;
}

/** Converts one model and predicts its samples; the words of the refusal if it is refused. */
function tryModel(folder: string, name: string, format: Format): Result | string {
  const samples = path.resolve(folder, name, formats[format]);
  const out = path.join(buildFolder('models'), `${name}.${format}`);
  const program = fileURLToPath(new URL('../../src/main.js', import.meta.url));
  const measure = new URL('./measure.js', import.meta.url).href;
  const [family, kind] = name.split('.') as [string, string];
  const flags = {
    path_to_tf_model: path.resolve(folder, name, format),
    path_to_save: out,
    model_name: `${family} ${kind} ${format.replace(/^\w+\./, '')}`,
    path_to_fv: samples,
    binary_classification: 'False',
    tf_layers: inRepository('crates', 'tf-layers'),
    ...openLengths(samples, family, format),
  };
  fs.rmSync(out, { recursive: true, force: true });
  const args = Object.entries(flags).flatMap(([flag, value]) => [`--${flag}`, value]);
  const { stdout, stderr } = spawnSync(process.execPath, ['--import', measure, program, '--json', ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
  const said = JSON.parse(stdout);
  if (said.error) return JSON.stringify(said.error);
  const { seconds, bytes } = JSON.parse(stderr.slice(stderr.lastIndexOf('\n')));
  const result = {
    ...{ family, kind, format, seconds, bytes },
    parameters: said.summary.parameters,
    evaluatorError: said.summary.largestError,
  };
  const inRust = values['typescript-only'] ? {} : predictInRust(out);
  fs.rmSync(out, { recursive: true });
  return { ...result, ...inRust };
}

/** MobileNetV3 leaves the size of its pictures open. Keras 3 exports it with another name for them than it saves. */
function openLengths(samples: string, family: string, format: Format): { readonly input_shape?: string } {
  if (!family.startsWith('MobileNetV3')) return {};
  const arrays = readNpz(new Uint8Array(fs.readFileSync(samples)), samples);
  const pictures = [...arrays].filter(([name]) => name !== 'predictions');
  const [name, { shape }] = pictures.at(format === 'saved_model.k3export' ? 0 : -1) as [string, NpyArray];
  return { input_shape: `${name}=${[1, ...shape.slice(1)].join(',')}` };
}

function predictInRust(out: string): Pick<Result, 'crateError' | 'hasSameArgmax'> {
  const crate = path.join(out, 'rust_generated_code');
  cargo(crate, ['run', '--release', '--example', 'predict', '--', 'testdata/features.npz', 'out.npz']);
  const predictionsOf = (file: string): Float32Array[] => {
    const array = readNpz(new Uint8Array(fs.readFileSync(path.join(crate, file))), file).get('predictions');
    if (!(array?.data instanceof Float32Array)) throw new Error(`${file} has no predictions`);
    const { data } = array;
    const length = data.length / array.shape[0]!;
    return Array.from({ length: array.shape[0]! }, (_, i) => data.slice(i * length, (i + 1) * length));
  };
  const [expected, found] = [predictionsOf('testdata/features.npz'), predictionsOf('out.npz')];
  // What cargo keeps of all of them would take tens of GB.
  const name = /^name = "(.*)"/m.exec(fs.readFileSync(path.join(crate, 'Cargo.toml'), 'utf8'))![1]!;
  cargo(crate, ['clean', '--release', '--package', name]);
  const argmax = (row: Float32Array) => row.indexOf(row.reduce((most, x) => Math.max(most, x), -Infinity));
  return {
    crateError: expected.reduce((most, row, i) => Math.max(most, largestError(found[i]!, row)), 0),
    hasSameArgmax: expected.every((row, i) => argmax(row) === argmax(found[i]!)),
  };
}

/** A line for each family: the worst of its models. */
function writeDocument(results: readonly Result[]): void {
  const families = [...new Set(results.map(({ family }) => family))].sort();
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  const head = ['model', 'parameters', 'converts from', 'error', 'error in Rust', 'CPU time', 'memory'];
  const rows = families.map((family) => {
    const all = results.filter((result) => result.family === family);
    const most = (of: (result: Result) => number | undefined) =>
      all.reduce((largest, result) => Math.max(largest, of(result) ?? 0), 0);
    const inRust = all.filter(({ crateError }) => crateError !== undefined).length;
    const part = inRust === all.length ? '' : ` (${inRust} of ${all.length} models)`;
    const found = Object.keys(formats).filter((format) => all.some((result) => result.format === format));
    return [
      family,
      most(({ parameters }) => parameters).toLocaleString('en-US'),
      found.length === Object.keys(formats).length
        ? 'all'
        : found.map((format) => `\`${format}\``).join(', '),
      most(({ evaluatorError }) => evaluatorError).toExponential(1),
      inRust > 0 ? `${most(({ crateError }) => crateError).toExponential(1)}${part}` : '',
      `${most(({ seconds }) => seconds).toFixed(1)} s`,
      `${(most(({ bytes }) => bytes) / 1e6).toFixed(0)} MB`,
    ];
  });
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  const place = inRepository('docs', 'models.md');
  const text = fs.readFileSync(place, 'utf8');
  const marked = /(<!-- models:begin -->\n)[\s\S]*?(<!-- models:end -->)/;
  if (!marked.test(text))
    throw new Error('docs/models.md has no <!-- models:begin --> … <!-- models:end -->');
  fs.writeFileSync(
    place,
    text.replace(marked, (_, start, end) => `${start}${table}\n${end}`),
  );
}
