/** How wide a text is, and which glyphs it consists of (ISO/IEC 14496-22: cmap format 4, hhea, hmtx). */

export interface Font {
  readonly view: DataView;
  /** What all lengths within it are counted in. */
  readonly unitsPerEm: number;
  /** The glyphs of a text, each with how far it takes the next, in units of the font's size. */
  glyphs(text: string): readonly { readonly glyph: number; readonly advance: number }[];
}

/** Reads the fonts that tf2rust brings along; others may well lack the one kind of table that is read here. */
export function readFont(font: Uint8Array): Font {
  const view = new DataView(font.buffer, font.byteOffset, font.byteLength);
  const unitsPerEm = view.getUint16(tableOf(view, 'head') + 18);
  const widths = tableOf(view, 'hmtx');
  const lastWidth = view.getUint16(tableOf(view, 'hhea') + 34) - 1;
  const segments = unicodeSegments(view);
  return {
    view,
    unitsPerEm,
    glyphs: (text) =>
      [...text].map((character) => {
        const glyph = glyphOf(view, segments, character.codePointAt(0)!);
        return { glyph, advance: view.getUint16(widths + 4 * Math.min(glyph, lastWidth)) / unitsPerEm };
      }),
  };
}

/** The width of a text, in units of the font's size. */
export function widthOf(font: Font, text: string): number {
  return font.glyphs(text).reduce((sum, { advance }) => sum + advance, 0);
}

/** Where a table begins. */
export function tableOf(view: DataView, tag: string): number {
  const count = view.getUint16(4);
  for (let i = 0; i < count; i++) {
    const entry = 12 + 16 * i;
    const name = [0, 1, 2, 3].map((j) => String.fromCharCode(view.getUint8(entry + j))).join('');
    if (name === tag) return view.getUint32(entry + 8);
  }
  throw new Error(`tf2rust bug: the font has no table ${tag}`);
}

/** Where the table from Unicode to glyphs begins: platform 3, encoding 1, format 4. */
function unicodeSegments(view: DataView): number {
  const cmap = tableOf(view, 'cmap');
  const count = view.getUint16(cmap + 2);
  for (let i = 0; i < count; i++) {
    const entry = cmap + 4 + 8 * i;
    const start = cmap + view.getUint32(entry + 4);
    const isUnicode = view.getUint16(entry) === 3 && view.getUint16(entry + 2) === 1;
    if (isUnicode && view.getUint16(start) === 4) return start;
  }
  throw new Error('tf2rust bug: the font has no table from Unicode to glyphs');
}

/** The glyph of a character; 0, the empty box, for one that the font does not have. */
function glyphOf(view: DataView, segments: number, code: number): number {
  const doubled = view.getUint16(segments + 6);
  const [ends, starts] = [segments + 14, segments + 16 + doubled];
  const [deltas, offsets] = [starts + doubled, starts + 2 * doubled];
  for (let i = 0; i < doubled; i += 2) {
    if (view.getUint16(ends + i) < code) continue;
    const start = view.getUint16(starts + i);
    if (start > code) return 0;
    const delta = view.getUint16(deltas + i);
    const offset = view.getUint16(offsets + i);
    if (offset === 0) return (code + delta) & 0xffff;
    const glyph = view.getUint16(offsets + i + offset + 2 * (code - start));
    return glyph === 0 ? 0 : (glyph + delta) & 0xffff;
  }
  return 0;
}
