/** `src/layers.rs`: the struct that is the form of the packed weights. */

import type { Crate } from './crate.ts';
import { useGroup, useStatement } from './rust-layout.ts';

const derives = ['FromBytes', 'Immutable', 'IntoBytes', 'KnownLayout'];

export function layersRs({ layers }: Crate): string {
  const types = layers.map(({ rustType }) => rustType.slice(0, rustType.indexOf('<')));
  const fields = layers.map(({ field, rustType, doc }) => `    /// ${doc}\n    pub ${field}: ${rustType},`);
  return `//! The trained layers, as \`build.rs\` writes them and \`model.rs\` reads them in place.

${useGroup([useStatement('tf_layers', types), useStatement('tf_layers::zerocopy', derives)])}

/// The last number of each type counts the rows of 16 floats in which it keeps its weights.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[zerocopy(crate = "tf_layers::zerocopy")]
#[repr(C)]
pub struct Layers {
${fields.join('\n')}
}
`;
}
