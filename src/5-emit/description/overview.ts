/** model_overview.svg and .png: the layers as cards, from the inputs at the top to the outputs at the bottom. */

import { type Drawing, type Shape, svgOf } from './drawing.ts';
import { readFont } from './font.ts';
import { cardOf, drawCard } from './layer-card.ts';
import type { LayerSummary } from './layers.ts';
import type { Fonts } from './outlines.ts';
import { type Arrow, layOut } from './overview-layout.ts';
import { png } from './png.ts';
import { rasterize } from './rasterize.ts';

/** What drawing needs from outside: TrueType fonts. */
export interface OverviewAssets {
  readonly regular: Uint8Array;
  readonly bold: Uint8Array;
}

export interface Overview {
  readonly svg: string;
  readonly png: Uint8Array;
}

/** Draws the layers: the same bytes for the same layers. */
export async function overview(layers: readonly LayerSummary[], assets: OverviewAssets): Promise<Overview> {
  const fonts = { regular: readFont(assets.regular), bold: readFont(assets.bold) };
  const cards = layers.map((layer) => cardOf(layer, fonts));
  const { width, height, cards: places, arrows } = await layOut(cards);
  const shapes = [
    ...arrows.flatMap(drawArrow),
    ...cards.map((card, i) => drawCard(card, places[i]!.x, places[i]!.y)),
  ];
  const drawing = { width, height, shapes };
  return { svg: svgOf(drawing), png: pngOf(drawing, arrows, fonts) };
}

const arrowColour = '#334155';

function drawArrow({ curve, tip }: Arrow): readonly Shape[] {
  const end = curve.at(-1)!;
  const across = { x: (tip.y - end.y) * 0.42, y: (end.x - tip.x) * 0.42 };
  const left = { x: end.x + across.x, y: end.y + across.y };
  const right = { x: end.x - across.x, y: end.y - across.y };
  return [
    { kind: 'curve', points: curve, stroke: { colour: arrowColour, width: 1.5 } },
    { kind: 'polygon', points: [tip, left, right], fill: arrowColour },
  ];
}

/** A larger picture is scaled down: many viewers show no more, and every pixel takes time. */
const mostAcross = 16_000;
const mostPixels = 16_000_000;

/** Pixels that all arrows are long together: those of a layer that thousands read lie upon each other. */
const mostInk = 16_000_000;

/** Texts that are scaled below this are specks. */
const leastLegible = 0.2;

function pngOf(drawing: Drawing, arrows: readonly Arrow[], fonts: Fonts): Uint8Array {
  const byLength = mostAcross / Math.max(drawing.width, drawing.height);
  const byArea = Math.sqrt(mostPixels / (drawing.width * drawing.height));
  const byInk = mostInk / arrows.reduce((sum, arrow) => sum + lengthOf(arrow), 1);
  const scale = Math.min(1, byLength, byArea, byInk);
  const [width, height] = [drawing.width, drawing.height].map((length) =>
    Math.max(1, Math.round(length * scale)),
  ) as [number, number];
  const shown = scale < leastLegible ? { ...drawing, shapes: withoutTexts(drawing.shapes) } : drawing;
  return png(width, height, rasterize(shown, scale, width, height, fonts));
}

/** As far as it goes from start to tip. */
function lengthOf({ curve: [start], tip }: Arrow): number {
  return start ? Math.hypot(tip.x - start.x, tip.y - start.y) : 0;
}

function withoutTexts(shapes: readonly Shape[]): readonly Shape[] {
  return shapes
    .filter(({ kind }) => kind !== 'text')
    .map((shape) => (shape.kind === 'group' ? { ...shape, shapes: withoutTexts(shape.shapes) } : shape));
}
