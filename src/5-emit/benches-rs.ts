/** `benches/benchmarks.rs`: the time and the allocations of one prediction, and of batches. */

import { type Crate, newModel, rowsOf, weightsConstant, withLifetime } from './crate.ts';
import { letStatement, structLiteral, useGroup, useStatement } from './rust-layout.ts';

export function benchesRs(crate: Crate): string {
  const { name, inputs } = crate;
  const one = inputs.map(({ field, isNumber }) => `${field}: ${isNumber ? '' : '&'}samples.${field}[0]`);
  const all = inputs.map(({ field }) => `${field}: &self.${field}`);
  return `//! \`cargo bench\`: the time and the allocations of one prediction, and of a batch.

#![forbid(unsafe_code)]

${useGroup([
  'use divan::{AllocProfiler, Bencher, counter::ItemsCount};',
  useStatement(name.crate, ['Batch', 'Inputs', name.type]),
  'use tf_layers::npz::Npz;',
])}

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

${weightsConstant(crate)}fn main() {
    divan::main();
}

#[divan::bench]
fn predict(bencher: Bencher) {
    let samples = Samples::repeated(1);
${letStatement(1, 'inputs', `Inputs { ${one.join(', ')} }`)}
    let mut model = ${newModel(crate)};
    bencher.bench_local(|| model.predict(&inputs).map(|_| ()));
}

#[divan::bench(args = [1, 8, 32, 1000])]
fn predict_batch(bencher: Bencher, count: usize) {
    let samples = Samples::repeated(count);
    let mut model = ${newModel(crate)};
    bencher.counter(ItemsCount::new(count)).bench_local(|| model.predict_batch(samples.batch()));
}

struct Samples {
${inputs.map(({ field, type }) => `    ${field}: Vec<${withLifetime(type, 'static')}>,`).join('\n')}
}

impl Samples {
    /// \`count\` samples: those of \`testdata/features.npz\`, over and over.
    fn repeated(count: usize) -> Self {
        let file = Npz::new(include_bytes!("../testdata/features.npz")).unwrap();
${inputs.map((input) => letStatement(2, `${input.field}: Vec<${withLifetime(input.type, 'static')}>`, `${rowsOf(input)}.unwrap()`)).join('\n')}
${structLiteral(
  '        ',
  'Self',
  inputs.map(({ field }) => `${field}: cycled(${field}, count)`),
)}
    }

    fn batch(&self) -> Batch<'_> {
${structLiteral('        ', 'Batch', all)}
    }
}

fn cycled<T: Copy>(rows: Vec<T>, count: usize) -> Vec<T> {
    rows.into_iter().cycle().take(count).collect()
}
`;
}
