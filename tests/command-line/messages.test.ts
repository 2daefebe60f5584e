import assert from 'node:assert/strict';
import test from 'node:test';
import { readArguments } from '../../src/command-line/arguments.ts';
import {
  bytes,
  describeFailure,
  describeSummary,
  exitCode,
  failureOf,
  printable,
  summaryForMachines,
} from '../../src/command-line/messages.ts';
import { ConversionError, UsageError } from '../../src/errors.ts';
import type { Summary } from '../../src/request.ts';

const command = ['--path_to_tf_model', 'my model', '--path_to_save', 'out/', '--model_name', 'KWS'];

function said(error: unknown): string {
  return describeFailure(failureOf(error), command, '0.1.0');
}

test('one problem is a paragraph, several are a list by layer', () => {
  const groups = { where: 'layer "conv1d" (Conv1D)', what: 'groups is 2' };
  const padding = { where: 'layer "conv1d" (Conv1D)', what: 'padding is "odd"' };
  const lstm = { where: 'layer "lstm" (LSTM)', what: 'not supported' };
  assert.equal(said(new ConversionError([groups])), 'layer "conv1d" (Conv1D): groups is 2');
  assert.equal(
    said(new ConversionError([groups, lstm, padding])),
    [
      'the model cannot be converted, for 3 reasons:',
      '  layer "conv1d" (Conv1D)',
      '    groups is 2',
      '    padding is "odd"',
      '  layer "lstm" (LSTM)',
      '    not supported',
    ].join('\n'),
  );
});

test('only a bug shows its stack, and how it came about', () => {
  const text = said(new TypeError('x is undefined'));
  assert.match(text, /^this is a bug of tf2rust 0\.1\.0, and not of your model or command: x is undefined\n/);
  assert.match(text, /\n {2}tf2rust --path_to_tf_model 'my model' --path_to_save out\/ --model_name KWS\n/);
  assert.match(text, /\n {2}Node v\d+.*\n {2}TypeError: x is undefined\n {6}at /);
  assert.doesNotMatch(said(new UsageError('no')) + said(new ConversionError([])), / at /);
  assert.match(said('thrown text'), /command: thrown text\n/);
});

test('exit codes', () => {
  assert.equal(exitCode(failureOf(new ConversionError([]))), 1);
  assert.equal(exitCode(failureOf(new UsageError(''))), 2);
  assert.equal(exitCode(failureOf(new RangeError(''))), 3);
});

const summary: Summary = {
  layers: 1,
  parameters: 52906,
  predictBytes: 123456,
  weightBytes: 211624,
  weights: 'embed',
  crateBytes: 512,
  samples: 8,
  sampleSource: 'evaluator',
};

test('the summary, for people and for machines', () => {
  const options = readArguments(command);
  assert.ok(options.kind === 'convert');
  assert.deepEqual(describeSummary(options, summary).split('\n'), [
    'KWSModel in the crate kws_model',
    '  model              1 layer, 52,906 parameters',
    '  memory of predict  120.6 KiB',
    '  weights            206.7 KiB',
    '  crate              512 bytes of files',
    "  tests              8 samples made up, with predictions of tf2rust's own; give TensorFlow's with --path_to_fv",
    '  written to         out/',
    'Now try: cd out/rust_generated_code && cargo test',
  ]);
  const measured: Summary = { ...summary, samples: 1, sampleSource: 'features.npz', largestError: 3.14e-7 };
  assert.match(
    describeSummary(options, measured),
    /tests {14}1 sample of --path_to_fv; largest error 3\.1e-7\n/,
  );
  assert.match(
    describeSummary(options, { ...summary, weights: 'file' }),
    /weights {12}206\.7 KiB, in a file that KWSModel::open reads: see the README of the crate\n/,
  );
  assert.deepEqual(JSON.parse(summaryForMachines(options, 'kws', summary, ['slow'])), {
    model: 'kws',
    struct: 'KWSModel',
    crate: 'kws_model',
    path_to_save: 'out/',
    summary,
    warnings: ['slow'],
  });
});

for (const [size, text] of [
  [0, '0 bytes'],
  [1, '1 byte'],
  [1023, '1023 bytes'],
  [1024, '1.0 KiB'],
  [26_529_000, '25.3 MiB'],
  [5 * 2 ** 30, '5.0 GiB'],
  [2 ** 52, '4096.0 TiB'],
] as const) {
  test(`${size} bytes are ${text}`, () => assert.equal(bytes(size).replace(',', ''), text));
}

test('control characters are spelled, line ends are not', () => {
  assert.equal(printable('a\x1b[2J\n\x07\x9b\tü\u202e'), 'a\\x1b[2J\n\\x07\\x9b\\x09ü\\x202e');
});
