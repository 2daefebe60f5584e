/** What the picture of a model consists of: a few kinds of shapes, back to front, and how they are written as SVG. */

/** In pixels from the top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Stroke {
  readonly colour: string;
  readonly width: number;
}

export type Shape =
  | {
      readonly kind: 'box';
      readonly x: number;
      readonly y: number;
      readonly width: number;
      readonly height: number;
      /** Of the corners; those below are square if the box stands on something. */
      readonly radius: number;
      readonly isRoundBelow: boolean;
      readonly fill?: string;
      readonly stroke?: Stroke;
    }
  /** A start, then three points for each Bézier curve. */
  | { readonly kind: 'curve'; readonly points: readonly Point[]; readonly stroke: Stroke }
  | { readonly kind: 'polygon'; readonly points: readonly Point[]; readonly fill: string }
  | {
      readonly kind: 'text';
      readonly text: string;
      /** Of the start, the middle or the end of its base line. */
      readonly x: number;
      readonly y: number;
      readonly anchor: 'start' | 'middle' | 'end';
      readonly size: number;
      readonly isBold: boolean;
      readonly fill: string;
    }
  /** Shapes around a place, and what is said of them where the mouse rests. */
  | {
      readonly kind: 'group';
      readonly title: string;
      readonly x: number;
      readonly y: number;
      readonly shapes: readonly Shape[];
    };

export interface Drawing {
  readonly width: number;
  readonly height: number;
  /** On white. */
  readonly shapes: readonly Shape[];
}

export function svgOf({ width, height, shapes }: Drawing): string {
  const size = `width="${width}" height="${height}" viewBox="0 0 ${width} ${height}"`;
  const fonts = 'DejaVu Sans, Bitstream Vera Sans, Verdana, sans-serif';
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" ${size} font-family="${fonts}">`,
    `<rect width="${width}" height="${height}" fill="#ffffff"/>`,
    ...shapes.map(svgOfShape),
    '</svg>\n',
  ].join('\n');
}

function svgOfShape(shape: Shape): string {
  switch (shape.kind) {
    case 'box': {
      const { x, y, width, height, radius, isRoundBelow, fill, stroke } = shape;
      const colours = `fill="${fill ?? 'none'}"${stroke ? svgOfStroke(stroke) : ''}`;
      if (isRoundBelow)
        return `<rect x="${x}" y="${y}" width="${width}" height="${height}" rx="${radius}" ${colours}/>`;
      const [across, corner] = [width - 2 * radius, `${radius} ${radius} 0 0 1`];
      const top = `a${corner} ${radius} ${-radius}h${across}a${corner} ${radius} ${radius}`;
      return `<path d="M${x} ${y + height}V${y + radius}${top}V${y + height}z" ${colours}/>`;
    }
    case 'curve': {
      const [start, ...rest] = shape.points.map(svgOfPoint);
      return `<path d="M${start}C${rest.join(' ')}" fill="none"${svgOfStroke(shape.stroke)}/>`;
    }
    case 'polygon':
      return `<path d="M${shape.points.map(svgOfPoint).join('L')}z" fill="${shape.fill}"/>`;
    case 'text': {
      const { text, x, y, anchor, size, isBold, fill } = shape;
      const attributes = [
        `x="${x}" y="${y}" font-size="${size}" fill="${fill}"`,
        ...(isBold ? ['font-weight="bold"'] : []),
        ...(anchor === 'start' ? [] : [`text-anchor="${anchor}"`]),
      ];
      return `<text ${attributes.join(' ')}>${escapeXml(text)}</text>`;
    }
    case 'group': {
      const { title, x, y, shapes } = shape;
      return [
        `<g transform="translate(${svgOfPoint({ x, y })})">`,
        `<title>${escapeXml(title)}</title>`,
        ...shapes.map(svgOfShape),
        '</g>',
      ].join('\n');
    }
  }
}

function svgOfStroke({ colour, width }: Stroke): string {
  return ` stroke="${colour}" stroke-width="${width}"`;
}

/** In hundredths of a pixel. */
function svgOfPoint({ x, y }: Point): string {
  return `${Math.round(x * 100) / 100} ${Math.round(y * 100) / 100}`;
}

/** Text for XML, which has no place for control characters and halves of characters. */
function escapeXml(content: string): string {
  return content
    .replace(/[\p{Cc}\p{Cs}\uFFFE\uFFFF]/gu, '\uFFFD')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
