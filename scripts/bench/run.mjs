/**
 * `npm run bench`: makes the zoo if it is not there, measures our crates beside the peers, each in turn on one CPU, and
 * writes the tables of docs/performance.md. What follows \`--\` goes to \`peers.py run\`.
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { repository, run, stop } from '../requirements.mjs';
import { buildProgram } from './program.mjs';
import { benchFolder, harness, harnessEnvironment, python, python2, zooFolder } from './settings.mjs';
import { writeTables } from './tables.mjs';

const peers = path.join(harness, 'peers.py');
if (!fs.existsSync(peers)) stop(`${harness} has no peers.py: say where it is with BENCH_HARNESS`);
needsPython('BENCH_PYTHON', python, ['tensorflow', 'keras', 'onnx', 'onnxruntime']);
needsPython('BENCH_PYTHON2', python2, ['ai_edge_litert']);

if (!fs.existsSync(path.join(zooFolder, 'mlp'))) {
  needsPython('BENCH_PYTHON', python, ['tf2onnx']);
  await step('making the zoo', python, [path.join(harness, 'bench_zoo.py'), zooFolder]);
}
await step('preparing the peers', python, [peers, 'prepare']);
const { program, refused } = await buildProgram(zooFolder);

const options = process.argv.slice(2);
const results = path.join(benchFolder, 'results.json');
await step('measuring', python, [peers, 'run', '--exe', `ours=${program}`, '--json', results, ...options]);
writeTables(
  JSON.parse(fs.readFileSync(results, 'utf8')),
  refused,
  ['npm run bench', ...(options.length > 0 ? ['--', ...options] : [])].join(' '),
);

/** A Python that has the modules, or a sentence about it. */
function needsPython(variable, python, modules) {
  const wanted = `a Python with ${modules.join(', ')}`;
  if (python === undefined) stop(`set ${variable} to ${wanted}`);
  const find = `import importlib.util as u, sys; print(*[m for m in sys.argv[1:] if u.find_spec(m) is None])`;
  const { status, stdout, error } = spawnSync(python, ['-c', find, ...modules], { encoding: 'utf8' });
  if (error || status !== 0) stop(`${variable} is ${python}, which does not run; set it to ${wanted}`);
  if (stdout.trim() !== '') stop(`${python} (${variable}) lacks ${stdout.trim()}: set it to ${wanted}`);
}

async function step(title, command, args) {
  console.log(`\n── ${title}`);
  const options = { cwd: repository, env: harnessEnvironment };
  if ((await run(command, args, options)).status !== 0) stop(`${title} failed: see above`);
}
