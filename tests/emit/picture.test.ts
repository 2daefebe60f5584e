import assert from 'node:assert/strict';
import test from 'node:test';
import zlib from 'node:zlib';
import { makeDeflater } from '../../src/5-emit/description/deflate.ts';
import type { Shape } from '../../src/5-emit/description/drawing.ts';
import { readFont } from '../../src/5-emit/description/font.ts';
import { png } from '../../src/5-emit/description/png.ts';
import { rasterize } from '../../src/5-emit/description/rasterize.ts';
import { readOverviewAssets } from '../../src/command-line/assets.ts';
import { randomNumbers } from '../../src/samples/draw.ts';

const assets = readOverviewAssets();
const fonts = { regular: readFont(assets.regular), bold: readFont(assets.bold) };
const random = randomNumbers(1);

for (const [name, parts] of [
  ['nothing', []],
  ['three bytes', [[1, 2, 3]]],
  ['every byte', [Array.from({ length: 256 }, (_, i) => i)]],
  ['one byte again and again, in two parts', [Array(100_000).fill(7), Array(300).fill(7)]],
  ['noise', [Array.from({ length: 100_000 }, () => Math.floor(random() * 256))]],
  ['words of noise', [Array.from({ length: 100_000 }, () => Math.floor(random() * 2))]],
  ['the same, too far back', [[9, 8, 7, 6, 5, ...Array(40_000).fill(0), 9, 8, 7, 6, 5]]],
] as const) {
  test(`what is deflated inflates again: ${name}`, () => {
    const deflater = makeDeflater();
    for (const part of parts) deflater.write(Uint8Array.from(part));
    const inflated = zlib.inflateRawSync(deflater.end());
    assert.deepEqual(inflated, Buffer.from(parts.flat()));
  });
}

test('a PNG is its rows, and its checksums are right', () => {
  const rows = Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 0, 7, 8, 9, 10, 11, 12);
  const bytes = Buffer.from(png(2, 2, [rows.subarray(0, 7), rows.subarray(7)]));
  const chunks = new Map<string, Buffer>();
  for (let at = 8; at < bytes.length; ) {
    const end = at + 8 + bytes.readUInt32BE(at);
    chunks.set(bytes.toString('latin1', at + 4, at + 8), bytes.subarray(at + 8, end));
    assert.equal(bytes.readUInt32BE(end), zlib.crc32(bytes.subarray(at + 4, end)));
    at = end + 4;
  }
  assert.deepEqual([...chunks.keys()], ['IHDR', 'IDAT', 'IEND']);
  // Inflating compares the checksum of the rows.
  assert.deepEqual(zlib.inflateSync(chunks.get('IDAT')!), Buffer.from(rows));
});

/** How much of black each pixel has, in percent. */
function drawn(shape: Shape, width: number, height: number, scale = 1): readonly (readonly number[])[] {
  const bands: Buffer[] = [];
  for (const band of rasterize({ width, height, shapes: [shape] }, scale, width, height, fonts)) {
    bands.push(Buffer.from(band));
  }
  const bytes = Buffer.concat(bands);
  return Array.from({ length: height }, (_, row) =>
    Array.from({ length: width }, (_, x) =>
      Math.round(100 * (1 - bytes[row * (1 + 3 * width) + 1 + 3 * x]! / 255)),
    ),
  );
}

const place = { x: 1, y: 1, width: 2, height: 1, radius: 0, isRoundBelow: true } as const;
const box = { kind: 'box', ...place, fill: '#000000' } as const;

test('a pixel has as much of a colour as is covered of it', () => {
  assert.deepEqual(drawn(box, 4, 3), [
    [0, 0, 0, 0],
    [0, 100, 100, 0],
    [0, 0, 0, 0],
  ]);
  assert.deepEqual(drawn({ ...box, x: 0.5, y: 0.25 }, 4, 2), [
    [38, 75, 38, 0],
    [13, 25, 13, 0],
  ]);
  assert.deepEqual(drawn(box, 2, 2, 0.5), [
    [25, 25],
    [0, 0],
  ]);
  const triangle = { kind: 'polygon', fill: '#000000' } as const;
  const [a, b, c] = [
    { x: 0, y: 0 },
    { x: 4, y: 0 },
    { x: 0, y: 2 },
  ];
  const half = [
    [100, 100, 75, 25],
    [75, 25, 0, 0],
  ];
  assert.deepEqual(drawn({ ...triangle, points: [a, b, c] }, 4, 2), half);
  assert.deepEqual(drawn({ ...triangle, points: [a, c, b] }, 4, 2), half);
});

test('a border is a ring, and a line is as wide as its pen', () => {
  const { fill, ...frame } = box;
  const ring = { ...frame, y: 0.5, x: 0.5, width: 3, height: 2, stroke: { colour: fill, width: 1 } };
  assert.deepEqual(drawn(ring, 4, 3), [
    [100, 100, 100, 100],
    [100, 0, 0, 100],
    [100, 100, 100, 100],
  ]);
  const at = (x: number) => ({ x, y: 1 });
  const curve = { kind: 'curve', points: [1, 2, 3, 4].map(at), stroke: { colour: fill, width: 1 } } as const;
  assert.deepEqual(drawn(curve, 5, 2), [
    [0, 50, 50, 50, 0],
    [0, 50, 50, 50, 0],
  ]);
});

test('a picture of many bands goes on where a band ends', () => {
  const rows = drawn({ ...box, x: 0, y: 10.5, width: 1, height: 150 }, 1, 200);
  assert.deepEqual(
    rows.flat(),
    Array.from({ length: 200 }, (_, y) => (y === 10 || y === 160 ? 50 : y > 10 && y < 160 ? 100 : 0)),
  );
});

test('letters are filled, and their holes are not', () => {
  const text = { kind: 'text', text: 'O', x: 0, y: 30, anchor: 'start', size: 40, fill: '#000000' } as const;
  const rows = drawn({ ...text, isBold: false }, 32, 32);
  const middle = rows[15]!.map((ink) => (ink > 50 ? '#' : '.')).join('');
  assert.match(middle, /^\.+#{3,5}\.{16,20}#{3,5}\.*$/);
  // An accent is a glyph of its own, which is put above the letter.
  const accented = drawn({ ...text, text: 'Ö', isBold: true, y: 36 }, 36, 37);
  assert.ok(
    accented
      .slice(0, 5)
      .flat()
      .some((ink) => ink === 100),
  );
  assert.deepEqual(drawn({ ...text, text: ' ', isBold: true }, 8, 32).flat(), Array(8 * 32).fill(0));
});
