/** The loops in `src/model.rs`: for each a struct with the memory of its rounds, and a method that runs them. */

import { bufferFields, type Field } from './buffers-rs.ts';
import { WORK } from './names.ts';
import { codeText, letStatement, structLiteral } from './rust-layout.ts';
import { type LoopInput, type LoopStruct, usesLayers } from './statements.ts';

/** The structs of the loops and of those in them. `rows` is the constant for the most samples. */
export function loopStructs(loops: readonly LoopStruct[], rows: string): readonly string[] {
  return loops.flatMap((loop) => [loopStruct(loop, rows), ...loopStructs(loop.loops, rows)]);
}

/** The fields of loops in the struct that holds them, and their values. */
export function loopFields(loops: readonly LoopStruct[]): readonly Field[] {
  return loops.map(({ field, name }) => ({
    field: `    ${field}: ${name},`,
    value: `${field}: ${name}::new()`,
  }));
}

function loopStruct(loop: LoopStruct, rows: string): string {
  const { name, layer, rounds, inputs, buffers, statements, shown, states, length } = loop;
  const times = (count: number) => (count === 1 ? '' : ` * ${count}`);
  const kept = inputs.filter(({ role }) => role !== 'same');
  const fields = [
    ...kept.map(({ field, type, zero }) => ({
      field: `    ${field}: Vec<${type}>,`,
      value: `${field}: vec![${zero}; ${rows}]`,
    })),
    ...bufferFields(loop.plan, buffers, rows),
    ...loopFields(loop.loops),
  ];
  const typed = ({ parameter, parameterType }: LoopInput) => `${parameter}: &[${parameterType}]`;
  const parameters = [
    '&mut self',
    ...(usesLayers(loop) ? ['layers: &Layers'] : []),
    ...inputs.filter(({ role }) => role !== 'state').map(typed),
    "y: &'y mut [f32]",
  ];
  const names = [
    ...kept.map(({ field }) => field),
    ...buffers,
    ...(loop.plan.work > 0 ? [WORK] : []),
    ...loop.loops.map(({ field }) => field),
  ];
  const firsts = inputs.filter(({ role }) => role === 'state');
  const reads = inputs.flatMap(({ role, variable, type, field, parameter }) => {
    const isRead = statements.some(({ expression }) => new RegExp(`\\b${variable}\\b`).test(expression));
    if (role === 'same' || !isRead) return [];
    const value = role === 'state' ? `&${field}[..samples]` : `ops::item(${parameter}, round, ${field})`;
    return [letStatement(3, `${variable}: &[${type}]`, value)];
  });
  const body = [
    ...reads,
    ...statements.map(({ variable, type, expression }) =>
      letStatement(3, `${variable}: ${type}`, expression),
    ),
    ...shown.map(({ variable, start, length }) => {
      const at = `round${times(length)}`;
      return `            ops::put(${variable}, ${start === 0 ? at : `${start} + ${at}`}, y);`;
    }),
    ...states.map(
      ({ variable }, i) => `            ${firsts[i]!.field}[..samples].copy_from_slice(${variable});`,
    ),
  ];
  return `/// What the rounds of ${codeText(layer)} compute in.
#[derive(Clone, Debug)]
struct ${name} {${firsts.length > 0 ? '\n    samples: usize,' : ''}
${fields.map(({ field }) => field).join('\n')}
}

impl ${name} {
    fn new() -> Self {
${structLiteral('        ', 'Self', [
  ...(firsts.length > 0 ? ['samples: 0'] : []),
  ...fields.map(({ value }) => value),
])}
    }
${firsts.length > 0 ? `\n${start(firsts)}\n` : ''}
    /// ${rounds} rounds: what each of them shows${firsts.length > 0 ? ', and the states after the last' : ''}.
${signature("run<'y>", parameters, `&'y mut [[f32; ${length}]]`)}
        let samples = ${firsts.length > 0 ? 'self.samples' : `${inputs[0]!.parameter}.len()`};
${destructured(names, firsts.length > 0)}
        let y = ops::rows(y, samples);
        for ${/\bround\b/.test(body.join('\n')) ? 'round' : '_'} in 0..${rounds} {
${body.join('\n')}
        }
${states.map(({ start }, i) => `        ops::put(&${firsts[i]!.field}[..samples], ${start}, y);\n`).join('')}        y
    }
}`;
}

/** The method that sets the states before the first round. */
function start(firsts: readonly LoopInput[]): string {
  const parameters = [
    '&mut self',
    ...firsts.map(({ parameter, parameterType }) => `${parameter}: &[${parameterType}]`),
  ];
  const copies = firsts.map(({ field, parameter }) => {
    return `        self.${field}[..self.samples].copy_from_slice(${parameter});`;
  });
  return `    /// The states before the first round.
${signature('start', parameters, '&mut Self')}
        self.samples = ${firsts[0]!.parameter}.len();
${copies.join('\n')}
        self
    }`;
}

function signature(name: string, parameters: readonly string[], result: string): string {
  const short = `    fn ${name}(${parameters.join(', ')}) -> ${result} {`;
  if (short.length <= 100) return short;
  return `    fn ${name}(\n${parameters.map((each) => `        ${each},`).join('\n')}\n    ) -> ${result} {`;
}

/** `let Self { last_state, a, .. } = self;` */
function destructured(names: readonly string[], hasMore: boolean): string {
  const fields = [...names, ...(hasMore ? ['..'] : [])];
  const short = `        let Self { ${fields.join(', ')} } = self;`;
  if (short.length <= 100) return short;
  const lines = fields.map((field) => `            ${field}${field === '..' ? '' : ','}`);
  return `        let Self {\n${lines.join('\n')}\n        } = self;`;
}
