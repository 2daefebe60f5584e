/** Where the benchmarks find the peers and the models: all of it can be said by environment variables. */

import path from 'node:path';
import { repository } from '../requirements.mjs';

const { env } = process;

/** What the benchmarks make and keep. */
export const benchFolder = path.join(repository, 'build', 'bench');

/** A folder for each model, with its `saved_model` and `features.npz`. */
export const zooFolder = path.resolve(env.BENCH_ZOO ?? path.join(benchFolder, 'zoo'));

/** The harness: `bench_zoo.py`, `peers.py` and the peers' sources. */
export const harness = path.resolve(env.BENCH_HARNESS ?? path.join(repository, '..', 'shared', 'bench'));

/** A Python with tensorflow, keras, onnx, onnxruntime and, to make the zoo, tf2onnx. */
export const python = env.BENCH_PYTHON;

/** A Python with ai-edge-litert; it may be the same. */
export const python2 = env.BENCH_PYTHON2 ?? env.BENCH_PYTHON;

/** What `peers.py` reads of these. */
export const harnessEnvironment = {
  PEERS_ZOO: zooFolder,
  PEERS_WORK: path.join(benchFolder, 'work'),
  PEERS_TARGET: path.resolve(env.PEERS_TARGET ?? path.join(benchFolder, 'peers')),
  ...(python && { PEERS_PYTHON: python }),
  ...(python2 && { PEERS_PYTHON2: python2 }),
};
