/** The tables of docs/performance.md, out of what `peers.py run --json` measured. */

import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { repository } from '../requirements.mjs';

const document = path.join(repository, 'docs', 'performance.md');

/** Writes a part of the document again: what stands between `<!-- name:begin -->` and `<!-- name:end -->`. */
export function writeBlock(name, text) {
  const found = fs.readFileSync(document, 'utf8');
  const [begin, end] = [`<!-- ${name}:begin -->\n`, `<!-- ${name}:end -->`];
  const [before, rest] = found.split(begin);
  const after = rest?.split(end)[1];
  if (after === undefined) throw new Error(`${document} has no part "${name}"`);
  fs.writeFileSync(document, `${before}${begin}${text.trimEnd()}\n${end}${after}`);
}

export function writeTables({ cpu, when, results }, refused, command) {
  const measured = Object.entries(results).filter(([, peers]) => peers.ours?.b1);
  const others = Object.entries(results).flatMap(([model, { ours }]) =>
    ours?.b1 ? [] : [`- ${model}: ${refused.get(model) ?? ours?.error ?? 'not measured'}`],
  );
  const versus = `Measured on ${when} on one thread of ${os.cpus().length} × ${cpu}, load average ${os.loadavg()[2].toFixed(1)} over the last
quarter of an hour, by \`${command}\`.`;
  const unlike = others.length > 0 ? `\nNot measured:\n\n${others.join('\n')}\n` : '';
  writeBlock(
    'measured',
    `${versus}\n\n${[batchTable('One sample', measured, 'b1'), batchTable('Batches', measured)].join('\n\n')}\n${unlike}
${measured.map(([model, peers]) => peersTable(model, peers)).join('\n\n')}`,
  );
}

/** Ours beside the fastest peer: ratios above 1 are for us. */
function batchTable(title, measured, wanted) {
  const rows = measured.map(([model, { ours, ...peers }]) => {
    const batch = wanted ?? Object.keys(ours).find((key) => /^b\d+$/.test(key) && key !== 'b1');
    const own = ours[batch];
    const rivals = Object.entries(peers).filter(([, peer]) => peer[batch]);
    const best = (figure) => rivals.reduce((a, b) => (b[1][batch][figure] < a[1][batch][figure] ? b : a));
    const [name, fastest] = best('min');
    return {
      model,
      batch: batch.slice(1),
      own: own.min,
      name,
      fastest: fastest[batch].min,
      least: fastest[batch].min / own.min,
      median: best('median')[1][batch].median / own.median,
      cpu: best('cpu')[1][batch].cpu / own.cpu,
      tensorflow: peers.tf?.[batch] ? peers.tf[batch].min / own.min : undefined,
    };
  });
  const mean = (figure) => {
    const given = rows.map((row) => row[figure]).filter((value) => value !== undefined);
    return times(
      given.length > 0 ? Math.exp(given.reduce((sum, x) => sum + Math.log(x), 0) / given.length) : undefined,
    );
  };
  const lines = rows.map(
    ({ model, batch, own, name, fastest, least, median, cpu, tensorflow }) =>
      `| ${model} | ${batch} | ${short(own)} | ${short(fastest)} (${name}) | ${times(least)} | ${times(median)} | ${times(cpu)} | ${times(tensorflow)} |`,
  );
  return `### ${title}

| model | samples at once | ours, µs per sample | fastest peer | times as fast | by medians | by CPU time | as TensorFlow |
|---|---|---|---|---|---|---|---|
${lines.join('\n')}
| geometric mean | | | | ${mean('least')} | ${mean('median')} | ${mean('cpu')} | ${mean('tensorflow')} |`;
}

/** Everybody on one model. */
function peersTable(model, peers) {
  const batches = [
    ...new Set(Object.values(peers).flatMap((peer) => Object.keys(peer).filter((key) => /^b\d+$/.test(key)))),
  ];
  const found = Object.entries(peers).sort(
    ([, a], [, b]) => (a.b1?.min ?? Infinity) - (b.b1?.min ?? Infinity),
  );
  const lines = found.map(([name, peer]) => {
    if (peer.error)
      return `| ${name} | fails: ${firstWords(peer.error)} |${' |'.repeat(batches.length * 2 + 1)}`;
    const figures = batches.map((batch) => `${short(peer[batch]?.min)} | ${short(peer[batch]?.median)}`);
    return `| ${name} | ${peer.max_rel_err.toExponential(1)} | ${figures.join(' | ')} | ${short(peer.cold_ms?.median)} | ${short(peer.rss_mb)} |`;
  });
  const heads = batches.map((batch) => `${batch} least µs | ${batch} median µs`);
  return `### ${model}

| | relative error | ${heads.join(' | ')} | cold ms | RSS MB |
|---|---|${'---|---|'.repeat(batches.length)}---|---|
${lines.join('\n')}`;
}

const times = (ratio) => (ratio === undefined ? '' : `${ratio.toFixed(2)} ×`);
const short = (number) => (number === undefined ? '' : number < 100 ? number.toFixed(1) : number.toFixed(0));
const firstWords = (text) => text.replaceAll(/[|\n]/g, ' ').slice(0, 120);
