/** A graph alone, with its weights in it as constants: its placeholders are the inputs, and what nothing reads the outputs. */

import { memoryFiles, type Source } from '../../1-read/files.ts';
import type { NodeDef } from '../../1-read/graph-def.ts';
import { readGraphDef, type Signature, type TensorInfo } from '../../1-read/saved-model.ts';
import { refuse } from '../../errors.ts';
import { type ImportedModel, type ImportOptions, importGraph } from './index.ts';
import { reference } from './scope.ts';

export function importFrozenGraph(file: Source, options: ImportOptions): ImportedModel {
  if (options.signature !== undefined) {
    return refuse('--signature', 'a frozen graph has no signatures; leave the flag out');
  }
  const graph = readGraphDef(file.read(0, file.size), file.name);
  const signature = signatureOf(graph.graph.nodes, file.name);
  return importGraph(memoryFiles(new Map()), graph, file.size, 'of the whole graph', signature, options);
}

function signatureOf(nodes: readonly NodeDef[], file: string): Signature {
  const inputs = new Map<string, TensorInfo>();
  for (const { name, op, attributes } of nodes) {
    if (op !== 'Placeholder') continue;
    const [type, shape] = [attributes.get('dtype'), attributes.get('shape')];
    inputs.set(name, {
      encoding: 'dense',
      name,
      type: type?.kind === 'type' ? type.value : 'type_0',
      shape: shape?.kind === 'shape' ? shape.value : 'unknown',
    });
  }
  if (inputs.size === 0) return refuse(file, 'has no placeholders, so nothing says what its inputs are');
  const outputs = new Map<string, TensorInfo>();
  for (const name of lastNodes(nodes, new Set(inputs.keys()))) {
    outputs.set(name, { encoding: 'dense', name, type: 'type_0', shape: 'unknown' });
  }
  return { inputs, outputs, methodName: '' };
}

/** The nodes that depend on the inputs, and that no other node reads. */
function lastNodes(nodes: readonly NodeDef[], inputs: ReadonlySet<string>): readonly string[] {
  const readers = new Map<string, NodeDef[]>();
  for (const node of nodes) {
    for (const input of node.inputs) {
      if (input.startsWith('^')) continue;
      const { name } = reference(input);
      const known = readers.get(name);
      if (known) known.push(node);
      else readers.set(name, [node]);
    }
  }
  const reached = new Set(inputs);
  for (const name of reached) for (const reader of readers.get(name) ?? []) reached.add(reader.name);
  return nodes.map(({ name }) => name).filter((name) => reached.has(name) && !readers.has(name));
}
