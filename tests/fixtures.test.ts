import assert from 'node:assert/strict';
import test from 'node:test';
import { type Converted, convertModel } from './crates/convert-model.ts';
import { fixtures } from './crates/fixtures.ts';
import { mutantsOf } from './crates/mutants.ts';
import { buildFolder, needs } from './crates/places.ts';
import {
  clippyFindings,
  type GeneratedCrate,
  type Outcome,
  testCrates,
  unformatted,
} from './crates/shards.ts';

const here = needs('fixtures/models', 'examples/digits/saved_model');

const converted = new Map<string, Converted>();
if (!here.skip) {
  for (const fixture of fixtures()) converted.set(fixture.name, await convertModel(fixture));
}
const crates = [...converted.values()].flatMap((result) => (result.kind === 'crate' ? [result.crate] : []));
const folder = buildFolder('fixtures');
const outcomes = testCrates(folder, crates);

test('there are fixtures', here, () => {
  assert.ok(converted.size > 20);
});

for (const [name, result] of converted) {
  // The conversion compares the evaluator's predictions with TensorFlow's.
  test(`${name} predicts as TensorFlow does, in TypeScript and in Rust`, () => {
    const crate = crateOf(result);
    const outcome = outcomes.get(crate.name);
    assert.equal(outcome?.kind, 'passed', describe(outcome));
  });
}

test('clippy finds no fault with the crates', here, () => {
  assert.deepEqual([...clippyFindings(folder)], []);
});

test('rustfmt finds the crates formatted', here, () => {
  assert.deepEqual(unformatted(folder, crates), []);
});

const passed = crates.filter(({ name }) => outcomes.get(name)?.kind === 'passed');
const mutants = new Map(passed.map((crate) => [crate.name, mutantsOf(crate)]));
const mutantOutcomes = testCrates(buildFolder('mutants'), [...mutants.values()].flat());

for (const [name, variants] of mutants) {
  test(`${name} fails if a weight is scaled by 1.01, or the samples are in another order`, () => {
    assert.ok(variants.length > 0);
    const survivors = variants.filter((variant) => !failsToPredict(mutantOutcomes.get(variant.name)));
    assert.deepEqual(
      survivors.map((survivor) => `${survivor.name}: ${describe(mutantOutcomes.get(survivor.name))}`),
      [],
    );
  });
}

function crateOf(result: Converted): GeneratedCrate {
  switch (result.kind) {
    case 'crate':
      return result.crate;
    case 'refused':
      return assert.fail(result.problems.map(({ where, what }) => `${where}: ${what}`).join('\n'));
    case 'crashed':
      return assert.fail(result.stack);
  }
}

function describe(outcome: Outcome | undefined): string {
  switch (outcome?.kind) {
    case 'passed':
      return 'all tests pass';
    case 'failed':
      return `${outcome.tests.join(', ')}\n${outcome.output}`;
    case 'broken':
      return outcome.output;
    case undefined:
      return 'not tested';
  }
}

function failsToPredict(outcome: Outcome | undefined): boolean {
  return outcome?.kind === 'failed' && outcome.tests.includes('tests::predicts_as_tensorflow_does');
}
