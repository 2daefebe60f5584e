/**
 * `npm test`: everything that is checked, on a machine with Node and cargo. What needs files or tools that are not
 * there is skipped, and says so.
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { checkRequirements, installPackages, local, repository, run } from './requirements.mjs';

checkRequirements();
await installPackages();

const counts = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
const started = performance.now();

await step('formatting and lint of TypeScript', local('biome'), ['check', 'src', 'tests', 'scripts']);
for (const folder of ['src', 'tests']) {
  fs.rmSync(path.join(repository, 'build', folder), { recursive: true, force: true });
}
const isCompiled = await step('types', local('tsc'), ['-p', 'tsconfig.json']);

const tfLayers = ['-p', 'tf-layers', '--all-features'];
await step('formatting of tf-layers', 'cargo', ['fmt', '--all', '--check']);
await step('lint of tf-layers', 'cargo', [
  'clippy',
  ...tfLayers,
  '--all-targets',
  '--locked',
  '--',
  '-D',
  'warnings',
]);
await step('documentation of tf-layers', 'cargo', ['doc', ...tfLayers, '--no-deps', '--locked'], {
  env: { RUSTDOCFLAGS: '-D warnings' },
});
await step('tests of tf-layers', 'cargo', ['test', ...tfLayers, '--locked']);
for (const target of ['aarch64-unknown-linux-gnu', 'wasm32-unknown-unknown']) {
  const check = ['check', '-p', 'tf-layers', '--features', 'pack,npz', '--target', target, '--locked'];
  if (hasLibraryFor(target)) await step(`tf-layers for ${target}`, 'cargo', check);
  else skip(`tf-layers for ${target}: Rust's standard library for it is not installed`);
}

if (isCompiled) {
  const files = fs
    .readdirSync(path.join(repository, 'build', 'tests'), { recursive: true })
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => path.join('build', 'tests', file))
    .sort();
  await step('tests of the converter and of the crates', process.execPath, [
    '--test',
    '--test-reporter=spec',
    ...files,
  ]);
  await step('conformance', process.execPath, ['build/tests/conformance/score.js']);
}

const minutes = ((performance.now() - started) / 60_000).toFixed(1);
for (const failure of failures) console.log(`failed: ${failure}`);
console.log(`${minutes} minutes`);
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
process.exitCode = failures.length > 0 ? 1 : 0;

/** Whether rustc can compile for another target. */
function hasLibraryFor(target) {
  const { stdout } = spawnSync('rustc', ['--print', 'target-libdir', '--target', target], {
    encoding: 'utf8',
  });
  return fs.existsSync(stdout?.trim() ?? '');
}

function skip(what) {
  console.log(`\nskipped: ${what}`);
  counts.skipped++;
}

/** Runs a step, and counts its tests; one that counts none is a test itself. */
async function step(title, command, args, options) {
  console.log(`\n── ${title}`);
  const since = performance.now();
  const { status, stdout } = await run(command, args, options);
  const isGood = status === 0;
  const found = countsIn(stdout);
  counts.passed += found.passed + (found.isEmpty && isGood ? 1 : 0);
  counts.failed += found.failed + (!isGood && found.failed === 0 ? 1 : 0);
  counts.skipped += found.skipped;
  if (!isGood) failures.push(title);
  console.log(`   ${isGood ? 'good' : 'FAILED'}, ${((performance.now() - since) / 1000).toFixed(0)} s`);
  return isGood;
}

/** The tests that node:test and cargo count in their output, and the cases of the conformance table. */
function countsIn(stdout) {
  const sum = (pattern) =>
    [...stdout.matchAll(pattern)].reduce((total, [, count]) => total + Number(count), 0);
  const passed = sum(/^ℹ pass (\d+)/gm) + sum(/^test result: \w+\. (\d+) passed/gm);
  const failed = sum(/^ℹ fail (\d+)/gm) + sum(/^test result: .*; (\d+) failed/gm);
  const skipped =
    sum(/^ℹ skipped (\d+)/gm) +
    sum(/^test result: .*; (\d+) ignored/gm) +
    (/^skipped: /m.test(stdout) ? 1 : 0);
  return { passed, failed, skipped, isEmpty: passed + failed + skipped === 0 };
}
