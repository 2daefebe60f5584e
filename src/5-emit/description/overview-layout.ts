/** Where the cards and the arrows of the picture go: Graphviz decides, as long as the graph is not beyond it. */

import type { Graph as DotGraph } from '@viz-js/viz';
import type { Point } from './drawing.ts';
import type { LayerCard } from './layer-card.ts';

/** In pixels from the top left corner. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  /** The middle of each card. */
  readonly cards: readonly Point[];
  readonly arrows: readonly Arrow[];
}

/** A start, then three points for each Bézier curve; the tip is a little further on. */
export interface Arrow {
  readonly curve: readonly Point[];
  readonly tip: Point;
}

/** Pixels around everything, between neighbours, and between the rows. */
const border = 16;
const between = 22;
const below = 28;

/**
 * The work of Graphviz grows with the rows that the arrows cross, all together: 2,500 take it a second.
 * It is then told to hurry, and draw straight lines; past 30,000 it is not asked any more.
 */
const mostCareful = 2_500;
const mostHurried = 30_000;

/** Between two rows it compares every arrow with every other. */
const mostBranches = 2_000;

/** It calls itself for each layer of a chain, and 20,000 are too deep. */
const mostCards = 5_000;

export async function layOut(cards: readonly LayerCard[]): Promise<Layout> {
  const rows = rowsOf(cards);
  const crossed = cards.reduce(
    (sum, { layer }) =>
      layer.inbounds.reduce((part, from) => part + Math.abs(rows.get(layer.name)! - rows.get(from)!), sum),
    0,
  );
  const branches = cards.reduce((sum, { layer }) => sum + layer.inbounds.length - 1, 0);
  const isBeyond = cards.length > mostCards || crossed > mostHurried || branches > mostBranches;
  if (cards.length === 0 || isBeyond) return inRows(cards, rows);
  return await byGraphviz(cards, crossed > mostCareful);
}

/** The row of each layer, by its name: below all that it reads. */
function rowsOf(cards: readonly LayerCard[]): ReadonlyMap<string, number> {
  const rows = new Map<string, number>();
  for (const { layer } of cards) {
    rows.set(
      layer.name,
      layer.inbounds.reduce((row, from) => Math.max(row, (rows.get(from) ?? -1) + 1), 0),
    );
  }
  return rows;
}

/** Graphviz counts in points of 1/72 inch, which are our pixels, from the bottom left corner. */
async function byGraphviz(cards: readonly LayerCard[], hurries: boolean): Promise<Layout> {
  const { instance } = await import('@viz-js/viz');
  const viz = await instance();
  const result: GraphvizLayout = JSON.parse(viz.renderString(dotGraph(cards, hurries), { format: 'json' }));
  const [, , width, height] = numbers(result.bb) as [number, number, number, number];
  const points = (coordinates: string) =>
    coordinates.split(' ').map((pair): Point => {
      const [x, y] = numbers(pair) as [number, number];
      return { x: x + border, y: height - y + border };
    });
  return {
    width: Math.ceil(width) + 2 * border,
    height: Math.ceil(height) + 2 * border,
    cards: cards.map((_, i) => points(result.objects[i]!.pos)[0]!),
    arrows: (result.edges ?? []).map(({ pos }) => {
      const [tip, ...curve] = points(pos.replace('e,', ''));
      return { tip: tip!, curve };
    }),
  };
}

/** What we read of Graphviz's JSON: `"x,y"`, and `"e,x,y x,y x,y …"` for an edge, with its tip first. */
interface GraphvizLayout {
  /** The corners of the whole. */
  readonly bb: string;
  readonly objects: readonly { readonly pos: string }[];
  readonly edges?: readonly { readonly pos: string }[];
}

function dotGraph(cards: readonly LayerCard[], hurries: boolean): DotGraph {
  const ids = new Map(cards.map(({ layer }, i) => [layer.name, `${i}`]));
  const hurry = hurries ? { splines: 'line', nslimit: 1, mclimit: 0.1 } : {};
  return {
    graphAttributes: { nodesep: between / 72, ranksep: below / 72, ...hurry },
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

/** Row by row, in the order of the layers, with straight arrows. */
function inRows(cards: readonly LayerCard[], rows: ReadonlyMap<string, number>): Layout {
  const byRow: LayerCard[][] = [];
  for (const card of cards) {
    const row = rows.get(card.layer.name)!;
    byRow[row] ??= [];
    byRow[row].push(card);
  }
  const widths = byRow.map((row) => row.reduce((sum, { width }) => sum + width + between, -between));
  const width = widths.reduce((most, row) => Math.max(most, row), 0) + 2 * border;

  const places = new Map<string, Point>();
  let top = border;
  for (const [i, row] of byRow.entries()) {
    const height = row.reduce((most, card) => Math.max(most, card.height), 0);
    let left = (width - widths[i]!) / 2;
    for (const card of row) {
      places.set(card.layer.name, { x: left + card.width / 2, y: top + height / 2 });
      left += card.width + between;
    }
    top += height + below;
  }

  const heights = new Map(cards.map(({ layer, height }) => [layer.name, height]));
  const straight = (from: string, to: string): Arrow => {
    const [above, under] = [places.get(from)!, places.get(to)!];
    const start = { x: above.x, y: above.y + heights.get(from)! / 2 };
    const tip = { x: under.x, y: under.y - heights.get(to)! / 2 };
    const part = 8 / Math.max(Math.hypot(tip.x - start.x, tip.y - start.y), 8);
    const end = { x: tip.x - (tip.x - start.x) * part, y: tip.y - (tip.y - start.y) * part };
    return { curve: [start, start, end, end], tip };
  };
  return {
    width,
    height: cards.length === 0 ? 2 * border : top - below + border,
    cards: cards.map(({ layer }) => places.get(layer.name)!),
    arrows: cards.flatMap(({ layer }) => layer.inbounds.map((from) => straight(from, layer.name))),
  };
}
