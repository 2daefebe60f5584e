/** `benches/benchmarks.rs`: the time and the allocations of one prediction, and of batches. */

import { bytesOf, lengthOfSample } from '../ir/types.ts';
import { type Crate, newModel, predictsOne, rowsOf, weightsConstant } from './crate.ts';
import { letStatement, structLiteral, useGroup, useStatement } from './rust-layout.ts';
import { withLifetime } from './sample-types.ts';

/** The inputs of the largest batch take no more. */
const MOST_BYTES = 64 * 1024 * 1024;

export function benchesRs(crate: Crate): string {
  const { name, inputs, outputs, isBinary } = crate;
  const row = isBinary || outputs.length === 1 ? outputs[0]!.type : 'Prediction';
  const uses = [
    'Batch',
    ...(predictsOne(crate) ? ['Inputs'] : []),
    ...(row === 'Prediction' ? [row] : []),
    name.type,
  ];
  const one = inputs.map(({ field, isNumber }) => `${field}: ${isNumber ? '' : '&'}samples.${field}[0]`);
  const all = inputs.map(({ field }) => `${field}: &self.${field}`);
  return `//! \`cargo bench\`: the time and the allocations of one prediction, and of batches.

#![forbid(unsafe_code)]

${useGroup([
  'use divan::{AllocProfiler, Bencher, counter::ItemsCount};',
  useStatement(name.crate, uses),
  'use tf_layers::npz::Npz;',
])}

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

${weightsConstant(crate)}fn main() {
    divan::main();
}

${
  predictsOne(crate)
    ? `#[divan::bench(max_time = 3)]
fn predict(bencher: Bencher) {
    let samples = Samples::repeated(1);
${letStatement(1, 'inputs', `Inputs { ${one.join(', ')} }`)}
    let mut model = ${newModel(crate)};
    bencher.bench_local(|| model.predict(&inputs).map(|_| ()));
}

`
    : ''
}/// Into memory that is there: no allocations.
#[divan::bench(args = [${counts(crate).join(', ')}], max_time = 3)]
fn predict_from_array(bencher: Bencher, count: usize) {
    let samples = Samples::repeated(count);
${letStatement(1, `mut outputs: Vec<${row}>`, 'tf_layers::zeros(count)')}
    let mut model = ${newModel(crate)};
    bencher
        .counter(ItemsCount::new(count))
        .bench_local(|| model.predict_from_array(samples.batch(), &mut outputs));
}

#[divan::bench(args = [${counts(crate).join(', ')}], max_time = 3)]
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

/** Sizes of batches whose inputs fit into memory easily. */
function counts({ inputs, memory }: Crate): readonly number[] {
  if (memory) return [memory.batch];
  const bytes = inputs.reduce(
    (sum, { input: { type } }) => sum + lengthOfSample(type) * bytesOf(type.dtype),
    0,
  );
  return [1, 8, 32, 1000].filter((count) => count === 1 || count * bytes <= MOST_BYTES);
}
