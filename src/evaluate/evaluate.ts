/** Runs a graph with the operators' own plain loops: the oracle of the tests, and the source of sample predictions. */

import { Refusal } from '../errors.ts';
import {
  countReaders,
  type Graph,
  inputsOf,
  type Node,
  nodesOf,
  resultsOf,
  type Value,
} from '../ir/graph.ts';
import { bind, printType, sameShape, type Tensor, type TensorData } from '../ir/types.ts';
import { ops } from '../ops/index.ts';
import type { Op } from '../ops/op.ts';

/** An operator whose inputs and attributes are those of the node it is taken for. */
type AnyOp = Op<string, string, string, unknown>;

/** The operator of a node. The union of nodes keeps both together; a table look-up cannot. */
export function opOf(node: Node): AnyOp {
  return ops[node.op] as unknown as AnyOp;
}

/** The value of every node for these inputs, by name, each of `samples` samples. */
export function evaluateNodes(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  samples: number,
): ReadonlyMap<Value, Tensor> {
  return evaluateAll(graph, inputs, samples, initialStates(graph), () => {});
}

/** What one prediction comes to. */
export interface Evaluated {
  readonly outputs: readonly Tensor[];
  /** What is left to the next one, by the names of the states. */
  readonly states: ReadonlyMap<string, Tensor>;
}

/** The states before the first prediction, by their names. */
export function initialStates({ memory }: Graph): ReadonlyMap<string, Tensor> {
  return new Map((memory?.states ?? []).map(({ input, initial }) => [input.name, initial]));
}

/** The outputs of a graph, in their order, and its states afterwards. `change` may change what each node makes, before anything reads it. */
export function evaluate(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  samples: number,
  states: ReadonlyMap<string, Tensor> = initialStates(graph),
  change: (node: Node, data: TensorData) => void = () => {},
): Evaluated {
  const unread = new Map(countReaders(graph));
  const values = evaluateAll(graph, inputs, samples, states, (node, values) => {
    change(node, tensorOf(node, values).data);
    for (const input of inputsOf(node)) {
      const left = unread.get(input)! - 1;
      unread.set(input, left);
      if (left === 0) values.delete(input);
    }
  });
  const next = (graph.memory?.states ?? []).map((state) => {
    return [state.input.name, tensorOf(state.next, values)] as const;
  });
  return { outputs: graph.outputs.map(({ value }) => tensorOf(value, values)), states: new Map(next) };
}

/** `evaluated` is told of each node, and may forget the values that nothing reads any more. */
function evaluateAll(
  graph: Graph,
  inputs: ReadonlyMap<string, Tensor>,
  samples: number,
  states: ReadonlyMap<string, Tensor>,
  evaluated: (node: Node, values: Map<Value, Tensor>) => void,
): ReadonlyMap<Value, Tensor> {
  const values = new Map<Value, Tensor>();
  const given = [
    ...graph.inputs.map((input) => [input, inputs.get(input.name)] as const),
    ...(graph.memory?.states ?? []).map(({ input }) => [input, states.get(input.name)] as const),
  ];
  for (const [input, tensor] of given) {
    const type = bind(input.type, samples);
    if (!tensor || tensor.dtype !== type.dtype || !sameShape(tensor.shape, type.shape)) {
      throw new Error(
        `input ${input.name}: expected ${printType(type)}, found ${tensor && printType(tensor)}`,
      );
    }
    values.set(input, tensor);
  }
  for (const node of nodesOf(graph)) {
    const tensor = evaluateNode(node, (value) => tensorOf(value, values), samples);
    values.set(node, tensor);
    evaluated(node, values);
  }
  for (const value of resultsOf(graph)) values.set(value, tensorOf(value, values));
  return values;
}

function tensorOf(value: Value, values: ReadonlyMap<Value, Tensor>): Tensor {
  const found = value.kind === 'constant' ? value.tensor : values.get(value);
  if (!found) throw new Error(`a value of type ${printType(value.type)} was not computed`);
  return found;
}

function evaluateNode(node: Node, read: (value: Value) => Tensor, samples: number): Tensor {
  const inputs = Object.entries<Value>(node.inputs).map(([name, value]) => [name, read(value)]);
  const output = bind(node.type, samples);
  try {
    const data = opOf(node).evaluate(
      { ...Object.fromEntries(inputs), ...node.weights },
      node.attributes,
      output,
      (graph, inputs, rows) => evaluate(graph, inputs, rows).outputs,
    );
    return { ...output, data };
  } catch (error) {
    if (error instanceof Refusal) throw new Refusal(`layer "${node.layer.name}": ${error.message}`);
    throw error;
  }
}
