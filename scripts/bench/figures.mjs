/**
 * `npm run bench:figures`: what the crates of the zoo need besides time: memory, size, time to build and to start. Writes
 * the table of docs/performance.md.
 */

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { stop } from '../requirements.mjs';
import { buildAlone, buildProgram } from './program.mjs';
import { harnessEnvironment } from './settings.mjs';
import { writeBlock } from './tables.mjs';

const STARTS = 15;

const { converted } = await buildProgram(harnessEnvironment.PEERS_ZOO);
const samples = harnessEnvironment.PEERS_WORK;
if (!fs.existsSync(samples)) stop(`${samples} is not there: \`npm run bench\` makes it`);
const lines = [];
for (const one of converted) lines.push(row(one, await buildAlone(one)));
const [, , load] = os.loadavg();
writeBlock(
  'figures',
  `${os.cpus()[0].model}, load average ${load.toFixed(1)} over the last quarter of an hour, by \`npm run bench:figures\`.

| model | weights MB | program besides, KB | planned scratch, KB | cold start, ms | peak memory, MB | weights + scratch + input, MB | reads weights at, of the memory's speed | build, s |
|---|---|---|---|---|---|---|---|---|
${lines.join('\n')}`,
);

function row({ model, summary }, { program, seconds }) {
  const { weightBytes } = summary;
  const isEmbedded = summary.weights === 'embed';
  const size = fs.statSync(program).size - (isEmbedded ? weightBytes : 0);
  const one = path.join(samples, model, 'one.npz');
  const starts = Array.from({ length: STARTS }, () => {
    const started = Date.now() * 1e6;
    return (run(program, [model, one, '1', '0', '0']).first_done_unix_ns - started) / 1e6;
  });
  const evicted = run(program, [model, one, '1', '30', '5000'], { BENCH_EVICT: '1' });
  const share = weightBytes / (evicted.min_us * 1e3) / evicted.read_gb_s;
  const memory = peakMemory(program, [model, one, '1', '100', '5000']);
  const needed = (weightBytes + summary.predictBytes + fs.statSync(one).size) / 1e6;
  return `| ${[
    model,
    (weightBytes / 1e6).toFixed(2),
    (size / 1e3).toFixed(0),
    (summary.predictBytes / 1e3).toFixed(1),
    Math.min(...starts).toFixed(1),
    memory?.toFixed(1) ?? '',
    needed.toFixed(1),
    `${(share * 100).toFixed(0)} % of ${evicted.read_gb_s.toFixed(1)} GB/s`,
    seconds.toFixed(0),
  ].join(' | ')} |`;
}

/** What the program prints. */
function run(program, args, env = {}) {
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', env: { ...process.env, ...env } });
  const answer = JSON.parse(stdout || '{}');
  if (answer.first_done_unix_ns === undefined) stop(`${program}: ${answer.error ?? stderr}`);
  return answer;
}

/** In MB, as GNU time tells it; nothing where there is none. */
function peakMemory(program, args) {
  const { stderr } = spawnSync('/usr/bin/time', ['-f', 'peak %M', program, ...args], { encoding: 'utf8' });
  const [, kilobytes] = /peak (\d+)/.exec(stderr ?? '') ?? [];
  return kilobytes === undefined ? undefined : (Number(kilobytes) * 1024) / 1e6;
}
