/** Runs the program `tf2rust` in this process, over and over: what it says, and its exit code. */

import { inRepository } from '../crates/places.ts';

export interface Ran {
  readonly code: number;
  readonly text: string;
}

let runs = 0;

/** Evaluates main.ts with these arguments, as Node does with a program. */
export async function runProgram(args: readonly string[]): Promise<Ran> {
  const main = inRepository('build', 'src', 'main.js');
  const said: string[] = [];
  const collect = (text: string | Uint8Array) => said.push(Buffer.from(text).toString()) > 0;
  const [out, err] = [process.stdout.write, process.stderr.write];
  process.argv = [process.execPath, main, ...args];
  process.exitCode = undefined;
  process.stdout.write = collect;
  process.stderr.write = collect;
  try {
    await import(`file://${main}?run=${runs++}`);
  } finally {
    [process.stdout.write, process.stderr.write] = [out, err];
  }
  const code = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  return { code, text: said.join('') };
}
