/** model_overview.svg and .png: the layers as cards, from the inputs at the top to the outputs at the bottom. */

import type { Graph as DotGraph } from '@viz-js/viz';
import { readTextWidth } from './font.ts';
import { cardOf, drawCard, type LayerCard, round } from './layer-card.ts';
import type { LayerSummary } from './layers.ts';

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
  const svg = draw(cards, await place(cards));
  return { svg, png: await rasterize(svg, assets) };
}

/** Where everything is, in pixels from the top left corner. */
interface Layout {
  readonly width: number;
  readonly height: number;
  /** The middle of each card. */
  readonly cards: readonly Point[];
  readonly edges: readonly Edge[];
}

interface Point {
  readonly x: number;
  readonly y: number;
}

/** A start, three points for each Bézier curve, and the tip of the arrow. */
interface Edge {
  readonly curve: readonly Point[];
  readonly tip: Point;
}

/** Pixels around everything. */
const border = 16;

/** Graphviz counts in points of 1/72 inch, which are our pixels, from the bottom left corner. */
async function place(cards: readonly LayerCard[]): Promise<Layout> {
  if (cards.length === 0) return { width: 0, height: 0, cards: [], edges: [] };
  const { instance } = await import('@viz-js/viz');
  const viz = await instance();
  const result: GraphvizLayout = JSON.parse(viz.renderString(dotGraph(cards), { format: 'json' }));
  const [, , width, height] = numbers(result.bb) as [number, number, number, number];
  const points = (coordinates: string) =>
    coordinates.split(' ').map((pair): Point => {
      const [x, y] = numbers(pair) as [number, number];
      return { x: x + border, y: height - y + border };
    });
  return {
    width: Math.ceil(width + 2 * border),
    height: Math.ceil(height + 2 * border),
    cards: cards.map((_, i) => points(result.objects[i]!.pos)[0]!),
    edges: (result.edges ?? []).map(({ pos }) => {
      const [tip, ...curve] = points(pos.replace('e,', ''));
      return { tip: tip!, curve };
    }),
  };
}

/** What we read of Graphviz's JSON: `"x,y"`, and `"e,x,y x,y x,y …"` for an edge with its tip first. */
interface GraphvizLayout {
  /** The corners of the whole. */
  readonly bb: string;
  readonly objects: readonly { readonly pos: string }[];
  readonly edges?: readonly { readonly pos: string }[];
}

function dotGraph(cards: readonly LayerCard[]): DotGraph {
  const ids = new Map(cards.map(({ layer }, i) => [layer.name, `${i}`]));
  return {
    graphAttributes: { nodesep: 0.3, ranksep: 0.38 },
    nodeAttributes: { shape: 'box', fixedsize: true, label: '' },
    edgeAttributes: { arrowsize: 0.8, headport: 'n', tailport: 's' },
    nodes: cards.map(({ width, height }, i) => ({
      name: `${i}`,
      attributes: { width: width / 72, height: height / 72 },
    })),
    edges: cards.flatMap(({ layer }) =>
      layer.inbounds.map((from) => ({ tail: ids.get(from)!, head: ids.get(layer.name)! })),
    ),
  };
}

function numbers(list: string): readonly number[] {
  return list.split(',').map(Number);
}

function draw(cards: readonly LayerCard[], layout: Layout): string {
  const { width, height } = layout;
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const fonts = 'DejaVu Sans, Bitstream Vera Sans, Verdana, sans-serif';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${fonts}" fill="#0f172a">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...layout.edges.map(drawEdge),
    ...cards.map((card, i) => drawCard(card, layout.cards[i]!.x, layout.cards[i]!.y)),
    '</svg>\n',
  ].join('\n');
}

const edgeColour = '#334155';

function drawEdge({ curve, tip }: Edge): string {
  const [start, ...rest] = curve;
  const end = curve.at(-1)!;
  const at = ({ x, y }: Point) => `${round(x)} ${round(y)}`;
  const across = { x: (tip.y - end.y) * 0.42, y: (end.x - tip.x) * 0.42 };
  const left = { x: end.x + across.x, y: end.y + across.y };
  const right = { x: end.x - across.x, y: end.y - across.y };
  return [
    `<path d="M${at(start!)}C${rest.map(at).join(' ')}" fill="none" stroke="${edgeColour}" stroke-width="1.5"/>`,
    `<path d="M${at(tip)}L${at(left)}L${at(right)}z" fill="${edgeColour}"/>`,
  ].join('\n');
}

/** Larger pictures are scaled down: many viewers show no more, and every pixel takes 4 bytes. */
const mostPixelsAcross = 16_000;
const mostPixels = 48_000_000;

async function rasterize(svg: string, { wasm, regular, bold }: OverviewAssets): Promise<Uint8Array> {
  const { initWasm, Resvg } = await import('@resvg/resvg-wasm');
  renderer ??= initWasm(wasm);
  await renderer;
  const font = {
    fontBuffers: [regular, bold],
    loadSystemFonts: false,
    defaultFontFamily: 'DejaVu Sans',
    sansSerifFamily: 'DejaVu Sans',
  };
  const drawing = new Resvg(svg, { font });
  const { width, height } = drawing;
  const scale = Math.min(
    1,
    mostPixelsAcross / Math.max(width, height),
    Math.sqrt(mostPixels / (width * height)),
  );
  const scaled = scale === 1 ? drawing : new Resvg(svg, { font, fitTo: { mode: 'zoom', value: scale } });
  const image = scaled.render();
  const png = image.asPng();
  image.free();
  drawing.free();
  if (scaled !== drawing) scaled.free();
  return png;
}

/** The renderer can be started only once in a process. */
let renderer: Promise<void> | undefined;
