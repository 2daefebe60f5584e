import assert from 'node:assert/strict';
import test from 'node:test';
import type { Attribute, FunctionDef, NodeDef } from '../../src/1-read/graph-def.ts';
import type { MetaGraph } from '../../src/1-read/saved-model.ts';
import { reference, scopeOf } from '../../src/2-import/saved-model/scope.ts';
import { variableReads } from '../../src/2-import/saved-model/variable-reads.ts';

function node(name: string, op: string, inputs: readonly string[] = [], calls?: string): NodeDef {
  const called: Attribute = { kind: 'func', name: calls ?? '', attributes: new Map() };
  return { name, op, inputs, attributes: new Map(calls === undefined ? [] : [['f', called]]) };
}

/** A function of one variable. */
function functionOf(name: string, result: string, nodes: readonly NodeDef[]): FunctionDef {
  return {
    name,
    inputs: [{ name: 'weight', type: 'resource', attributes: new Map() }],
    outputs: [],
    nodes,
    returns: new Map([['result', result]]),
    controlReturns: new Map(),
    attributes: new Map(),
  };
}

function readsOf(nodes: readonly NodeDef[], functions: readonly FunctionDef[]) {
  const graph: MetaGraph = {
    tags: [],
    tensorflowVersion: '2.21',
    graph: { nodes },
    functions: new Map(functions.map((each) => [each.name, each])),
    signatures: new Map(),
    assets: [],
  };
  return variableReads(graph, scopeOf(nodes, ''), [reference('result')]);
}

test('a variable is read where functions read what they are given of it', () => {
  const { reads, plainScopes } = readsOf(
    [
      node('dense/kernel', 'VarHandleOp'),
      node('same', 'Identity', ['dense/kernel']),
      node('unread', 'ReadVariableOp', ['dense/kernel']),
      node('model/result', 'Identity', ['model/call']),
      node('model/call', 'StatefulPartitionedCall', ['same'], 'inner'),
      node('result', 'Identity', ['model/result']),
    ],
    [
      functionOf('inner', 'dense_1/read:value:0', [node('dense_1/read', 'ReadVariableOp', ['weight'])]),
      functionOf('uncalled', 'read', [node('read', 'ReadVariableOp', ['weight'])]),
    ],
  );
  assert.deepEqual(reads, [{ node: 'model/dense_1/read', variable: 'dense/kernel' }]);
  assert.deepEqual([...plainScopes].sort(), ['', 'dense', 'model']);
});

test('functions that call each other come to no more nodes than a model may have', () => {
  const twice = Array.from({ length: 40 }, (_, i) =>
    functionOf(`function_${i}`, 'second:output:0', [
      node('first', 'StatefulPartitionedCall', ['weight'], `function_${i + 1}`),
      node('second', 'StatefulPartitionedCall', ['first:output:0'], `function_${i + 1}`),
    ]),
  );
  const last = functionOf('function_40', 'read:value:0', [node('read', 'ReadVariableOp', ['weight'])]);
  const nodes = [node('result', 'StatefulPartitionedCall', ['v'], 'function_0'), node('v', 'VarHandleOp')];
  assert.throws(
    () => readsOf(nodes, [...twice, last]),
    /more than 2000000 nodes once its functions are inlined/,
  );
});
