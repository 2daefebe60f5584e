/** `src/layers.rs`: the struct that is the form of the packed weights. */

import type { Crate } from './crate.ts';
import { useStatement } from './rust-layout.ts';

export function layersRs({ layers }: Crate): string {
  const types = layers.map(({ rustType }) => rustType.slice(0, rustType.indexOf('<')));
  const fields = layers.map(({ field, rustType, doc }) => `    /// ${doc}\n    pub ${field}: ${rustType},`);
  return `//! The trained layers, as \`build.rs\` writes them and \`model.rs\` reads them in place.

use tf_layers::zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};
${useStatement('tf_layers', types)}

/// The last number of each type counts the rows of 16 floats in which it keeps its weights.
#[derive(FromBytes, IntoBytes, Immutable, KnownLayout)]
#[zerocopy(crate = "tf_layers::zerocopy")]
#[repr(C)]
pub struct Layers {
${fields.join('\n')}
}
`;
}
