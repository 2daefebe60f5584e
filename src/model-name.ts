/** Turns `--model_name` into the names of the generated struct and crate: `MNIST` → `MNISTModel`, `mnist_model`. */

import { UsageError } from './errors.ts';

export interface ModelName {
  /** As the user wrote it. */
  readonly given: string;
  /** The Rust struct: `MyNet2Model`. */
  readonly type: string;
  /** The Cargo package, and the name of the crate in `use`: `my_net_2_model`. */
  readonly crate: string;
}

/** The file of a crate bears its name with a hash, and file systems stop at 255 bytes. */
const LONGEST = 100;

/**
 * The names for a model. A Rust type name in ASCII is kept to the letter; anything else is cut into words.
 * Both names end in "model", so that none is a keyword of Rust, nor a crate like `std`, `core` or `test`.
 */
export function modelName(given: string): ModelName {
  const ascii = withoutAccents(given);
  const words: string[] = ascii.match(/[A-Za-z0-9]+/g) ?? [];
  if (words.length === 0) {
    throw new UsageError(
      `--model_name: "${given}" leaves nothing for a Rust name; give one with a letter or digit of ASCII`,
    );
  }
  if (ascii.length > LONGEST) {
    throw new UsageError(`--model_name: has ${ascii.length} characters; give a name of at most ${LONGEST}`);
  }
  if (/^[0-9]/.test(words[0]!)) words.unshift('Net');
  return {
    given,
    type: `${joined(words.map(capitalized))}Model`,
    crate: [...words.flatMap(parts), 'model'].join('_').toLowerCase(),
  };
}

/** Letters that Unicode does not take apart into an ASCII letter and an accent. */
const letters: ReadonlyMap<string, string> = new Map(
  Object.entries({
    ß: 'ss',
    æ: 'ae',
    Æ: 'Ae',
    œ: 'oe',
    Œ: 'Oe',
    ø: 'o',
    Ø: 'O',
    ł: 'l',
    Ł: 'L',
    đ: 'd',
    Đ: 'D',
  }),
);

/** `Café` → `Cafe`. What has no ASCII form stays, to be dropped with the punctuation. */
function withoutAccents(text: string): string {
  const plain = text.normalize('NFKD').replace(/\p{Mark}/gu, '');
  return plain.replace(/[^\p{ASCII}]/gu, (letter) => letters.get(letter) ?? letter);
}

function capitalized(word: string): string {
  return word[0]!.toUpperCase() + word.slice(1);
}

/** The words in one; `_` stays between digits, where Rust's naming lint wants it: `V1`, `2` → `V1_2`. */
function joined(words: readonly string[]): string {
  return words.join('_').replace(/(?<![0-9])_|_(?![0-9])/g, '');
}

/** The words inside a word in camel case: `MNISTNet2` → `MNIST`, `Net2`. */
function parts(word: string): string[] {
  return word.split(/(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/);
}
