import assert from 'node:assert/strict';
import fs from 'node:fs';
import test from 'node:test';
import { brokenCases, refuseCase } from './crates/broken.ts';
import { needs } from './crates/places.ts';

const here = needs('fixtures/broken');

test('there are broken fixtures', here, () => {
  assert.ok(brokenCases().length > 30);
});

for (const broken of here.skip ? [] : brokenCases()) {
  test(`${broken.name} is refused in the words of its error.txt`, () => {
    const { status, stdout, stderr, written, seconds } = refuseCase(broken);
    assert.ok(fs.existsSync(broken.expected), `no error.txt yet (npm run bless): ${stderr}`);
    assert.equal(stderr, fs.readFileSync(broken.expected, 'utf8'));
    assert.equal(status, stderr.endsWith('(tf2rust --help shows all flags, with examples)\n') ? 2 : 1);
    assert.equal(stdout, '');
    assert.deepEqual(written, []);
    assert.ok(seconds < 20, `takes ${seconds} s`);
  });
}
