/** Inputs drawn from a fixed seed, for models without samples: the same for the same model. */

import type { Graph, Input } from '../ir/graph.ts';
import { inputsOf, nodesOf } from '../ir/graph.ts';
import { bind, elements, type Tensor, zeros } from '../ir/types.ts';
import { textTensor } from '../ops/text.ts';
import { bytesOfWord, vocabularyOf } from '../ops/vocabulary.ts';

/** `count` samples for every input: floats in −1..1, numbers of words within their vocabulary, small integers. */
export function drawInputs(graph: Graph, count: number): ReadonlyMap<string, Tensor> {
  const random = randomNumbers(20260101);
  return new Map(graph.inputs.map((input) => [input.name, draw(input, graph, count, random)]));
}

function draw(input: Input, graph: Graph, count: number, random: () => number): Tensor {
  const type = bind(input.type, count);
  if (type.dtype === 'text') return drawText(type.shape, graph, input, random);
  const data = zeros(type.dtype, elements(type.shape));
  const least = smallestVocabulary(graph, input);
  const keys = neededKeys(graph, input);
  for (let i = 0; i < data.length; i++) {
    const integer = Math.floor(random() * (type.dtype === 'bool' ? 2 : least));
    const key = keys?.[Math.floor(random() * keys.length)];
    if (key !== undefined) data[i] = data instanceof BigInt64Array ? BigInt(key) : Number(key);
    else if (data instanceof BigInt64Array) data[i] = BigInt(integer);
    else if (type.dtype === 'f32' || type.dtype === 'f64')
      data[i] = least < Number.POSITIVE_INFINITY ? integer : 2 * random() - 1;
    else data[i] = integer;
  }
  return { ...type, data };
}

/** Up to four words of the vocabularies that read the input, or others, for each string. */
function drawText(shape: readonly number[], graph: Graph, input: Input, random: () => number): Tensor {
  const known = nodesOf(graph).flatMap((node) => {
    const isReader = node.op === 'StringLookup' || node.op === 'TextVectorization';
    return isReader && node.inputs.x === input ? [...vocabularyOf(node.weights).keys()] : [];
  });
  const needed = neededKeys(graph, input);
  const likely = needed ?? [...known.slice(0, 1000), 'Zebra', 'of', 'x'];
  const words = likely.filter((word) => !/\0$/.test(word));
  const isOneWord = !nodesOf(graph).some((node) => node.op === 'TextVectorization');
  const strings = Array.from({ length: elements(shape) }, () => {
    const count = isOneWord ? 1 : Math.floor(random() * 5);
    return Array.from({ length: count }, () => words[Math.floor(random() * words.length)]!).join(' ');
  });
  return textTensor(shape, strings.map(bytesOfWord));
}

/** The keys that all look-ups know which read the input and fail for others; undefined if there are no such look-ups. */
function neededKeys(graph: Graph, input: Input): readonly string[] | undefined {
  const vocabularies = nodesOf(graph).flatMap((node) => {
    if (node.op === 'StringLookup' && node.inputs.x === input && node.attributes.unknown.kind === 'error') {
      return [[...vocabularyOf(node.weights).keys()]];
    }
    if (node.op === 'IntegerLookup' && node.inputs.x === input && node.attributes.unknown === undefined) {
      return [Array.from(node.weights.table.data, String).filter((_, i) => i % 2 === 0)];
    }
    return [];
  });
  const [first, ...others] = vocabularies;
  return first?.filter((key) => others.every((keys) => keys.includes(key)));
}

/** How many words the tables have that an input chooses from; 10, or no bound for floats, if there are none. */
function smallestVocabulary(graph: Graph, input: Input): number {
  const isFloat = input.type.dtype === 'f32' || input.type.dtype === 'f64';
  let least = isFloat ? Number.POSITIVE_INFINITY : 10;
  for (const node of nodesOf(graph)) {
    if (node.op !== 'Embedding') continue;
    const [source] = inputsOf(node);
    const isDirect = source === input;
    const isCast = source?.kind === 'node' && source.op === 'Elementwise' && inputsOf(source)[0] === input;
    if (isDirect || isCast)
      least = Math.min(isFloat ? least : Math.max(least, 1000), node.weights.table.shape[0]!);
  }
  return least;
}

/** Mulberry32 (Tommy Ettinger, public domain): numbers in 0..1. */
export function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
