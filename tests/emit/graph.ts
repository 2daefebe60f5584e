/** Small graphs for tests, by the operators' own rules of types. */

import { opOf } from '../../src/evaluate/evaluate.ts';
import type { Input, Layer, Node, NodeWith, Value } from '../../src/ir/graph.ts';
import { type DType, elements, type Tensor, tensor } from '../../src/ir/types.ts';

export function input(name: string, shape: readonly number[], dtype: DType = 'f32'): Input {
  return { kind: 'input', name, type: { dtype, shape: [{ batch: 1 }, ...shape] } };
}

/** A tensor of `fill`, everywhere. */
export function weight(shape: readonly number[], fill = 0.5): Tensor {
  return tensor('f32', shape, Array<number>(elements(shape)).fill(fill));
}

/** A step of a layer: `'conv'`, or `'conv: Conv2D'` where the model tells the class. */
export function node<Name extends Node['op']>(
  op: Name,
  inputs: NodeWith<Name>['inputs'],
  attributes: NodeWith<Name>['attributes'],
  weights: NodeWith<Name>['weights'],
  nameAndClass: string,
): Node {
  const [name = '', className] = nameAndClass.split(': ');
  const layer: Layer = { name, ...(className && { className }) };
  const untyped = { kind: 'node', op, inputs, attributes, weights, layer, type: { dtype: 'f32', shape: [] } };
  const made = untyped as unknown as Node;
  const types = Object.fromEntries([
    ...Object.entries<Value>(made.inputs).map(([key, { type }]) => [key, type] as const),
    ...Object.entries<Tensor>(made.weights),
  ]);
  return { ...made, type: opOf(made).infer(types, made.attributes) };
}
