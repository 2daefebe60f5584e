/** What the look-up tables of a SavedModel hold: the graph fills them before it is run for the first time. */

import type { AnyTensor } from '../../1-read/element-types.ts';
import type { Files } from '../../1-read/files.ts';
import type { FunctionDef, NodeDef } from '../../1-read/graph-def.ts';
import type { MetaGraph } from '../../1-read/saved-model.ts';
import { tensorOf } from '../../1-read/tensor-proto.ts';
import { Refusal, refuse } from '../../errors.ts';
import { calledFunction, order, reference, type Scope, scopeOf } from './scope.ts';

/** A table: keys, and as many values. */
export interface TableContent {
  readonly keys: AnyTensor;
  readonly values: AnyTensor;
}

/** What fills a table: its content is read when it is asked for. */
export type Tables = ReadonlyMap<string, () => TableContent>;

/** By the names of tables: see `tableName`. */
export function tablesOf(graph: MetaGraph, files: Files): Tables {
  const tables = new Map<string, () => TableContent>();
  if (graph.initOp === undefined) return tables;
  const filler: Filler = { graph, files, tables };
  fill(filler, scopeOf(graph.graph.nodes, ''), [reference(graph.initOp).name], new Map(), 0);
  return tables;
}

/** The name under which nodes share a table. */
export function tableName(node: NodeDef): string {
  const shared = node.attributes.get('shared_name');
  return shared?.kind === 'string' && shared.value !== '' ? shared.value : node.name;
}

interface Filler {
  readonly graph: MetaGraph;
  readonly files: Files;
  readonly tables: Map<string, () => TableContent>;
}

/** `given` are the nodes that the arguments of a function stand for. */
function fill(
  filler: Filler,
  scope: Scope,
  roots: readonly string[],
  given: ReadonlyMap<string, NodeDef>,
  depth: number,
): void {
  if (depth > 16) refuse('saved_model.pb', 'the functions that fill its tables call each other without end');
  const source = (input: string | undefined) => sourceOf(scope, given, input);
  for (const node of order(scope, roots, ({ inputs }) => inputs)) {
    const [table, first, second] = node.inputs.filter((input) => !input.startsWith('^')).map(source);
    switch (node.op) {
      case 'LookupTableImport':
      case 'LookupTableImportV2':
      case 'InitializeTable':
      case 'InitializeTableV2':
        if (table)
          filler.tables.set(tableName(table), () => ({
            keys: constantOf(first),
            values: constantOf(second),
          }));
        break;
      case 'InitializeTableFromTextFile':
      case 'InitializeTableFromTextFileV2':
        if (table) filler.tables.set(tableName(table), () => linesOf(filler, node, first));
        break;
      case 'PartitionedCall':
      case 'StatefulPartitionedCall':
        call(filler, node, calledFunction(node, filler.graph.functions), source, depth);
        break;
    }
  }
}

function call(
  filler: Filler,
  node: NodeDef,
  called: FunctionDef,
  source: (input: string | undefined) => NodeDef | undefined,
  depth: number,
): void {
  const inputs = node.inputs.filter((input) => !input.startsWith('^'));
  const passed = new Map<string, NodeDef>();
  for (const [i, { name }] of called.inputs.entries()) {
    const argument = source(inputs[i]);
    if (argument) passed.set(name, argument);
  }
  const body = scopeOf(called.nodes, '');
  fill(filler, body, [...body.nodes.keys()], passed, depth + 1);
}

/** The node that a value comes from. */
function sourceOf(
  scope: Scope,
  given: ReadonlyMap<string, NodeDef>,
  input: string | undefined,
): NodeDef | undefined {
  let at = input;
  for (let steps = 0; at !== undefined && steps < 100; steps++) {
    const { name } = reference(at);
    const node = given.get(name) ?? scope.nodes.get(name);
    if (node?.op === 'ReadVariableOp') at = assignedTo(scope, reference(node.inputs[0] ?? '').name);
    else if (node?.op === 'Identity') at = node.inputs[0];
    else return node;
  }
  return undefined;
}

/** What a variable is set to, such as the path of a file, before the tables are filled. */
function assignedTo(scope: Scope, variable: string): string | undefined {
  for (const { op, inputs } of scope.nodes.values()) {
    if (op === 'AssignVariableOp' && reference(inputs[0] ?? '').name === variable) return inputs[1];
  }
  return undefined;
}

function constantOf(node: NodeDef | undefined): AnyTensor {
  const value = node?.attributes.get('value');
  if (node?.op !== 'Const' || value?.kind !== 'tensor') {
    throw new Refusal('what fills its table is computed, and only constants and files are supported');
  }
  return tensorOf(value.value, `node "${node.name}" (${node.op})`);
}

/** A line of the file is a word; its number is that of the line. */
function linesOf({ graph, files }: Filler, node: NodeDef, file: NodeDef | undefined): TableContent {
  const number = (name: string, otherwise: number) => {
    const found = node.attributes.get(name);
    return found?.kind === 'int' ? Number(found.value) : otherwise;
  };
  const asset = graph.assets.find(({ tensor }) => file && reference(tensor).name === file.name);
  if (!asset) throw new Refusal('what fills its table is no file of the model');
  const [wholeLine, lineNumber] = [-2, -1];
  if (number('key_index', wholeLine) !== wholeLine || number('value_index', lineNumber) !== lineNumber) {
    throw new Refusal('a table of the columns of a file is not supported, but only of its lines');
  }
  const path = `assets/${asset.file}`;
  if (/[/\\]|^\.+$/.test(asset.file))
    refuse(path, 'a table is filled from a file that is not in the folder assets');
  const size = files.size(path) ?? refuse(path, 'the file is missing; the words of a table are listed there');
  const lines = linesIn(files.read(path, 0, size));
  if (lines.some(({ length }) => length === 0))
    refuse(path, 'it has an empty line, and a table has no empty words');
  const count = number('vocab_size', -1);
  if (count > lines.length) refuse(path, `it has ${lines.length} lines, and the model expects ${count}`);
  const words = count < 0 ? lines : lines.slice(0, count);
  const offset = number('offset', 0);
  const numbers = BigInt64Array.from(words, (_, i) => BigInt(i + offset));
  return {
    keys: { dtype: 'string', shape: [words.length], data: words },
    values: { dtype: 'i64', shape: [words.length], data: numbers },
  };
}

function linesIn(bytes: Uint8Array): readonly Uint8Array[] {
  const lines: Uint8Array[] = [];
  let start = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, start)) {
    lines.push(bytes.subarray(start, end));
    start = end + 1;
  }
  if (start < bytes.length) lines.push(bytes.subarray(start));
  // TensorFlow's reader of lines leaves out all carriage returns (tensorflow/core/lib/io/inputbuffer.cc).
  return lines.map((line) => (line.includes(13) ? line.filter((byte) => byte !== 13) : line));
}
