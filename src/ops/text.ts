/** Text as the graph holds it: the UTF-8 of strings, each filled up with zeros to the same width. */

import { Refusal } from '../errors.ts';
import { elements, type Tensor } from '../ir/types.ts';

/** The strings of a tensor of text, in row-major order. */
export function stringsOf({ shape, data }: Tensor): readonly Uint8Array[] {
  const count = elements(shape);
  const width = count === 0 ? 0 : data.length / count;
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  return Array.from({ length: count }, (_, i) => {
    const string = bytes.subarray(i * width, (i + 1) * width);
    let end = string.length;
    while (end > 0 && string[end - 1] === 0) end--;
    return string.subarray(0, end);
  });
}

/** More bytes than the text of any samples. */
const MOST_BYTES = 2 ** 29;

/** The tensor of text of these strings. */
export function textTensor(shape: readonly number[], strings: readonly Uint8Array[]): Tensor {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const width = strings.reduce((most, { length }) => Math.max(most, length), 1);
  if (width * strings.length > MOST_BYTES) throw new Refusal(`text of ${width * strings.length} bytes`);
  const data = new Uint8Array(width * strings.length);
  for (const [i, string] of strings.entries()) {
    if (string.at(-1) === 0) throw new Refusal('a string ends in a zero byte, which is not supported');
    try {
      decoder.decode(string);
    } catch {
      throw new Refusal(`string ${i} is not UTF-8: in Rust strings are`);
    }
    data.set(string, i * width);
  }
  return { dtype: 'text', shape, data };
}
