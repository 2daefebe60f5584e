/** `examples/predict.rs`: predicts the samples of a file. */

import { type Crate, rowsOf, weightsConstant } from './crate.ts';
import { checkRows, letStatement, structLiteral, useGroup, useStatement } from './rust-layout.ts';
import { withLifetime } from './sample-types.ts';

/** The arrays in turn, on a line if they fit. */
function writer(outputs: Crate['outputs']): string {
  const arrays = outputs.map(({ array, field }) => `.array("${array}", &${field})`);
  const oneLine = `NpzWriter::new()${arrays.join('')}.finish()`;
  if (`        ${oneLine};`.length <= 100) return letStatement(1, 'file', oneLine);
  return `    let file = NpzWriter::new()\n${[...arrays, '.finish();'].map((part) => `        ${part}`).join('\n')}`;
}

export function exampleRs(crate: Crate): string {
  const { name, inputs, outputs, isLarge, isBinary, memory, weights } = crate;
  const [first] = inputs;
  const several = outputs.length > 1;
  const row = isBinary || !several ? outputs[0]!.type : 'Prediction';
  const columns = outputs.map(({ field }) =>
    letStatement(1, `${field}: Vec<_>`, `outputs.iter().map(|output| output.${field}).collect()`),
  );
  const written = several
    ? `${columns.join('\n')}
${writer(outputs)}`
    : `    let file = NpzWriter::new().array("predictions", &outputs).finish();`;
  const rows = `samples.${first!.field}.len()`;
  const empty = isLarge || several ? 'tf_layers::zeros(count)' : `vec![${outputs[0]!.zero}; count]`;
  const uses = ['Batch', ...(several ? ['Prediction'] : []), name.type];
  return `//! \`cargo run --release --example predict -- features.npz out.npz [--repeat N] [--batch B]\`
//!
//! Writes the model's outputs for the samples of \`features.npz\`, as ${outputs.map(({ array }) => `\`${array}\``).join(', ')}, to \`out.npz\`.
//! With \`--repeat\` it predicts them N times, B samples at once, and prints the times as JSON.

#![forbid(unsafe_code)]

use std::error::Error;
use std::ops::Range;
use std::process::ExitCode;
use std::time::Instant;
use std::{env, fs};

${useGroup([
  useStatement(name.crate, uses),
  'use tf_layers::InputError;',
  'use tf_layers::npz::{Npz, NpzWriter};',
])}

${weightsConstant(crate)}fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Box<dyn Error>> {
    let args: Vec<String> = env::args().skip(1).collect();
    let [from, to, options @ ..] = &args[..] else {
        return Err("usage: predict features.npz out.npz [--repeat N] [--batch B]".into());
    };
    let (mut repeat, mut batch) = (None, None);
    for option in options.chunks(2) {
        match option {
            [name, value] if name == "--repeat" => repeat = Some(value.parse::<usize>()?),
            [name, value] if name == "--batch" => batch = Some(value.parse::<usize>()?),
            _ => return Err(format!("unknown option: {}", option.join(" ")).into()),
        }
    }

    let file = fs::read(from).map_err(|error| format!("{from}: {error}"))?;
    let samples = Samples::read(&file).map_err(|error| format!("{from}: {error}"))?;
    let count = ${rows};
    let mut model = ${name.type}::${weights === 'file' ? 'open(WEIGHTS)?' : 'new()'};
    let mut outputs: Vec<${row}> = ${empty};
${
  memory
    ? `    for (call, out) in outputs.chunks_mut(${name.type}::BATCH).enumerate() {
        let first = call * ${name.type}::BATCH;
        model.predict_from_array(samples.rows(first..first + out.len()), out)?;
    }`
    : '    model.predict_from_array(samples.rows(0..count), &mut outputs)?;'
}
${written}
    fs::write(to, file).map_err(|error| format!("{to}: {error}"))?;

    if let Some(repeat) = repeat {
        let batch = batch.unwrap_or(${memory ? `${name.type}::BATCH` : 'count'}).max(1);
        let mut seconds = Vec::with_capacity(repeat);
        for _ in 0..repeat {
            let start = Instant::now();
            for (i, out) in outputs.chunks_mut(batch).enumerate() {
                let first = i * batch;
                model.predict_from_array(samples.rows(first..first + out.len()), out)?;
            }
            seconds.push(start.elapsed().as_secs_f64());
        }
        println!(r#"{{"samples": {count}, "batch": {batch}, "seconds": {seconds:?}}}"#);
    }
    Ok(())
}

struct Samples {
${inputs.map(({ field, type }) => `    ${field}: Vec<${withLifetime(type, 'static')}>,`).join('\n')}
}

impl Samples {
    fn read(file: &[u8]) -> Result<Self, Box<dyn Error>> {
        let file = Npz::new(file)?;
${inputs.map((input) => letStatement(2, `${input.field}: Vec<${withLifetime(input.type, 'static')}>`, `${rowsOf(input)}?`)).join('\n')}
${checkRows(
  '        ',
  inputs.map(({ field, literal }) => `(${literal}, ${field}.len())`),
)}
${structLiteral(
  '        ',
  'Ok(Self',
  inputs.map(({ field }) => field),
  ')',
)}
    }

    fn rows(&self, rows: Range<usize>) -> Batch<'_> {
${structLiteral(
  '        ',
  'Batch',
  inputs.map(({ field }, i) => `${field}: &self.${field}[rows${i === inputs.length - 1 ? '' : '.clone()'}]`),
)}
    }
}
`;
}
