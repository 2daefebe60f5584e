import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { importModel, type ModelSource } from '../../src/2-import/index.ts';
import { optimize, recognize } from '../../src/3-optimize/index.ts';
import { type Lifetime, leastLength } from '../../src/4-plan/buffers.ts';
import { type Place, type Plan, type PlanOptions, plan, type Step } from '../../src/4-plan/plan.ts';
import { openModel } from '../../src/command-line/model-files.ts';
import { opOf } from '../../src/evaluate/evaluate.ts';
import { inputsOf, type Node, nodesOf, resultsOf, type Value } from '../../src/ir/graph.ts';
import { bytesOf, type DType, lengthOfSample } from '../../src/ir/types.ts';
import { fixtures } from '../crates/fixtures.ts';
import { inRepository, needs } from '../crates/places.ts';
import { smallestPossible } from './smallest-possible.ts';

/** How much more memory than the bound a plan may need. */
const MARGIN = 1.1;

const zoo = process.env.BENCH_ZOO ?? inRepository('build', 'bench', 'zoo');

test(
  'every fixture needs 10 % more memory than any sharing of buffers at most',
  needs('fixtures/models'),
  (t) => {
    for (const { name, model, architecture, inputShapes, signature } of fixtures()) {
      const source = openModel(model, architecture).source;
      check(t, name, planned(source, inputShapes ?? new Map(), signature));
    }
  },
);

test(
  'a large image that a depthwise convolution alone reads needs no memory',
  needs('fixtures/models'),
  () => {
    const { model, architecture } = fixtures().find(({ name }) => name === 'images_in_bands')!;
    const { source } = openModel(model, architecture);
    const kindsOf = (options: Partial<PlanOptions>) =>
      planned(source, new Map(), undefined, options).steps.flatMap(({ node, place }) =>
        node.op === 'Convolution' ? [place.kind] : [],
      );
    assert.deepEqual(kindsOf({}), ['bands', 'bands', 'buffer']);
    assert.deepEqual(kindsOf({ enableMemdrop: false }), ['buffer', 'buffer', 'buffer']);
  },
);

const isThere = fs.existsSync(zoo);
test('and so do the models of the zoo', {
  skip: isThere ? false : 'BENCH_ZOO names no zoo, and `npm run bench` has made none',
}, (t) => {
  for (const name of fs.readdirSync(zoo)) {
    const result = tried(() => planned(openModel(path.join(zoo, name, 'saved_model')).source, new Map()));
    if (result === undefined) t.diagnostic(`${name} does not convert`);
    else check(t, name, result);
  }
});

function planned(
  model: ModelSource,
  inputShapes: ReadonlyMap<string, readonly number[]>,
  signature?: string,
  options: Partial<PlanOptions> = {},
): Plan {
  const { graph } = importModel(model, { inputShapes, ...(signature !== undefined && { signature }) });
  return plan(optimize(recognize(graph)), { enableInplace: true, enableMemdrop: true, ...options });
}

function tried(make: () => Plan): Plan | undefined {
  try {
    return make();
  } catch {
    return undefined;
  }
}

function check(t: { diagnostic(text: string): void }, name: string, plan: Plan): void {
  assertRuns(name, plan);
  const lifetimes = lifetimesOf(plan);
  const dtypes: readonly DType[] = [...new Set(lifetimes.map(({ dtype }) => dtype))];
  const bound = dtypes.reduce(
    (sum, dtype) => sum + bytesOf(dtype) * least(lifetimes.filter((one) => one.dtype === dtype)),
    0,
  );
  const bytes = plan.buffers.reduce((sum, { dtype, length }) => sum + bytesOf(dtype) * length, 0);
  t.diagnostic(`${name}: ${bytes} bytes, ${(bytes / bound).toFixed(3)} of the bound`);
  assert.ok(bytes <= MARGIN * bound, `${name}: ${bytes} of ${bound}`);
}

/** Of all ways to share buffers, where they are few enough to be tried; else a bound that none is below. */
function least(lifetimes: readonly Lifetime[]): number {
  return lifetimes.length <= 9 ? smallestPossible(lifetimes) : leastLength(lifetimes);
}

/** What each memory holds, from the step that writes it to the last that reads it or writes over it. */
function lifetimesOf({ graph, steps }: Plan): readonly Lifetime[] {
  const owners = ownersOf(steps);
  const lasts = new Map<Value, number>();
  for (const [i, { node }] of steps.entries()) {
    for (const value of [node, ...inputsOf(node)]) lasts.set(owners.get(value) ?? value, i);
  }
  for (const value of resultsOf(graph)) lasts.set(owners.get(value)!, steps.length);
  return steps.flatMap(({ node, place }, first) =>
    place.kind === 'buffer'
      ? [{ dtype: node.type.dtype, length: lengthOfSample(node.type), first, last: lasts.get(node)! }]
      : [],
  );
}

/** The step whose memory a result is in. */
function ownersOf(steps: readonly Step[]): ReadonlyMap<Value, Value> {
  const owners = new Map<Value, Value>();
  for (const { node, place } of steps) {
    const under = place.kind === 'buffer' ? node : underOf(node, place.kind);
    owners.set(node, owners.get(under) ?? under);
  }
  return owners;
}

/** The input that a view shows, that an image in bands is computed from, or that a step writes over. */
function underOf(node: Node, kind: 'view' | 'bands' | 'over'): Value {
  if (kind !== 'over') return inputsOf(node)[0]!;
  const inputs: Readonly<Record<string, Value>> = node.inputs;
  return inputs[opOf(node).inPlace!.over]!;
}

/** All nodes are there, each after what it reads, and every buffer still holds what is read from it. */
function assertRuns(name: string, { graph, steps, buffers }: Plan): void {
  assert.deepEqual(new Set(steps.map(({ node }) => node)), new Set(nodesOf(graph)), name);
  const owners = ownersOf(steps);
  const kinds = new Map<Value, Place['kind']>(steps.map(({ node, place }) => [node, place.kind]));
  const hasNoMemory = (value: Value) => kinds.get(value) === 'view' || kinds.get(value) === 'bands';
  const held = new Map<number, Value>();
  const newest = new Map<Value, Value>();
  const bufferOf = new Map<Value, number>();
  for (const { node, place } of steps) {
    for (const value of inputsOf(node)) {
      if (value.kind !== 'node') continue;
      const owner = owners.get(value);
      if (owner?.kind !== 'node') continue;
      assert.equal(held.get(bufferOf.get(owner)!), owner, `${name}: ${node.layer.name} reads what is gone`);
      if (!hasNoMemory(value)) {
        assert.equal(newest.get(owner), value, `${name}: ${node.layer.name} reads what was written over`);
      }
    }
    if (place.kind === 'buffer') {
      assert.ok(buffers[place.buffer]!.length >= lengthOfSample(node.type), name);
      held.set(place.buffer, node);
      bufferOf.set(node, place.buffer);
    }
    if (!hasNoMemory(node)) newest.set(owners.get(node)!, node);
  }
  for (const value of resultsOf(graph)) {
    const owner = owners.get(value)!;
    assert.equal(held.get(bufferOf.get(owner)!), owner, `${name}: an output is gone`);
  }
}
