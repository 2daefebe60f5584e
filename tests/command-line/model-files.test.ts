import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import test, { type TestContext } from 'node:test';
import type { Files } from '../../src/1-read/files.ts';
import { openModel } from '../../src/command-line/model-files.ts';

/** A folder with these files. */
function folder(t: TestContext, files: Readonly<Record<string, string>>): string {
  const root = fs.mkdtempSync(path.join(os.tmpdir(), 'tf2rust-test-'));
  t.after(() => fs.rmSync(root, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(root, name)), { recursive: true });
    fs.writeFileSync(path.join(root, name), text, 'latin1');
  }
  return root;
}

const savedModel = '\x08\x01\x12\x00';

test('a SavedModel is opened by its folder, a link to it, or its saved_model.pb', (t) => {
  const root = folder(t, { 'kws/saved_model.pb': savedModel, 'kws/variables/variables.index': '0123456789' });
  fs.symlinkSync('kws', path.join(root, 'link'));
  for (const name of ['kws', 'kws/', 'link', 'kws/saved_model.pb']) {
    const { name: modelFile } = openModel(path.join(root, name));
    const files = filesOf(path.join(root, name));
    assert.equal(modelFile, 'kws');
    assert.equal(files.size('saved_model.pb'), 4);
    assert.equal(Buffer.from(files.read('variables/variables.index', 3, 4)).toString(), '3456');
    assert.equal(files.read('variables/variables.index', 10, 0).length, 0);
  }
});

/** The files of a SavedModel. */
function filesOf(location: string): Files {
  const { source } = openModel(location);
  assert.ok(source.kind === 'saved-model');
  return source.files;
}

test('names lead to no file outside the folder, and to no folder', (t) => {
  const root = folder(t, { 'kws/saved_model.pb': savedModel, secret: 'x', 'kws/variables/a': '' });
  const files = filesOf(path.join(root, 'kws'));
  for (const name of [
    '../secret',
    'variables/../../secret',
    path.join(root, 'secret'),
    '..\\secret',
    'a\0b',
  ]) {
    assert.equal(files.size(name), undefined);
    assert.throws(() => files.read(name, 0, 1), { name: 'ConversionError' });
  }
  for (const name of ['variables', 'missing', '', 'saved_model.pb/x'])
    assert.equal(files.size(name), undefined);
});

test('a file that is shorter than it was is refused', (t) => {
  const root = folder(t, { 'saved_model.pb': savedModel });
  assert.throws(() => filesOf(root).read('saved_model.pb', 0, 5), /ends at byte 4, before byte 5/);
});

const files: readonly (readonly [content: string, says: RegExp])[] = [
  ['PK\x03\x04…saved_model.pb', /a packed archive; unpack it/],
  ['PK\x03\x04…predictions.npy', /an \.npz of arrays, and no model; samples go to --path_to_fv/],
  ['\x1f\x8b\x08', /a packed archive; unpack it/],
  ['\x1c\0\0\0TFL3', /a TensorFlow Lite model/],
  ['\x08\x07\x12\x07pytorch', /an ONNX model/],
  [savedModel, /the graph of a SavedModel; name it saved_model\.pb/],
  ['saved_model_schema_version: 1\n', /a graph as text/],
  ['node {\n  name: "x"\n', /a graph as text/],
  ['version https://git-lfs.github.com/spec/v1\n', /a pointer of Git LFS/],
  ['', /an empty file/],
  ['hello', /no model that tf2rust knows/],
  ['\x0a', /no model that tf2rust knows/],
  ['\x0a\xff\xff\xff', /no model that tf2rust knows/],
];
for (const [content, says] of files) {
  test(`a file is told by its content, not its name: ${JSON.stringify(content.slice(-30))}`, (t) => {
    const root = folder(t, { 'model.keras': content });
    assert.throws(() => openModel(path.join(root, 'model.keras')), {
      name: 'ConversionError',
      message: says,
    });
  });
}

const modelFiles: readonly (readonly [content: string, kind: string])[] = [
  ['\x89HDF\r\n\x1a\n…', 'hdf5'],
  [`${'\0'.repeat(512)}\x89HDF\r\n\x1a\n`, 'hdf5'],
  ['PK\x03\x04…metadata.json…config.json…model.weights.h5', 'keras'],
  ['\x0a\x0f\x0a\x01x\x12\x0bPlaceholder', 'frozen-graph'],
];
for (const [content, kind] of modelFiles) {
  test(`a model in a file is told by its content: ${JSON.stringify(content.slice(-30))}`, (t) => {
    const root = folder(t, { model: content });
    assert.equal(openModel(path.join(root, 'model')).source.kind, kind);
  });
}

const folders: readonly (readonly [files: Readonly<Record<string, string>>, says: RegExp])[] = [
  [{}, /no model: looked for saved_model\.pb, and found an empty folder; give the folder/],
  [{ a: '', b: '', c: '', d: '', e: '', f: '', g: '' }, /and found a, b, c, d, e and 2 more; give/],
  [{ 'saved_model.pbtxt': '' }, /saved_model\.pbtxt is a SavedModel as text/],
  [{ '1/saved_model.pb': savedModel }, /no saved_model\.pb here, but one in "1"; give that folder/],
  [{ 'config.json': '', 'metadata.json': '', 'model.weights.h5': '' }, /an unpacked \.keras file/],
  [{ 'model.json': '', 'group1-shard1of1.bin': '' }, /a TensorFlow\.js model/],
  [
    { checkpoint: '', 'ckpt.index': '', 'ckpt.data-00000-of-00001': '' },
    /a checkpoint: weights without a graph/,
  ],
  [{ 'model.h5': '' }, /the file model\.h5; give that file/],
  [{ 'saved_model.pb': 'version https://git-lfs.github.com/spec/v1\n' }, /a pointer of Git LFS/],
];
for (const [files, says] of folders) {
  test(`a folder without a model: ${Object.keys(files).join(', ')}`, (t) => {
    assert.throws(() => openModel(folder(t, files)), { name: 'ConversionError', message: says });
  });
}

test('a path that is nothing', (t) => {
  assert.throws(() => openModel(path.join(folder(t, {}), 'missing')), {
    name: 'UsageError',
    message: /^--path_to_tf_model: there is no file or folder .*missing$/,
  });
  assert.throws(() => openModel('/dev/null'), { name: 'UsageError', message: /neither a file nor a folder/ });
});
