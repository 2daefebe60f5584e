/**
 * `npm run fuzz -- --format hdf5 --minutes 20`: converts damaged models, one after the other, in a process with limits.
 * Only a message or a crate may come of them; anything else is written to build/fuzz, with the model.
 */

import { type ChildProcess, fork } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { inRepository } from '../crates/places.ts';
import { type Format, formats, type Seed, seedsOf } from './formats.ts';
import { goodSeeds, type Outcome } from './worker.ts';

/** What a case may take. */
const mostSeconds = 20;
const mostMemory = 2048;

/** A process is replaced after so many cases: each leaves a module behind. */
const casesOfProcess = 400;

const { values } = parseArgs({
  options: {
    format: { type: 'string' },
    minutes: { type: 'string', default: '20' },
    first: { type: 'string', default: '0' },
    seeds: { type: 'string', default: '' },
    help: { type: 'boolean', default: false },
  },
});
const format = formats.find((format) => format === values.format);

if (values.help || format === undefined) {
  console.log(`npm run fuzz -- --format FORMAT [flags]
  --format FORMAT    what is damaged: ${formats.join(', ')}
  --minutes N        how long (default: 20)
  --first N          the number of the first case (default: 0); a number is always the same case
  --seeds FOLDER     models to damage besides those of the fixtures: a folder of folders`);
  process.exitCode = values.help ? 0 : 2;
} else {
  process.exitCode = (await fuzz(format, Number(values.minutes), Number(values.first))) === 0 ? 0 : 1;
}

/** Runs cases until the time is up, and says how many findings there were. */
async function fuzz(format: Format, minutes: number, first: number): Promise<number> {
  const place = fs.mkdtempSync(path.join(os.tmpdir(), 'tf2rust-fuzz-'));
  const seeds = await goodSeeds(seedsOf(format, values.seeds), path.join(place, 'case'));
  if (seeds.length === 0) throw new Error(`there are no models to damage for the format ${format}`);
  const end = Date.now() + minutes * 60_000;
  const findings = new Map<string, number>();
  const messages = new Map<string, string>();
  const retried = new Set<number>();
  const counts = { cases: 0, converted: 0, refused: 0 };
  let number = first;
  while (Date.now() < end) {
    const worker = startWorker(format, place, seeds);
    for (let i = 0; i < casesOfProcess && Date.now() < end; i++) {
      const outcome = await worker.run(number);
      // A machine may be too busy for a case once.
      if (outcome.kind === 'stopped' && !retried.has(number)) {
        retried.add(number);
        break;
      }
      counts.cases++;
      const problem = problemOf(outcome);
      if (problem !== undefined) {
        const times = findings.get(problem) ?? 0;
        findings.set(problem, times + 1);
        if (times === 0) keep(format, number, problem, place, outcome);
      } else if (outcome.kind === 'ended') {
        if (outcome.code === 0) counts.converted++;
        else counts.refused++;
        if (outcome.code !== 0)
          messages.set(pattern(outcome.text), `${number} ${outcome.seed}: ${outcome.text}`);
      }
      number++;
      if (outcome.kind !== 'ended') break;
    }
    worker.stop();
  }
  fs.rmSync(place, { recursive: true, force: true });
  const folder = inRepository('build', 'fuzz');
  fs.mkdirSync(folder, { recursive: true });
  fs.writeFileSync(path.join(folder, `${format}-messages.txt`), [...messages.values()].sort().join('\n'));
  console.log(
    `${format}: ${counts.cases} cases from ${first}, ${counts.converted} converted, ${counts.refused} refused, with ${messages.size} kinds of messages`,
  );
  for (const [problem, times] of findings) console.log(`  ${times} times: ${problem}`);
  return findings.size;
}

/** What became of a case: an answer, or the end of the process. */
type Result = ({ readonly kind: 'ended' } & Outcome) | { readonly kind: 'stopped'; readonly why: string };

/** What is wrong with it, in words that are the same for the same fault; undefined if nothing is. */
function problemOf(result: Result): string | undefined {
  if (result.kind === 'stopped') return result.why;
  const { code, text, isWritten, seconds, memory } = result;
  if (code !== 0 && code !== 1 && code !== 2) return `exit code ${code}: ${pattern(text)}`;
  if (/\n {4}at /.test(text)) return `a stack trace: ${pattern(text)}`;
  if (code !== 0 && text.trim() === '') return 'refused without a word';
  if (code !== 0 && isWritten) return `refused, but written: ${pattern(text)}`;
  if (code !== 0 && /undefined|\[object/.test(text)) return `strange words: ${pattern(text)}`;
  if (seconds > mostSeconds) return `${Math.round(seconds)} seconds: ${result.seed}`;
  if (memory > mostMemory) return `${Math.round(memory / 256) * 256} MiB: ${result.seed}`;
  return undefined;
}

/** A message without the names and numbers in it, and of a bug with the place in the code. */
function pattern(text: string): string {
  const [head = ''] = text.split('\n', 1);
  const [, place = ''] = /\n {4}at ([^\n]*)/.exec(text) ?? [];
  return `${head} ${place}`
    .replace(/"[^"]*"/g, '"…"')
    .replace(/\d+/g, 'N')
    .slice(0, 200)
    .trim();
}

interface Worker {
  run(number: number): Promise<Result>;
  stop(): void;
}

function startWorker(format: Format, place: string, seeds: readonly Seed[]): Worker {
  const program = fileURLToPath(new URL('worker.js', import.meta.url));
  const names = seeds.map(({ name }) => name);
  const child = fork(program, [format, path.join(place, 'case'), values.seeds, ...names], {
    execArgv: [`--max-old-space-size=${mostMemory}`],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  return {
    async run(number) {
      child.send(number);
      return answer(child);
    },
    stop: () => void child.kill('SIGKILL'),
  };
}

/** The next answer of the process, which is ended if it takes too long: the machine may be busy, so it gets more time. */
function answer(child: ChildProcess): Promise<Result> {
  return new Promise((resolve) => {
    let said = '';
    const hear = (text: Buffer) => {
      said += text.toString();
    };
    const finish = (result: Result) => {
      clearTimeout(timer);
      child.off('message', onMessage);
      child.off('exit', onExit);
      child.stderr?.off('data', hear);
      resolve(result);
    };
    const onMessage = (text: unknown) => {
      const outcome: Outcome = JSON.parse(String(text));
      finish({ kind: 'ended', ...outcome });
    };
    const onExit = (code: number | null, signal: string | null) =>
      finish({ kind: 'stopped', why: `the process ended (${signal ?? code}): ${pattern(said)}` });
    const timer = setTimeout(
      () => {
        finish({ kind: 'stopped', why: 'no end' });
        child.kill('SIGKILL');
      },
      4 * mostSeconds * 1000,
    );
    child.on('message', onMessage);
    child.on('exit', onExit);
    child.stderr?.on('data', hear);
  });
}

/** Writes the files of a finding to build/fuzz. */
function keep(format: Format, number: number, problem: string, place: string, result: Result): void {
  const folder = inRepository('build', 'fuzz', `${format}-${number}`);
  fs.rmSync(folder, { recursive: true, force: true });
  fs.cpSync(path.join(place, 'case'), folder, { recursive: true });
  const text =
    result.kind === 'ended' ? `${result.seed}, exit code ${result.code}\n${result.text}` : result.why;
  fs.writeFileSync(path.join(folder, 'finding.txt'), `${problem}\n\n${text}\n`);
  console.log(`case ${number}: ${problem}`);
}
