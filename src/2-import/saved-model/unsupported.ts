/** What is said of ops that no operator is. */

/** Ops that users know by another name. */
export const families: readonly { readonly ops: RegExp; readonly kind: string; readonly what: string }[] = [
  {
    ops: /^(TensorList|TensorArray|Enter|Exit|NextIteration|LoopCond|Merge|Switch)/,
    kind: 'loop',
    what: 'a loop that is written in this way is not supported yet; export the model without the layer',
  },
  {
    ops: /^(StatelessRandom|Random|RngReadAndSkip)/,
    kind: 'random numbers',
    what: 'it draws random numbers at every prediction, as augmentation does; export the model without the layer',
  },
  {
    ops: /^(HashTable|LookupTable|StaticRegex|String|AsString|Unicode|Ragged)/,
    kind: 'text',
    what: 'what it does with text is not supported; prepare the text before the model, and export without the layer',
  },
];

/** In whose words an op is refused, and what would do. */
export function unsupported(op: string): { readonly kind: string; readonly what: string } {
  const what = `the op ${op} is not supported yet; export the model without it, or open an issue with this message`;
  return families.find(({ ops }) => ops.test(op)) ?? { kind: op, what };
}
