/** The text of a graph: a line for every node, as snapshots and --stop_after have it. */

import { printActivation } from '../ops/activation.ts';
import { printExpression } from '../ops/expression.ts';
import type { LoopAttributes } from '../ops/loop.ts';
import type { RecurrentAttributes } from '../ops/recurrent.ts';
import { printWindow } from '../ops/window.ts';
import { type Graph, type Node, nodesOf, type Value } from './graph.ts';
import { printShape, printType } from './types.ts';

/**
 * ```text
 * input x: f32[N, 8, 8, 1]
 * %0 = Convolution(x) kernel [3, 3, 1, 8] strides 1,1 …: f32[N, 8, 8, 8]  # conv2d
 * output predictions: %0
 * ```
 * `nodes` are those of the graph, in the order to print them in.
 */
export function printGraph(graph: Graph, nodes: readonly Node[] = nodesOf(graph)): string {
  const names = new Map<Value, string>();
  const lines = graph.inputs.map((input) => {
    names.set(input, input.name);
    return `input ${input.name}: ${printType(input.type)}`;
  });
  for (const { input } of graph.memory?.states ?? []) {
    names.set(input, input.name);
    lines.push(`state ${input.name}: ${printType(input.type)}`);
  }
  const nameOf = (value: Value) =>
    value.kind === 'constant'
      ? `${value.variable ?? 'constant'} ${printType(value.type)}`
      : names.get(value)!;
  for (const [i, node] of nodes.entries()) {
    names.set(node, `%${i}`);
    const inputs = Object.values<Value>(node.inputs).map(nameOf).join(', ');
    const weights = Object.entries(node.weights).map(([name, { shape }]) => `${name} ${printShape(shape)}`);
    const details = [...weights, printAttributes(node)].filter((text) => text !== '').join(' ');
    lines.push(`%${i} = ${node.op}(${inputs}) ${details}: ${printType(node.type)}  # ${node.layer.name}`);
  }
  for (const { name, value } of graph.outputs) lines.push(`output ${name}: ${nameOf(value)}`);
  for (const { input, next } of graph.memory?.states ?? [])
    lines.push(`state ${input.name} becomes ${nameOf(next)}`);
  return `${lines.join('\n')}\n`;
}

function printAttributes(node: Node): string {
  switch (node.op) {
    case 'Elementwise':
      return printExpression(node.attributes.expression);
    case 'Dense':
    case 'ResidualDense':
    case 'BatchNormalization':
      return printActivation(node.attributes.activation);
    case 'Convolution':
    case 'ConvolutionTranspose':
    case 'DepthwiseConvolution':
    case 'ResidualConvolution':
      return `${printWindow(node.attributes.window)} ${printActivation(node.attributes.activation)}`;
    case 'Pooling':
      return `${node.attributes.kind} of ${node.attributes.sizes} ${printWindow(node.attributes.window)}`;
    case 'Broadcast':
    case 'Reshape':
      return printShape(node.attributes.shape);
    case 'Slice':
      return `from ${node.attributes.begin} by ${node.attributes.steps}`;
    case 'Loop':
      return printLoop(node.attributes);
    case 'Gru':
    case 'Lstm':
    case 'SimpleRnn':
      return printRecurrent(node.attributes);
    case 'Arg':
    case 'Bincount':
    case 'Hash':
    case 'HashedCrossing':
    case 'IntegerLookup':
    case 'StringLookup':
    case 'TextVectorization':
    case 'BatchToSpace':
    case 'Bucketize':
    case 'Concatenate':
    case 'Cumulative':
    case 'Embedding':
    case 'Fourier':
    case 'GatherAlong':
    case 'LayerNormalization':
    case 'Matmul':
    case 'MirrorPad':
    case 'Pad':
    case 'Reduce':
    case 'Repeat':
    case 'Resampling':
    case 'Select':
    case 'Softmax':
    case 'SpaceToBatch':
    case 'TopK':
    case 'Transpose':
      return Object.entries(node.attributes)
        .map(([name, value]) => `${name} ${JSON.stringify(value)}`)
        .join(' ');
  }
}

function printLoop({ rounds, roles, body }: LoopAttributes): string {
  const inside = printGraph(body).trim().split('\n').join('; ');
  return `${rounds} rounds on ${roles.join(', ')} of { ${inside} }`;
}

function printRecurrent(attributes: RecurrentAttributes): string {
  const { activation, recurrentActivation, order, returns, returnsStates, zeroesMasked } = attributes;
  return [
    printActivation(activation),
    printActivation(recurrentActivation),
    order,
    returns,
    ...(returnsStates ? ['and states'] : []),
    ...(zeroesMasked ? ['zeroes masked'] : []),
  ].join(' ');
}
