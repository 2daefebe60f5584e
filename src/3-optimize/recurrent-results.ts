/**
 * `Slice` of the outputs and states of a recurrent layer → the layer that returns only those; a layer over steps that
 * are in the opposite order → the layer that takes them backward. Bidirectional layers are written so.
 */

import type { NodeWith, Value } from '../ir/graph.ts';
import { gru } from '../ops/gru.ts';
import { lstm } from '../ops/lstm.ts';
import type { RecurrentAttributes } from '../ops/recurrent.ts';
import { reshape } from '../ops/reshape.ts';
import { simpleRnn } from '../ops/simple-rnn.ts';
import { slice } from '../ops/slice.ts';
import { make, nodeOf, type Rewrite } from './rewrite.ts';

type Recurrent = NodeWith<'Gru' | 'Lstm' | 'SimpleRnn'>;

export const recurrentResults: Rewrite = (node, { isReadOnce }) => {
  switch (node.op) {
    case 'Slice': {
      const layer = recurrentOf(node.inputs.x);
      return layer && isReadOnce(layer) ? narrowed(node, layer) : undefined;
    }
    case 'Gru':
    case 'Lstm':
    case 'SimpleRnn':
      return backward(node);
    default:
      return undefined;
  }
};

function recurrentOf(value: Value): Recurrent | undefined {
  return nodeOf(value, 'Gru') ?? nodeOf(value, 'Lstm') ?? nodeOf(value, 'SimpleRnn');
}

function withAttributes(
  { op, layer, weights }: Recurrent,
  inputs: Readonly<Record<string, Value>>,
  attributes: RecurrentAttributes,
): Value {
  return make(layer, { Gru: gru, Lstm: lstm, SimpleRnn: simpleRnn }[op], inputs, attributes, weights);
}

/** The layer that returns the rows of a slice and no others. */
function narrowed(node: NodeWith<'Slice'>, layer: Recurrent): Value | undefined {
  const { attributes, inputs } = layer;
  if (attributes.returns !== 'sequence') return undefined;
  const steps = inputs.x!.type.shape[1] as number;
  const { begin, steps: by, lengths } = node.attributes;
  const [from, step, count] = [begin[1]!, by[1]!, lengths[1]!];
  const isOfRows = lengths[2] === layer.type.shape[2] && begin[2] === 0 && by[2] === 1;
  if (!isOfRows) return undefined;

  if (attributes.returnsStates) {
    if (count === steps && from === (step === 1 ? 0 : steps - 1)) {
      const sequence = withAttributes(layer, inputs, { ...attributes, returnsStates: false });
      return step === 1 ? sequence : make(node.layer, slice, { x: sequence }, node.attributes, {});
    }
    // Without a mask, the last output is the first of the states.
    const isLast = from === steps - 1 || (from === steps && inputs.mask === undefined);
    if (count === 1 && isLast && attributes.order !== 'aligned') return lastOf(node, layer);
    if (count !== 1 || from < steps) return undefined;
    const states = withAttributes(layer, inputs, { ...attributes, returns: 'last' });
    return make(
      node.layer,
      slice,
      { x: states },
      { ...node.attributes, begin: begin.with(1, from - steps + 1) },
      {},
    );
  }

  const isReversed = from === steps - 1 && step === -1 && count === steps;
  if (isReversed && attributes.order !== 'forward') {
    const order = attributes.order === 'backward' ? 'aligned' : 'backward';
    return withAttributes(layer, inputs, { ...attributes, order });
  }
  const last = attributes.order === 'aligned' ? 0 : steps - 1;
  return count === 1 && from === last ? lastOf(node, layer) : undefined;
}

function lastOf(node: NodeWith<'Slice'>, layer: Recurrent): Value {
  const last = withAttributes(layer, layer.inputs, {
    ...layer.attributes,
    order: layer.attributes.order === 'forward' ? 'forward' : 'backward',
    returns: 'last',
    returnsStates: false,
  });
  return make(node.layer, reshape, { x: last }, { shape: node.type.shape }, {});
}

/** A layer that goes forward over reversed steps, and a reversed mask if there is one. */
function backward(node: Recurrent): Value | undefined {
  const { inputs, attributes } = node;
  if (attributes.order !== 'forward') return undefined;
  const x = reversedSteps(inputs.x!);
  const mask = inputs.mask && reversedSteps(inputs.mask);
  if (!x || (inputs.mask && !mask)) return undefined;
  return withAttributes(
    node,
    { ...inputs, x, ...(mask ? { mask } : {}) },
    { ...attributes, order: 'backward' },
  );
}

/** What a value is with its steps in the opposite order, if it is a `Slice` that reverses them. */
function reversedSteps(value: Value): Value | undefined {
  const flat = nodeOf(value, 'Reshape');
  if (flat) {
    // A mask whose last dimension of length 1 is dropped.
    const forward = flat.inputs.x.type.shape.length === 3 ? reversedSteps(flat.inputs.x) : undefined;
    return forward && make(flat.layer, reshape, { x: forward }, { shape: flat.type.shape }, {});
  }
  const turned = nodeOf(value, 'Slice');
  if (!turned) return undefined;
  const { begin, steps, lengths } = turned.attributes;
  const length = lengths[1];
  if (steps[1] !== -1 || typeof length !== 'number') return undefined;
  const forward = { begin: begin.with(1, begin[1]! - (length - 1)), steps: steps.with(1, 1), lengths };
  return make(turned.layer, slice, turned.inputs, forward, {});
}
