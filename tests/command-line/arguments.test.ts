import assert from 'node:assert/strict';
import test from 'node:test';
import { type ConvertOptions, readArguments, wantsJson } from '../../src/command-line/arguments.ts';

const mandatory = ['--path_to_tf_model', 'tf_model/', '--path_to_save', 'out', '--model_name', 'MNIST'];

function read(...more: string[]): ConvertOptions {
  const options = readArguments([...mandatory, ...more]);
  assert.equal(options.kind, 'convert');
  return options.kind === 'convert' ? options : assert.fail();
}

/** The lines of the error for these arguments. */
function problems(...argv: string[]): readonly string[] {
  try {
    readArguments(argv);
  } catch (error) {
    assert.ok(error instanceof Error && error.name === 'UsageError', String(error));
    return error.message.split('\n');
  }
  return assert.fail('no error');
}

test('the mandatory flags alone give the defaults', () => {
  assert.deepEqual(read(), {
    kind: 'convert',
    pathToTfModel: 'tf_model/',
    pathToSave: 'out',
    modelName: { given: 'MNIST', type: 'MNISTModel', crate: 'mnist_model' },
    binaryClassification: true,
    enableInplace: true,
    enableMemdrop: true,
    inputShapes: new Map(),
    tfLayers: { kind: 'vendored' },
    force: false,
    json: false,
    quiet: false,
  });
});

test('every flag is read', () => {
  const options = read(
    ...['--binary_classification', 'False', '--enable_inplace', '0', '--enable_memdrop', 'false'],
    ...['--path_to_fv', 'features.npz', '--input_shape', 'tokens=1,128', '--input_shape', 'a=b=2'],
    ...['--signature', 'predict', '--stop_after', 'optimize', '--tf_layers', '../tf-layers'],
    ...['--force', '--json', '--quiet'],
  );
  const { modelName, pathToTfModel, pathToSave, ...rest } = options;
  assert.deepEqual(rest, {
    kind: 'convert',
    binaryClassification: false,
    enableInplace: false,
    enableMemdrop: false,
    pathToFv: 'features.npz',
    inputShapes: new Map([
      ['tokens', [1, 128]],
      ['a=b', [2]],
    ]),
    signature: 'predict',
    stopAfter: 'optimize',
    tfLayers: { kind: 'path', path: '../tf-layers' },
    force: true,
    json: true,
    quiet: true,
  });
  assert.equal(read('--samples', '12').samples, 12);
});

test('flags in kebab-case, and with an equals sign', () => {
  assert.deepEqual(
    readArguments(['--path-to-tf-model=tf_model/', '--path_to_save=out', '--model-name', 'MNIST']),
    read(),
  );
  assert.equal(read('--enable-inplace=False').enableInplace, false);
  assert.equal(read('--path-to_fv=a=b-c.npz').pathToFv, 'a=b-c.npz');
});

for (const text of ['True', 'true', '1']) {
  test(`a boolean can be ${text}`, () => {
    assert.equal(read('--binary_classification', text).binaryClassification, true);
    assert.equal(read('--force', text).force, true);
  });
}
for (const text of ['False', 'false', '0']) {
  test(`a boolean can be ${text}`, () => {
    assert.equal(read('--binary_classification', text).binaryClassification, false);
    assert.equal(read('--force', text).force, false);
  });
}

test('a bare boolean is true, wherever it stands', () => {
  const options = readArguments(['--force', '--enable_inplace', ...mandatory, '--binary_classification']);
  assert.ok(options.kind === 'convert' && options.force && options.enableInplace);
  assert.ok(options.binaryClassification);
});

test('the last of a repeated flag counts', () => {
  assert.equal(read('--model_name', 'Other').modelName.type, 'OtherModel');
});

test('--weights', () => {
  assert.equal(read().weights, undefined);
  assert.equal(read('--weights', 'file').weights, 'file');
  assert.throws(() => read('--weights', 'disk'), /--weights: "disk" is neither embed nor file/);
});

for (const [text, expected] of [
  ['vendored', { kind: 'vendored' }],
  ['0.1', { kind: 'version', version: '0.1' }],
  ['=1.0.0-rc.1', { kind: 'version', version: '=1.0.0-rc.1' }],
  ['./0.1', { kind: 'path', path: './0.1' }],
  ['crates/tf-layers', { kind: 'path', path: 'crates/tf-layers' }],
] as const) {
  test(`--tf_layers ${text}`, () => assert.deepEqual(read('--tf_layers', text).tfLayers, expected));
}

test('all problems are told at once', () => {
  assert.deepEqual(
    problems(
      '--path_to_tf_model',
      'm',
      '--model_name',
      '?',
      '--enable_inplace',
      'maybe',
      '--samples',
      '0',
      '--fource',
    ),
    [
      '--fource is no flag of tf2rust; did you mean --force?',
      '--path_to_save is missing: the folder to write to',
      '--model_name: "?" leaves nothing for a Rust name; give one with a letter or digit of ASCII',
      '--samples: "0" is no whole number from 1 to 999999',
      '--enable_inplace: "maybe" is neither True nor False',
    ],
  );
  assert.deepEqual(problems(), [
    '--path_to_tf_model is missing: the folder or file of the trained model',
    '--path_to_save is missing: the folder to write to',
    '--model_name is missing: a name for the struct and the crate, like MNIST',
  ]);
});

test('a flag without its value does not swallow the next flag', () => {
  const expected = ['--path_to_save needs a value'];
  assert.deepEqual(problems('--path_to_tf_model', 'm', '--path_to_save', '--model_name', 'M'), expected);
  assert.deepEqual(problems('--path_to_tf_model', 'm', '--model_name', 'M', '--path_to_save'), expected);
  assert.deepEqual(problems('--path_to_tf_model', 'm', '--model_name', 'M', '--path_to_save='), expected);
});

const wrong: readonly (readonly [argv: readonly string[], problem: string])[] = [
  [['--path_to_model', 'm'], '--path_to_model is no flag of tf2rust; did you mean --path_to_tf_model?'],
  [['--path-to-sav=x'], '--path-to-sav is no flag of tf2rust; did you mean --path_to_save?'],
  [['-path_to_fv', 'x.npz'], '-path_to_fv is no flag of tf2rust; did you mean --path_to_fv?'],
  [['--Model_Name', 'x'], '--Model_Name is no flag of tf2rust; did you mean --model_name?'],
  [['--versoin'], '--versoin is no flag of tf2rust; did you mean --version?'],
  [['--zzzzzzzz'], '--zzzzzzzz is no flag of tf2rust'],
  [['–path_to_fv'], '"–path_to_fv" belongs to no flag; did you mean --path_to_fv?'],
  [
    ['--signature', 'a', 'b'],
    '"b" belongs to no flag; a value follows its flag, and one with spaces is quoted',
  ],
  [['--binary_classification', 'yes'], '--binary_classification: "yes" is neither True nor False'],
  [['--stop_after', 'emit'], '--stop_after: "emit" is no stage; give one of import, optimize, plan'],
  [['--samples', '1e3'], '--samples: "1e3" is no whole number from 1 to 999999'],
  [['--samples', '-1'], '--samples: "-1" is no whole number from 1 to 999999'],
  [['--input_shape'], '--input_shape needs a value, like tokens=1,128'],
  [['--input_shape', '1,128'], '--input_shape: "1,128" is no name with a shape, like tokens=1,128'],
  [['--input_shape', 'x='], '--input_shape: "" of "x" is no list of whole numbers from 1, like 1,128'],
  [['--input_shape', 'x=1,0'], '--input_shape: "1,0" of "x" is no list of whole numbers from 1, like 1,128'],
  [['--input_shape', 'x=1', '--input_shape', 'x=2'], '--input_shape: "x" is given twice; leave one out'],
  [
    ['--samples', '1', '--path_to_fv', 'f.npz'],
    '--samples is for conversions without --path_to_fv, whose samples are all used; leave one out',
  ],
];
for (const [argv, problem] of wrong) {
  test(`refused: ${argv.join(' ')}`, () => assert.deepEqual(problems(...mandatory, ...argv), [problem]));
}

test('help and version win over problems', () => {
  assert.deepEqual(readArguments(['--version', '--nonsense']), { kind: 'version' });
  assert.deepEqual(readArguments(['-V']), { kind: 'version' });
  const help = readArguments(['--nonsense', '--help']);
  assert.ok(help.kind === 'help');
  assert.deepEqual(readArguments(['-h']), help);
  const flags =
    'path_to_tf_model path_to_save model_name binary_classification enable_inplace enable_memdrop';
  for (const flag of `${flags} path_to_fv input_shape signature stop_after json quiet samples`.split(' ')) {
    assert.match(help.text, new RegExp(`^  --${flag} `, 'm'));
  }
  assert.match(help.text, /Examples:/);
});

test('errors are for machines only if --json says so', () => {
  for (const argv of [['--json'], ['--nonsense', '--json'], ['--json=True'], ['--json', '1', 'x']]) {
    assert.equal(wantsJson(argv), true, argv.join(' '));
  }
  for (const argv of [[], ['--json', 'False'], ['--json=0'], ['--jsn'], ['--', '--json']]) {
    assert.equal(wantsJson(argv), false, argv.join(' '));
  }
});
