/**
 * Layers that vary the images of a training, as Keras 3 exports them: still drawing random numbers. Keras itself passes
 * on what they are given when it predicts, and so does the graph without them.
 */

import type { NodeDef } from '../../1-read/graph-def.ts';
import { type Reference, reference, type Scope } from './scope.ts';

/** The names that Keras gives its layers which do nothing but in a training. */
const layers: ReadonlySet<string> = new Set([
  'aug_mix',
  'cut_mix',
  'mix_up',
  'rand_augment',
  'random_brightness',
  'random_color_degeneration',
  'random_color_jitter',
  'random_contrast',
  'random_elastic_transform',
  'random_erasing',
  'random_flip',
  'random_gaussian_blur',
  'random_grayscale',
  'random_hue',
  'random_invert',
  'random_perspective',
  'random_posterization',
  'random_rotation',
  'random_saturation',
  'random_sharpness',
  'random_shear',
  'random_translation',
  'random_zoom',
  'solarization',
]);

/** Ops that draw random numbers. */
export const random =
  /^(Stateless)?(Random|TruncatedNormal|Multinomial|ParameterizedTruncatedNormal|Shuffle)/;

/**
 * The nodes without the layers that draw random numbers, and the names of those. A layer is taken out only if one value
 * goes into it, one comes out of it, and both are of one type; any other stays, and is refused for its random numbers.
 */
export function withoutAugmentation(
  scope: Scope,
  roots: readonly Reference[],
): { readonly scope: Scope; readonly dropped: readonly string[] } {
  const drawing = new Set<string>();
  for (const node of scope.nodes.values()) {
    const layer = random.test(node.op) ? layerOf(scope, node.name) : undefined;
    if (layer !== undefined) drawing.add(layer);
  }
  let nodes = scope.nodes;
  const dropped: string[] = [];
  for (const layer of drawing) {
    const passing = passedBy(layer, scope, roots);
    if (!passing) continue;
    nodes = new Map(nodes).set(passing.name, passing);
    dropped.push(layer.slice(layer.lastIndexOf('/') + 1));
  }
  return { scope: { ...scope, nodes }, dropped };
}

/** The outermost name scope around a node that Keras would give such a layer. */
function layerOf({ path }: Scope, node: string): string | undefined {
  const parts = (path + node).split('/').slice(0, -1);
  const depth = parts.findIndex((part) => layers.has(part.replace(/_\d+$/, '')));
  return depth === -1 ? undefined : parts.slice(0, depth + 1).join('/');
}

/** A node in place of the last one of a layer, which passes on what goes into the layer. */
function passedBy(layer: string, scope: Scope, roots: readonly Reference[]): NodeDef | undefined {
  const isInside = ({ name }: Reference) => scope.nodes.has(name) && layerOf(scope, name) === layer;
  const exits = new Map<string, Reference>();
  const leave = (at: Reference) => {
    if (isInside(at)) exits.set(`${at.name}:${at.index}`, at);
  };
  for (const node of scope.nodes.values()) {
    if (layerOf(scope, node.name) !== layer) dataOf(node).forEach(leave);
  }
  roots.forEach(leave);

  const entries = new Set<string>();
  const seen = new Set<string>();
  const stack = [...exits.values()].map(({ name }) => name);
  for (let name = stack.pop(); name !== undefined; name = stack.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    const node = scope.nodes.get(name)!;
    for (const [i, at] of dataOf(node).entries()) {
      if (isInside(at)) stack.push(at.name);
      else if (!(i === 0 && /VariableOp$/.test(node.op))) entries.add(node.inputs[i]!);
    }
  }
  const [exit, ...others] = exits.values();
  const [entry, ...more] = entries;
  const last = exit && scope.nodes.get(exit.name);
  if (!last || others.length > 0 || exit.index > 0 || entry === undefined || more.length > 0)
    return undefined;
  const dtype = resultType(last);
  const readers = [...seen]
    .map((name) => scope.nodes.get(name)!)
    .filter(({ inputs }) => inputs.includes(entry));
  if (dtype === undefined || !readers.some((node) => inputType(node) === dtype)) return undefined;
  return { ...last, op: 'Identity', inputs: [entry] };
}

/** The type of what an op makes of numbers; undefined for one that makes others than it is given. */
function resultType(node: NodeDef): string | undefined {
  if (/^(Arg|Bucketize|Equal|Greater|Is|Less|NotEqual|OneHot|Resize|Shape|Size)/.test(node.op))
    return undefined;
  return node.op === 'Cast' ? typeAt(node, 'DstT') : typeAt(node, 'T');
}

function inputType(node: NodeDef): string | undefined {
  return typeAt(node, node.op === 'Cast' ? 'SrcT' : 'T');
}

/** An op leaves its type out where that is the float which TensorFlow's registry gives it. */
function typeAt({ attributes }: NodeDef, name: string): string | undefined {
  const attribute = attributes.get(name);
  if (attribute === undefined) return 'float';
  return attribute.kind === 'type' ? attribute.value : undefined;
}

/** What a node reads, without what only has to be done before. */
function dataOf({ inputs }: NodeDef): readonly Reference[] {
  return inputs.map(reference).filter(({ isControl }) => !isControl);
}
