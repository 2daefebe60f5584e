/** How an operator reads a layer of a Keras model, and what it makes of it. */

import { type Json, printJson } from '../1-read/json.ts';
import { Refusal } from '../errors.ts';
import type { Constant } from '../ir/graph.ts';
import type { DType } from '../ir/types.ts';
import type { Builder, Operand } from './tensorflow.ts';

/** What a layer is called with: tensors, lists of such, or what the model's author wrote. */
export type KerasArgument =
  | { readonly kind: 'tensor'; readonly operand: Operand; readonly mask: Operand | undefined }
  | { readonly kind: 'list'; readonly items: readonly KerasArgument[] }
  | { readonly kind: 'value'; readonly value: Json };

/** A number for an attribute of a TensorFlow op, a type, a text, or a list of numbers. */
export type TensorflowAttribute = number | boolean | string | readonly number[] | { readonly dtype: DType };

/** Where a layer keeps a layer of its own: its attribute in Keras 3, and the name that layer has, if it is fixed. */
export interface InnerPlace {
  readonly attribute: string;
  readonly name?: string;
}

/**
 * A call of a Keras layer, as an operator sees it. A key of the config, an argument of the call or a weight that
 * nobody reads is an error.
 */
export interface KerasLayer extends Builder {
  readonly className: string;
  readonly name: string;
  /** The major version of the Keras that saved the model: 2 or 3. */
  readonly keras: number;
  /** What the layer computes with. */
  readonly dtype: DType;

  /** The tensors that it is called with as its first argument: one, or those of a list. */
  readonly inputs: readonly Operand[];
  input(index: number): Operand;
  /** Which steps of such an input count: bool, without the axis of the channels. Undefined if all do. */
  mask(index: number): Operand | undefined;
  /** Another argument of the call, by its name and its place, the first being 0. Undefined if it is not given, or None. */
  argument(name: string, place: number): KerasArgument | undefined;

  /** Values of the config, with the default that Keras gives them; without one, the key has to be there. */
  number(key: string, otherwise?: number): number;
  flag(key: string, otherwise?: boolean): boolean;
  text(key: string, otherwise?: string): string;
  /** A list of numbers, of which one number stands for `count` alike. */
  list(key: string, count?: number, otherwise?: number): readonly number[];
  /** Whatever is there; undefined for None and for a key that is missing. */
  value(key: string): Json | undefined;
  /** Marks keys as read which say nothing about predictions. */
  ignore(...keys: readonly string[]): void;

  /** The layer's own weights, all of them, in the order in which it makes them. */
  weights<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, Constant>>;
  /** A file that the model keeps for the layer, such as `vocabulary.txt`. */
  asset(name: string): Uint8Array | undefined;
  /** How many weights of its own it has. */
  readonly weightCount: number;
  /** The same for a layer inside this one that has no config of its own. */
  weightsAt<Name extends string>(
    place: InnerPlace,
    ...names: readonly Name[]
  ): Readonly<Record<Name, Constant>>;
  /** The same layer, building and taking weights as a layer inside it that has no config of its own. */
  part(place: InnerPlace): KerasLayer;
  /** Calls the layer that is written in the config of this one. */
  callInner(
    serialized: Json,
    place: InnerPlace,
    ...inputs: readonly { readonly operand: Operand; readonly mask?: Operand | undefined }[]
  ): KerasOutputs;
  /** The layer that is written in the config of this one, to read its config and weights; nothing of it may stay unread. */
  inner(serialized: Json, place: InnerPlace): KerasLayer;

  /** A state that is zeros before the first prediction, of this shape for each sample: what it is now. */
  state(name: string, shape: readonly number[]): Operand;
  /** Sets such a state, for the next call of the layer and the next prediction. */
  keep(name: string, next: Operand): void;

  /** What an op of TensorFlow makes of the operands; lists of numbers are constants of i32. */
  tensorflow(
    op: string,
    inputs: readonly (Operand | number | readonly number[])[],
    attributes?: Readonly<Record<string, TensorflowAttribute>>,
  ): Operand;
  /** The same for an op with several outputs. */
  tensorflowAll(
    op: string,
    inputs: readonly (Operand | number | readonly number[])[],
    attributes?: Readonly<Record<string, TensorflowAttribute>>,
  ): readonly Operand[];
  /** Tells the user of the model what was done with the layer. */
  warn(what: string): void;
}

/** The results of a layer, each with its mask. */
export interface KerasOutputs {
  readonly outputs: readonly Operand[];
  readonly masks: readonly (Operand | undefined)[];
}

/** What a layer comes to. Without a word about masks, all steps of the results count. */
export type KerasLowering = (layer: KerasLayer) => Operand | readonly Operand[] | KerasOutputs;

/** Lowerings by the class names of Keras. */
export type KerasLayers = Readonly<Record<string, KerasLowering>>;

/** A layer that passes on the mask of its input, as `supports_masking` has it. */
export const keepsMask =
  (lowering: KerasLowering): KerasLowering =>
  (layer) => {
    const result = outputsOf(lowering(layer));
    const mask = layer.inputs.length > 0 ? layer.mask(0) : undefined;
    return { ...result, masks: result.outputs.map((_, i) => result.masks[i] ?? mask) };
  };

export function outputsOf(result: ReturnType<KerasLowering>): KerasOutputs {
  if ('outputs' in result) return result;
  return 'kind' in result ? { outputs: [result], masks: [undefined] } : { outputs: result, masks: [] };
}

/** Says whether channels come first, as `data_format` has it. */
export function isChannelsFirstLayer(layer: KerasLayer): boolean {
  const format = layer.value('data_format') ?? 'channels_last';
  if (format !== 'channels_first' && format !== 'channels_last') {
    throw new Refusal(`the data_format ${printJson(format)} is neither "channels_first" nor "channels_last"`);
  }
  return format === 'channels_first';
}
