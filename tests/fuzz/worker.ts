/** The process that converts damaged models: it is told the number of a case, and answers with what became of it. */

import fs from 'node:fs';
import path from 'node:path';
import { damagedSeed, FEATURES, type Format, formats, type Seed, seedsOf } from './formats.ts';
import { runProgram } from './program.ts';
import { randomOf } from './random.ts';

/** What became of a case. */
export interface Outcome {
  readonly seed: string;
  readonly code: number;
  readonly text: string;
  /** Whether there is an output folder, or what was left of one. */
  readonly isWritten: boolean;
  /** Of the processor, in seconds. */
  readonly seconds: number;
  /** The most memory that the process ever took, in MiB. */
  readonly memory: number;
}

/** Writes the files of the case into the folder, and says how they are converted. */
export function makeCase(
  format: Format,
  seeds: readonly Seed[],
  number: number,
  folder: string,
): { readonly seed: Seed; readonly args: readonly string[] } {
  const random = randomOf(number);
  const seed = random.pick(seeds);
  writeFiles(folder, damagedSeed(format, seed, random));
  return { seed, args: argumentsOf(seed, folder, random.below(8)) };
}

/** Most cases stop before the crate is written, unless the samples are what is damaged. */
function argumentsOf(seed: Seed, folder: string, choice: number): readonly string[] {
  const args = [
    ...['--path_to_tf_model', path.join(folder, seed.model)],
    ...['--path_to_save', path.join(folder, 'out')],
    ...['--model_name', 'Fuzz', '--binary_classification', 'False', '--tf_layers', '0.1'],
  ];
  if (seed.files.has(FEATURES)) return [...args, '--path_to_fv', path.join(folder, FEATURES)];
  return [...args, '--samples', '2', ...(choice > 0 ? ['--stop_after', 'plan'] : [])];
}

function writeFiles(folder: string, files: ReadonlyMap<string, Uint8Array>): void {
  fs.rmSync(folder, { recursive: true, force: true });
  for (const [file, bytes] of files) {
    fs.mkdirSync(path.dirname(path.join(folder, file)), { recursive: true });
    fs.writeFileSync(path.join(folder, file), bytes);
  }
}

async function runCase(seed: Seed, args: readonly string[], folder: string): Promise<Outcome> {
  const before = process.cpuUsage();
  const { code, text } = await runProgram(args);
  const { user, system } = process.cpuUsage(before);
  return {
    seed: seed.name,
    code,
    text,
    isWritten: fs.readdirSync(folder).some((name) => /^out|^\.out/.test(name)),
    seconds: (user + system) / 1e6,
    memory: process.resourceUsage().maxRSS / 1024,
  };
}

/** Seeds that convert when nothing is wrong with them. */
export async function goodSeeds(seeds: readonly Seed[], folder: string): Promise<readonly Seed[]> {
  const good: Seed[] = [];
  for (const seed of seeds) {
    writeFiles(folder, seed.files);
    if ((await runProgram(argumentsOf(seed, folder, 1))).code === 0) good.push(seed);
  }
  return good;
}

if (process.send !== undefined) {
  const [name, folder = '', seedFolder = '', ...good] = process.argv.slice(2);
  const format = formats.find((format) => format === name) ?? 'protobuf';
  process.stdout.setMaxListeners(0);
  process.stderr.setMaxListeners(0);
  const seeds = seedsOf(format, seedFolder).filter(({ name }) => good.includes(name));
  process.on('message', async (number: unknown) => {
    if (typeof number !== 'number') return;
    const { seed, args } = makeCase(format, seeds, number, folder);
    process.send?.(JSON.stringify(await runCase(seed, args, folder)));
  });
}
