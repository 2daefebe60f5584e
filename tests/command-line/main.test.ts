import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../src/main.js', import.meta.url));

function tf2rust(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, [program, ...argv], { encoding: 'utf8', timeout: 120_000 });
}

/** Flags that are right but for the model, which is this file. */
function withModel(t: TestContext, content: string): { folder: string; argv: readonly string[] } {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tf2rust-test-'));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  fs.writeFileSync(path.join(folder, 'model'), content, 'latin1');
  const save = ['--path_to_save', path.join(folder, 'out'), '--model_name', 'Test'];
  return { folder, argv: ['--path_to_tf_model', path.join(folder, 'model'), ...save] };
}

test('help and version go to stdout', () => {
  const help = tf2rust('--help');
  assert.deepEqual([help.status, help.stderr], [0, '']);
  assert.match(help.stdout, /^Usage: tf2rust --path_to_tf_model/);
  const version = tf2rust('--version');
  assert.deepEqual([version.status, version.stderr], [0, '']);
  assert.match(version.stdout, /^\d+\.\d+\.\d+\n$/);
});

test('wrong use is 2, in one list on stderr', () => {
  const { status, stdout, stderr } = tf2rust('--model_name', 'Test', '--path_to_save', 'out', '--jsn');
  assert.deepEqual([status, stdout], [2, '']);
  assert.equal(
    stderr,
    [
      'tf2rust: the command has 2 problems:',
      '  --jsn is no flag of tf2rust; did you mean --json?',
      '  --path_to_tf_model is missing: the folder or file of the trained model',
      '(tf2rust --help shows all flags, with examples)',
      '',
    ].join('\n'),
  );
});

test('wrong use is one object on stdout for machines', () => {
  const { status, stdout, stderr } = tf2rust('--json', '--model_name', 'Test', '--path_to_tf_model', 'm');
  assert.deepEqual([status, stderr], [2, '']);
  assert.deepEqual(JSON.parse(stdout), {
    error: { kind: 'usage', message: '--path_to_save is missing: the folder to write to' },
  });
});

test('a model that is not read is 1, and nothing is written', (t) => {
  const { folder, argv } = withModel(t, '\x1c\0\0\0TFL3');
  const what =
    'a TensorFlow Lite model, which tf2rust does not read; export a SavedModel from the TensorFlow model it was made of';
  const { status, stdout, stderr } = tf2rust(...argv);
  assert.deepEqual([status, stdout, stderr], [1, '', `tf2rust: ${path.join(folder, 'model')}: ${what}\n`]);
  const machine = tf2rust(...argv, '--json');
  assert.deepEqual([machine.status, machine.stderr], [1, '']);
  assert.deepEqual(JSON.parse(machine.stdout), {
    error: { kind: 'conversion', problems: [{ where: path.join(folder, 'model'), what }] },
  });
  assert.deepEqual(fs.readdirSync(folder), ['model']);
});

test('a missing model is 2', (t) => {
  const { folder, argv } = withModel(t, '');
  fs.rmSync(path.join(folder, 'model'));
  const { status, stderr } = tf2rust(...argv);
  assert.equal(status, 2);
  assert.match(stderr, /^tf2rust: --path_to_tf_model: there is no file or folder .*model\n\(tf2rust --help/);
});

test('names in a model cannot move the cursor of a terminal', (t) => {
  const { argv } = withModel(t, '');
  const { stderr } = tf2rust(...argv, '--path_to_tf_model', 'a\x1b[2Jb');
  assert.match(stderr, /a\\x1b\[2Jb/);
});

test('a pipe that is closed early is no error', { skip: process.platform === 'win32' }, () => {
  const quoted = [process.execPath, program].map((word) => `'${word}'`).join(' ');
  const { stdout, stderr } = spawnSync('sh', ['-c', `{ sleep 0.3; ${quoted} --help; echo $? >&2; } | true`], {
    encoding: 'utf8',
  });
  assert.deepEqual([stdout, stderr], ['', '0\n']);
});
