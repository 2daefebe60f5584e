/** What the program says at its end, to people and (`--json`) to machines. */

import { ConversionError, type Problem, UsageError } from '../errors.ts';
import type { Summary } from '../request.ts';
import type { ConvertOptions } from './arguments.ts';

/** Why the program failed. */
export type Failure =
  | { readonly kind: 'conversion'; readonly problems: readonly Problem[] }
  | { readonly kind: 'usage'; readonly message: string }
  | { readonly kind: 'bug'; readonly message: string; readonly stack: string };

export function failureOf(error: unknown): Failure {
  if (error instanceof ConversionError) return { kind: 'conversion', problems: error.problems };
  if (error instanceof UsageError) return { kind: 'usage', message: error.message };
  const { message, stack } = error instanceof Error ? error : { message: String(error), stack: undefined };
  return { kind: 'bug', message, stack: stack ?? message };
}

export function exitCode(failure: Failure): number {
  switch (failure.kind) {
    case 'conversion':
      return 1;
    case 'usage':
      return 2;
    case 'bug':
      return 3;
  }
}

/** The failure in words; `command` is what the user typed. */
export function describeFailure(failure: Failure, command: readonly string[], version: string): string {
  switch (failure.kind) {
    case 'conversion':
      return describeProblems(failure.problems);
    case 'usage':
      return describeUsage(failure.message);
    case 'bug':
      return [
        `this is a bug of tf2rust ${version}, and not of your model or command: ${failure.message}`,
        'Please report it with these lines, and with the model if you can:',
        `  ${['tf2rust', ...command].map(quoted).join(' ')}`,
        `  Node ${process.version} on ${process.platform} ${process.arch}`,
        failure.stack.replace(/^/gm, '  '),
      ].join('\n');
  }
}

/** One problem is a paragraph; several are a list by place, each place once. */
function describeProblems(problems: readonly Problem[]): string {
  if (problems.length === 1) return `${problems[0]!.where}: ${problems[0]!.what}`;
  const places = [...new Set(problems.map(({ where }) => where))];
  return [
    `the model cannot be converted, for ${problems.length} reasons:`,
    ...places.flatMap((place) => [
      `  ${place}`,
      ...problems.filter(({ where }) => where === place).map(({ what }) => `    ${what}`),
    ]),
  ].join('\n');
}

/** Lines of their own are problems of their own; indented ones belong to the line above. */
function describeUsage(message: string): string {
  const problems = message.match(/^\S/gm)?.length ?? 1;
  const list =
    problems > 1 ? `the command has ${problems} problems:\n${message.replace(/^/gm, '  ')}` : message;
  return `${list}\n(tf2rust --help shows all flags, with examples)`;
}

/** A word as a shell reads it. */
function quoted(word: string): string {
  return /^[\w./:=,@%+-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

/**
 * Names in a model may hold what moves a terminal's cursor, or turns the direction of its text:
 * such characters are spelled, other than line ends.
 */
export function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]/gu, (character) =>
    character === '\n' ? character : `\\x${character.codePointAt(0)?.toString(16).padStart(2, '0')}`,
  );
}

/** The summary at the end of a conversion. */
export function describeSummary(options: ConvertOptions, summary: Summary): string {
  const { type, crate } = options.modelName;
  const lines: readonly (readonly [string, string])[] = [
    ['model', `${count(summary.layers, 'layer')}, ${count(summary.parameters, 'parameter')}`],
    ['memory of predict', bytes(summary.predictBytes)],
    ['weights', describeWeights(options, summary)],
    ['crate', `${bytes(summary.crateBytes)} of files`],
    ['tests', describeSamples(summary)],
    ['written to', options.pathToSave],
  ];
  const width = Math.max(...lines.map(([name]) => name.length));
  const folder = `${options.pathToSave.replace(/[/\\]+$/, '')}/rust_generated_code`;
  return [
    `${type} in the crate ${crate}`,
    ...lines.map(([name, value]) => `  ${name.padEnd(width)}  ${value}`),
    `Now try: cd ${quoted(folder)} && cargo test`,
  ].join('\n');
}

function describeWeights({ modelName }: ConvertOptions, { weightBytes, weights }: Summary): string {
  switch (weights) {
    case 'embed':
      return bytes(weightBytes);
    case 'file':
      return `${bytes(weightBytes)}, in a file that ${modelName.type}::open reads: see the README of the crate`;
  }
}

function describeSamples({ samples, sampleSource, largestError, rounding }: Summary): string {
  const unstable = rounding === undefined ? '' : `; rounding alone makes ${rounding.toExponential(1)}`;
  switch (sampleSource) {
    case 'features.npz': {
      const error = largestError === undefined ? '' : `; largest error ${largestError.toExponential(1)}`;
      return `${count(samples, 'sample')} of --path_to_fv${error}${unstable}`;
    }
    case 'evaluator':
      return `${count(samples, 'sample')} made up, with predictions of tf2rust's own; give TensorFlow's with --path_to_fv${unstable}`;
  }
}

function count(number: number, noun: string): string {
  return `${number.toLocaleString('en-US')} ${noun}${number === 1 ? '' : 's'}`;
}

/** `1023 bytes`, `1.0 KiB`, `25.3 MiB` */
export function bytes(size: number): string {
  if (size < 1024) return count(size, 'byte');
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  const power = Math.min(Math.floor(Math.log2(size) / 10), units.length);
  return `${(size / 1024 ** power).toFixed(1)} ${units[power - 1]}`;
}

/** The one object that `--json` prints after a conversion. */
export function summaryForMachines(
  options: ConvertOptions,
  model: string,
  summary: Summary,
  warnings: readonly string[],
): string {
  const { type, crate } = options.modelName;
  return JSON.stringify({ model, struct: type, crate, path_to_save: options.pathToSave, summary, warnings });
}

/** The one object that `--json` prints after a failure. */
export function failureForMachines(failure: Failure): string {
  return JSON.stringify({ error: failure });
}
