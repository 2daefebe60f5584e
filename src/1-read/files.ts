/**
 * Reading files by range: the only way in which this stage reaches bytes that are too large to hold at once.
 * Only main.ts implements it over a disk; tests implement it over memory.
 */
export interface Files {
  /** The size of the file in bytes, or undefined when there is no such file. */
  size(name: string): number | undefined;
  /** Exactly `length` bytes from `offset`; the caller has checked the range against `size`. */
  read(name: string, offset: number, length: number): Uint8Array;
}

/** Bytes that are read by range: a file, a stretch of one, or an array. */
export interface Source {
  /** What errors call it. */
  readonly name: string;
  readonly size: number;
  /** Exactly `length` bytes from `offset`; the caller has checked the range against `size`. */
  read(offset: number, length: number): Uint8Array;
}

/** The file of that name, or undefined when there is none. */
export function sourceOf(files: Files, name: string): Source | undefined {
  const size = files.size(name);
  if (size === undefined) return undefined;
  return { name, size, read: (offset, length) => files.read(name, offset, length) };
}

export function bytesSource(bytes: Uint8Array, name: string): Source {
  return {
    name,
    size: bytes.length,
    read(offset, length) {
      const stretch = bytes.subarray(offset, offset + length);
      if (stretch.length !== length) throw new Error(`${name}: no ${length} bytes at ${offset}`);
      return stretch;
    },
  };
}

/** Files that are held in memory, by name. */
export function memoryFiles(contents: ReadonlyMap<string, Uint8Array>): Files {
  return {
    size: (name) => contents.get(name)?.length,
    read: (name, offset, length) =>
      bytesSource(contents.get(name) ?? new Uint8Array(0), name).read(offset, length),
  };
}
