/** model_overview.svg and .png: the layers as cards, from the inputs at the top to the outputs at the bottom. */

import { readTextWidth } from './font.ts';
import { cardOf, drawCard, type LayerCard, round } from './layer-card.ts';
import type { LayerSummary } from './layers.ts';
import { type Arrow, type Layout, layOut, type Point } from './overview-layout.ts';

/** What drawing needs from outside. */
export interface OverviewAssets {
  /** The compiled renderer of `@resvg/resvg-wasm`. */
  readonly wasm: Uint8Array<ArrayBuffer>;
  /** TrueType fonts. */
  readonly regular: Uint8Array;
  readonly bold: Uint8Array;
}

export interface Overview {
  readonly svg: string;
  readonly png: Uint8Array;
}

/** Draws the layers: the same bytes for the same layers. */
export async function overview(layers: readonly LayerSummary[], assets: OverviewAssets): Promise<Overview> {
  const regular = readTextWidth(assets.regular);
  const bold = readTextWidth(assets.bold);
  const cards = layers.map((layer) => cardOf(layer, regular, bold));
  const layout = await layOut(cards);
  const svg = draw(cards, layout);
  return { svg, png: await rasterize(svg, layout, assets) };
}

function draw(cards: readonly LayerCard[], layout: Layout): string {
  const { width, height } = layout;
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const fonts = 'DejaVu Sans, Bitstream Vera Sans, Verdana, sans-serif';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${fonts}" fill="#0f172a">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...layout.arrows.map(drawArrow),
    ...cards.map((card, i) => drawCard(card, layout.cards[i]!.x, layout.cards[i]!.y)),
    '</svg>\n',
  ].join('\n');
}

const arrowColour = '#334155';

function drawArrow({ curve, tip }: Arrow): string {
  const [start, ...rest] = curve;
  const end = curve.at(-1)!;
  const at = ({ x, y }: Point) => `${round(x)} ${round(y)}`;
  const across = { x: (tip.y - end.y) * 0.42, y: (end.x - tip.x) * 0.42 };
  const left = { x: end.x + across.x, y: end.y + across.y };
  const right = { x: end.x - across.x, y: end.y - across.y };
  return [
    `<path d="M${at(start!)}C${rest.map(at).join(' ')}" fill="none" stroke="${arrowColour}" stroke-width="1.5"/>`,
    `<path d="M${at(tip)}L${at(left)}L${at(right)}z" fill="${arrowColour}"/>`,
  ].join('\n');
}

/** A larger picture is scaled down: many viewers show no more, and every pixel takes time. */
const mostAcross = 16_000;
const mostPixels = 16_000_000;

/** Texts that are scaled below this are specks; leaving them out is much faster. */
const leastLegible = 0.2;

async function rasterize(
  svg: string,
  { width, height }: Layout,
  assets: OverviewAssets,
): Promise<Uint8Array> {
  const { initWasm, Resvg } = await import('@resvg/resvg-wasm');
  renderer ??= initWasm(assets.wasm);
  await renderer;
  const byLength = mostAcross / Math.max(width, height);
  const scale = Math.min(1, byLength, Math.sqrt(mostPixels / (width * height)));
  const drawing = new Resvg(scale < leastLegible ? svg.replace(/<text[^>]*>[^<]*<\/text>/g, '') : svg, {
    font: {
      fontBuffers: [assets.regular, assets.bold],
      loadSystemFonts: false,
      defaultFontFamily: 'DejaVu Sans',
    },
    fitTo: { mode: 'zoom', value: scale },
  });
  const image = drawing.render();
  const png = image.asPng();
  image.free();
  drawing.free();
  return png;
}

/** The renderer can be started only once in a process. */
let renderer: Promise<void> | undefined;
