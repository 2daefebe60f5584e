/**
 * The output folder: files in memory become a folder on the disk, whole or not at all, and nothing that the user
 * wrote is lost. `.tf2rust.json` lists what we wrote, so that the next conversion knows what is ours.
 */

import { createHash } from 'node:crypto';
import fs from 'node:fs';
import path from 'node:path';
import type { Pieces } from '../1-read/pieces.ts';
import { refuse, UsageError } from '../errors.ts';
import { explain, isSystemError } from './system-error.ts';

/** The list of what was written. */
export const MANIFEST = '.tf2rust.json';
/** The file that the user may edit between two conversions. */
export const THRESHOLDS = 'rust_generated_code/model/thresholds.json';

/** What stands in the manifest, apart from the hashes. */
export interface Origin {
  /** The version of tf2rust. */
  readonly version: string;
  /** The last part of the model's path. */
  readonly model: string;
}

/** An output folder as it is before it is written. */
export interface OutputFolder {
  /** Its absolute path, links followed. */
  readonly place: string;
  /** Everything in it, if it exists. */
  readonly entries: readonly Entry[];
  /** The `thresholds.json` in it, if it has one of ours: the next crate gets it as it is. */
  readonly thresholds?: Uint8Array;
}

/** A file, or a folder that is taken as a whole, by its path in the output folder. */
export interface Entry {
  readonly path: string;
  /**
   * `ours`: written by us and unchanged, or free to change. `changed`: written by us and edited since.
   * `unknown`: not written by us. `target`: what cargo builds, to be kept.
   */
  readonly owner: 'ours' | 'changed' | 'unknown' | 'target';
}

/**
 * Looks at the folder, and refuses one that cannot be written, or that holds what is not ours unless `force`.
 * Folders of the user's in which one of `names` will be written are looked into rather than taken as a whole.
 */
export function inspectOutput(folder: string, force: boolean, names: Iterable<string> = []): OutputFolder {
  try {
    return inspect(folder, force, names);
  } catch (error) {
    throw isSystemError(error)
      ? new UsageError(`--path_to_save: ${folder} cannot be written: ${explain(error)}`)
      : error;
  }
}

function inspect(folder: string, force: boolean, names: Iterable<string>): OutputFolder {
  const place = follow(folder);
  if (!fs.existsSync(place)) {
    checkParent(place);
    return { place, entries: [] };
  }
  if (!fs.statSync(place).isDirectory()) {
    throw new UsageError(`--path_to_save: ${folder} is a file; give a folder`);
  }
  checkMovable(place, folder);
  const known = readManifest(place);
  const entries = owners(place, known, new Set([...known.keys(), ...names].flatMap(parents)));
  const strange = entries.filter(({ owner }) => owner === 'changed' || owner === 'unknown');
  if (strange.length > 0 && !force) throw new UsageError(describe(folder, strange, known.size > 0));

  const file = path.join(place, THRESHOLDS);
  const kept = known.has(THRESHOLDS) && fs.lstatSync(file, { throwIfNoEntry: false })?.isFile();
  return { place, entries, ...(kept && { thresholds: new Uint8Array(fs.readFileSync(file)) }) };
}

/** The folder that a path stands for. Writing to a link writes to where it leads; the link stays. */
function follow(folder: string): string {
  const place = path.resolve(folder);
  if (fs.existsSync(place)) return fs.realpathSync(place);
  if (fs.lstatSync(place, { throwIfNoEntry: false })?.isSymbolicLink()) {
    throw new UsageError(
      `--path_to_save: ${folder} is a link to ${fs.readlinkSync(place)}, which does not exist`,
    );
  }
  return place;
}

/** A folder that does not exist has to be made: the first one above it that exists must permit that. */
function checkParent(place: string): void {
  let parent = path.dirname(place);
  while (!fs.existsSync(parent)) {
    const above = path.dirname(parent);
    if (above === parent) break;
    parent = above;
  }
  fs.accessSync(parent, fs.constants.W_OK | fs.constants.X_OK);
}

/** The folder is exchanged as a whole, which its parent must permit, and which would pull it from under a shell. */
function checkMovable(place: string, folder: string): void {
  const parent = path.dirname(place);
  const advice = `give a folder in it, like ${path.join(folder, 'crate')}`;
  if (parent === place || fs.statSync(parent).dev !== fs.statSync(place).dev) {
    throw new UsageError(
      `--path_to_save: ${folder} is a disk of its own, and cannot be exchanged as a whole; ${advice}`,
    );
  }
  const below = path.relative(place, process.cwd());
  if (below === '' || (!below.startsWith('..') && !path.isAbsolute(below))) {
    throw new UsageError(
      `--path_to_save: ${folder} is the current folder or holds it, and cannot be exchanged as a whole; ${advice}`,
    );
  }
  fs.accessSync(parent, fs.constants.W_OK | fs.constants.X_OK);
  fs.accessSync(place, fs.constants.W_OK | fs.constants.X_OK);
}

/** Names that file managers leave behind. */
const litter = new Set(['.DS_Store', 'Thumbs.db', 'desktop.ini']);

/** Who wrote what is in the folder: sorted, and looking into none but `folders`, nor through links. */
function owners(
  place: string,
  known: ReadonlyMap<string, string>,
  folders: ReadonlySet<string>,
): readonly Entry[] {
  const walk = (inside: string): readonly Entry[] =>
    fs
      .readdirSync(path.join(place, inside), { withFileTypes: true })
      .sort((a, b) => (a.name < b.name ? -1 : 1))
      .flatMap((item): readonly Entry[] => {
        const name = inside === '' ? item.name : `${inside}/${item.name}`;
        if (item.name === 'target' && !item.isFile()) return [{ path: name, owner: 'target' }];
        if (item.isDirectory() && folders.has(name)) return walk(name);
        if (item.isDirectory()) {
          const isEmpty = fs.readdirSync(path.join(place, name)).length === 0;
          return isEmpty ? [] : [{ path: name, owner: 'unknown' }];
        }
        return [{ path: name, owner: item.isFile() ? ownerOfFile(place, name, known) : 'unknown' }];
      });
  return walk('');
}

function ownerOfFile(place: string, name: string, known: ReadonlyMap<string, string>): Entry['owner'] {
  const [base] = name.split('/').slice(-1);
  if (base && litter.has(base)) return 'ours';
  if (name === MANIFEST && known.size > 0) return 'ours';
  // Cargo writes its lock file anew as it builds.
  if (base === 'Cargo.lock' && known.has(name.replace(/lock$/, 'toml'))) return 'ours';
  const hash = known.get(name);
  if (hash === undefined) return 'unknown';
  if (name === THRESHOLDS) return 'ours';
  return hash === hashOfFile(path.join(place, name)) ? 'ours' : 'changed';
}

/** `a/b/c` → `a`, `a/b` */
function parents(name: string): readonly string[] {
  const parts = name.split('/');
  return parts.slice(1).map((_, i) => parts.slice(0, i + 1).join('/'));
}

function describe(folder: string, strange: readonly Entry[], isOurs: boolean): string {
  const lines = strange.slice(0, 10).map(({ path, owner }) => {
    const what = owner === 'changed' ? 'changed since the last conversion' : 'not written by tf2rust';
    return `  ${path} (${what})`;
  });
  if (strange.length > 10) lines.push(`  and ${strange.length - 10} more`);
  const what = isOurs ? 'holds files that are not as tf2rust wrote them' : 'holds files, and none of tf2rust';
  return [
    `--path_to_save: ${folder} ${what}; move them, give another folder, or write over the changed ones and keep the others with --force:`,
    ...lines,
  ].join('\n');
}

/** The hashes by path that the last conversion noted; empty if there is no manifest that can be read. */
function readManifest(place: string): ReadonlyMap<string, string> {
  const file = path.join(place, MANIFEST);
  if (!fs.lstatSync(file, { throwIfNoEntry: false })?.isFile()) return new Map();
  return parseManifest(fs.readFileSync(file, 'utf8'));
}

export function parseManifest(text: string): ReadonlyMap<string, string> {
  const entries = new Map<string, string>();
  try {
    const { files }: { files?: unknown } = Object(JSON.parse(text));
    for (const [name, hash] of Object.entries(Object(files))) {
      if (typeof hash === 'string') entries.set(name, hash);
    }
  } catch {
    // Not JSON: then nothing in the folder is known to be ours.
  }
  return entries;
}

/** The manifest of `files`: the same bytes whenever and wherever it is made. */
export function manifest(files: ReadonlyMap<string, Pieces>, { version, model }: Origin): string {
  const names = [...files.keys()].sort();
  const hashes = Object.fromEntries(names.map((name) => [name, sha256(files.get(name)!)]));
  return `${JSON.stringify({ tf2rust: version, model, files: hashes }, null, 2)}\n`;
}

/** Hashes and files of more than 2 GiB are beyond one call of Node's. */
const PIECE = 1 << 24;

function sha256(pieces: Pieces): string {
  const hash = createHash('sha256');
  for (const bytes of pieces) {
    for (let at = 0; at < bytes.length; at += PIECE) hash.update(bytes.subarray(at, at + PIECE));
  }
  return hash.digest('hex');
}

function hashOfFile(file: string): string {
  const hash = createHash('sha256');
  const piece = new Uint8Array(1 << 20);
  const descriptor = fs.openSync(file, 'r');
  try {
    for (;;) {
      const count = fs.readSync(descriptor, piece);
      if (count === 0) return hash.digest('hex');
      hash.update(piece.subarray(0, count));
    }
  } finally {
    fs.closeSync(descriptor);
  }
}

/**
 * Writes `files` as the new content of `folder`: first into a folder beside it, then both are exchanged. Whatever
 * fails, or if `signal` is raised, the old content is as it was and nothing is left over. What cargo built is kept,
 * and with `force` also files that are not ours.
 */
export async function writeOutput(
  folder: string,
  files: ReadonlyMap<string, Pieces>,
  origin: Origin,
  force: boolean,
  signal?: AbortSignal,
): Promise<void> {
  const all = new Map(files).set(MANIFEST, [new TextEncoder().encode(manifest(files, origin))]);
  const { place, entries } = inspectOutput(folder, force, all.keys());
  const kept = entries
    .filter(({ owner }) => owner === 'target' || owner === 'unknown')
    .map(({ path }) => path);
  let made: string | undefined;
  let temporary: string | undefined;
  try {
    made = fs.mkdirSync(path.dirname(place), { recursive: true });
    temporary = fs.mkdtempSync(`${place}.tf2rust-`);
    await writeFiles(path.join(temporary, 'new'), all, signal);
    const exchanged = exchange(place, path.join(temporary, 'new'), path.join(temporary, 'old'), kept);
    if (exchanged.kind === 'stuck') {
      const saved = temporary;
      temporary = undefined;
      refuse(folder, `could not be written nor restored; what is missing lies in ${saved}: ${exchanged.why}`);
    }
    made = undefined;
  } catch (error) {
    if (isSystemError(error))
      refuse(folder, `could not be written, and is as it was before: ${explain(error)}`);
    throw error;
  } finally {
    if (temporary) remove(temporary);
    if (made) removeEmpty(path.dirname(place), made);
  }
}

async function writeFiles(
  folder: string,
  files: ReadonlyMap<string, Pieces>,
  signal: AbortSignal | undefined,
): Promise<void> {
  await fs.promises.mkdir(folder);
  for (const [name, pieces] of files) {
    const parts = name.split('/');
    if (parts.some((part) => part === '' || part === '.' || part === '..') || name.includes('\\')) {
      throw new Error(`tf2rust bug: "${name}" is no path in the output folder`);
    }
    const file = path.join(folder, ...parts);
    await fs.promises.mkdir(path.dirname(file), { recursive: true });
    await fs.promises.writeFile(file, pieces, { flag: 'wx', ...(signal && { signal }) });
  }
  signal?.throwIfAborted();
}

/**
 * Puts `next` in the place of `place`, with what is `kept` of it, and `place` to `old`. If a step fails, those before
 * it are undone and its error thrown; `stuck` says that undoing failed, too.
 */
function exchange(
  place: string,
  next: string,
  old: string,
  kept: readonly string[],
): { readonly kind: 'done' } | { readonly kind: 'stuck'; readonly why: string } {
  const undo: (() => void)[] = [];
  const move = (from: string, to: string) => {
    fs.renameSync(from, to);
    undo.unshift(() => fs.renameSync(to, from));
  };
  try {
    if (fs.existsSync(place)) {
      for (const name of kept) {
        const to = path.join(next, name);
        // With `force`, a file of ours replaces one that stood at its path.
        if (fs.existsSync(to)) continue;
        fs.mkdirSync(path.dirname(to), { recursive: true });
        move(path.join(place, name), to);
      }
      fs.chmodSync(next, fs.statSync(place).mode & 0o777);
      move(place, old);
    }
    move(next, place);
    return { kind: 'done' };
  } catch (error) {
    try {
      for (const step of undo) step();
    } catch (second) {
      return { kind: 'stuck', why: isSystemError(second) ? explain(second) : String(second) };
    }
    throw error;
  }
}

/** Removes a temporary folder; what cannot be removed is no reason to fail after the work is done. */
function remove(folder: string): void {
  try {
    fs.rmSync(folder, { recursive: true, force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}

/** Removes the empty folders from `folder` up to `top`, which were made for an output that failed. */
function removeEmpty(folder: string, top: string): void {
  try {
    for (let empty = folder; ; empty = path.dirname(empty)) {
      fs.rmdirSync(empty);
      if (empty === top) return;
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
}
