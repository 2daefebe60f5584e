import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { calledFunctions, complexOps, kerasLayers, tensorflowOps } from '../src/ops/index.ts';
import { inRepository } from './crates/places.ts';
import { documents, exampleFileNames, namesByFile, refreshed, writtenBlocks } from './docs/blocks.ts';

const read = (file: string) => fs.readFileSync(inRepository(file), 'utf8');
const blocks = writtenBlocks();

for (const document of documents) {
  test(`${document} says what the code does (npm run docs writes it again)`, async () => {
    assert.equal(read(document), refreshed(read(document), await blocks));
  });
}

test('every part that is written has its place', async () => {
  const text = documents.map(read).join('');
  for (const name of (await blocks).keys()) assert.ok(text.includes(`<!-- ${name}:begin -->`), name);
});

const tables = [
  ['Tensorflow', { ...tensorflowOps, ...complexOps }],
  ['Keras', kerasLayers],
  ['Functions', calledFunctions],
] as const;
for (const [ending, read] of tables) {
  test(`docs/supported.md has every name of the tables …${ending}`, async () => {
    // Some ops are for real numbers and for complex ones, each in a file of its own.
    const listed = new Set((await namesByFile(ending)).flatMap(({ names }) => names));
    assert.deepEqual([...listed].sort(), Object.keys(read).sort());
  });
}

test('README.md lists every file that is written', async () => {
  const readme = read('README.md');
  const missing = (await exampleFileNames()).filter((file) => !readme.includes(path.posix.basename(file)));
  assert.deepEqual(missing, []);
});

for (const document of ['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', ...markdown('docs')]) {
  test(`the links of ${document} lead to files`, () => {
    const links = [...read(document).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(([, link]) => link!);
    const lost = links.filter(
      (link) => !fs.existsSync(path.join(inRepository(path.dirname(document)), link)),
    );
    assert.deepEqual(lost, []);
  });
}

function markdown(folder: string): readonly string[] {
  return fs
    .readdirSync(inRepository(folder))
    .filter((file) => file.endsWith('.md'))
    .map((file) => `${folder}/${file}`);
}
