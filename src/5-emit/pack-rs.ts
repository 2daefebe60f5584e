/** `examples/pack.rs`: writes the file of the weights, for a crate that does not hold them. */

import { type Crate, weightsConstant } from './crate.ts';

export function packRs(crate: Crate): string {
  return `//! \`cargo run --release --example pack -- weights.bin\`: writes the file that \`${crate.name.type}::open\` reads.

#![forbid(unsafe_code)]

use std::process::ExitCode;
use std::{env, fs};

${weightsConstant(crate)}fn main() -> ExitCode {
    let Some(to) = env::args_os().nth(1) else {
        eprintln!("usage: pack weights.bin");
        return ExitCode::FAILURE;
    };
    match fs::copy(WEIGHTS, &to) {
        Ok(_) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{}: {error}", to.display());
            ExitCode::FAILURE
        }
    }
}
`;
}
