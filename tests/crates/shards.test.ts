import assert from 'node:assert/strict';
import test from 'node:test';
import { buildFolder } from './places.ts';
import { clippyFindings, type GeneratedCrate, testCrates, unformatted } from './shards.ts';

const passing = `#[cfg(test)]
mod tests {
    #[test]
    fn adds() {
        assert_eq!(1 + 1, 2);
    }
}
`;

function crate(name: string, lib: string, files: Readonly<Record<string, string>> = {}): GeneratedCrate {
  const all = Object.entries({ 'src/lib.rs': lib, ...files });
  return { name, files: new Map(all.map(([file, text]) => [file, new TextEncoder().encode(text)])) };
}

const build = (body: string) => `use std::error::Error;
use std::path::Path;

fn main() {}

pub fn pack(_: &Path, _: &Path) -> Result<(), Box<dyn Error>> {
    ${body}
}
`;

const crates = [
  crate('good', passing),
  crate('packs', passing, { 'build.rs': build('Ok(())') }),
  crate('fails', passing.replace('2)', '3)')),
  crate('has_no_tests', ''),
  crate('dies', passing.replace('assert_eq!(1 + 1, 2)', 'std::process::abort()')),
  crate('does_not_parse', 'fn broken( {'),
  crate('has_wrong_types', 'pub const NUMBER: u8 = "text";\n'),
  crate('does_not_build', passing, { 'build.rs': build('missing()') }),
  crate('does_not_pack', passing, { 'build.rs': build('Err("no weights".into())') }),
  crate('panics_packing', passing, { 'build.rs': build('panic!("no weights")') }),
  crate('is_strange', `pub fn one(x: u8) -> bool {\n    return x == 1;\n}\n\n${passing}`),
  crate('is_untidy', passing.replace('1 + 1', '1+1')),
];

test('a crate that is wrong in any way hides none of the others', () => {
  const folder = buildFolder('wrong');
  const outcomes = testCrates(folder, crates);
  assert.deepEqual(Object.fromEntries([...outcomes].map(([name, { kind }]) => [name, kind])), {
    good: 'passed',
    packs: 'passed',
    fails: 'failed',
    has_no_tests: 'failed',
    dies: 'failed',
    does_not_parse: 'broken',
    has_wrong_types: 'broken',
    does_not_build: 'broken',
    does_not_pack: 'broken',
    panics_packing: 'broken',
    is_strange: 'passed',
    is_untidy: 'passed',
  });
  assert.match(JSON.stringify(outcomes.get('does_not_pack')), /no weights/);
  assert.match(JSON.stringify(outcomes.get('fails')), /tests::adds/);

  assert.deepEqual([...clippyFindings(folder).keys()], ['is_strange']);
  assert.deepEqual(
    unformatted(
      folder,
      crates.filter(({ name }) => name.startsWith('is_')),
    ),
    ['models/is_untidy/src/lib.rs'],
  );
});
