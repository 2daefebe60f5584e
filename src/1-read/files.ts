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

/** Files that are held in memory, by name. */
export function memoryFiles(contents: ReadonlyMap<string, Uint8Array>): Files {
  return {
    size: (name) => contents.get(name)?.length,
    read(name, offset, length) {
      const bytes = contents.get(name)?.subarray(offset, offset + length);
      if (bytes === undefined || bytes.length !== length) {
        throw new Error(`${name}: no ${length} bytes at ${offset}`);
      }
      return bytes;
    },
  };
}
