import assert from 'node:assert/strict';
import { testCrates } from './crates/shards.ts';
import { convertModel } from './crates/convert-model.ts';
import { buildFolder, inRepository } from './crates/places.ts';
import fs from 'node:fs';
const only = process.argv.slice(2);
const crates = [];
for (const name of only.length ? only : fs.readdirSync(inRepository('fixtures/models'))) {
  const r = await convertModel({ name, model: inRepository('fixtures/models', name, 'saved_model'), features: fs.readFileSync(inRepository('fixtures/models', name, 'features.npz')) , ...(name === 'dynamic_axis' && {inputShapes: new Map([['steps',[1,10,4]]])})});
  if (r.kind === 'crate') crates.push(r.crate); else console.log(name, r);
}
const t = performance.now();
for (const [name, o] of testCrates(buildFolder('fixtures'), crates)) console.log(name, o.kind, o.kind === 'passed' ? o.tests.length : o.kind === 'failed' ? o.tests + o.output.slice(0,600): o.output.slice(0, 1500));
console.log((performance.now() - t)/1000);
assert.ok(1);
