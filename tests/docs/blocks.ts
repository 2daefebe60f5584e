/**
 * The parts of the documents that are written by the code itself: flags, operators, excerpts of the example's crate.
 * They stand between `<!-- name:begin -->` and `<!-- name:end -->`; `npm run docs` writes them again.
 */

import fs from 'node:fs';
import { joined } from '../../src/1-read/pieces.ts';
import { raggedTextTensorflow } from '../../src/2-import/saved-model/ragged-text.ts';
import { textTensorflow } from '../../src/2-import/saved-model/text-ops.ts';
import { families } from '../../src/2-import/saved-model/unsupported.ts';
import { readArguments } from '../../src/command-line/arguments.ts';
import { readOverviewAssets } from '../../src/command-line/assets.ts';
import { openModel } from '../../src/command-line/model-files.ts';
import { packageVersion, tfLayersSource } from '../../src/command-line/package-files.ts';
import { convert } from '../../src/convert.ts';
import { modelName } from '../../src/model-name.ts';
import type { ConvertRequest, ConvertResult, Stage } from '../../src/request.ts';
import { inRepository } from '../crates/places.ts';

/** The documents with such parts. */
export const documents = [
  'README.md',
  'CONTRIBUTING.md',
  'docs/architecture.md',
  'docs/generated.md',
  'docs/security.md',
  'docs/supported.md',
] as const;

/** The document as it should be. The parts that nobody here writes stay as they are. */
export function refreshed(text: string, blocks: ReadonlyMap<string, string>): string {
  return text.replace(
    /(<!-- ([\w-]+):begin -->\n)[\s\S]*?(<!-- \2:end -->)/g,
    (found: string, begin: string, name: string, end: string) => {
      const block = blocks.get(name);
      return block === undefined ? found : `${begin}${block.trimEnd()}\n${end}`;
    },
  );
}

/** The parts by their names. */
export async function writtenBlocks(): Promise<ReadonlyMap<string, string>> {
  const files = await exampleFiles();
  const source = (name: string) =>
    files.get(`rust_generated_code/${name}`) ?? missing(`a crate without ${name}`);
  const model = source('src/model.rs');
  const operator = ours('src/ops/arg.ts');
  return new Map([
    ['flags', flagsTable()],
    ['keras-layers', tableByFile(await namesByFile('Keras'))],
    ['keras-functions', tableByFile(await namesByFile('Functions'))],
    ['tensorflow-ops', tableByFile(await namesByFile('Tensorflow'))],
    ['text-ops', listed(textOps())],
    ['refused-ops', refusedTable()],
    ['limits', limitsTable()],
    ['imported', code('text', await printed('import'))],
    ['optimized', code('text', await printed('optimize'))],
    ['planned', code('text', (await printed('plan')).split('\n').slice(-4).join('\n'))],
    [
      'fixture',
      code('python', part(ours('fixtures/make.py'), /^def reductions_and_axes/, /^ {4}return/, 0, 1)),
    ],
    ['operator', code('ts', part(operator, /^\/\*\* The first of equals/, /^}\);/))],
    ['lowering', code('ts', part(operator, /^const lowering/, /^export/))],
    ['kernel', code('rust', part(ours('crates/tf-layers/src/ops/arg.rs'), /^\/\/\/ The place of/, /^}/))],
    ['usage', code('rust', part(source('README.md'), /^use /, /^println!/))],
    ['manifest', code('toml', source('Cargo.toml'))],
    ['documentation', code('rust', part(source('src/lib.rs'), /^\/\/! \| input/, /^\/\/! \| `/))],
    ['inputs', code('rust', part(model, /^\/\/\/ The inputs of one/, /^\/\/\/ The model's answer/, -2))],
    ['layers', code('rust', part(source('src/layers.rs'), /^pub struct/, /^}/))],
    ['forward', code('rust', part(model, /^ {4}fn forward/, /^ {4}}/))],
    ['scratch', code('rust', part(model, /^impl Scratch/, /^}/))],
    ['pack', code('rust', part(source('build.rs'), /^\/\/\/ Reads the trained/, /^}/))],
    ['checks', code('rust', part(source('src/lib.rs'), /fn predicts_as_tensorflow_does/, /^ {4}}/))],
    ['graph', code('json', source('../saved_model_from_tensorflow/computation_graph.json'))],
  ]);
}

/** The flags as the help tells them. */
function flagsTable(): string {
  const options = readArguments(['--help']);
  if (options.kind !== 'help') return missing('no help');
  const [, list = ''] = /Options:\n([\s\S]*?)\n\n/.exec(options.text) ?? [];
  const rows = list
    .replace(/\n {10,}/g, ' ')
    .split('\n')
    .map((line) => /^ {2}(\S.*?) {2,}(.*)$/.exec(line) ?? missing(`the help has the line ${line}`))
    .map(([, flag, meaning]) => `| \`${flag}\` | ${meaning} |`);
  return ['| flag | meaning |', '|---|---|', ...rows].join('\n');
}

/** What a file may declare without holding it, and the constant of the code that bounds it. */
const limits: readonly (readonly [what: string, file: string, constant: string, unit: string])[] = [
  ['messages inside of messages', '1-read/protobuf.ts', 'deepest', ''],
  ['a text in `saved_model.pb`', '1-read/protobuf.ts', 'longestText', ' bytes'],
  ['nodes, once functions are inlined', '2-import/saved-model/scope.ts', 'MOST_NODES', ''],
  ['numbers of a constant that lists fewer than it has', '1-read/element-types.ts', 'mostNumbers', ''],
  ['strings of such a constant', '1-read/element-types.ts', 'mostStrings', ''],
  ['numbers of all constants together, besides what the file holds', 'ir/builder.ts', 'MOST_NUMBERS', ''],
  ['multiplications for it', 'ir/builder.ts', 'MOST_OPERATIONS', ''],
  ['numbers of an input or a result of one sample', 'ir/builder.ts', 'MOST_RESULTS', ''],
  ['`variables.index`', '1-read/tensor-bundle.ts', 'largestIndex', ' bytes'],
  ['keys of an index, which share their beginnings', '1-read/level-table.ts', 'mostKeyBytes', ' bytes'],
  ['a variable, all of which its files must hold', '1-read/tensor-bundle.ts', 'mostBytes', ' bytes'],
  ['what a byte of Snappy becomes', '1-read/snappy.ts', 'bestRatio', ' bytes'],
  ['what a byte of deflate becomes', '1-read/zip.ts', 'bestRatio', ' bytes'],
  ['JSON of a Keras model', '1-read/json.ts', 'LONGEST', ' bytes'],
  ['lists inside of lists in it', '1-read/json.ts', 'DEEPEST', ''],
  ['layers of models in models, call by call', '2-import/keras/index.ts', 'mostLayers', ''],
  ['messages of an HDF5 object', '1-read/hdf5/object-header.ts', 'mostMessages', ''],
  ['children of an HDF5 group', '1-read/hdf5/links.ts', 'mostLinks', ''],
  ['HDF5 groups inside of groups', '1-read/hdf5/index.ts', 'deepest', ''],
  ['chunks of an HDF5 dataset', '1-read/hdf5/dataset.ts', 'mostChunks', ''],
  ['all datasets of a small HDF5 file', '1-read/hdf5/dataset.ts', 'mostDecodedBytes', ' bytes'],
  ['all arrays of a small npz file', '1-read/npz.ts', 'MOST_BYTES', ' bytes'],
  ['dimensions of an npy array', '1-read/npy.ts', 'mostDimensions', ''],
  ['the header of an npy array', '1-read/npy.ts', 'longestHeader', ' bytes'],
];

function limitsTable(): string {
  const rows = limits.map(([what, file, constant, unit]) => {
    const [, value] = new RegExp(`const ${constant} = (.*);`).exec(ours(`src/${file}`)) ?? [];
    if (value === undefined) missing(`no ${constant} in ${file}`);
    const number = value.replace(' ** ', '^').replace(' - ', ' − ').replaceAll('_', ',');
    return `| ${what} | ${number}${unit} |`;
  });
  return ['| what | at most |', '|---|---|', ...rows].join('\n');
}

function tableByFile(files: Awaited<ReturnType<typeof namesByFile>>): string {
  const rows = files.map(({ file, names }) => `| [${file}](../src/ops/${file}.ts) | ${listed(names)} |`);
  return ['| file | reads |', '|---|---|', ...rows].join('\n');
}

/** The files of `src/ops` export tables of what they read: `…Tensorflow`, `…Keras` and `…Functions`. */
export async function namesByFile(
  ending: 'Tensorflow' | 'Keras' | 'Functions',
): Promise<readonly { readonly file: string; readonly names: readonly string[] }[]> {
  const folder = new URL('../../src/ops/', import.meta.url);
  const files = fs.readdirSync(folder).filter((file) => file.endsWith('.js') && file !== 'index.js');
  const found = [];
  for (const file of files.sort()) {
    const exported: Readonly<Record<string, unknown>> = await import(new URL(file, folder).href);
    const names = Object.entries(exported)
      .filter(([name]) => name.endsWith(ending))
      .flatMap(([, table]) => Object.keys(Object(table)))
      .sort();
    if (names.length > 0) found.push({ file: file.replace(/\.js$/, ''), names });
  }
  return found;
}

/** Ops of TensorFlow that are followed while they read text, or what comes of it. */
function textOps(): readonly string[] {
  const names = [textTensorflow, raggedTextTensorflow].flatMap((table) => Object.keys(table));
  return [...new Set(names)].filter((name) => /^\w+$/.test(name)).sort();
}

/** Ops that are refused in words of their own. */
function refusedTable(): string {
  const rows = families.map(
    ({ ops, kind, what }) => `| ${kind} | \`${ops.source.replaceAll('|', '\\|')}\` | ${what} |`,
  );
  return ['| what | ops | message |', '|---|---|---|', ...rows].join('\n');
}

function listed(names: readonly string[]): string {
  return names.map((name) => `\`${name}\``).join(' ');
}

/** Every file that a conversion of `examples/digits` writes, as text. */
async function exampleFiles(): Promise<ReadonlyMap<string, string>> {
  const result = await convertExample({});
  if (result.kind !== 'crate') return missing('text instead of a crate');
  const decoder = new TextDecoder();
  const files = [...result.files].map(([path, pieces]) => [path, decoder.decode(joined(pieces))] as const);
  const described = files.flatMap(([path, text]) =>
    path.startsWith('saved_model') ? [[`rust_generated_code/../${path}`, text] as const] : [],
  );
  return new Map([...files, ...described]);
}

/** The names of the files that are written for `examples/digits`, but for the copy of tf-layers. */
export async function exampleFileNames(): Promise<readonly string[]> {
  return [...(await exampleFiles()).keys()].filter((path) => !/\/tf-layers\/|\.\./.test(path));
}

async function printed(stopAfter: Stage): Promise<string> {
  const result = await convertExample({ stopAfter });
  return result.kind === 'printed' ? result.text : missing('a crate instead of text');
}

/** As `npm run demo` converts it. */
function convertExample(more: Pick<ConvertRequest, 'stopAfter'>): Promise<ConvertResult> {
  const { name, source: model } = openModel(inRepository('examples', 'digits', 'saved_model'));
  const features = inRepository('examples', 'digits', 'features.npz');
  return convert({
    model,
    modelFile: name,
    name: modelName('Digits'),
    version: packageVersion(),
    binaryClassification: false,
    enableInplace: true,
    enableMemdrop: true,
    inputShapes: new Map(),
    tfLayers: { kind: 'vendored', files: tfLayersSource() },
    features: { path: features, bytes: new Uint8Array(fs.readFileSync(features)) },
    assets: readOverviewAssets(),
    progress() {},
    ...more,
  });
}

/** A file of the repository. */
function ours(file: string): string {
  return fs.readFileSync(inRepository(file), 'utf8');
}

function code(language: string, text: string): string {
  return `\`\`\`${language}\n${text.trimEnd()}\n\`\`\``;
}

/** The lines from the first that matches to the next that matches `last`; `more` and `before` move the ends outwards. */
function part(text: string, first: RegExp, last: RegExp, more = 0, before = 0): string {
  const lines = text.split('\n');
  const found = lines.findIndex((line) => first.test(line));
  const end = lines.findIndex((line, i) => i > found && last.test(line));
  const begin = found - before;
  if (begin < 0 || end < 0) missing(`no lines from ${first} to ${last}`);
  const margin = lines[begin]!.match(/^ */)![0];
  return lines
    .slice(begin, end + 1 + more)
    .map((line) => (line.startsWith(margin) ? line.slice(margin.length) : line))
    .join('\n');
}

/** What the documents show is no longer there: they have to be told what to show instead. */
function missing(what: string): never {
  throw new Error(`the documents cannot be written: found ${what}; see tests/docs/blocks.ts`);
}
