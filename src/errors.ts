/** Errors that are the user's to mend, in the words of the model's author: where, what was found, what would do. */

/** One thing that stands in the way of a conversion. */
export interface Problem {
  /** `layer "conv1d" (Conv1D)`, `variables/variables.index`, … */
  readonly where: string;
  /** What was found, and what would do. */
  readonly what: string;
}

/** A model or a file that cannot be converted, with everything that stands in the way: exit code 1. */
export class ConversionError extends Error {
  override readonly name = 'ConversionError';
  readonly problems: readonly Problem[];

  constructor(problems: readonly Problem[]) {
    super(problems.map(({ where, what }) => `${where}: ${what}`).join('\n'));
    this.problems = problems;
  }
}

/** A command that makes no sense as it was given: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** Refuses a file: `where` is its path or its part. */
export function refuse(where: string, what: string): never {
  throw new ConversionError([{ where, what }]);
}

/** What an operator cannot do, without where: whoever asked it knows the layer, and says so. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
}

/** Runs what doesn't know where it is: a `Refusal` in it is a problem of `where`. */
export function within<T>(where: string, run: () => T): T {
  try {
    return run();
  } catch (error) {
    if (error instanceof Refusal) refuse(where, error.message);
    throw error;
  }
}
