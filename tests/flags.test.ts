import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import test from 'node:test';
import { importModel } from '../src/2-import/index.ts';
import { optimize, recognize } from '../src/3-optimize/index.ts';
import { rustName } from '../src/5-emit/names.ts';
import { openModel } from '../src/command-line/model-files.ts';
import { largestError } from '../src/evaluate/error.ts';
import { evaluateNodes } from '../src/evaluate/evaluate.ts';
import { nodesOf } from '../src/ir/graph.ts';
import { elements, type Tensor, type TensorData } from '../src/ir/types.ts';
import { readFeatures } from '../src/samples/features.ts';
import { cargo, tf2rust } from './crates/command.ts';
import { convertModel, type ModelToConvert } from './crates/convert-model.ts';
import { fixtureNamed, fixtures } from './crates/fixtures.ts';
import { readFolder, writeChanged } from './crates/folder.ts';
import { buildFolder, inRepository, needs, repository } from './crates/places.ts';
import { clippyFindings, type GeneratedCrate, testCrates, unformatted } from './crates/shards.ts';

const here = needs('fixtures/models', 'examples/digits/saved_model');

async function crateOf(model: ModelToConvert): Promise<{ crate: GeneratedCrate; predictBytes: number }> {
  const result = await convertModel(model);
  assert.equal(result.kind, 'crate', JSON.stringify(result).slice(0, 2000));
  return result.kind === 'crate'
    ? { crate: result.crate, predictBytes: result.summary.predictBytes }
    : assert.fail();
}

function textOf({ files }: GeneratedCrate, file: string): string {
  return new TextDecoder().decode(files.get(file));
}

/** Steps that write over their input. */
const inPlace = /(?<!\.(?:chunks|iter|from)|from)_mut\(/;

test(
  'every fixture predicts as TensorFlow does without writing in place and without using memory again',
  here,
  async () => {
    const crates: GeneratedCrate[] = [];
    for (const model of fixtures()) {
      for (const [suffix, flags] of [
        ['own', { enableMemdrop: false }],
        ['apart', { enableInplace: false }],
      ] as const) {
        const result = await convertModel({ ...model, name: `${model.name} ${suffix}`, ...flags });
        if (result.kind === 'crate') crates.push(result.crate);
      }
    }
    const folder = buildFolder('flags');
    const outcomes = testCrates(folder, crates);
    assert.ok(outcomes.size > 40);
    assert.deepEqual(
      [...outcomes].filter(([, { kind }]) => kind !== 'passed'),
      [],
    );
    assert.deepEqual([...clippyFindings(folder)], []);
    assert.deepEqual(unformatted(folder, crates), []);
  },
);

test('--enable_inplace False: no step writes over its input, and with True some do', here, async () => {
  let written = 0;
  for (const model of fixtures()) {
    const result = await convertModel({ ...model, enableInplace: false });
    if (result.kind === 'crate')
      assert.doesNotMatch(textOf(result.crate, 'src/model.rs'), inPlace, model.name);
    const over = await convertModel(model);
    if (over.kind === 'crate' && inPlace.test(textOf(over.crate, 'src/model.rs'))) written++;
  }
  assert.ok(written >= 3, `${written} fixtures write in place`);
});

test('--enable_memdrop False takes more memory', here, async () => {
  for (const name of ['two_inputs_k3', 'merges', 'depthwise_and_separable']) {
    const dropped = await crateOf(fixtureNamed(name));
    const kept = await crateOf({ ...fixtureNamed(name), enableMemdrop: false });
    assert.ok(
      kept.predictBytes > dropped.predictBytes,
      `${name}: ${kept.predictBytes} > ${dropped.predictBytes}`,
    );
  }
});

test('--enable_memdrop False: intermediates() are what the evaluator computes', here, async () => {
  for (const name of ['two_inputs_k3', 'plain_module', 'shared_and_nested']) {
    const model = { ...fixtureNamed(name), enableMemdrop: false };
    const { crate } = await crateOf(model);
    const [graph, values] = evaluated(model);
    const shown = intermediatesOf(crate);
    for (const { layer, shape, numbers } of shown) {
      const errors = graph
        .filter((node) => isStepOf(layer, node.layer.name))
        .map((node) => values.get(node)!)
        .filter((tensor) => `${tensor.shape.slice(1)}` === `${shape}`)
        .map(({ data }) => largestError(numbersAs(data, numbers), data));
      assert.ok(Math.min(...errors) <= 1e-5, `${name}, ${layer}: ${errors}`);
    }
    for (const node of graph.filter(({ op }) => op !== 'Reshape')) {
      assert.ok(
        shown.some(({ layer }) => isStepOf(layer, node.layer.name)),
        `${name}: ${node.layer.name} is not shown`,
      );
    }
  }
});

function evaluated(model: ModelToConvert) {
  const { graph } = importModel(openModel(model.model).source, { inputShapes: new Map() });
  const optimized = optimize(recognize(graph));
  const samples = readFeatures(model.features!, 'features.npz', optimized);
  const first = new Map([...samples.inputs].map(([name, tensor]) => [name, firstSample(tensor)]));
  return [nodesOf(optimized), evaluateNodes(optimized, first, 1)] as const;
}

function firstSample(tensor: Tensor): Tensor {
  const shape = [1, ...tensor.shape.slice(1)];
  return { ...tensor, shape, data: tensor.data.slice(0, elements(shape)) };
}

/** Numbers that Rust printed, as the array that they are compared with. */
function numbersAs(like: TensorData, printed: readonly string[]): TensorData {
  if (like instanceof BigInt64Array) return BigInt64Array.from(printed, BigInt);
  return Float64Array.from(printed, (text) => {
    if (text === 'true' || text === 'false') return text === 'true' ? 1 : 0;
    return Number(text.replace('inf', 'Infinity'));
  });
}

/** The last step of a layer has its name; those before it add what they do. */
function isStepOf(step: string, layer: string): boolean {
  return step === layer || step.startsWith(`${rustName(layer)}_`);
}

interface Shown {
  readonly layer: string;
  readonly shape: readonly number[];
  readonly numbers: readonly string[];
}

/** Runs a program that prints the intermediates of the first sample. */
function intermediatesOf({ name, files }: GeneratedCrate): readonly Shown[] {
  const folder = path.join(buildFolder('intermediates'), name);
  const predict = new TextDecoder().decode(files.get('examples/predict.rs'));
  const show = predict
    .replace(/^(\s*)let count = .*$/m, '$1let count = 1;')
    .replace(/^(\s*)let mut outputs: (Vec<.*>) = .*$/m, (line) =>
      line.replace(/; samples\.\w+\.len\(\)/, '; 1').replace(/\(samples\.\w+\.len\(\)\)/, '(1)'),
    )
    .replace(
      /^(\s*)(model\.predict_from_array\(samples\.rows\(0\.\.count\), &mut outputs\)\?;)$/m,
      `$1$2
    for step in model.intermediates() {
        println!("{}|{:?}|{:?}", step.name, step.shape, step.values);
    }`,
    );
  writeChanged(folder, new Map([...files, ['examples/show.rs', new TextEncoder().encode(show)]]));
  const args = [
    'run',
    '--quiet',
    '--example',
    'show',
    '--',
    'testdata/features.npz',
    path.join(folder, 'out.npz'),
  ];
  const { stdout } = cargo(folder, args);
  return stdout
    .trim()
    .split('\n')
    .map((line) => {
      const [layer = '', shape = '', values = ''] = line.split('|');
      const list = (text: string) =>
        text
          .replaceAll(/^.*\[|\].*$/g, '')
          .split(', ')
          .filter((item) => item !== '');
      return { layer, shape: list(shape).map(Number), numbers: list(values) };
    });
}

test(
  '--binary_classification: thresholds are written, kept when edited, and dropped with False',
  here,
  () => {
    const folder = path.join(buildFolder('thresholds'), 'spam');
    fs.rmSync(folder, { recursive: true, force: true });
    const model = inRepository('fixtures', 'models', 'two_inputs_k3', 'saved_model');
    const convert = (...flags: string[]) => {
      const args = [
        '--path_to_tf_model',
        model,
        '--path_to_save',
        folder,
        '--model_name',
        'Spam',
        '--samples',
        '2',
      ];
      const ran = tf2rust(repository, [...args, ...flags]);
      assert.equal(ran.status, 0, ran.stderr);
      return ran;
    };
    const file = path.join(folder, 'rust_generated_code', 'model', 'thresholds.json');
    convert();
    assert.deepEqual(JSON.parse(fs.readFileSync(file, 'utf8')), {
      bottom: 0.5,
      low: 0.6,
      medium: 0.8,
      high: 0.95,
    });

    const edited = '{ "bottom": 0.1, "low": 0.2, "medium": 0.3, "high": 0.4 }\n';
    fs.writeFileSync(file, edited);
    convert();
    assert.equal(fs.readFileSync(file, 'utf8'), edited);

    const { stderr } = convert('--binary_classification', 'False');
    assert.match(stderr, /thresholds\.json is gone/);
    assert.ok(!fs.existsSync(file));
    const names = [...readFolder(path.join(folder, 'rust_generated_code', 'src')).values()];
    assert.ok(names.every((bytes) => !Buffer.from(bytes).includes('Confidence')));
  },
);

test('--stop_after prints the graph or the plan, and writes nothing', here, () => {
  const folder = path.join(buildFolder('stopped'), 'never');
  for (const stage of ['import', 'optimize', 'plan']) {
    const model = inRepository('examples', 'digits', 'saved_model');
    const args = ['--path_to_tf_model', model, '--path_to_save', folder, '--model_name', 'Digits'];
    const { status, stdout, stderr } = tf2rust(repository, [...args, '--stop_after', stage]);
    assert.deepEqual([status, stderr], [0, ''], stage);
    assert.match(stdout, /Conv/, stage);
    assert.ok(!fs.existsSync(folder));
  }
});
