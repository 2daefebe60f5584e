/**
 * `npm run conformance`: converts the cases of the suite, tests the crates, and prints for each format how many
 * agree with TensorFlow in Rust, and why the others don't. Fails below 97 % of the first milestone, and if a
 * single case converts and disagrees.
 */

import fs from 'node:fs';
import { parseArgs } from 'node:util';
import { modelName } from '../../src/model-name.ts';
import { type Converted, convertModel } from '../crates/convert-model.ts';
import { buildFolder, inRepository } from '../crates/places.ts';
import {
  clippyFindings,
  type GeneratedCrate,
  type Outcome,
  testCrates,
  unformatted,
} from '../crates/shards.ts';
import { refreshed } from '../docs/blocks.ts';
import { type Case, caseNames, type Format, formats, readCases, suite, unpackSuite } from './cases.ts';
import { type Crates, printSameModels } from './same-model.ts';

/** What part of the cases of a format has to agree. */
const REQUIRED = 0.97;

/** What became of a case. */
type Result =
  | { readonly kind: 'agrees' }
  | { readonly kind: 'refused'; readonly reason: string }
  /** It converts, and predicts other numbers than TensorFlow. */
  | { readonly kind: 'disagrees'; readonly reason: string }
  /** The converter crashes, or writes a crate that does not compile. */
  | { readonly kind: 'broken'; readonly reason: string };

interface Scored {
  readonly tried: Case;
  readonly result: Result;
}

const { values } = parseArgs({
  options: {
    format: { type: 'string', multiple: true },
    cases: { type: 'string', default: 'issue1' },
    only: { type: 'string' },
    'typescript-only': { type: 'boolean', default: false },
    readme: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

if (values.help) {
  console.log(`npm run conformance -- [flags]
  --format FORMAT      one of ${formats.join(', ')}; again for more (default: all)
  --cases issue1|all   the cases of the first milestone (default), or all
  --only TEXT          only cases whose name matches this regular expression
  --typescript-only    compare the evaluator's predictions, and build nothing
  --readme             write the table into README.md`);
} else if (!fs.existsSync(inRepository(suite))) {
  console.log(`skipped: ${suite} is not there`);
} else {
  await main();
}

async function main(): Promise<void> {
  const wanted = formats.filter((format) => !values.format || values.format.includes(format));
  if (wanted.length === 0) throw new Error(`--format takes one of ${formats.join(', ')}`);
  if (values.cases !== 'issue1' && values.cases !== 'all') throw new Error('--cases takes issue1 or all');
  const folder = unpackSuite();
  const pattern = new RegExp(values.only ?? '');
  const names = caseNames(folder, values.cases).filter((name) => pattern.test(name));
  const cases = wanted.flatMap((format) => readCases(folder, names, format));
  const { scored, crates, named } = await score(cases);

  const table = printTable(wanted, scored);
  console.log(table);
  console.log(`${crates.length} different crates`);
  console.log(printSameModels(named));
  printReasons(scored);
  if (values.readme) {
    writeBlock('README.md', 'conformance', table);
    writeBlock('docs/supported.md', 'refused-cases', refusedTable(scored));
  }
  const faults = values['typescript-only'] ? [] : styleFaults(crates);
  for (const fault of faults) console.log(fault);
  process.exitCode = isGood(wanted, scored) && faults.length === 0 ? 0 : 1;
}

function workspace(): string {
  return buildFolder('conformance');
}

/**
 * Converts the cases and tests their crates. A case often comes to the same crate in several formats: it is tested
 * once.
 */
async function score(cases: readonly Case[]): Promise<{
  readonly scored: readonly Scored[];
  readonly crates: readonly GeneratedCrate[];
  /** As they are when they have the names of their cases. */
  readonly named: Crates;
}> {
  const named = new Map<Case, GeneratedCrate>();
  const results = new Map<Case, Result>();
  const converted = new Map<Case, GeneratedCrate>();
  const crates = new Map<string, GeneratedCrate>();
  for (const tried of cases) {
    const conversion = await conversionOf(tried, tried.name);
    switch (conversion.kind) {
      case 'crate': {
        named.set(tried, conversion.crate);
        const known = crates.get(conversion.crate.name);
        const isNew = known === undefined || !isSame(known, conversion.crate);
        const crate = isNew && known ? await differing(tried, crates) : (known ?? conversion.crate);
        crates.set(crate.name, crate);
        converted.set(tried, crate);
        break;
      }
      case 'refused': {
        const reason = conversion.problems.map(({ where, what }) => `${where}: ${what}`).join('; ');
        const isDisagreement = conversion.problems.some(({ what }) => what.startsWith('the model predicts '));
        results.set(tried, { kind: isDisagreement ? 'disagrees' : 'refused', reason });
        break;
      }
      case 'crashed':
        results.set(tried, { kind: 'broken', reason: `a bug of the converter: ${conversion.stack}` });
    }
  }
  const distinct = [...crates.values()];
  const outcomes = values['typescript-only'] ? new Map() : testCrates(workspace(), distinct);
  for (const [tried, { name }] of converted) {
    results.set(tried, values['typescript-only'] ? { kind: 'agrees' } : resultOf(outcomes.get(name)));
  }
  return { scored: cases.map((tried) => ({ tried, result: results.get(tried)! })), crates: distinct, named };
}

/** `k3export`, `k3.keras` */
function shortName(format: Format): string {
  return format.replace(/^(saved_)?model\./, '');
}

function conversionOf({ model, features, inputShapes }: Case, name: string): Promise<Converted> {
  return convertModel({ name, model, modelFile: 'the same in all formats', features, inputShapes });
}

/** The crate of a case whose crate of another format, or of another case with such a name, is not the same. */
async function differing(tried: Case, crates: ReadonlyMap<string, GeneratedCrate>): Promise<GeneratedCrate> {
  const wanted = `${tried.name} ${shortName(tried.format)}`;
  const conversion = await conversionOf(tried, uniqueName(wanted, crates));
  if (conversion.kind !== 'crate')
    throw new Error(`${wanted} converts under one name, and not under another`);
  return conversion.crate;
}

function isSame(a: GeneratedCrate, b: GeneratedCrate): boolean {
  return (
    a.files.size === b.files.size &&
    [...a.files].every(([file, bytes]) => Buffer.compare(bytes, b.files.get(file) ?? Buffer.of()) === 0)
  );
}

/** A name whose crate is none of these: `LSTM_` and `LSTM` would both be `lstm_model`. */
function uniqueName(wanted: string, crates: ReadonlyMap<string, GeneratedCrate>): string {
  let name = wanted;
  for (let i = 1; crates.has(modelName(name).crate); i++) name = `${wanted} ${i}`;
  return name;
}

function resultOf(outcome: Outcome | undefined): Result {
  switch (outcome?.kind) {
    case 'passed':
      return { kind: 'agrees' };
    case 'failed':
      return { kind: 'disagrees', reason: `${outcome.tests.join(', ')}\n${outcome.output}` };
    case 'broken':
      return { kind: 'broken', reason: outcome.output };
    case undefined:
      return { kind: 'broken', reason: 'its crate was not tested' };
  }
}

function countOf(scored: readonly Scored[], kind: Result['kind']): number {
  return scored.filter(({ result }) => result.kind === kind).length;
}

function ofFormat(scored: readonly Scored[], format: Format): readonly Scored[] {
  return scored.filter(({ tried }) => tried.format === format);
}

function isGood(wanted: readonly Format[], scored: readonly Scored[]): boolean {
  if (countOf(scored, 'disagrees') > 0) return false;
  if (values.cases === 'all') return true;
  return wanted.every((format) => {
    const cases = ofFormat(scored, format);
    return countOf(cases, 'agrees') >= REQUIRED * cases.length;
  });
}

function printTable(wanted: readonly Format[], scored: readonly Scored[]): string {
  const rows = wanted.map((format) => {
    const cases = ofFormat(scored, format);
    const agree = countOf(cases, 'agrees');
    const refused = countOf(cases, 'refused');
    const share = cases.length === 0 ? '' : `${((100 * agree) / cases.length).toFixed(1)} %`;
    const counts = [cases.length, cases.length - refused, agree, refused];
    const faults = [countOf(cases, 'disagrees'), countOf(cases, 'broken')];
    return [`\`${format}\``, ...counts, ...faults, share].map(String);
  });
  const agreeIn = values['typescript-only'] ? 'agree in TypeScript' : 'agree in Rust';
  const head = ['format', 'cases', 'converted', agreeIn, 'refused', 'disagree', 'broken', 'score'];
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

/** The reasons of all that do not agree, each once, with its cases. */
function printReasons(scored: readonly Scored[]): void {
  for (const kind of ['disagrees', 'broken', 'refused'] as const) {
    for (const [reason, cases] of byReason(scored, kind)) {
      const names = cases.map(({ name, format }) => `${name} (${format.replace('saved_model.', '')})`);
      const text = reason.length > 1500 ? `${reason.slice(0, 1500)} …` : reason;
      console.log(`\n${kind}: ${names.join(', ')}\n  ${text.trim().replaceAll('\n', '\n  ')}`);
    }
  }
}

/** The cases of that result by the reason for it, the most frequent first. */
function byReason(
  scored: readonly Scored[],
  kind: Exclude<Result['kind'], 'agrees'>,
): readonly (readonly [reason: string, cases: readonly Case[]])[] {
  const found = new Map<string, Case[]>();
  for (const { tried, result } of scored) {
    if (result.kind !== kind) continue;
    const reason = withoutNames(result.reason);
    found.set(reason, [...(found.get(reason) ?? []), tried]);
  }
  return [...found].sort(([, a], [, b]) => b.length - a.length);
}

/** The same reason for layers of different names is the same reason. */
function withoutNames(reason: string): string {
  return reason.replaceAll(/layer "[^"]*"/g, 'layer "…"').replaceAll(/\S*models\/\w+\//g, '…/');
}

/** What clippy and rustfmt would have otherwise. */
function styleFaults(crates: readonly GeneratedCrate[]): readonly string[] {
  const clippy = [...clippyFindings(workspace())].map(([name, text]) => `\nclippy on ${name}:\n${text}`);
  return [...clippy, ...unformatted(workspace(), crates).map((file) => `\nrustfmt would change ${file}`)];
}

/** What is refused and why, each reason once, with its cases. */
function refusedTable(scored: readonly Scored[]): string {
  const reasons = byReason(scored, 'refused').map(([reason, cases]) => {
    const names = [...new Set(cases.map(({ name }) => name))].map((name) => `\`${name}\``);
    const formats = [...new Set(cases.map(({ format }) => format))].join(', ');
    return `| ${names.join(' ')} | ${formats} | ${reason.replaceAll('|', '\\|').replaceAll('\n', ' ')} |`;
  });
  return ['| cases | formats | message |', '|---|---|---|', ...reasons].join('\n');
}

/** Writes a part of a document between its two marks. */
function writeBlock(document: string, name: string, block: string): void {
  const place = inRepository(document);
  const text = fs.readFileSync(place, 'utf8');
  const written = refreshed(text, new Map([[name, block]]));
  if (!text.includes(`<!-- ${name}:begin -->`)) throw new Error(`${document} has no <!-- ${name}:begin -->`);
  fs.writeFileSync(place, written);
}
