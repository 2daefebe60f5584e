/** The shapes of a drawing as polygons, which is all that is filled. */

import type { Point, Shape } from './drawing.ts';
import { type Font, widthOf } from './font.ts';
import { type Contour, glyphReader } from './glyphs.ts';

/** What is filled with one colour, such as `#1d4ed8`, and the rows that it lies within. */
export interface Area {
  readonly top: number;
  readonly bottom: number;
  readonly fill: string;
  /** Made when it is filled, unless that is for many rows. */
  contours(): readonly PlacedContour[];
}

/** A contour whose corners are `x + across · x of the corner`, and so on. */
export interface PlacedContour {
  readonly contour: Contour;
  readonly x: number;
  readonly y: number;
  readonly across: number;
  readonly down: number;
}

export interface Fonts {
  readonly regular: Font;
  readonly bold: Font;
}

/** The areas of shapes, back to front. */
export function areasOf(shapes: readonly Shape[], fonts: Fonts): readonly Area[] {
  const readers = { regular: glyphReader(fonts.regular), bold: glyphReader(fonts.bold) };
  const areas = (shape: Shape, around: Point): readonly Area[] => {
    switch (shape.kind) {
      case 'group': {
        const inner = { x: around.x + shape.x, y: around.y + shape.y };
        return shape.shapes.flatMap((shape) => areas(shape, inner));
      }
      case 'box':
        return boxAreas({ ...shape, x: around.x + shape.x, y: around.y + shape.y });
      case 'curve': {
        const points = moved(shape.points, around);
        const { colour, width } = shape.stroke;
        const contours = [inPlace(ribbon(points, width))];
        return [within(points, width / 2, colour, () => contours)];
      }
      case 'polygon': {
        const points = moved(shape.points, around);
        return [within(points, 0, shape.fill, () => [inPlace(points.flatMap(({ x, y }) => [x, y]))])];
      }
      case 'text': {
        const face = shape.isBold ? 'bold' : 'regular';
        const { text, size, fill } = shape;
        const part = { start: 0, middle: 0.5, end: 1 }[shape.anchor];
        const x = around.x + shape.x - part * size * widthOf(fonts[face], text);
        const y = around.y + shape.y;
        const contours = () => textContours(fonts[face], readers[face], text, size, { x, y });
        return [{ top: y - HIGHEST * size, bottom: y + LOWEST * size, fill, contours }];
      }
    }
  };
  return shapes.flatMap((shape) => areas(shape, { x: 0, y: 0 }));
}

/** No letter of the fonts is higher above the base line, nor lower below it, in sizes of the font. */
const [HIGHEST, LOWEST] = [1.25, 0.5];

function moved(points: readonly Point[], by: Point): readonly Point[] {
  return points.map(({ x, y }) => ({ x: x + by.x, y: y + by.y }));
}

function inPlace(contour: Contour): PlacedContour {
  return { contour, x: 0, y: 0, across: 1, down: 1 };
}

function within(points: readonly Point[], around: number, fill: string, contours: Area['contours']): Area {
  const rows = points.map(({ y }) => y);
  return { top: Math.min(...rows) - around, bottom: Math.max(...rows) + around, fill, contours };
}

function boxAreas(box: Extract<Shape, { kind: 'box' }>): readonly Area[] {
  const { y, height, fill, stroke } = box;
  const half = (stroke?.width ?? 0) / 2;
  const rows = { top: y - half, bottom: y + height + half };
  return [
    ...(fill === undefined ? [] : [{ ...rows, fill, contours: () => [inPlace(boxContour(box, 0))] }]),
    ...(stroke === undefined
      ? []
      : [
          {
            ...rows,
            fill: stroke.colour,
            contours: () => [boxContour(box, half), turned(boxContour(box, -half))].map(inPlace),
          },
        ]),
  ];
}

/** The box, larger by `more` on every side. */
function boxContour(
  { x, y, width, height, radius, isRoundBelow }: Extract<Shape, { kind: 'box' }>,
  more: number,
): Contour {
  const [left, top, right, bottom] = [x - more, y - more, x + width + more, y + height + more];
  const above = radius === 0 ? 0 : Math.max(radius + more, 0);
  const below = isRoundBelow ? above : 0;
  return [
    ...corner(right - above, top + above, above, 3),
    ...corner(right - below, bottom - below, below, 0),
    ...corner(left + below, bottom - below, below, 1),
    ...corner(left + above, top + above, above, 2),
  ];
}

/** A quarter of a circle, clockwise, as that many straight lines. */
const LINES = 8;

function corner(x: number, y: number, radius: number, quarter: number): Contour {
  if (radius <= 0) return [x, y];
  return Array.from({ length: LINES + 1 }, (_, i) => ((quarter + i / LINES) * Math.PI) / 2).flatMap(
    (angle) => [x + radius * Math.cos(angle), y + radius * Math.sin(angle)],
  );
}

function turned(contour: Contour): Contour {
  return Array.from({ length: contour.length / 2 }, (_, i) =>
    contour.slice(contour.length - 2 * i - 2, contour.length - 2 * i),
  ).flat();
}

/** A Bézier curve is drawn as straight lines of about this length, in pixels. */
const STEP = 4;
const mostSteps = 100;
/** And as one if it is longer than that by no more than this. */
const STRAIGHT = 0.01;

/** What a pen of the width covers along the curve: there on its left, and back on its right. */
function ribbon(points: readonly Point[], width: number): Contour {
  const line = polyline(points);
  const [left, right]: [number[], number[]] = [[], []];
  for (const [i, { x, y }] of line.entries()) {
    const before = line[Math.max(i - 1, 0)]!;
    const after = line[Math.min(i + 1, line.length - 1)]!;
    const [dx, dy] = [after.x - before.x, after.y - before.y];
    const part = width / 2 / Math.max(Math.hypot(dx, dy), 1e-9);
    left.push(x + dy * part, y - dx * part);
    right.unshift(x - dy * part, y + dx * part);
  }
  return [...left, ...right];
}

function polyline(points: readonly Point[]): readonly Point[] {
  const line = [points[0]!];
  for (let i = 0; i + 3 < points.length; i += 3) {
    const [a, b, c, d] = points.slice(i, i + 4) as [Point, Point, Point, Point];
    const length = distance(a, b) + distance(b, c) + distance(c, d);
    const isStraight = length - distance(a, d) < STRAIGHT;
    const steps = isStraight ? 1 : Math.min(Math.ceil(length / STEP), mostSteps);
    for (let step = 1; step <= steps; step++) {
      const t = step / steps;
      const at = (from: number, first: number, second: number, to: number) =>
        (1 - t) ** 3 * from + 3 * t * (1 - t) ** 2 * first + 3 * t ** 2 * (1 - t) * second + t ** 3 * to;
      line.push({ x: at(a.x, b.x, c.x, d.x), y: at(a.y, b.y, c.y, d.y) });
    }
  }
  return line;
}

function distance(a: Point, b: Point): number {
  return Math.hypot(a.x - b.x, a.y - b.y);
}

function textContours(
  font: Font,
  contoursOfGlyph: (glyph: number) => readonly Contour[],
  text: string,
  size: number,
  start: Point,
): readonly PlacedContour[] {
  const contours: PlacedContour[] = [];
  let { x } = start;
  for (const { glyph, advance } of font.glyphs(text)) {
    for (const contour of contoursOfGlyph(glyph)) {
      contours.push({ contour, x, y: start.y, across: size, down: -size });
    }
    x += size * advance;
  }
  return contours;
}
