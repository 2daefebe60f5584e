/** The command line: what may be given, what it means, and what is said when it makes no sense. */

import { Command, Option } from 'commander';
import { UsageError } from '../errors.ts';
import { type ModelName, modelName } from '../model-name.ts';
import { type Stage, stages, type WeightsPlace } from '../request.ts';

/** What the user asks for. */
export type Options =
  | ConvertOptions
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' };

export interface ConvertOptions {
  readonly kind: 'convert';
  readonly pathToTfModel: string;
  readonly pathToSave: string;
  readonly modelName: ModelName;
  readonly binaryClassification: boolean;
  readonly enableInplace: boolean;
  readonly enableMemdrop: boolean;
  readonly pathToFv?: string;
  readonly pathToArchitecture?: string;
  /** Shapes by the name of the input, batch first. */
  readonly inputShapes: ReadonlyMap<string, readonly number[]>;
  readonly signature?: string;
  readonly stopAfter?: Stage;
  readonly samples?: number;
  readonly tfLayers: TfLayersOption;
  readonly weights?: WeightsPlace;
  readonly force: boolean;
  readonly json: boolean;
  readonly quiet: boolean;
}

export type TfLayersOption =
  | { readonly kind: 'vendored' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'version'; readonly version: string };

/** Every flag: its name in snake_case, its value as the help shows it, and its meaning. */
const flags: readonly (readonly [name: string, value: string, meaning: string])[] = [
  [
    'path_to_tf_model',
    '[path]',
    'the trained model: a SavedModel folder, a .keras or an .h5 file (mandatory)',
  ],
  ['path_to_save', '[folder]', 'the folder to write to, made if missing (mandatory)'],
  ['model_name', '[name]', 'Test gives the struct TestModel in the crate test_model (mandatory)'],
  ['binary_classification', '[boolean]', 'give the score a confidence level (default: True)'],
  ['enable_inplace', '[boolean]', 'let element-wise steps write over their input (default: True)'],
  ['enable_memdrop', '[boolean]', 'use memory again as soon as nothing reads it (default: True)'],
  ['path_to_fv', '[file.npz]', 'inputs by name and their "predictions", for the tests of the crate'],
  ['path_to_architecture', '[file.json]', 'model.to_json(), for an .h5 file that holds weights alone'],
  ['input_shape', '[name=1,128...]', 'shape of an input that the model leaves open; once for each input'],
  ['signature', '[name]', 'the signature to convert (default: serving_default)'],
  ['samples', '[number]', 'samples to compute for the tests if there is no --path_to_fv'],
  ['tf_layers', '[source]', 'runtime of the crate: vendored (default), a path, or a version'],
  ['weights', '[place]', 'embed them in the program, or file: to open (default: embed up to 64 MiB)'],
  ['force', '[boolean]', 'write over changed files in --path_to_save; files of others are kept'],
  ['stop_after', '[stage]', `print what the model is after a stage, and write nothing: ${stages.join(', ')}`],
  ['json', '[boolean]', 'print one JSON object for machines, errors too'],
  ['quiet', '[boolean]', 'print nothing but errors'],
];

const examples = `
Flags may be written with dashes too (--path-to-save). A boolean is True, False, true, false, 1, 0, or left out for true.

Examples:
  A binary classifier, tested on predictions of TensorFlow's:
    tf2rust --path_to_tf_model tf_model/ --path_to_save out/spam --model_name Spam --path_to_fv features.npz
  Ten classes, so no confidence level:
    tf2rust --path_to_tf_model tf_model/ --path_to_save out/mnist --model_name MNIST --binary_classification False
  A model whose input "tokens" has no fixed length:
    tf2rust --path_to_tf_model tf_model/ --path_to_save out/text --model_name Text --input_shape tokens=1,128

Exit codes: 0 done, 1 the model cannot be converted or written, 2 wrong use, 3 a bug of tf2rust.
`;

/** Reads the arguments that follow the program's name. Throws one UsageError with all that is wrong, a line each. */
export function readArguments(argv: readonly string[]): Options {
  const command = definition();
  const { operands, unknown } = command.parseOptions(argv.map(canonical));
  const given = command.opts<Readonly<Record<string, unknown>>>();
  if (given.help === true) return { kind: 'help', text: command.helpInformation() + examples };
  if (given.version === true) return { kind: 'version' };

  const problems: string[] = [...strangers(operands, unknown)];
  /** The value of a flag as `read` understands it; `fallback` if it is not given, or wrong and noted. */
  function value<T>(name: string, fallback: T, read: (text: string) => T): T {
    const text = given[name];
    if (text === undefined) return fallback;
    try {
      if (typeof text !== 'string' || text === '') throw new UsageError(`--${name} needs a value`);
      return read(text);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      problems.push(error.message);
      return fallback;
    }
  }
  function mandatory<T>(name: string, meaning: string, read: (text: string) => T): T | undefined {
    if (given[name] === undefined) problems.push(`--${name} is missing: ${meaning}`);
    return value(name, undefined, read);
  }
  function boolean(name: string, fallback: boolean): boolean {
    return given[name] === true || value(name, fallback, (text) => readBoolean(name, text));
  }

  const pathToTfModel = mandatory('path_to_tf_model', 'the folder or file of the trained model', String);
  const pathToSave = mandatory('path_to_save', 'the folder to write to', String);
  const name = mandatory('model_name', 'a name for the struct and the crate, like MNIST', modelName);
  const pathToFv = value('path_to_fv', undefined, String);
  const pathToArchitecture = value('path_to_architecture', undefined, String);
  const signature = value('signature', undefined, String);
  const samples = value('samples', undefined, readSamples);
  const stopAfter = value('stop_after', undefined, readStage);
  const weights = value('weights', undefined, readWeights);
  const rest = {
    binaryClassification: boolean('binary_classification', true),
    enableInplace: boolean('enable_inplace', true),
    enableMemdrop: boolean('enable_memdrop', true),
    inputShapes: readShapes(given.input_shape, problems),
    tfLayers: value('tf_layers', { kind: 'vendored' }, readTfLayers),
    force: boolean('force', false),
    json: boolean('json', false),
    quiet: boolean('quiet', false),
  };
  if (given.samples !== undefined && given.path_to_fv !== undefined) {
    problems.push(
      '--samples is for conversions without --path_to_fv, whose samples are all used; leave one out',
    );
  }
  if (problems.length > 0 || pathToTfModel === undefined || pathToSave === undefined || name === undefined) {
    throw new UsageError(problems.join('\n'));
  }
  return {
    kind: 'convert',
    pathToTfModel,
    pathToSave,
    modelName: name,
    ...(pathToFv !== undefined && { pathToFv }),
    ...(pathToArchitecture !== undefined && { pathToArchitecture }),
    ...(signature !== undefined && { signature }),
    ...(samples !== undefined && { samples }),
    ...(stopAfter !== undefined && { stopAfter }),
    ...(weights !== undefined && { weights }),
    ...rest,
  };
}

/** Whether errors go to a machine: known even if the rest of the command makes no sense. */
export function wantsJson(argv: readonly string[]): boolean {
  const command = definition();
  command.parseOptions(argv.map(canonical));
  const { json } = command.opts<Readonly<Record<string, unknown>>>();
  return json === true || (typeof json === 'string' && !negative.includes(json));
}

/**
 * All values are optional for commander: one that is missing is then an empty flag, which we can name along with
 * the other problems, and never swallows the flag after it.
 */
function definition(): Command {
  const command = new Command('tf2rust')
    .description('Turns a trained TensorFlow model into a Rust crate of pure safe code.')
    .usage('--path_to_tf_model <path> --path_to_save <folder> --model_name <name> [flags]')
    .helpOption(false)
    .configureHelp({ helpWidth: 110 });
  for (const [name, value, meaning] of flags) command.addOption(new Option(`--${name} ${value}`, meaning));
  return command.option('-V, --version', 'print the version').option('-h, --help', 'print this');
}

/** `--path-to-save=out` → `--path_to_save=out`, if that is a flag. */
function canonical(argument: string): string {
  const [, name, rest] = /^--([^=]+)(.*)$/s.exec(argument) ?? [];
  const snake = name?.replaceAll('-', '_');
  return flags.some(([flag]) => flag === snake) ? `--${snake}${rest}` : argument;
}

/** What commander could not place: after an unknown flag also the values that may belong to it. */
function strangers(operands: readonly string[], unknown: readonly string[]): readonly string[] {
  const unknownFlags = unknown.filter((argument) => argument.startsWith('-') && argument !== '--');
  return [
    ...operands.map((operand) => {
      const flag = /^[–—]/.test(operand) ? nearestFlag(operand) : undefined;
      return `"${operand}" belongs to no flag; ${flag ? `did you mean --${flag}?` : 'a value follows its flag, and one with spaces is quoted'}`;
    }),
    ...unknownFlags.map((argument) => {
      const flag = nearestFlag(argument);
      return `${argument.replace(/=.*$/s, '')} is no flag of tf2rust${flag ? `; did you mean --${flag}?` : ''}`;
    }),
  ];
}

/** The flag that was probably meant, if one is near. */
function nearestFlag(argument: string): string | undefined {
  const typed = argument
    .replace(/^[-–—]+|=.*$/gs, '')
    .replaceAll('-', '_')
    .toLowerCase()
    .slice(0, 40);
  const names = [...flags.map(([name]) => name), 'version', 'help'];
  const [nearest] = names
    .map((name) => ({ name, distance: editDistance(typed, name) }))
    .filter(({ name, distance }) => distance <= Math.max(2, name.length / 3) || shareWord(typed, name))
    .sort((a, b) => a.distance - b.distance);
  return nearest?.name;
}

/** `--model` and `--output_name` have a word of `--model_name`. */
function shareWord(typed: string, name: string): boolean {
  const words = name.split('_');
  return typed.split('_').some((word) => word.length > 3 && words.includes(word));
}

/** How many letters have to be added, dropped or exchanged to make `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(next[j]! + 1, row[j + 1]! + 1, row[j]! + (a[i] === b[j] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length]!;
}

const positive = ['True', 'true', '1'];
const negative = ['False', 'false', '0'];

function readBoolean(name: string, text: string): boolean {
  if (positive.includes(text)) return true;
  if (negative.includes(text)) return false;
  throw new UsageError(`--${name}: "${text}" is neither True nor False`);
}

function readSamples(text: string): number {
  if (/^[1-9][0-9]{0,5}$/.test(text)) return Number(text);
  throw new UsageError(`--samples: "${text}" is no whole number from 1 to 999999`);
}

function readStage(text: string): Stage {
  const stage = stages.find((stage) => stage === text);
  if (stage) return stage;
  throw new UsageError(`--stop_after: "${text}" is no stage; give one of ${stages.join(', ')}`);
}

function readWeights(text: string): WeightsPlace {
  if (text === 'embed' || text === 'file') return text;
  throw new UsageError(`--weights: "${text}" is neither embed nor file`);
}

/** A requirement as Cargo writes it is a version (`0.1`, `^1.2.3`, `=1.0.0-rc.1`), anything else a path. */
function readTfLayers(text: string): TfLayersOption {
  if (text === 'vendored') return { kind: 'vendored' };
  const isVersion = /^[\^~=]?\d+(\.\d+){0,2}(-[0-9A-Za-z.-]+)?$/.test(text);
  return isVersion ? { kind: 'version', version: text } : { kind: 'path', path: text };
}

/** `tokens=1,128` of every `--input_shape`. A name may hold `=`; the last one counts. */
function readShapes(given: unknown, problems: string[]): ReadonlyMap<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  if (given === undefined) return shapes;
  if (!Array.isArray(given)) {
    problems.push('--input_shape needs a value, like tokens=1,128');
    return shapes;
  }
  for (const text of given.map(String)) {
    const [, name, lengths = ''] = /^(.+)=([^=]*)$/s.exec(text) ?? [];
    const shape = lengths.split(',').map((length) => (/^\s*[0-9]+\s*$/.test(length) ? Number(length) : 0));
    if (name === undefined) {
      problems.push(`--input_shape: "${text}" is no name with a shape, like tokens=1,128`);
    } else if (shape.some((length) => length < 1 || length > 2 ** 31 - 1)) {
      problems.push(
        `--input_shape: "${lengths}" of "${name}" is no list of whole numbers from 1, like 1,128`,
      );
    } else if (shapes.has(name)) {
      problems.push(`--input_shape: "${name}" is given twice; leave one out`);
    } else {
      shapes.set(name, shape);
    }
  }
  return shapes;
}
