/** `build.rs`: packs the weights into the form in which the layers read them. */

import type { Crate } from './crate.ts';
import { letStatement, resultExpression } from './rust-layout.ts';
import type { LayerMember } from './statements.ts';

export function buildRs({ name, layers, weights }: Crate): string {
  const inFile = weights === 'file';
  return `//! Packs \`model/model_weights.npz\` into the form in which the layers read their weights.

#![forbid(unsafe_code)]

use std::error::Error;
use std::path::Path;
use std::{env, fs};

${inFile ? 'use tf_layers::fingerprint;\n' : ''}use tf_layers::npz::Npz;
use tf_layers::zerocopy::{FromZeros, IntoBytes};

#[path = "src/layers.rs"]
mod layers;

use layers::Layers;

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=model/model_weights.npz");
    let out_dir = env::var("OUT_DIR")?;
${packedPath(name.crate)}
    pack(Path::new("model/model_weights.npz"), &packed)${inFile ? `?;\n${FINGERPRINT}` : ''}
}

/// Reads the trained weights from one file, and writes them packed to the other.
pub fn pack(from: &Path, to: &Path) -> Result<(), Box<dyn Error>> {
    let file = fs::read(from)?;
    ${readsWeights(layers) ? 'let weights = Npz::new(&file)?' : 'Npz::new(&file)?'};
    let mut layers = Layers::new_box_zeroed().map_err(|_| "not enough memory for the weights")?;

${layers.map(packed).join('\n')}

    fs::write(to, layers.as_bytes())?;
    Ok(())
}
`;
}

/** Layers may compute all that they hold. */
function readsWeights(layers: readonly LayerMember[]): boolean {
  return layers.some(({ weights }) => weights.some(({ kind }) => kind === 'array'));
}

function packedPath(crate: string): string {
  const [start, end] = ['Path::new(&out_dir)', `.join("${crate}.bin")`];
  return `        ${start}${end};`.length <= 100
    ? letStatement(1, 'packed', `${start}${end}`)
    : `    let packed = ${start}\n        ${end};`;
}

/** The crate knows the file that it opens by its fingerprint. */
const FINGERPRINT = `    let fingerprint = fingerprint(&fs::read(&packed)?);
    fs::write(packed.with_extension("rs"), format!("{fingerprint:#x}"))?;
    Ok(())`;

function packed({ field, weights }: LayerMember): string {
  const args = weights.map((weight) =>
    weight.kind === 'array' ? `&*weights.array("${weight.array}")?` : `&${weight.literal}`,
  );
  return resultExpression('    ', `layers.${field}.pack(${args.join(', ')});`);
}
