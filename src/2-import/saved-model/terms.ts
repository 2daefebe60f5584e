/** What the columns of a value in the body of a loop are, in a form that does not depend on how it was written. */

import type { Input } from '../../ir/graph.ts';
import { type Tensor, tensor } from '../../ir/types.ts';
import { type Activation, activationOf, linear } from '../../ops/activation.ts';
import { recognizedActivation } from '../../ops/activation-formulas.ts';
import { call, type Expression, input as inputExpression, number } from '../../ops/expression.ts';
import type { FunctionName } from '../../ops/functions.ts';
import type { Operand } from '../../ops/tensorflow.ts';

/** The same columns of the same value are the same object, and so are the same functions of the same terms. */
export type Term =
  /** All columns of what flows in. */
  | { readonly kind: 'input'; readonly input: Input }
  | { readonly kind: 'number'; readonly value: number }
  /** The sum of products with matrices, and of a bias. */
  | { readonly kind: 'linear'; readonly parts: readonly Part[]; readonly bias: readonly number[] }
  | { readonly kind: 'call'; readonly name: FunctionName; readonly terms: readonly Term[] };

export interface Part {
  readonly of: Term;
  readonly matrix: Tensor;
}

/** Reads values as terms; undefined for what is something else. */
export type TermReader = (value: Operand, begin: number, width: number) => Term | undefined;

export function termReader(): TermReader {
  const known = new Map<Operand, Map<string, Term | undefined>>();
  const ids = new Map<Term, number>();
  const calls = new Map<string, Term>();
  const idOf = (term: Term) => {
    const id = ids.get(term) ?? ids.size;
    ids.set(term, id);
    return id;
  };
  const called = (name: FunctionName, terms: readonly Term[]): Term => {
    const [a, b] = terms;
    if (name === 'add' && a?.kind === 'linear' && b?.kind === 'linear') {
      return { kind: 'linear', parts: [...a.parts, ...b.parts], bias: a.bias.map((x, i) => x + b.bias[i]!) };
    }
    // Dropout that does nothing is a factor of 1.
    if (name === 'multiply' && isOne(a)) return b!;
    if (name === 'multiply' && isOne(b)) return a!;
    const key = `${name} ${terms.map(idOf)}`;
    const term = calls.get(key) ?? { kind: 'call', name, terms };
    calls.set(key, term);
    return term;
  };
  const evaluated = (expression: Expression, inputs: readonly (Term | undefined)[]): Term | undefined => {
    switch (expression.kind) {
      case 'input':
        return inputs[expression.index];
      case 'number':
        return numberTerm(Number(expression.value));
      case 'cast':
        return undefined;
      case 'call': {
        const terms = expression.arguments.map((argument) => evaluated(argument, inputs));
        return terms.every((term) => term !== undefined) ? called(expression.name, terms) : undefined;
      }
    }
  };
  const numbers = new Map<number, Term>();
  const numberTerm = (value: number): Term => {
    const term = numbers.get(value) ?? { kind: 'number', value };
    numbers.set(value, term);
    return term;
  };
  const inputTerms = new Map<Input, Term>();

  const read: TermReader = (value, begin, width) => {
    const columns = known.get(value) ?? new Map<string, Term | undefined>();
    known.set(value, columns);
    const key = `${begin},${width}`;
    if (!columns.has(key)) columns.set(key, compute(value, begin, width));
    return columns.get(key);
  };

  const compute: TermReader = (value, begin, width) => {
    const last = value.type.shape.at(-1);
    switch (value.kind) {
      case 'input': {
        const isWhole = begin === 0 && last === width;
        // A column for all: the truth of a mask.
        if (!isWhole && last !== 1) return undefined;
        const term = inputTerms.get(value) ?? { kind: 'input', input: value };
        inputTerms.set(value, term);
        return term;
      }
      case 'by batch': {
        const [first] = value.tensors[0]!.data;
        const isUniform = value.tensors.every(({ data }) =>
          data.every((x: number | bigint) => Object.is(x, first)),
        );
        return isUniform && first !== undefined ? numberTerm(Number(first)) : undefined;
      }
      case 'constant': {
        const { shape, data } = value.tensor;
        if (shape.length === 0) return numberTerm(Number(data[0]));
        if (shape.slice(0, -1).some((dim) => dim !== 1)) return undefined;
        const bias = Array.from({ length: width }, (_, i) => Number(data[last === 1 ? 0 : begin + i]));
        return { kind: 'linear', parts: [], bias };
      }
      case 'node':
        break;
    }
    switch (value.op) {
      case 'Matmul': {
        const { x, z } = value.inputs;
        const inner = x.type.shape.at(-1);
        if (z.kind !== 'constant' || z.tensor.shape.length !== 2 || typeof inner !== 'number')
          return undefined;
        const { transposeX, transposeZ } = value.attributes;
        const of = transposeX || transposeZ ? undefined : read(x, 0, inner);
        const bias = Array<number>(width).fill(0);
        return of && { kind: 'linear', parts: [{ of, matrix: columnsOf(z.tensor, begin, width) }], bias };
      }
      case 'Slice': {
        const { begin: from, steps, lengths } = value.attributes;
        const isOfColumns =
          steps.every((step) => step === 1) &&
          from.slice(0, -1).every((at) => at === 0) &&
          `${lengths.slice(0, -1).map(String)}` === `${value.inputs.x.type.shape.slice(0, -1).map(String)}`;
        return isOfColumns ? read(value.inputs.x, begin + from.at(-1)!, width) : undefined;
      }
      case 'Reshape': {
        const { x } = value.inputs;
        return x.type.shape.length === value.type.shape.length && x.type.shape.at(-1) === last
          ? read(x, begin, width)
          : undefined;
      }
      case 'Broadcast': {
        const { x } = value.inputs;
        return x.kind === 'constant' ? read(x, begin, width) : undefined;
      }
      case 'Concatenate': {
        // A column that is repeated: the truth of a mask.
        const [first, ...others] = Object.values(value.inputs);
        const isRepeated =
          value.attributes.axis === value.type.shape.length - 1 && others.every((other) => other === first);
        return isRepeated && first?.type.shape.at(-1) === 1 ? read(first, 0, 1) : undefined;
      }
      case 'Elementwise': {
        const { expression } = value.attributes;
        const inputs = Object.values(value.inputs).map((x) => {
          const isNarrow = x.kind !== 'constant' && x.type.shape.at(-1) === 1 && last !== 1;
          return isNarrow ? read(x, 0, 1) : read(x, begin, width);
        });
        return evaluated(expression, inputs);
      }
      default:
        return undefined;
    }
  };
  return read;
}

const isOne = (term: Term | undefined) => term?.kind === 'number' && term.value === 1;

function columnsOf(matrix: Tensor, begin: number, width: number): Tensor {
  const [rows, columns] = matrix.shape as [number, number];
  const data = Array.from({ length: rows * width }, (_, i) =>
    Number(matrix.data[Math.floor(i / width) * columns + begin + (i % width)]),
  );
  return tensor('f32', [rows, width], data);
}

/** The activation that a term is of the one leaf in it; undefined if it is none, or of several. */
export function activationIn(
  term: Term | undefined,
  isLeaf: (term: Term) => boolean,
): { readonly activation: Activation; readonly of: Term } | undefined {
  const leaves = new Set<Term>();
  const expressionOf = (part: Term): Expression | undefined => {
    if (isLeaf(part)) {
      leaves.add(part);
      return inputExpression(0, 'f32');
    }
    if (part.kind === 'number') return number(part.value, 'f32');
    if (part.kind !== 'call') return undefined;
    const parts = part.terms.map(expressionOf);
    return parts.every((each) => each !== undefined) ? call(part.name, ...parts) : undefined;
  };
  const expression = term && expressionOf(term);
  const [of] = leaves;
  if (!expression || !of || leaves.size !== 1) return undefined;
  if (expression.kind === 'input') return { activation: linear, of };
  const activation = activationOf(recognizedActivation(expression) ?? expression);
  return activation && { activation, of };
}
