/**
 * Tests many generated crates as modules of a few: a shard holds the files of some 64 crates, unchanged. One that
 * does not compile is dropped from its shard and counted as broken, so that it hides none of the others.
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { thirdParty } from '../../src/5-emit/third-party.ts';
import { writeChanged } from './folder.ts';
import { inRepository, targetFolder } from './places.ts';

/** A crate as the converter wrote it, by the paths below `rust_generated_code/`. */
export interface GeneratedCrate {
  /** The name of the crate, and of its module: unique among those tested together. */
  readonly name: string;
  readonly files: ReadonlyMap<string, Uint8Array>;
}

export type Outcome =
  | { readonly kind: 'passed'; readonly tests: readonly string[] }
  /** Some tests fail: their names, and what they printed. */
  | { readonly kind: 'failed'; readonly tests: readonly string[]; readonly output: string }
  /** It does not compile, or does not pack its weights. */
  | { readonly kind: 'broken'; readonly output: string };

const MODELS_IN_SHARD = 64;

interface Shard {
  readonly name: string;
  readonly crates: readonly GeneratedCrate[];
}

/** The outcome of `cargo test` for every crate, by name. What is in `folder` from an earlier run is used again. */
export function testCrates(folder: string, crates: readonly GeneratedCrate[]): ReadonlyMap<string, Outcome> {
  const outcomes = new Map<string, Outcome>();
  if (crates.length === 0) return outcomes;
  writeModels(folder, crates);
  const { shards, binaries } = build(folder, crates, outcomes);
  for (const shard of shards) {
    const binary = binaries.get(shard.name);
    for (const { name } of shard.crates) {
      if (binary === undefined) outcomes.set(name, { kind: 'broken', output: 'its shard was not built' });
    }
    if (binary !== undefined) {
      for (const [name, outcome] of run(binary, path.join(folder, shard.name), shard)) {
        outcomes.set(name, outcome);
      }
    }
  }
  return outcomes;
}

/** What clippy says of each crate that it finds fault with. Call it after `testCrates`, with the same folder. */
export function clippyFindings(folder: string): ReadonlyMap<string, string> {
  const { messages, stderr, status } = cargo(folder, ['clippy', '--tests', '--keep-going']);
  const findings = new Map<string, string>();
  for (const message of messages) {
    for (const name of modelsOf(message)) {
      findings.set(name, `${findings.get(name) ?? ''}${message.rendered}`);
    }
  }
  if (status !== 0 && findings.size === 0) findings.set('clippy', stderr);
  return findings;
}

/** The files of the crates that rustfmt would write otherwise, by their paths in `folder`. */
export function unformatted(folder: string, crates: readonly GeneratedCrate[]): readonly string[] {
  const files = crates.flatMap(({ name, files }) =>
    [...files.keys()].filter((file) => file.endsWith('.rs')).map((file) => `models/${name}/${file}`),
  );
  const found = new Set<string>();
  for (let i = 0; i < files.length; i += 500) {
    const chunk = files.slice(i, i + 500);
    const { stdout, stderr, status } = spawnSync(
      'rustfmt',
      ['--check', '-l', '--edition', '2024', '--config', 'use_small_heuristics=Max', ...chunk],
      { cwd: folder, encoding: 'utf8', maxBuffer: 1 << 28 },
    );
    for (const file of stdout.trim().split('\n')) if (file !== '') found.add(path.relative(folder, file));
    if (status !== 0 && stdout === '') found.add(stderr);
  }
  return [...found].sort();
}

function writeModels(folder: string, crates: readonly GeneratedCrate[]): void {
  for (const { name, files } of crates) writeChanged(path.join(folder, 'models', name), files);
}

/** Builds until all that is left compiles. */
function build(
  folder: string,
  crates: readonly GeneratedCrate[],
  outcomes: Map<string, Outcome>,
): { readonly shards: readonly Shard[]; readonly binaries: ReadonlyMap<string, string> } {
  let shards = sharded(folder, crates);
  for (;;) {
    writeWorkspace(folder, shards);
    const { messages, artifacts, stderr, status } = cargo(folder, ['build', '--tests', '--keep-going']);
    if (status === 0) return { shards, binaries: artifacts };
    const next = shards.flatMap((shard) => withoutBroken(shard, messages, stderr, artifacts, outcomes));
    if (next.length === shards.length && next.every((shard, i) => shard === shards[i])) {
      throw new Error(`cargo build fails for no reason of a model's:\n${stderr.slice(-4000)}`);
    }
    shards = next;
    if (shards.length === 0) return { shards, binaries: new Map() };
  }
}

function sharded(folder: string, crates: readonly GeneratedCrate[]): readonly Shard[] {
  const prefix = path.basename(folder);
  const count = Math.ceil(crates.length / MODELS_IN_SHARD);
  return Array.from({ length: count }, (_, i) => ({
    name: `${prefix}_${i}`,
    crates: crates.slice(i * MODELS_IN_SHARD, (i + 1) * MODELS_IN_SHARD),
  }));
}

/** A shard without the models that the compiler names; in halves if it names none. */
function withoutBroken(
  shard: Shard,
  messages: readonly Message[],
  stderr: string,
  built: ReadonlyMap<string, string>,
  outcomes: Map<string, Outcome>,
): readonly Shard[] {
  if (built.has(shard.name)) return [shard];
  const errors = messages.filter(({ level }) => level === 'error');
  const packing = [...stderr.matchAll(/packing (\w+): ([\s\S]*?)(?=\n\n|$)/g)];
  const outputOf = (name: string) =>
    errors
      .filter((message) => modelsOf(message).has(name))
      .map(({ rendered }) => rendered)
      .concat(packing.filter((match) => match[1] === name).map((match) => match[0]))
      .join('\n');
  const broken = shard.crates.filter(({ name }) => outputOf(name) !== '');
  for (const { name } of broken) outcomes.set(name, { kind: 'broken', output: outputOf(name) });
  if (broken.length > 0) {
    const crates = shard.crates.filter((crate) => !broken.includes(crate));
    return crates.length > 0 ? [{ ...shard, crates }] : [];
  }
  const isNamed = errors.some(({ packageName }) => packageName === shard.name) || stderr.includes(shard.name);
  if (!isNamed) return [shard];
  if (shard.crates.length === 1) {
    const output = errors
      .filter(({ packageName }) => packageName === shard.name)
      .map(({ rendered }) => rendered);
    outcomes.set(shard.crates[0]!.name, { kind: 'broken', output: output.join('\n') || stderr.slice(-4000) });
    return [];
  }
  const half = shard.crates.length >> 1;
  return [
    { name: `${shard.name}a`, crates: shard.crates.slice(0, half) },
    { name: `${shard.name}b`, crates: shard.crates.slice(half) },
  ];
}

function writeWorkspace(folder: string, shards: readonly Shard[]): void {
  const files = new Map<string, string>();
  files.set('Cargo.toml', workspaceToml(shards));
  if (!fs.existsSync(path.join(folder, 'Cargo.lock'))) {
    files.set('Cargo.lock', `version = 4\n\n${thirdParty.join('\n')}`);
  }
  for (const { name, crates } of shards) {
    files.set(`${name}/Cargo.toml`, shardToml(name));
    files.set(`${name}/build.rs`, shardBuildRs(crates));
    files.set(`${name}/src/lib.rs`, shardLibRs(crates));
  }
  const text = new TextEncoder();
  writeChanged(folder, new Map([...files].map(([file, content]) => [file, text.encode(content)])));
}

/** Building takes longer than running these small models, so only what all of them share is optimised. */
function workspaceToml(shards: readonly Shard[]): string {
  return `[workspace]
resolver = "3"
members = [${shards.map(({ name }) => `"${name}"`).join(', ')}]

[profile.dev]
opt-level = 0
debug = false
incremental = false

[profile.dev.package."*"]
opt-level = 1
`;
}

const tfLayers = inRepository('crates', 'tf-layers');

function shardToml(name: string): string {
  const dependency = `{ path = ${JSON.stringify(tfLayers)}, features = ["pack"] }`;
  return `[package]
name = "${name}"
version = "0.1.0"
edition = "2024"

[lib]
doctest = false

[features]
parallel = ["tf-layers/parallel"]

[dependencies]
tf-layers = ${dependency}

[build-dependencies]
tf-layers = ${dependency}

[dev-dependencies]
allocation-counter = "0.8"
`;
}

function shardLibRs(crates: readonly GeneratedCrate[]): string {
  return crates.map(({ name }) => `#[path = "../../models/${name}/src/lib.rs"]\npub mod ${name};\n`).join('');
}

function shardBuildRs(crates: readonly GeneratedCrate[]): string {
  const packed = crates.filter(({ files }) => files.has('build.rs')).map(({ name }) => name);
  const modules = packed.map((name) => `#[path = "../models/${name}/build.rs"]\nmod ${name};\n`);
  const calls = packed.map((name) => `    pack("${name}", ${name}::pack);\n`);
  return `#![allow(dead_code)]

use std::error::Error;
use std::path::Path;

${modules.join('')}
fn main() {
    println!("cargo::rerun-if-changed=build.rs");
${calls.join('')}}

fn pack(name: &str, pack: fn(&Path, &Path) -> Result<(), Box<dyn Error>>) {
    let from = format!("../models/{name}/model/model_weights.npz");
    println!("cargo::rerun-if-changed={from}");
    let to = format!("{}/{name}.bin", std::env::var("OUT_DIR").unwrap());
    let message = match std::panic::catch_unwind(|| pack(Path::new(&from), Path::new(&to))) {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_) => "it panics".to_string(),
    };
    eprintln!("packing {name}: {message}\\n");
    std::process::exit(1);
}
`;
}

/** What rustc or clippy says, as far as we read it. */
interface Message {
  readonly packageName: string;
  readonly level: string;
  readonly rendered: string;
  /** Every file that it points to. */
  readonly files: readonly string[];
}

/** The models whose files a message points to. */
function modelsOf({ files }: Message): ReadonlySet<string> {
  return new Set(files.flatMap((file) => /(?:^|\/)models\/(\w+)\//.exec(file)?.[1] ?? []));
}

interface CargoResult {
  readonly status: number | null;
  readonly stderr: string;
  readonly messages: readonly Message[];
  /** The test binary of each package. */
  readonly artifacts: ReadonlyMap<string, string>;
}

function cargo(folder: string, args: readonly string[]): CargoResult {
  const { status, stdout, stderr, error } = spawnSync('cargo', [...args, '--message-format=json'], {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    env: { ...process.env, CARGO_TARGET_DIR: targetFolder },
  });
  if (error) throw error;
  const messages: Message[] = [];
  const artifacts = new Map<string, string>();
  for (const line of stdout.split('\n')) {
    if (!line.startsWith('{')) continue;
    const record: CargoRecord = JSON.parse(line);
    const packageName = /([\w-]+)#/.exec(record.package_id ?? '')?.[1] ?? '';
    if (
      record.reason === 'compiler-message' &&
      record.message &&
      !/aborting due|warnings? emitted/.test(record.message.message)
    ) {
      const { level, rendered } = record.message;
      messages.push({ packageName, level, rendered: rendered ?? '', files: filesOf(record.message) });
    }
    if (record.reason === 'compiler-artifact' && record.profile?.test && record.executable) {
      artifacts.set(packageName, record.executable);
    }
  }
  return { status, stderr, messages, artifacts };
}

/** A line of `--message-format=json`. */
interface CargoRecord {
  readonly reason: string;
  readonly package_id?: string;
  readonly message?: Diagnostic;
  readonly profile?: { readonly test: boolean };
  readonly executable?: string | null;
}

interface Diagnostic {
  readonly message: string;
  readonly level: string;
  readonly rendered: string | null;
  readonly spans: readonly Span[];
  readonly children: readonly Diagnostic[];
}

interface Span {
  readonly file_name: string;
  readonly expansion: { readonly span: Span } | null;
}

function filesOf({ spans, children }: Diagnostic): readonly string[] {
  const ofSpan = ({ file_name, expansion }: Span): readonly string[] => [
    file_name,
    ...(expansion ? ofSpan(expansion.span) : []),
  ];
  return [...spans.flatMap(ofSpan), ...children.flatMap(filesOf)];
}

/** Runs the tests of a shard; where the program itself dies, those of each model without a result alone. */
function run(binary: string, cwd: string, { crates }: Shard): ReadonlyMap<string, Outcome> {
  const all = runTests(binary, cwd, []);
  const outcomes = new Map<string, Outcome>();
  for (const { name } of crates) {
    const isWhole = all.isWhole;
    const { results, output } = isWhole ? all : runTests(binary, cwd, [`${name}::`]);
    outcomes.set(name, outcomeOf(name, results, output, isWhole));
  }
  return outcomes;
}

function outcomeOf(
  name: string,
  results: ReadonlyMap<string, boolean>,
  output: string,
  isShared: boolean,
): Outcome {
  const own = [...results].filter(([test]) => test.startsWith(`${name}::`));
  const failed = own.filter(([, passed]) => !passed).map(([test]) => test.slice(name.length + 2));
  if (own.length > 0 && failed.length === 0) {
    return { kind: 'passed', tests: own.map(([test]) => test.slice(name.length + 2)) };
  }
  const sections = output.split(/^---- /m).filter((section) => section.startsWith(`${name}::`));
  const text = isShared ? sections.join('\n') : output;
  return { kind: 'failed', tests: own.length > 0 ? failed : ['no test ran'], output: text };
}

function runTests(
  binary: string,
  cwd: string,
  args: readonly string[],
): { readonly results: ReadonlyMap<string, boolean>; readonly output: string; readonly isWhole: boolean } {
  const { stdout, stderr, status } = spawnSync(binary, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 30 });
  const results = new Map<string, boolean>();
  for (const [, test, result] of stdout.matchAll(/^test (\S+)(?: - should panic)? \.\.\. (ok|FAILED)/gm)) {
    results.set(test!, result === 'ok');
  }
  const isWhole = (status === 0 || status === 101) && /^test result:/m.test(stdout);
  // A program that dies says so on stderr, and the test it was in has no result.
  if (!isWhole) results.set(`${args[0] ?? ''}the program dies`, false);
  return { results, output: stdout + stderr, isWhole };
}
