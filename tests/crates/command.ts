/** Runs programs for the tests, above all tf2rust itself. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { targetFolder } from './places.ts';

/** No program that a test runs takes longer, in milliseconds: one that does hangs. */
const LONGEST = 15 * 60_000;

export interface Ran {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly seconds: number;
}

const program = fileURLToPath(new URL('../../src/main.js', import.meta.url));

/** Runs tf2rust in `cwd`. */
export function tf2rust(cwd: string, args: readonly string[]): Ran {
  return runIn(cwd, process.execPath, [program, ...args]);
}

/** Runs cargo in `cwd`; what it builds is shared with the other tests. A failure is one of the test. */
export function cargo(cwd: string, args: readonly string[], target = targetFolder): Ran {
  const ran = runIn(cwd, 'cargo', args, { CARGO_TARGET_DIR: target });
  assert.equal(ran.status, 0, `cargo ${args.join(' ')} in ${cwd}:\n${ran.stdout}\n${ran.stderr}`);
  return ran;
}

export function runIn(
  cwd: string,
  command: string,
  args: readonly string[],
  variables: Readonly<Record<string, string>> = {},
): Ran {
  const started = performance.now();
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    env: { ...process.env, ...variables },
    timeout: LONGEST,
  });
  if (error) throw error;
  return { status, stdout, stderr, seconds: (performance.now() - started) / 1000 };
}
