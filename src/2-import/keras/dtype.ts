/** What a layer computes with, by Keras's name for it or by its dtype policy. */

import type { TypeName } from '../../1-read/element-types.ts';
import { isObject, type Json, printJson, valueAt } from '../../1-read/json.ts';
import { Refusal } from '../../errors.ts';
import type { DType, HalfFloat } from '../../ir/types.ts';

/** Keras's names of the types that are read, and TensorFlow's. */
const types: ReadonlyMap<string, { readonly dtype: DType; readonly type: TypeName }> = new Map([
  ['float16', { dtype: 'f32', type: 'half' }],
  ['bfloat16', { dtype: 'f32', type: 'bfloat16' }],
  ['float32', { dtype: 'f32', type: 'float' }],
  ['float64', { dtype: 'f64', type: 'double' }],
  ['int8', { dtype: 'i32', type: 'int8' }],
  ['int16', { dtype: 'i32', type: 'int16' }],
  ['uint16', { dtype: 'i32', type: 'uint16' }],
  ['int32', { dtype: 'i32', type: 'int32' }],
  ['int64', { dtype: 'i64', type: 'int64' }],
  ['uint32', { dtype: 'i64', type: 'uint32' }],
  ['uint8', { dtype: 'u8', type: 'uint8' }],
  ['bool', { dtype: 'bool', type: 'bool' }],
]);

/** The type that Keras calls so; float16 and bfloat16 are computed in f32. */
function dtypeNamed(name: string): DType {
  const found = types.get(name);
  if (!found) throw new Refusal(`numbers of type ${name} are not supported`);
  return found.dtype;
}

/** TensorFlow's name of the type that Keras calls so. */
export function typeNamed(name: string): TypeName {
  return name === 'string' ? 'string' : (types.get(name)?.type ?? refuseType(name));
}

function refuseType(name: string): never {
  throw new Refusal(`the type ${name} is not known`);
}

/** `"float32"`, or a policy such as `{"class_name": "DTypePolicy", "config": {"name": "mixed_float16"}}`. */
export function dtypeOfPolicy(policy: Json | undefined, className: string): DType {
  const name = policyName(policy);
  // Layers that take or make strings compute with none.
  if (name === 'string') return 'i64';
  if (name === 'mixed_float16' || name === 'mixed_bfloat16') return 'f32';
  if (name.includes('_from_')) {
    throw new Refusal(`the weights of ${className} are quantized (${name}), which is not supported`);
  }
  return dtypeNamed(name);
}

/** What a layer rounds its results to, if that is less precise than f32. */
export function halfFloatOfPolicy(policy: Json | undefined): HalfFloat | undefined {
  const name = policyName(policy).replace('mixed_', '');
  return name === 'float16' || name === 'bfloat16' ? name : undefined;
}

function policyName(policy: Json | undefined): string {
  if (policy === undefined || policy === null) return 'float32';
  if (typeof policy === 'string') return policy;
  const config = isObject(policy) ? valueAt(policy, 'config') : undefined;
  const name = isObject(config) ? (valueAt(config, 'name') ?? valueAt(config, 'source_name')) : undefined;
  if (isObject(policy) && /^(DTypePolicy|Policy|PolicyV1)$/.test(`${valueAt(policy, 'class_name')}`)) {
    if (typeof name === 'string') return name;
  }
  throw new Refusal(`the dtype policy ${printJson(policy)} is not supported`);
}
