/** The parts of `src/model.rs` that a model has which keeps something from one prediction to the next. */

import type { Crate, CrateMemory } from './crate.ts';
import { fitted, letStatement, structLiteral } from './rust-layout.ts';

/** How many samples a prediction is for. */
export function batchConstant({ batch }: CrateMemory): string {
  return `/// Samples of each prediction: every state has a row for each of them.
const BATCH: usize = ${batch};`;
}

/** Where the states are, and what they are at first. */
export function stateStruct(memory: CrateMemory): string {
  const { states } = memory;
  const values = states.map(({ field, initial }) => `${field}: ${initial}`);
  return `/// What the model keeps from one prediction to the next.
#[derive(Clone, Debug)]
struct State {
${states.map(({ field, type }) => `    ${field}: Vec<${type}>,`).join('\n')}
}

impl State {
    fn new(${startsFromWeights(memory) ? 'layers: &Layers' : ''}) -> Self {
${structLiteral('        ', 'Self', values)}
    }
}`;
}

/** Whether a state starts with other numbers than zeros, which are among the weights. */
function startsFromWeights({ states }: CrateMemory): boolean {
  return states.some(({ initial }) => initial.startsWith('layers.'));
}

/** `State::new()`; `layers` is the Rust expression of the weights. */
export function newState(memory: CrateMemory, layers: string): string {
  return `State::new(${startsFromWeights(memory) ? layers : ''})`;
}

/** The public constant, in the `impl` of the model. */
export const publicBatch = `    /// How many samples each prediction is for: as many as the model was exported for.
    pub const BATCH: usize = BATCH;`;

export function resetState({ weights }: Crate, memory: CrateMemory): string {
  return `    /// Forgets the predictions so far: the next one is the first again.
    pub fn reset_state(&mut self) {
        self.state = ${newState(memory, weights === 'embed' ? '&LAYERS' : '&self.layers')};
    }`;
}

/** `let lstm_state: &[[f32; 4]] = &self.state.lstm_state;` */
export function stateReads({ states }: CrateMemory): readonly string[] {
  return states.map(({ field, type }) => letStatement(2, `${field}: &[${type}]`, `&self.state.${field}`));
}

/** What the next prediction will read, once nothing of this one does any more. */
export function stateWrites({ states }: CrateMemory): readonly string[] {
  return states.map(({ field, next }) =>
    fitted('        ', `self.state.${field}.copy_from_slice(`, next, ');').replace('( ', '('),
  );
}
