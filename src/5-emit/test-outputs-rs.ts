/** What the tests in `src/lib.rs` of every model say of outputs: where they are written, and how they are compared. */

import { type Crate, newModel, type OutputField } from './crate.ts';
import { letStatement } from './rust-layout.ts';

/** The outputs before they are predicted. */
export function emptyOutputs({ outputs, isLarge }: Crate, rows: string): string {
  if (isLarge || outputs.length > 1) return `tf_layers::zeros(${rows})`;
  return `vec![${outputs[0]!.zero}; ${rows}]`;
}

/** The type of the variable that holds them, where Rust does not find it. */
export function outputsType({ outputs, isLarge }: Crate): string {
  return outputs.length > 1 ? ': Vec<Prediction>' : isLarge ? `: Vec<${outputs[0]!.type}>` : '';
}

function errorCheck({ field, array }: OutputField, several: boolean): string {
  if (!several) {
    return `        let error = largest_error(&outputs, &samples.predictions);
        assert!(error <= TOLERANCE, "the largest error is {error}");`;
  }
  const column = letStatement(
    2,
    `${field}: Vec<_>`,
    `outputs.iter().map(|output| output.${field}).collect()`,
  );
  return `${column}
        let error = largest_error(&${field}, &samples.${array});
        assert!(error <= TOLERANCE, "the largest error of ${field} is {error}");`;
}

/** The largest error of `outputs`, of all of them. */
export function errorChecks({ outputs }: Crate): string {
  return outputs.map((output) => errorCheck(output, outputs.length > 1)).join('\n');
}

/** The test that these calls allocate nothing, once what they take is set up. */
export function withoutAllocating(crate: Crate, setUp: string, calls: readonly string[]): string {
  return `    // Threads that share a layer allocate what they agree by.
    #[cfg(not(feature = "parallel"))]
    #[test]
    fn predicts_without_allocating() {
        let samples = Samples::read().unwrap();
${setUp}
        let mut model = ${newModel(crate)};
        let allocations = allocation_counter::measure(|| {
${calls.map((call) => `            ${call}.unwrap();`).join('\n')}
        });
        assert_eq!(allocations.count_total, 0);
    }`;
}
