/** The path of a model: bytes → graph → better graph → plan → files. Each step is the folder of its number. */

import { type Pieces, sizeOf } from './1-read/pieces.ts';
import { importModel } from './2-import/index.ts';
import { optimize, recognize } from './3-optimize/index.ts';
import { plan, scratchBytes } from './4-plan/plan.ts';
import { printPlan } from './4-plan/print.ts';
import { crateOf, tolerance } from './5-emit/crate.ts';
import { describeModel } from './5-emit/description/describe.ts';
import { emitCrate } from './5-emit/emit.ts';
import { ConversionError } from './errors.ts';
import type { Graph } from './ir/graph.ts';
import { printGraph } from './ir/print.ts';
import type { HalfFloat } from './ir/types.ts';
import type { ConvertRequest, ConvertResult } from './request.ts';
import { checkSamples, drawSamples } from './samples/check.ts';
import { readFeatures } from './samples/features.ts';

export async function convert(request: ConvertRequest): Promise<ConvertResult> {
  request.progress('importing the graph');
  const { graph: imported, variables, warnings: found, halfFloat } = importModel(request.model, request);
  const warnings = halfFloat ? [...found, aboutHalf(halfFloat)] : found;
  if (request.stopAfter === 'import') return { kind: 'printed', text: printGraph(imported), warnings };

  request.progress('optimizing the graph');
  const layers = recognize(imported);
  const graph = optimize(layers);
  if (request.stopAfter === 'optimize') return { kind: 'printed', text: printGraph(graph), warnings };

  request.progress('planning memory');
  const planned = plan(graph, request);
  if (request.stopAfter === 'plan') return { kind: 'printed', text: printPlan(planned), warnings };

  const isBinary = request.binaryClassification;
  if (isBinary) refuseUnlessScore(graph);
  const crate = crateOf(planned, {
    name: request.name,
    version: request.version,
    source: request.modelFile,
    isBinary,
    hasIntermediates: !request.enableMemdrop,
    ...(request.weights !== undefined && { weights: request.weights }),
    ...(halfFloat && { halfFloat }),
  });

  request.progress('predicting the samples');
  const { features } = request;
  const most = tolerance(crate).value;
  const read = features && readFeatures(features.bytes, features.path, graph);
  const checked = read && checkSamples(graph, read, most, features.path);
  const samples = read ? { ...read, ...checked } : drawSamples(graph, request.samples, most);

  request.progress('writing the crate');
  const files = new Map<string, Pieces>();
  for (const [path, pieces] of emitCrate(crate, samples, request.tfLayers, request.thresholds)) {
    files.set(`rust_generated_code/${path}`, pieces);
  }
  const crateBytes = [...files.values()].reduce((sum, pieces) => sum + sizeOf(pieces), 0);
  const description = await describeModel(layers, variables, request.assets);
  for (const [path, pieces] of description.files) files.set(`saved_model_from_tensorflow/${path}`, pieces);
  return {
    kind: 'crate',
    files,
    warnings,
    summary: {
      layers: description.layers,
      parameters: variables.reduce((sum, { tensor }) => sum + tensor.data.length, 0),
      predictBytes: scratchBytes(planned),
      weightBytes: sizeOf(files.get('rust_generated_code/model/model_weights.npz') ?? []),
      weights: crate.weights,
      crateBytes,
      samples: samples.count,
      sampleSource: features ? 'features.npz' : 'evaluator',
      ...(checked && { largestError: checked.largestError }),
      ...(samples.rounding !== undefined && { rounding: samples.rounding }),
    },
  };
}

function aboutHalf(halfFloat: HalfFloat): string {
  return `the model computes in ${halfFloat}, and the crate in f32: predictions differ from TensorFlow's by what ${halfFloat} rounds`;
}

/** A score with a confidence level is one number for each sample. */
function refuseUnlessScore({ outputs }: Graph): void {
  const [output] = outputs;
  const { dtype, shape } = output!.value.type;
  const isScore = outputs.length === 1 && dtype === 'f32' && shape.slice(1).every((dim) => dim === 1);
  if (isScore) return;
  const found = outputs
    .map(
      ({ name, value }) =>
        `"${name}" (${value.type.shape.map((dim) => (typeof dim === 'number' ? dim : 'n')).join(', ')})`,
    )
    .join(', ');
  throw new ConversionError([
    {
      where: '--binary_classification',
      what: `the model's output is not one float for each sample, but ${found}: pass --binary_classification False`,
    },
  ]);
}
