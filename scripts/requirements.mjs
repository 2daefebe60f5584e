/** What has to be on the machine, each with one sentence if it is not; and running programs one after another. */

import { spawn, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const repository = path.dirname(path.dirname(fileURLToPath(import.meta.url)));

const NODE = 20;
const RUST = [1, 89];
const windows = process.platform === 'win32';

/** Ends the program with a sentence if Node, npm or cargo is missing or too old. */
export function checkRequirements() {
  const node = Number.parseInt(process.versions.node, 10);
  if (node < NODE)
    stop(`Node ${NODE} or newer is needed, and this is ${process.versions.node}: see https://nodejs.org`);
  const { stdout, error, status } = spawnSync('cargo', ['--version'], { encoding: 'utf8' });
  const rust = `Rust ${RUST.join('.')} or newer is needed`;
  if (error || status !== 0) stop(`${rust}, and there is no cargo: install it from https://rustup.rs`);
  const [, major, minor] = /^cargo (\d+)\.(\d+)/.exec(stdout) ?? [];
  if (Number(major) === RUST[0] && Number(minor) < RUST[1]) {
    stop(`${rust}, and this is ${stdout.trim()}: run \`rustup update stable\``);
  }
}

/** Installs the packages of package-lock.json, unless they are there. */
export async function installPackages() {
  const lock = path.join(repository, 'package-lock.json');
  const installed = path.join(repository, 'node_modules', '.package-lock.json');
  const isInstalled = fs.existsSync(installed) && fs.statSync(installed).mtimeMs >= fs.statSync(lock).mtimeMs;
  const args = ['ci', '--no-audit', '--no-fund', '--prefer-offline'];
  if (!isInstalled && (await run('npm', args)).status !== 0) {
    stop('npm ci failed: see above');
  }
}

export function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}

/** A program of node_modules. */
export function local(name) {
  return path.join(repository, 'node_modules', '.bin', windows ? `${name}.cmd` : name);
}

/** Runs a program, and shows what it prints; `stdout` is kept too. */
export function run(command, args, { cwd = repository, env = {} } = {}) {
  const isScript = windows && (command === 'npm' || command.endsWith('.cmd'));
  return new Promise((resolve, reject) => {
    const child = spawn(isScript && command === 'npm' ? 'npm.cmd' : command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
      shell: isScript,
    });
    let stdout = '';
    child.stdout.on('data', (chunk) => {
      stdout += chunk;
      process.stdout.write(chunk);
    });
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, stdout }));
  });
}
