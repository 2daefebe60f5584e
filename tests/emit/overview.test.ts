import assert from 'node:assert/strict';
import test from 'node:test';
import { readFont, widthOf } from '../../src/5-emit/description/font.ts';
import type { LayerSummary } from '../../src/5-emit/description/layers.ts';
import { overview } from '../../src/5-emit/description/overview.ts';
import { readOverviewAssets } from '../../src/command-line/assets.ts';
import type { TensorType } from '../../src/ir/types.ts';

const assets = readOverviewAssets();
const type: TensorType = { dtype: 'f32', shape: [{ batch: 1 }, 28, 28, 1] };

function layer(name: string, inbounds: readonly string[], more: Partial<LayerSummary> = {}): LayerSummary {
  return {
    name,
    className: 'Conv2D',
    inbounds,
    outbounds: [],
    settings: {},
    inputs: inbounds.map(() => type),
    outputs: [type],
    parameters: 0,
    isOutput: false,
    ...more,
  };
}

const chain = (length: number) =>
  Array.from({ length }, (_, i) => layer(`layer_${i}`, i === 0 ? [] : [`layer_${i - 1}`]));

/** Every layer reads all before it. */
const mesh = (length: number) =>
  Array.from({ length }, (_, i) =>
    layer(
      `layer_${i}`,
      Array.from({ length: i }, (_, j) => `layer_${j}`),
    ),
  );

function sizeOf(png: Uint8Array): readonly [number, number] {
  assert.deepEqual([...png.subarray(0, 8)], [137, 80, 78, 71, 13, 10, 26, 10]);
  const view = new DataView(png.buffer, png.byteOffset);
  return [view.getUint32(16), view.getUint32(20)];
}

test('a text is as wide as its letters', () => {
  const font = readFont(assets.regular);
  const width = (text: string) => widthOf(font, text);
  assert.equal(width(''), 0);
  assert.equal(width('A'), 1401 / 2048);
  assert.equal(width('A·'), (1401 + 651) / 2048);
  assert.equal(width('\u{10ffff}'), width('\u{10fffe}'), 'an empty box for what the font does not have');
});

test('the picture says what a layer is', async () => {
  const { svg, png } = await overview(
    [
      layer('image', [], { className: 'InputLayer' }),
      layer('conv', ['image'], { settings: { activation: 'relu' }, parameters: 1234567 }),
      layer('relu', ['conv'], { className: 'ReLU', settings: { activation: 'relu' } }),
      layer('add', ['conv', 'relu'], { className: 'Add', isOutput: true, parameters: 1 }),
    ],
    assets,
  );
  const texts = [...svg.matchAll(/<text[^>]*>([^<]*)</g)].map(([, content]) => content);
  const shape = '(None, 28, 28, 1)';
  assert.deepEqual(texts, [
    ...['image', 'InputLayer', shape],
    ...['conv', 'Conv2D · relu', '1,234,567 parameters', `${shape} → ${shape}`],
    ...['relu', 'ReLU', `${shape} → ${shape}`],
    ...['add', 'Add', '1 parameter', 'output', 'in', shape, 'in', shape, 'out', shape],
  ]);
  assert.equal(svg.match(/<path d="M[^"]*C/g)?.length, 4, 'an arrow for every connection');
  const [, width, height] = svg.match(/width="(\d+)" height="(\d+)"/)!;
  assert.deepEqual(sizeOf(png), [Number(width), Number(height)]);
});

test('the same layers give the same bytes', async () => {
  assert.deepEqual(await overview(chain(5), assets), await overview(chain(5), assets));
});

test('a name may be anything', async () => {
  const names = ['<a & "b">', '__proto__', '名前', '\u0000\ud800', 'long/'.repeat(1000), ''];
  const { svg } = await overview(
    names.map((name, i) => layer(name, i === 0 ? [] : [names[i - 1]!])),
    assets,
  );
  assert.ok(svg.includes('>&lt;a &amp; "b"&gt;</text>'));
  assert.ok(svg.includes('>\uFFFD\uFFFD</text>'));
  assert.ok(svg.includes('…'));
});

test('a picture has bounds, whatever the graph is', async () => {
  for (const layers of [[], chain(400), chain(20_000), mesh(32), mesh(60)]) {
    const [width, height] = sizeOf((await overview(layers, assets)).png);
    assert.ok(width <= 16_000 && height <= 16_000 && width * height <= 16_100_000, `${width} × ${height}`);
  }
});

test('a picture of very many arrows is small, for each of them takes time', async () => {
  const [width, height] = sizeOf((await overview(mesh(200), assets)).png);
  assert.ok(width > 0 && height > 1000 && height < 4000, `${width} × ${height}`);
});

test('layers that read each other can be drawn', async () => {
  const { svg } = await overview([layer('a', ['b']), layer('b', ['a'])], assets);
  assert.equal(svg.match(/<path d="M[^"]*C/g)?.length, 2);
});
