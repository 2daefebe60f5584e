#!/usr/bin/env node
/** The program `tf2rust`: reads the arguments and the files, converts, writes the folder, and says what came of it. */

import fs from 'node:fs';
import path from 'node:path';
import pc from 'picocolors';
import {
  type ConvertOptions,
  readArguments,
  type TfLayersOption,
  wantsJson,
} from './command-line/arguments.ts';
import { readOverviewAssets } from './command-line/assets.ts';
import {
  describeFailure,
  describeSummary,
  exitCode,
  failureForMachines,
  failureOf,
  printable,
  summaryForMachines,
} from './command-line/messages.ts';
import { openModel, readWholeFile } from './command-line/model-files.ts';
import { inspectOutput, type OutputFolder, THRESHOLDS, writeOutput } from './command-line/output-folder.ts';
import { packageVersion, tfLayersSource } from './command-line/package-files.ts';
import { explain, isSystemError } from './command-line/system-error.ts';
import { convert } from './convert.ts';
import { ConversionError, UsageError } from './errors.ts';
import type { ConvertRequest, TfLayers } from './request.ts';

async function main(argv: readonly string[]): Promise<number> {
  try {
    if (Number.parseInt(process.versions.node, 10) < 20) {
      throw new UsageError(`tf2rust needs Node 20 or newer, and this is Node ${process.versions.node}`);
    }
    const options = readArguments(argv);
    switch (options.kind) {
      case 'help':
        process.stdout.write(options.text);
        break;
      case 'version':
        console.log(packageVersion());
        break;
      case 'convert':
        await run(options);
    }
    return 0;
  } catch (error) {
    const failure = failureOf(withoutSystemErrors(error));
    if (wantsJson(argv)) console.log(failureForMachines(failure));
    else say(colors.red('tf2rust: '), describeFailure(failure, argv, packageVersion()));
    return exitCode(failure);
  }
}

async function run(options: ConvertOptions): Promise<void> {
  const version = packageVersion();
  const { name, source: model } = openModel(options.pathToTfModel, options.pathToArchitecture);
  const output: OutputFolder = options.stopAfter
    ? { place: path.resolve(options.pathToSave), entries: [] }
    : inspectOutput(options.pathToSave, options.force);
  const { binaryClassification, enableInplace, enableMemdrop, inputShapes } = options;
  const { signature, samples, stopAfter, pathToFv, weights } = options;
  const progress = progressLine(options);
  const request: ConvertRequest = {
    model,
    modelFile: name,
    name: options.modelName,
    version,
    binaryClassification,
    enableInplace,
    enableMemdrop,
    inputShapes,
    ...(signature !== undefined && { signature }),
    ...(samples !== undefined && { samples }),
    ...(stopAfter !== undefined && { stopAfter }),
    ...(weights !== undefined && { weights }),
    tfLayers: tfLayers(options.tfLayers, output.place),
    ...(pathToFv !== undefined && {
      features: { path: pathToFv, bytes: readWholeFile('--path_to_fv', pathToFv) },
    }),
    ...(output.thresholds !== undefined && { thresholds: output.thresholds }),
    assets: readOverviewAssets(),
    progress: progress.show,
  };

  try {
    const result = await convert(request);
    if (result.kind === 'printed') {
      progress.clear();
      if (options.json) console.log(JSON.stringify({ model: name, stage: stopAfter, text: result.text }));
      else process.stdout.write(result.text.endsWith('\n') ? result.text : `${result.text}\n`);
      if (!options.json) warn(options, result.warnings);
      return;
    }

    progress.show(`writing ${options.pathToSave}`);
    await interruptible((signal) =>
      writeOutput(options.pathToSave, result.files, { version, model: name }, options.force, signal),
    );
    progress.clear();
    const warnings = [...result.warnings];
    if (output.thresholds !== undefined && !result.files.has(THRESHOLDS)) {
      warnings.push('the old thresholds.json is gone: without --binary_classification nothing reads it');
    }
    if (options.json) {
      console.log(summaryForMachines(options, name, result.summary, warnings));
    } else {
      warn(options, warnings);
      if (!options.quiet) console.log(printable(describeSummary(options, result.summary)));
    }
  } finally {
    progress.clear();
  }
}

/** Where the crate gets tf-layers from; a path is written relative to the Cargo.toml that holds it. */
function tfLayers(option: TfLayersOption, output: string): TfLayers {
  switch (option.kind) {
    case 'vendored':
      return { kind: 'vendored', files: tfLayersSource() };
    case 'version':
      return option;
    case 'path': {
      const found = fs.statSync(path.join(option.path, 'Cargo.toml'), { throwIfNoEntry: false });
      if (!found?.isFile()) {
        throw new UsageError(
          `--tf_layers: ${option.path} has no Cargo.toml; give the folder of tf-layers, "vendored", or a version`,
        );
      }
      const crate = path.join(output, 'rust_generated_code');
      return { kind: 'path', path: path.relative(crate, fs.realpathSync(option.path)).replaceAll('\\', '/') };
    }
  }
}

/** Lets the work end tidily when the user stops the program, which then ends as by the signal itself. */
async function interruptible(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  let caught: NodeJS.Signals | undefined;
  const stop = (signal: NodeJS.Signals) => {
    caught = signal;
    controller.abort();
  };
  for (const signal of signals) process.once(signal, stop);
  try {
    await work(controller.signal);
  } finally {
    for (const signal of signals) process.off(signal, stop);
    if (caught) process.kill(process.pid, caught);
  }
}

const useColors = process.stderr.isTTY === true && !process.env.NO_COLOR && process.env.TERM !== 'dumb';
const colors = pc.createColors(useColors);

/** The stage that is running, on one line of a terminal; nothing elsewhere. */
function progressLine({ json, quiet }: ConvertOptions): { show(stage: string): void; clear(): void } {
  if (!process.stderr.isTTY || json || quiet) return { show() {}, clear() {} };
  const clear = () => process.stderr.write('\r\x1b[2K');
  return {
    show(stage) {
      clear();
      const width = (process.stderr.columns || 80) - 2;
      process.stderr.write(colors.dim(`${printable(stage).slice(0, width - 2)} …`));
    },
    clear,
  };
}

function warn({ quiet }: ConvertOptions, warnings: readonly string[]): void {
  if (!quiet) for (const warning of warnings) say(colors.yellow('warning: '), warning);
}

function say(label: string, text: string): void {
  process.stderr.write(`${label}${printable(text)}\n`);
}

/** What the operating system refused is no bug of ours: it becomes a problem at the path in question. */
function withoutSystemErrors(error: unknown): unknown {
  if (!isSystemError(error)) return error;
  return new ConversionError([{ where: error.path ?? 'the operating system', what: explain(error) }]);
}

// `tf2rust --help | head -1` closes the pipe before all is written: no error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') process.exitCode = 1;
  });
}
process.exitCode = await main(process.argv.slice(2));
