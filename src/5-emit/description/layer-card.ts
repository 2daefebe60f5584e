/** A layer in the picture: a card with its name, its class, and the shapes that go in and come out. */

import { printDim, type TensorType } from '../../ir/types.ts';
import type { Shape } from './drawing.ts';
import { widthOf } from './font.ts';
import { coloursOf } from './layer-family.ts';
import type { LayerSummary } from './layers.ts';
import type { Fonts } from './outlines.ts';
import { settingOfDtype } from './settings.ts';

export interface LayerCard {
  readonly layer: LayerSummary;
  readonly title: string;
  readonly kind: string;
  readonly parameters: string;
  readonly shapes: readonly ShapeLine[];
  readonly width: number;
  readonly height: number;
  /** The width of the word "output" on its ground; 0 if there is none. */
  readonly badge: number;
}

/** A shape of many, and which way it goes; `in → out` needs no label. */
interface ShapeLine {
  readonly label?: 'in' | 'out';
  readonly shape: string;
}

const size = { title: 14, text: 12.5, small: 11 };
const line = 17;
const margin = 12;
const head = 44;
const gap = 16;
const column = 30;

/** More characters of a name, and more shapes, would make a card larger than what is around it. */
const mostCharacters = 56;
const mostShapes = 6;

/** The card, as large as its texts are in these fonts. */
export function cardOf(layer: LayerSummary, { regular, bold }: Fonts): LayerCard {
  const title = shorten(layer.name);
  const kind = kindOf(layer);
  const parameters = parametersOf(layer.parameters);
  const shapes = shapesOf(layer);
  const badge = layer.isOutput ? Math.ceil(widthOf(bold, 'output') * size.small) + 12 : 0;
  const titleWidth = widthOf(bold, title) * size.title + (badge > 0 ? gap + badge : 0);
  const countWidth = parameters === '' ? 0 : gap + widthOf(regular, parameters) * size.small;
  const kindWidth = widthOf(regular, kind) * size.text + countWidth;
  const shapeWidths = shapes.map(
    ({ label, shape }) => (label ? column : 0) + widthOf(regular, shape) * size.text,
  );
  return {
    layer,
    title,
    kind,
    parameters,
    shapes,
    width: Math.ceil(Math.max(titleWidth, kindWidth, ...shapeWidths)) + 2 * margin,
    height: head + 10 + line * shapes.length,
    badge,
  };
}

/** The card around the point. */
export function drawCard(card: LayerCard, x: number, y: number): Shape {
  const { width, height, layer, badge } = card;
  const { strong, pale } = coloursOf(layer.className);
  const right = width - margin;
  const box = { kind: 'box', x: 0, y: 0, width, height, radius: 7, isRoundBelow: true } as const;
  const border = layer.isOutput ? 3 : 1.5;
  const shapes: Shape[] = [
    { ...box, fill: white },
    { ...box, height: head, isRoundBelow: false, fill: pale },
    { ...box, stroke: { colour: strong, width: border } },
    { ...words, text: card.title, y: 19, size: size.title, isBold: true },
    { ...words, text: card.kind, y: 36, fill: strong },
  ];
  if (card.parameters) {
    const place = { x: right, y: 36, anchor: 'end' } as const;
    shapes.push({ ...words, ...place, text: card.parameters, size: size.small, fill: muted });
  }
  if (badge) shapes.push(...drawBadge(badge, right, strong));
  for (const [i, { label, shape }] of card.shapes.entries()) {
    const y = head + 18 + line * i;
    if (label) shapes.push({ ...words, text: label, y, fill: muted });
    shapes.push({ ...words, text: shape, x: label ? margin + column : margin, y });
  }
  const title = `${layer.name}: ${layer.className}`;
  return { kind: 'group', title, x: x - width / 2, y: y - height / 2, shapes };
}

const ink = '#0f172a';
const muted = '#475569';
const white = '#ffffff';

/** What most texts are like. */
const words = {
  kind: 'text',
  x: margin,
  size: size.text,
  isBold: false,
  fill: ink,
  anchor: 'start',
} as const;

function drawBadge(width: number, right: number, colour: string): readonly Shape[] {
  const place = { x: right - width / 2, y: 18, anchor: 'middle' } as const;
  return [
    { kind: 'box', x: right - width, y: 6, width, height: 17, radius: 8.5, isRoundBelow: true, fill: colour },
    { ...words, ...place, text: 'output', size: size.small, isBold: true, fill: white },
  ];
}

/** `Conv2D · relu`; an activation layer is named for its function already. */
function kindOf({ className, settings }: LayerSummary): string {
  const { activation } = settings;
  const plain = (name: string) => name.toLowerCase().replaceAll('_', '');
  const isTold =
    typeof activation !== 'string' || activation === 'linear' || plain(activation) === plain(className);
  return shorten(isTold ? className : `${className} · ${activation}`);
}

/** `1,234 parameters`, with the same commas everywhere. */
function parametersOf(count: number): string {
  if (count === 0) return '';
  return `${`${count}`.replace(/\B(?=(\d{3})+$)/g, ',')} ${count === 1 ? 'parameter' : 'parameters'}`;
}

/** `in → out` on one line, unless there are several of one. */
function shapesOf({ inputs, outputs, className }: LayerSummary): readonly ShapeLine[] {
  const from = inputs.map(printShape);
  const to = outputs.map(printShape);
  if (className === 'InputLayer') return [{ shape: to[0] ?? from[0] ?? '' }];
  if (from.length === 1 && to.length === 1) return [{ shape: `${from[0]} → ${to[0]}` }];
  return [
    ...atMost(from).map((shape) => ({ label: 'in' as const, shape })),
    ...atMost(to).map((shape) => ({ label: 'out' as const, shape })),
  ];
}

function atMost(shapes: readonly string[]): readonly string[] {
  if (shapes.length <= mostShapes) return shapes;
  return [...shapes.slice(0, mostShapes - 1), `… and ${shapes.length - mostShapes + 1} more`];
}

/** `(None, 28, 28, 1)`, as Keras prints it; float32 goes without saying. */
function printShape({ dtype, shape }: TensorType): string {
  const dims = shape.map((dim) => {
    if (typeof dim === 'number') return printDim(dim);
    return dim.batch === 1 ? 'None' : `${dim.batch}·None`;
  });
  const tuple = `(${dims.join(', ')}${dims.length === 1 ? ',' : ''})`;
  return dtype === 'f32' ? tuple : `${settingOfDtype(dtype)} ${tuple}`;
}

/** The middle of a long name says the least. */
function shorten(name: string): string {
  const characters = [...name];
  if (characters.length <= mostCharacters) return name;
  const half = (mostCharacters - 2) / 2;
  return `${characters.slice(0, half).join('')}…${characters.slice(-half).join('')}`;
}
