/** `README.md` of a generated crate. */

import { type Crate, predictsOne } from './crate.ts';
import { codeText, useStatement } from './rust-layout.ts';

export function readme(crate: Crate): string {
  const { name, inputs, isBinary, memory, version, weights } = crate;
  const isOpened = weights === 'file';
  const call = inputs.map(({ field, isNumber }) => (isNumber ? field : `${field}: &${field}`)).join(', ');
  const show = isBinary
    ? 'println!("{} {:?}", prediction.score, prediction.confidence);'
    : 'println!("{prediction:?}");';
  const fields = inputs.map(({ field }) => `${field}: &${field}`).join(', ');
  const use = predictsOne(crate)
    ? `let prediction = model.predict(&Inputs { ${call} })?;\n${show}`
    : `let predictions = model.predict_batch(Batch { ${fields} })?; // ${name.type}::BATCH samples\nprintln!("{predictions:?}");`;
  const kept = memory
    ? '\nThe model keeps a state from one call to the next, a row for each sample; `model.reset_state()` forgets it.\n'
    : '';
  return `# ${name.crate}

Predictions of the TensorFlow model ${codeText(name.given)}, in safe Rust. Written by tf2rust ${version}.

\`\`\`rust
${useStatement(name.crate, [predictsOne(crate) ? 'Inputs' : 'Batch', name.type])}

let mut model = ${name.type}::${isOpened ? 'open("weights.bin")?; // once: clones for other threads share the weights' : 'new(); // one per thread; predicts without allocating'}
${use}
\`\`\`
${kept}
| to | run |
|---|---|
${isOpened ? '| write the weights to a file | `cargo run --release --example pack -- weights.bin` |\n' : ''}| predict the samples of a file | \`cargo run --release --example predict -- testdata/features.npz ../../out.npz\` |
| compare with TensorFlow | \`cargo test\` |
| measure | \`cargo bench\` |
| read the documentation | \`cargo doc --open\` |

${isOpened ? fileOfWeights(name.type) : ''}${isBinary ? '`model/thresholds.json` holds the lowest score of each confidence level: edit it and build again.\n\n' : ''}In your application: \`${name.crate} = { path = "path/to/rust_generated_code" }\`. If that path is
inside a workspace, add to the workspace's \`Cargo.toml\`

\`\`\`toml
[workspace]
exclude = ["path/to/rust_generated_code"]
\`\`\`

Without optimisation a model is many times slower. Cargo takes profiles from your own \`Cargo.toml\` only: for fast
debug builds add

\`\`\`toml
[profile.dev.package."*"]
opt-level = 3
\`\`\`
`;
}

function fileOfWeights(model: string): string {
  return `The weights are not in the program: put the file that \`pack\` writes where the program finds it. \`${model}::open\`
reads it once, and refuses one of another length or content; write it again when you convert the model again.

`;
}
