/** The families of layers, for the colours of the picture. */

/** Strong for the border, pale for the ground of the title. */
export interface Colours {
  readonly strong: string;
  readonly pale: string;
}

type Family =
  | 'input'
  | 'recurrent'
  | 'attention'
  | 'convolution'
  | 'pooling'
  | 'normalization'
  | 'dense'
  | 'embedding'
  | 'merge'
  | 'activation'
  | 'reshape'
  | 'other';

const colours: { readonly [F in Family]: Colours } = {
  input: { strong: '#475569', pale: '#e2e8f0' },
  recurrent: { strong: '#be185d', pale: '#fce7f3' },
  attention: { strong: '#7e22ce', pale: '#f3e8ff' },
  convolution: { strong: '#1d4ed8', pale: '#dbeafe' },
  pooling: { strong: '#0e7490', pale: '#cffafe' },
  normalization: { strong: '#a16207', pale: '#fef3c7' },
  dense: { strong: '#15803d', pale: '#dcfce7' },
  embedding: { strong: '#4d7c0f', pale: '#ecfccb' },
  merge: { strong: '#c2410c', pale: '#ffedd5' },
  activation: { strong: '#b91c1c', pale: '#fee2e2' },
  reshape: { strong: '#57534e', pale: '#ece9e6' },
  other: { strong: '#4b5563', pale: '#f3f4f6' },
};

/** The first that fits is the family: `ConvLSTM2D` is recurrent, `GlobalMaxPooling1D` is a pooling. */
const families: readonly (readonly [Family, RegExp])[] = [
  ['input', /^input/i],
  ['recurrent', /lstm|gru|rnn|bidirectional|timedistributed|loop/i],
  ['attention', /attention/i],
  ['convolution', /conv\d|convolution/i],
  ['pooling', /pool|^reduce|^arg|^topk/i],
  ['normalization', /normali[sz]ation|rescaling/i],
  ['embedding', /embedding|lookup|hashing|vectorization|discretization|categoryencoding/i],
  ['activation', /relu|elu$|softmax|activation|softplus|softsign|sigmoid|tanh|silu|swish|mish|^exp$/i],
  ['dense', /dense|dot$|matmul|einsum|^bilinear/i],
  ['merge', /^(add|subtract|multiply|divide|average|maximum|minimum|concatenate|concat)/i],
  [
    'reshape',
    /reshape|flatten|permute|transpose|repeat|padding|cropping|sampling|resiz|slice|take|batch|broadcast/i,
  ],
];

export function coloursOf(className: string): Colours {
  const found = families.find(([, pattern]) => pattern.test(className));
  return colours[found?.[0] ?? 'other'];
}
