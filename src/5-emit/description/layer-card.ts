/** A layer in the picture: a card with its name, its class, and the shapes that go in and come out. */

import { printDim, type TensorType } from '../../ir/types.ts';
import type { TextWidth } from './font.ts';
import { type Colours, coloursOf } from './layer-family.ts';
import type { LayerSummary } from './layers.ts';
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
export function cardOf(layer: LayerSummary, regular: TextWidth, bold: TextWidth): LayerCard {
  const title = shorten(layer.name);
  const kind = kindOf(layer);
  const parameters = parametersOf(layer.parameters);
  const shapes = shapesOf(layer);
  const badge = layer.isOutput ? Math.ceil(bold('output') * size.small) + 12 : 0;
  const titleWidth = bold(title) * size.title + (badge > 0 ? gap + badge : 0);
  const countWidth = parameters === '' ? 0 : gap + regular(parameters) * size.small;
  const kindWidth = regular(kind) * size.text + countWidth;
  const shapeWidths = shapes.map(({ label, shape }) => (label ? column : 0) + regular(shape) * size.text);
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

/** The SVG of the card around the point. */
export function drawCard(card: LayerCard, x: number, y: number): string {
  const { width, height, layer, badge } = card;
  const { strong, pale } = coloursOf(layer.className);
  const [right, ground] = [width - margin, '#ffffff'];
  const border = layer.isOutput ? 3 : 1.5;
  const parts = [
    `<title>${escapeXml(`${layer.name}: ${layer.className}`)}</title>`,
    `<rect width="${width}" height="${height}" rx="7" fill="${ground}"/>`,
    `<path d="M0 ${head}V7a7 7 0 0 1 7-7H${width - 7}a7 7 0 0 1 7 7V${head}z" fill="${pale}"/>`,
    `<rect width="${width}" height="${height}" rx="7" fill="none" stroke="${strong}" stroke-width="${border}"/>`,
    text(card.title, margin, 19, `font-size="${size.title}" font-weight="bold"`),
    text(card.kind, margin, 36, `font-size="${size.text}" fill="${strong}"`),
  ];
  if (card.parameters) {
    parts.push(
      text(card.parameters, right, 36, `font-size="${size.small}" fill="${muted}" text-anchor="end"`),
    );
  }
  if (badge) parts.push(drawBadge(badge, right, { strong, pale: ground }));
  for (const [i, { label, shape }] of card.shapes.entries()) {
    const y = head + 18 + line * i;
    if (label) parts.push(text(label, margin, y, `font-size="${size.text}" fill="${muted}"`));
    parts.push(text(shape, label ? margin + column : margin, y, `font-size="${size.text}"`));
  }
  return `<g transform="translate(${round(x - width / 2)} ${round(y - height / 2)})">\n${parts.join('\n')}\n</g>`;
}

const muted = '#475569';

function drawBadge(width: number, right: number, { strong, pale }: Colours): string {
  const middle = right - width / 2;
  return [
    `<rect x="${right - width}" y="6" width="${width}" height="17" rx="8.5" fill="${strong}"/>`,
    text(
      'output',
      middle,
      18,
      `font-size="${size.small}" font-weight="bold" fill="${pale}" text-anchor="middle"`,
    ),
  ].join('\n');
}

function text(content: string, x: number, y: number, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escapeXml(content)}</text>`;
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

/** Text for XML, which has no place for control characters and halves of characters. */
function escapeXml(content: string): string {
  return content
    .replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}

/** Hundredths of a pixel. */
export function round(length: number): number {
  return Math.round(length * 100) / 100;
}
