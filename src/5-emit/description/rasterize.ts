/**
 * A drawing as pixels, a band of rows at a time. A pixel takes as much of a colour as the area covers of it: lines
 * note what they cover to their right, and the sum along a row is the coverage (Raph Levien's font-rs does the same).
 */

import type { Drawing } from './drawing.ts';
import { type Area, areasOf, type Fonts, type PlacedContour } from './outlines.ts';

/** How finely coverage is told apart: more cannot be seen, and takes more bytes. */
const LEVELS = 16;

/** Rows that are in memory at once. */
const BAND = 64;

/**
 * The rows of the picture from the top, each a zero and three bytes for every pixel, as PNG has them: many at a time,
 * which are good until the next are asked for.
 */
export function* rasterize(
  drawing: Drawing,
  scale: number,
  width: number,
  height: number,
  fonts: Fonts,
): Generator<Uint8Array> {
  const areas = areasOf(drawing.shapes, fonts);
  const starting = startingIn(Math.ceil(height / BAND), areas, scale);
  const canvas = makeCanvas(width, BAND);
  /** The areas that reach into the band, back to front. */
  let current: readonly number[] = [];
  for (const [band, more] of starting.entries()) {
    const first = band * BAND;
    current = [...current.filter((i) => areas[i]!.bottom * scale >= first), ...more].sort((a, b) => a - b);
    canvas.clear();
    for (const i of current) {
      const { fill, contours } = areas[i]!;
      for (const contour of contours()) canvas.trace(contour, scale, first);
      canvas.fill(fill);
    }
    yield canvas.bytes.subarray(0, Math.min(BAND, height - first) * (1 + 3 * width));
  }
}

/** The areas that begin in each band, by their places in the list. */
function startingIn(bands: number, areas: readonly Area[], scale: number): readonly (readonly number[])[] {
  const starting = Array.from({ length: bands }, (): number[] => []);
  for (const [i, { top }] of areas.entries())
    starting[Math.max(Math.floor((top * scale) / BAND), 0)]?.push(i);
  return starting;
}

interface Canvas {
  readonly bytes: Uint8Array;
  /** Makes all white. */
  clear(): void;
  /** Notes what the contour covers, of the band that begins with the row `first`. */
  trace(contour: PlacedContour, scale: number, first: number): void;
  /** Gives what was traced since the last time its colour. */
  fill(colour: string): void;
}

function makeCanvas(width: number, rows: number): Canvas {
  const stride = 1 + 3 * width;
  const bytes = new Uint8Array(rows * stride);
  // What a line covers reaches up to two pixels past its end.
  const across = width + 3;
  const changes = new Float32Array(rows * across);
  const firsts = new Int32Array(rows).fill(across);
  const lasts = new Int32Array(rows).fill(-1);

  /** Notes a line within a row, from `x0` to `x1` and down `part` of its height. */
  const note = (row: number, x0: number, x1: number, part: number) => {
    const [left, right] = x0 < x1 ? [x0, x1] : [x1, x0];
    const [first, end] = [Math.floor(left), Math.ceil(right)];
    const at = row * across;
    firsts[row] = Math.min(firsts[row]!, first);
    lasts[row] = Math.max(lasts[row]!, end, first + 1);
    if (end <= first + 1) {
      const middle = (left + right) / 2 - first;
      changes[at + first]! += part * (1 - middle);
      changes[at + first + 1]! += part * middle;
      return;
    }
    const slope = part / (right - left);
    // What it covers of the pixel before, and how far it came down to the left of this one.
    let before = 0;
    let above = 0;
    for (let x = first; x < end; x++) {
      const [from, to] = [Math.max(left, x), Math.min(right, x + 1)];
      const passed = slope * (to - from);
      const covered = above + passed * (x + 1 - (from + to) / 2);
      changes[at + x]! += covered - before;
      before = covered;
      above += passed;
    }
    changes[at + end]! += part - before;
  };

  const line = (x0: number, y0: number, x1: number, y1: number) => {
    if (y0 === y1) return;
    if (y0 > y1) return descend(x1, y1, x0, y0, -1);
    descend(x0, y0, x1, y1, 1);
  };

  const descend = (x0: number, y0: number, x1: number, y1: number, direction: number) => {
    const slope = (x1 - x0) / (y1 - y0);
    const [top, bottom] = [Math.max(y0, 0), Math.min(y1, rows)];
    const inside = (y: number) => Math.min(Math.max(x0 + (y - y0) * slope, 0), width);
    for (let row = Math.floor(top); row < bottom; row++) {
      const [from, to] = [Math.max(top, row), Math.min(bottom, row + 1)];
      note(row, inside(from), inside(to), direction * (to - from));
    }
  };

  return {
    bytes,
    clear() {
      bytes.fill(255);
      for (let row = 0; row < rows; row++) bytes[row * stride] = 0;
    },
    trace({ contour, x, y, across, down }, scale, first) {
      const [left, top] = [x * scale, y * scale - first];
      const [wide, high] = [across * scale, down * scale];
      let fromX = left + wide * contour.at(-2)!;
      let fromY = top + high * contour.at(-1)!;
      for (let i = 0; i < contour.length; i += 2) {
        const toX = left + wide * contour[i]!;
        const toY = top + high * contour[i + 1]!;
        line(fromX, fromY, toX, toY);
        fromX = toX;
        fromY = toY;
      }
    },
    fill(colour) {
      const [red, green, blue] = [1, 3, 5].map((at) => Number.parseInt(colour.slice(at, at + 2), 16)) as [
        number,
        number,
        number,
      ];
      for (let row = 0; row < rows; row++) {
        const last = Math.min(lasts[row]!, width);
        let sum = 0;
        for (let x = firsts[row]!; x <= last; x++) {
          sum += changes[row * across + x]!;
          const coverage = Math.round(Math.min(Math.abs(sum), 1) * LEVELS) / LEVELS;
          if (x === width || coverage === 0) continue;
          const at = row * stride + 1 + 3 * x;
          bytes[at]! += (red - bytes[at]!) * coverage + 0.5;
          bytes[at + 1]! += (green - bytes[at + 1]!) * coverage + 0.5;
          bytes[at + 2]! += (blue - bytes[at + 2]!) * coverage + 0.5;
        }
        if (firsts[row]! <= lasts[row]!)
          changes.fill(0, row * across + firsts[row]!, row * across + lasts[row]! + 1);
        [firsts[row], lasts[row]] = [across, -1];
      }
    },
  };
}
