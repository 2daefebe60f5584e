import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import { joined, type Pieces } from '../../src/1-read/pieces.ts';
import {
  inspectOutput,
  manifest,
  parseManifest,
  THRESHOLDS,
  writeOutput,
} from '../../src/command-line/output-folder.ts';

const origin = { version: '0.1.0', model: 'tf_model' };

function contents(files: Readonly<Record<string, string>>): ReadonlyMap<string, Pieces> {
  return new Map(Object.entries(files).map(([name, text]) => [name, [new TextEncoder().encode(text)]]));
}

const first = contents({
  'rust_generated_code/Cargo.toml': '[package]\n',
  'rust_generated_code/Cargo.lock': 'version = 4\n',
  'rust_generated_code/src/lib.rs': '//! First\n',
  'rust_generated_code/src/old.rs': '//! Old\n',
  [THRESHOLDS]: '{"bottom": 0.5}\n',
});
const second = contents({
  'rust_generated_code/Cargo.toml': '[package]\n',
  'rust_generated_code/Cargo.lock': 'version = 4\n',
  'rust_generated_code/src/lib.rs': '//! Second\n',
  [THRESHOLDS]: '{"bottom": 0.5}\n',
});

/** An empty folder of the test's own. */
function scratch(t: TestContext): string {
  const folder = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tf2rust-test-')));
  t.after(() => fs.rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** Every file, link and empty folder below `folder`, with the text of the files. */
function snapshot(folder: string): Readonly<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const item of fs.readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const place = path.join(item.parentPath, item.name);
    const name = path.relative(folder, place);
    if (item.isFile()) found[name] = fs.readFileSync(place, 'utf8');
    else if (item.isSymbolicLink()) found[name] = `-> ${fs.readlinkSync(place)}`;
    else if (fs.readdirSync(place).length === 0) found[`${name}/`] = '';
  }
  return found;
}

function texts(files: ReadonlyMap<string, Pieces>): Readonly<Record<string, string>> {
  const all = new Map(files).set('.tf2rust.json', [new TextEncoder().encode(manifest(files, origin))]);
  return Object.fromEntries(
    [...all].map(([name, pieces]) => [name, new TextDecoder().decode(joined(pieces))]),
  );
}

test('a missing folder is made, its parents too, with nothing beside it', async (t) => {
  const root = scratch(t);
  await writeOutput(path.join(root, 'a', 'b', 'out'), first, origin, false);
  assert.deepEqual(snapshot(path.join(root, 'a', 'b', 'out')), texts(first));
  assert.deepEqual(fs.readdirSync(path.join(root, 'a', 'b')), ['out']);
  assert.equal(fs.statSync(path.join(root, 'a', 'b', 'out')).mode & 0o777, 0o777 & ~process.umask());
});

test('an empty folder is filled, a trailing slash does not matter', async (t) => {
  const root = scratch(t);
  fs.mkdirSync(path.join(root, 'out'));
  await writeOutput(`${path.join(root, 'out')}/`, first, origin, false);
  assert.deepEqual(snapshot(path.join(root, 'out')), texts(first));
  assert.deepEqual(fs.readdirSync(root), ['out']);
});

test('the manifest is the same bytes in any order of the files, and is read back', () => {
  const text = manifest(first, origin);
  assert.equal(manifest(new Map([...first].reverse()), origin), text);
  assert.deepEqual([...parseManifest(text).keys()], [...first.keys()].sort());
  for (const broken of ['', '[]', 'null', '{"files": 3}', '{"files": {"a": 1}}', '\0']) {
    assert.equal(parseManifest(broken).size, 0);
  }
});

test('a second conversion replaces the first, and keeps target/ and thresholds.json', async (t) => {
  const root = scratch(t);
  const out = path.join(root, 'out');
  await writeOutput(out, first, origin, false);
  const crate = path.join(out, 'rust_generated_code');
  fs.mkdirSync(path.join(crate, 'target', 'debug'), { recursive: true });
  fs.writeFileSync(path.join(crate, 'target', 'debug', 'built'), 'built');
  const before = fs.statSync(path.join(crate, 'target', 'debug', 'built'));
  fs.writeFileSync(path.join(crate, 'Cargo.lock'), 'version = 5\n');
  fs.writeFileSync(path.join(out, THRESHOLDS), '{"bottom": 0.7}\n');
  fs.writeFileSync(path.join(out, '.DS_Store'), 'litter');
  fs.rmSync(path.join(crate, 'Cargo.toml'));

  const { thresholds } = inspectOutput(out, false);
  assert.equal(new TextDecoder().decode(thresholds), '{"bottom": 0.7}\n');
  const next = new Map(second).set(THRESHOLDS, [thresholds!]);
  await writeOutput(out, next, origin, false);
  assert.deepEqual(snapshot(out), { ...texts(next), 'rust_generated_code/target/debug/built': 'built' });
  const after = fs.statSync(path.join(crate, 'target', 'debug', 'built'));
  assert.deepEqual([after.ino, after.mtimeMs], [before.ino, before.mtimeMs]);
  assert.deepEqual(fs.readdirSync(root), ['out']);

  // The edit lives on although the manifest now has its hash.
  assert.equal(new TextDecoder().decode(inspectOutput(out, false).thresholds), '{"bottom": 0.7}\n');
});

test('changed and unknown files are refused by name, and with force only the changed ones are replaced', async (t) => {
  const out = path.join(scratch(t), 'out');
  await writeOutput(out, first, origin, false);
  fs.writeFileSync(path.join(out, 'rust_generated_code/src/lib.rs'), '//! Mine\n');
  fs.writeFileSync(path.join(out, 'rust_generated_code/out.npz'), 'mine');
  fs.mkdirSync(path.join(out, 'notes'));
  fs.writeFileSync(path.join(out, 'notes/a.txt'), 'mine');
  const before = snapshot(out);
  await assert.rejects(writeOutput(out, second, origin, false), {
    name: 'UsageError',
    message: [
      `--path_to_save: ${out} holds files that are not as tf2rust wrote them; move them, give another folder, or write over the changed ones and keep the others with --force:`,
      '  notes (not written by tf2rust)',
      '  rust_generated_code/out.npz (not written by tf2rust)',
      '  rust_generated_code/src/lib.rs (changed since the last conversion)',
    ].join('\n'),
  });
  assert.deepEqual(snapshot(out), before);

  await writeOutput(out, second, origin, true);
  const mine = { 'rust_generated_code/out.npz': 'mine', 'notes/a.txt': 'mine' };
  assert.deepEqual(snapshot(out), { ...texts(second), ...mine });
});

test("a folder of the user's is refused, whatever it has in common with ours", async (t) => {
  const out = scratch(t);
  for (let i = 0; i < 12; i++) fs.writeFileSync(path.join(out, `file${10 + i}`), '');
  fs.writeFileSync(path.join(out, '.tf2rust.json'), '{"broken');
  fs.mkdirSync(path.join(out, 'rust_generated_code/src'), { recursive: true });
  fs.writeFileSync(path.join(out, 'rust_generated_code/Cargo.lock'), 'mine');
  fs.writeFileSync(path.join(out, 'rust_generated_code/src/mine.rs'), 'mine');
  assert.throws(
    () => inspectOutput(out, false),
    ({ name, message }: Error) =>
      name === 'UsageError' &&
      message.includes('holds files, and none of tf2rust') &&
      message.includes('  .tf2rust.json (not written by tf2rust)\n') &&
      message.split('\n').length === 12 &&
      message.endsWith('\n  and 4 more'),
  );
  // By force, what we write stands beside the user's files in the same folders.
  await writeOutput(out, second, origin, true);
  const after = snapshot(out);
  assert.equal(after['rust_generated_code/src/mine.rs'], 'mine');
  assert.equal(after['rust_generated_code/Cargo.lock'], 'version = 4\n');
  assert.equal(after.file10, '');
});

test('a link is followed to its folder and stays a link; links inside are not followed', async (t) => {
  const root = scratch(t);
  fs.mkdirSync(path.join(root, 'real'));
  fs.symlinkSync('real', path.join(root, 'out'));
  await writeOutput(path.join(root, 'out'), first, origin, false);
  assert.equal(fs.readlinkSync(path.join(root, 'out')), 'real');
  assert.deepEqual(snapshot(path.join(root, 'real')), texts(first));

  const elsewhere = path.join(root, 'elsewhere');
  fs.renameSync(path.join(root, 'real/rust_generated_code'), elsewhere);
  fs.symlinkSync(elsewhere, path.join(root, 'real/rust_generated_code'));
  await assert.rejects(
    writeOutput(path.join(root, 'out'), second, origin, false),
    /rust_generated_code \(not/,
  );
  const before = snapshot(elsewhere);
  await writeOutput(path.join(root, 'out'), second, origin, true);
  assert.deepEqual(snapshot(elsewhere), before);
  assert.deepEqual(snapshot(path.join(root, 'real')), texts(second));

  fs.symlinkSync('nowhere', path.join(root, 'dangling'));
  assert.throws(
    () => inspectOutput(path.join(root, 'dangling'), true),
    /is a link to nowhere, which does not/,
  );
});

test('a place that cannot be a folder is refused before anything is converted', (t) => {
  const root = scratch(t);
  fs.writeFileSync(path.join(root, 'file'), 'mine');
  assert.throws(() => inspectOutput(path.join(root, 'file'), true), {
    name: 'UsageError',
    message: `--path_to_save: ${path.join(root, 'file')} is a file; give a folder`,
  });
  assert.throws(() => inspectOutput(path.join(root, 'file', 'out'), true), /a part of the path is a file/);
  assert.throws(() => inspectOutput('.', true), /is the current folder or holds it/);
  assert.throws(() => inspectOutput('..', true), /is the current folder or holds it/);
  assert.throws(() => inspectOutput('/', true), { name: 'UsageError', message: /is a disk of its own/ });
  assert.throws(() => inspectOutput(path.join(root, 'x'.repeat(300)), true), /too long|cannot be written/);
});

test('a failure half-way leaves the old content, and nothing else', async (t) => {
  const root = scratch(t);
  const out = path.join(root, 'out');
  await writeOutput(out, first, origin, false);
  const before = snapshot(root);
  const clash = new Map(second).set('rust_generated_code/src/lib.rs/x', [new Uint8Array(1)]);
  await assert.rejects(writeOutput(out, clash, origin, false), { name: 'ConversionError' });
  await assert.rejects(writeOutput(path.join(root, 'a/b'), clash, origin, false), {
    name: 'ConversionError',
  });
  await assert.rejects(writeOutput(out, contents({ '../x': '' }), origin, false), /tf2rust bug/);
  assert.deepEqual(snapshot(root), before);
});

const isRoot = process.getuid?.() === 0;

test('a full disk leaves the old content, and nothing else', { skip: !isRoot && 'needs root' }, async (t) => {
  const disk = scratch(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    t.skip('mounting is not permitted');
    return;
  }
  try {
    const out = path.join(disk, 'out');
    await writeOutput(out, first, origin, false);
    fs.mkdirSync(path.join(out, 'target'));
    const before = snapshot(disk);
    const large = new Map(second).set('large', [new Uint8Array(2 << 20)]);
    const full = { name: 'ConversionError', message: /as it was before: the disk is full; make room/ };
    await assert.rejects(writeOutput(out, large, origin, false), full);
    await assert.rejects(writeOutput(path.join(disk, 'a/b'), large, origin, false), full);
    assert.deepEqual(snapshot(disk), before);
    assert.throws(() => inspectOutput(disk, true), /is a disk of its own/);
  } finally {
    execFileSync('umount', [disk]);
  }
});

test('a folder without permission is refused', { skip: isRoot && 'root may write anywhere' }, (t) => {
  const root = scratch(t);
  fs.chmodSync(root, 0o555);
  assert.throws(() => inspectOutput(path.join(root, 'out'), false), {
    name: 'UsageError',
    message: /permission denied/,
  });
});

test('a signal while writing leaves the old content, and nothing else', async (t) => {
  const root = scratch(t);
  const out = path.join(root, 'out');
  await writeOutput(out, first, origin, false);
  const before = snapshot(root);
  const controller = new AbortController();
  const writing = writeOutput(
    out,
    new Map(second).set('large', [new Uint8Array(64 << 20)]),
    origin,
    false,
    controller.signal,
  );
  setImmediate(() => controller.abort());
  await assert.rejects(writing, { name: 'AbortError' });
  assert.deepEqual(snapshot(root), before);
});

test('an exchange that fails is undone step by step', { skip: !isRoot && 'needs root' }, async (t) => {
  const root = scratch(t);
  const out = path.join(root, 'out');
  await writeOutput(out, first, origin, false);
  fs.writeFileSync(path.join(out, 'mine'), 'mine');
  const target = path.join(out, 'rust_generated_code/target');
  fs.mkdirSync(target);
  const before = snapshot(root);
  try {
    execFileSync('mount', ['-t', 'tmpfs', 'tmpfs', target], { stdio: 'ignore' });
  } catch {
    t.skip('mounting is not permitted');
    return;
  }
  try {
    // A disk that is mounted cannot be moved; the file "mine" was moved before it, and comes back.
    await assert.rejects(writeOutput(out, second, origin, true), /target is a disk of its own/);
  } finally {
    execFileSync('umount', [target]);
  }
  assert.deepEqual(snapshot(root), before);
});

test('a disk that is mounted read-only is refused', { skip: !isRoot && 'needs root' }, async (t) => {
  const disk = scratch(t);
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'ro,size=1m', 'tmpfs', disk], { stdio: 'ignore' });
  } catch {
    t.skip('mounting is not permitted');
    return;
  }
  try {
    assert.throws(() => inspectOutput(path.join(disk, 'out'), false), /the disk is read-only/);
  } finally {
    execFileSync('umount', [disk]);
  }
});
