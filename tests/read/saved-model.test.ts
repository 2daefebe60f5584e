import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import type { TypeName } from '../../src/1-read/element-types.ts';
import type { Attribute, NodeDef } from '../../src/1-read/graph-def.ts';
import { messageOf } from '../../src/1-read/protobuf.ts';
import { type MetaGraph, readSavedModel } from '../../src/1-read/saved-model.ts';
import { readTensorProto, tensorOf } from '../../src/1-read/tensor-proto.ts';
import { tensor } from '../../src/ir/types.ts';
import { counted, format, halfPlusTwoFile, readDamaged, refusal, withoutHalfPlusTwo } from './formats.ts';

function onlyGraph(file: string, bytes: Uint8Array = format(file)): MetaGraph {
  const [metaGraph, ...others] = readSavedModel(bytes, file).metaGraphs;
  assert(metaGraph && others.length === 0);
  return metaGraph;
}

test('reads a SavedModel of TensorFlow 2', () => {
  const { tags, graph, functions, signatures, saver, initOp, objects } = onlyGraph(
    'saved_model/saved_model.pb',
  );
  assert.deepEqual(tags, ['serve']);
  assert.deepEqual([...signatures.keys()], ['serving_default']);
  const serving = signatures.get('serving_default');
  assert.deepEqual(serving?.inputs.get('x'), {
    encoding: 'dense',
    name: 'serving_default_x:0',
    type: 'float',
    shape: [undefined, 3],
  });
  assert.deepEqual(serving?.inputs.get('word')?.type, 'string');
  assert.deepEqual([...(serving?.outputs.keys() ?? [])], ['y']);
  const names = new Set(graph.nodes.map(({ name }) => name));
  for (const name of [saver?.restoreOp, initOp]) assert(names.has(name?.split(':')[0] ?? ''), name);
  const call = graph.nodes.find(
    ({ op, name }) => op === 'StatefulPartitionedCall' && name === 'StatefulPartitionedCall',
  );
  const f = call?.attributes.get('f');
  assert(f?.kind === 'func');
  const body = functions.get(f.name);
  assert(body);
  assert.deepEqual(
    body.inputs.map(({ name, type }) => `${name}: ${type}`),
    ['word: string', 'x: float', 'unknown: resource', 'unknown_0: resource', 'unknown_1: float'],
  );
  assert.deepEqual(body.inputs[1]?.attributes.get('_output_shapes'), {
    kind: 'list',
    values: [{ kind: 'shape', value: [undefined, 3] }],
  });
  assert.deepEqual(body.returns, new Map([['identity', 'Identity:output:0']]));
  assert.deepEqual(body.controlReturns, new Map([['StatefulPartitionedCall', 'StatefulPartitionedCall']]));
  const bound = objects?.concreteFunctions.values().next().value?.boundInputs ?? [];
  const children = objects?.nodes.flatMap(({ children }) => children) ?? [];
  assert(children.some(({ name, id }) => name === 'kernel' && bound.includes(id)));
});

test('reads a SavedModel of TensorFlow 1', { skip: withoutHalfPlusTwo }, () => {
  const bytes = halfPlusTwoFile('saved_model.pb');
  const { signatures, saver, initOp, assets, objects, functions } = onlyGraph('saved_model.pb', bytes);
  assert.deepEqual(saver, { filenameTensor: 'save/Const:0', restoreOp: 'save/restore_all' });
  assert.equal(signatures.get('serving_default')?.methodName, 'tensorflow/serving/predict');
  assert.equal(signatures.size, 5);
  assert.equal(initOp, 'group_deps');
  assert.deepEqual(assets, []);
  assert.equal(objects, undefined);
  assert.equal(functions.size, 0);
});

test('reads constants that are lists of values', () => {
  const protos: unknown = JSON.parse(
    readFileSync(new URL('../../../fixtures/formats/tensors.json', import.meta.url), 'utf8'),
  );
  for (const [type, dtype] of [
    ['float32', 'f32'],
    ['float64', 'f64'],
    ['float16', 'f32'],
    ['bfloat16', 'f32'],
    ['int8', 'i32'],
    ['int16', 'i32'],
    ['int32', 'i32'],
    ['int64', 'i64'],
    ['uint8', 'u8'],
    ['uint16', 'i32'],
    ['uint32', 'i64'],
    ['uint64', 'i64'],
  ] as const) {
    assert(typeof protos === 'object' && protos !== null && type in protos);
    const encoded = Object.entries(protos).find(([name]) => name === type)?.[1];
    const proto = readTensorProto(messageOf(new Uint8Array(Buffer.from(encoded, 'base64')), type));
    const numbers = type.startsWith('u') ? [0, 1, 2, 3, 4, 5] : counted(6);
    assert.deepEqual(tensorOf(proto, type), tensor(dtype, [2, 3], numbers), type);
  }
});

/** A TensorProto of one dimension. */
function proto(type: number, length: number, ...rest: readonly number[]) {
  const bytes = Uint8Array.of(8, type, 18, 4, 18, 2, 8, length, ...rest);
  return readTensorProto(messageOf(bytes, 'a.pb'));
}

test('the last value of a list stands for those that follow', () => {
  const cases: readonly {
    readonly type: TypeName;
    readonly bytes: readonly number[];
    readonly numbers: readonly number[];
  }[] = [
    { type: 'float', bytes: [], numbers: [0, 0, 0, 0, 0] },
    { type: 'float', bytes: [42, 4, 0, 0, 0, 64], numbers: [2, 2, 2, 2, 2] },
    { type: 'float', bytes: [45, 0, 0, 0, 64, 45, 0, 0, 128, 63], numbers: [2, 1, 1, 1, 1] },
    { type: 'int32', bytes: [58, 2, 1, 2], numbers: [1, 2, 2, 2, 2] },
    { type: 'int32', bytes: [56, 1, 56, 3], numbers: [1, 3, 3, 3, 3] },
    { type: 'bool', bytes: [90, 3, 1, 0, 1], numbers: [1, 0, 1, 1, 1] },
    { type: 'half', bytes: [106, 3, 0x80, 0x78, 0], numbers: [1, 0, 0, 0, 0] },
    { type: 'bfloat16', bytes: [106, 3, 0x80, 0x7f, 0], numbers: [1, 0, 0, 0, 0] },
    {
      type: 'int64',
      bytes: [82, 10, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1],
      numbers: [-1, -1, -1, -1, -1],
    },
  ];
  const numbersOf = { float: 1, int32: 3, bool: 10, half: 19, bfloat16: 14, int64: 9 };
  for (const { type, bytes, numbers } of cases) {
    const number = Object.entries(numbersOf).find(([name]) => name === type)?.[1] ?? 0;
    const { data, shape } = tensorOf(proto(number, 5, ...bytes), 'node');
    assert.deepEqual([...data].map(Number), numbers, `${type} ${bytes}`);
    assert.deepEqual(shape, [5]);
  }
  const strings = tensorOf(proto(7, 3, 66, 1, 97, 66, 1, 98), 'node');
  assert.deepEqual(strings.data, [Uint8Array.of(97), Uint8Array.of(98), Uint8Array.of(98)]);
});

test('refuses constants that are damaged or too large', () => {
  assert.equal(
    refusal(() => tensorOf(proto(1, 2, 34, 4, 0, 0, 0, 0), 'node "c"')),
    'node "c": damaged: shape [2] of type float takes 8 bytes, but there are 4',
  );
  assert.equal(
    refusal(() => tensorOf(proto(3, 1, 58, 2, 1, 2), 'c')),
    'c: damaged: lists 2 values or more for the shape [1]',
  );
  assert.equal(
    refusal(() => tensorOf(proto(8, 1), 'c')),
    'c: holds elements of type complex64, which is not supported',
  );
  const huge = Uint8Array.of(8, 1, 18, 8, 18, 6, 8, 255, 255, 255, 255, 15);
  assert.match(
    refusal(() => tensorOf(readTensorProto(messageOf(huge, 'a.pb')), 'c')),
    /^c: holds 4294967295 elements, and at most 67108864 are supported/,
  );
});

test('errors name the byte', () => {
  const read = (...bytes: readonly number[]) =>
    refusal(() => readSavedModel(Uint8Array.from(bytes), 'saved_model.pb'));
  assert.equal(read(), 'saved_model.pb: has no graph in it, so it is no SavedModel');
  assert.equal(
    read(8, 1, 18, 5, 0),
    'saved_model.pb: truncated or damaged: a field at byte 2 reaches past the end',
  );
  assert.equal(read(8), 'saved_model.pb: truncated or damaged: a number at byte 1 reaches past the end');
  assert.equal(read(19), 'saved_model.pb: truncated or damaged: the field at byte 0 has the wire type 3');
  assert.match(
    read(8, ...Array.from({ length: 11 }, () => 255)),
    /the number at byte 1 has more than ten bytes/,
  );
});

test('messages that lie too deep are refused', () => {
  let bytes = Buffer.from([]);
  const wrap = (tag: number) => {
    const length = bytes.length;
    bytes = Buffer.concat([
      Uint8Array.of(tag, (length & 127) | 128, (length >> 7) | 128, length >> 14),
      bytes,
    ]);
  };
  for (let i = 0; i < 60; i++) {
    for (const tag of [0x12, 0x12, 0x52]) wrap(tag);
  }
  for (const tag of [0x12, 0x2a, 0x0a, 0x12, 0x12]) wrap(tag);
  assert.match(
    refusal(() => readEverything(readSavedModel(new Uint8Array(bytes), 'a.pb').metaGraphs)),
    /messages lie more than 100 deep/,
  );
});

test('damaged files are refused', () => {
  const file = 'saved_model/saved_model.pb';
  readDamaged(format(file), (bytes) => readEverything(readSavedModel(bytes, file).metaGraphs));
});

test('damaged files of TensorFlow 1 are refused', { skip: withoutHalfPlusTwo }, () => {
  const file = 'saved_model.pb';
  readDamaged(halfPlusTwoFile(file), (bytes) => readEverything(readSavedModel(bytes, file).metaGraphs));
});

function readEverything(metaGraphs: readonly MetaGraph[]): void {
  for (const { graph, functions } of metaGraphs) {
    readNodes(graph.nodes);
    for (const { nodes } of functions.values()) readNodes(nodes);
  }
}

function readNodes(nodes: readonly NodeDef[]): void {
  for (const { attributes } of nodes) for (const attribute of attributes.values()) readAttribute(attribute);
}

function readAttribute(attribute: Attribute): void {
  if (attribute.kind === 'list') for (const value of attribute.values) readAttribute(value);
  if (attribute.kind === 'tensor') tensorOf(attribute.value, 'constant');
}
