/** What nodes read: constants, variables by their trained values, tables, and the numbers that come of text. */

import type { Files } from '../../1-read/files.ts';
import type { NodeDef } from '../../1-read/graph-def.ts';
import type { MetaGraph } from '../../1-read/saved-model.ts';
import { tensorOf } from '../../1-read/tensor-proto.ts';
import { Refusal } from '../../errors.ts';
import { type Budget, builderFor, constant, spend } from '../../ir/builder.ts';
import type { Layer, Memory } from '../../ir/graph.ts';
import type { Tensor } from '../../ir/types.ts';
import type { Operand } from '../../ops/tensorflow.ts';
import { stateValues } from '../state-values.ts';
import type { Imported } from './imported.ts';
import { type Tables, tableName, tablesOf } from './tables.ts';
import { isText, type Numbers, type TextValue } from './text.ts';
import { nodeOfNumbers } from './text-nodes.ts';
import { variableValues } from './variable-values.ts';

export interface Values {
  /** The value of a variable where a node reads it; anything else as it is. */
  read(value: Imported, node: string): Operand;
  constantOf(node: NodeDef): Operand | TextValue;
  tableOf(node: NodeDef): TextValue;
  nodeOf(numbers: Numbers): Operand;
  /** Sets a variable that is a state. */
  assign(variable: string, value: Operand, layer: Layer): void;
  /** How many samples the model is for, if that is fixed. */
  batch(): number | undefined;
  /** What the model keeps from one prediction to the next, if it keeps anything. */
  memory(): Memory | undefined;
  /** The variables that were read, with the node that read each first, in the order of their use. */
  reads(): readonly TrainedRead[];
}

interface TrainedRead {
  readonly node: string;
  readonly variable: string;
  readonly tensor: Tensor;
}

/** `states` are the variables that predictions assign to, and `batch` how many samples the inputs have, if that is fixed. */
export function valuesOf(
  files: Files,
  graph: MetaGraph,
  budget: Budget,
  states: ReadonlySet<string>,
  batch: number | undefined,
): Values {
  const trained = variableValues(files, graph, budget);
  const kept = stateValues(batch);
  const reads = new Map<string, TrainedRead>();
  const made = new Map<Numbers, Operand>();
  let tables: Tables | undefined;
  const nodeOf = (numbers: Numbers): Operand => {
    const node = made.get(numbers) ?? nodeOfNumbers(builderFor(numbers.layer, budget), numbers);
    made.set(numbers, node);
    return node;
  };
  return {
    nodeOf,
    assign: (variable, value, layer) => kept.assign(variable, () => trained(variable), value, layer),
    batch: kept.batch,
    memory: kept.memory,
    reads: () => [...reads.values()],
    read(value, node) {
      if (value.kind === 'unknown') throw new Error('an unknown value was read');
      if (value.kind === 'complex') throw new Refusal('a complex number is not supported here');
      if (value.kind === 'list') throw new Refusal('a list of tensors is not supported here');
      if (isText(value)) {
        if (value.kind === 'numbers') return nodeOf(value);
        throw new Refusal('it reads text, and is not supported for text; prepare the text before the model');
      }
      if (value.kind !== 'variable') return value;
      const variable = value.name;
      if (states.has(variable)) return kept.read(variable, () => trained(variable));
      const tensor = trained(variable);
      if (!reads.has(variable)) reads.set(variable, { node, variable, tensor });
      return constant(tensor, variable);
    },
    constantOf(node) {
      const value = node.attributes.get('value');
      if (value?.kind !== 'tensor') throw new Refusal('a Const without a value');
      const tensor = tensorOf(value.value, `node "${node.name}" (${node.op})`);
      spend(budget, tensor.data.length);
      return tensor.dtype === 'string' ? { kind: 'strings', tensor } : constant(tensor);
    },
    tableOf(node) {
      tables ??= tablesOf(graph, files);
      const fill = tables.get(tableName(node));
      if (!fill)
        throw new Refusal('nothing in the model fills its table; adapt the layer, and save the model again');
      return { kind: 'table', content: fill };
    },
  };
}
