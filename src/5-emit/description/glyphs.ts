/** The outlines of the glyphs of a TrueType font (ISO/IEC 14496-22: loca, glyf), as polygons. */

import { type Font, tableOf } from './font.ts';

/** The corners of a polygon in a row: x, y, x, y, … Around a hole they run the other way than around what is filled. */
export type Contour = readonly number[];

/** A reader of the contours of a glyph, in units of the font's size; y is counted upwards from the base line. */
export function glyphReader({ view, unitsPerEm }: Font): (glyph: number) => readonly Contour[] {
  const isLong = view.getUint16(tableOf(view, 'head') + 50) === 1;
  const [places, outlines] = [tableOf(view, 'loca'), tableOf(view, 'glyf')];
  const placeOf = (glyph: number) =>
    outlines + (isLong ? view.getUint32(places + 4 * glyph) : 2 * view.getUint16(places + 2 * glyph));

  const pointsOf = (glyph: number): readonly Outline[] => {
    const start = placeOf(glyph);
    if (placeOf(glyph + 1) === start) return [];
    const count = view.getInt16(start);
    if (count >= 0) return simpleOutlines(view, start + 10, count);
    return partsOf(view, start + 10).flatMap(({ glyph, place }) =>
      pointsOf(glyph).map((outline) => outline.map((point) => ({ ...point, ...place(point) }))),
    );
  };

  const known = new Map<number, readonly Contour[]>();
  return (glyph) => {
    const contours =
      known.get(glyph) ?? pointsOf(glyph).map((outline) => polygonOf(outline).map((at) => at / unitsPerEm));
    known.set(glyph, contours);
    return contours;
  };
}

/** A closed row of points. Those that are not on the curve draw it to themselves, as of a quadratic Bézier curve. */
type Outline = readonly OutlinePoint[];

interface OutlinePoint {
  readonly x: number;
  readonly y: number;
  readonly isOnCurve: boolean;
}

const simple = { isOnCurve: 1, isShortX: 2, isShortY: 4, repeats: 8, isSameX: 16, isSameY: 32 };

function simpleOutlines(view: DataView, start: number, count: number): readonly Outline[] {
  const ends = Array.from({ length: count }, (_, i) => view.getUint16(start + 2 * i) + 1);
  const points = ends.at(-1) ?? 0;
  let at = start + 2 * count;
  at += 2 + view.getUint16(at);
  const flags: number[] = [];
  while (flags.length < points) {
    const flag = view.getUint8(at++);
    const times = flag & simple.repeats ? view.getUint8(at++) + 1 : 1;
    for (let i = 0; i < times; i++) flags.push(flag);
  }
  /** Each is told by its distance to the one before: a byte, whose sign is a flag, or two. */
  const coordinates = (isShort: number, isSame: number) => {
    let value = 0;
    return flags.map((flag) => {
      if (flag & isShort) value += view.getUint8(at++) * (flag & isSame ? 1 : -1);
      else if (!(flag & isSame)) {
        value += view.getInt16(at);
        at += 2;
      }
      return value;
    });
  };
  const xs = coordinates(simple.isShortX, simple.isSameX);
  const ys = coordinates(simple.isShortY, simple.isSameY);
  const all = flags.map((flag, i) => ({ x: xs[i]!, y: ys[i]!, isOnCurve: (flag & simple.isOnCurve) !== 0 }));
  return ends.map((end, i) => all.slice(ends[i - 1] ?? 0, end));
}

/** A glyph in a glyph, such as the accent of a letter, and where its points go. */
interface Part {
  readonly glyph: number;
  readonly place: (point: { readonly x: number; readonly y: number }) => { x: number; y: number };
}

const part = { hasWords: 1, isOffset: 2, hasScale: 8, hasMore: 32, hasTwoScales: 64, hasMatrix: 128 };

function partsOf(view: DataView, start: number): readonly Part[] {
  const parts: Part[] = [];
  let at = start;
  const scale = () => {
    at += 2;
    return view.getInt16(at - 2) / 2 ** 14;
  };
  for (let flags = part.hasMore; flags & part.hasMore; ) {
    flags = view.getUint16(at);
    const glyph = view.getUint16(at + 2);
    if (!(flags & part.isOffset))
      throw new Error('tf2rust bug: the font has glyphs that are placed by points');
    const isWide = (flags & part.hasWords) !== 0;
    const dx = isWide ? view.getInt16(at + 4) : view.getInt8(at + 4);
    const dy = isWide ? view.getInt16(at + 6) : view.getInt8(at + 5);
    at += isWide ? 8 : 6;
    let [xx, xy, yx, yy] = [1, 0, 0, 1];
    if (flags & part.hasScale) xx = yy = scale();
    else if (flags & part.hasTwoScales) [xx, yy] = [scale(), scale()];
    else if (flags & part.hasMatrix) [xx, xy, yx, yy] = [scale(), scale(), scale(), scale()];
    parts.push({ glyph, place: ({ x, y }) => ({ x: xx * x + yx * y + dx, y: xy * x + yy * y + dy }) });
  }
  return parts;
}

/** The straight lines that a curve is drawn as: of the size of a letter more cannot be seen. */
const LINES = 4;

function polygonOf(outline: Outline): Contour {
  const corners: number[] = [];
  const middle = (a: OutlinePoint, b: OutlinePoint) => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
  for (const [i, point] of outline.entries()) {
    if (point.isOnCurve) {
      corners.push(point.x, point.y);
      continue;
    }
    const before = outline.at(i - 1)!;
    const after = outline[(i + 1) % outline.length]!;
    const start = before.isOnCurve ? before : middle(before, point);
    const end = after.isOnCurve ? after : middle(point, after);
    for (let line = before.isOnCurve ? 1 : 0; line < LINES; line++) {
      const t = line / LINES;
      const [a, b, c] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
      corners.push(a * start.x + b * point.x + c * end.x, a * start.y + b * point.y + c * end.y);
    }
  }
  return corners;
}
