//! Layers against the plain loops of their definitions, at awkward sizes.

#![cfg(feature = "pack")]

use tf_layers::activation::{LINEAR, RELU, TANH};
use tf_layers::zerocopy::FromZeros;
use tf_layers::{
    Bands, BatchNormalization, Constant, Conv1D, Conv1DTranspose, Conv2D, Conv2DTranspose, Dense,
    DepthwiseConv1D, DepthwiseConv2D, Embedding, GroupedConv1D, GroupedConv2D, InputError,
    Resampling, Tensor, Window,
};

/// Floats are added in other orders here than there.
const TOLERANCE: f32 = 1e-5;

/// Tensors of numbers between −1 and 1, others for another `seed`.
fn random<T: Tensor<Number = f32>>(samples: usize, seed: u32) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    let flat: Vec<f32> = (0..samples * T::LEN).map(|_| next()).collect();
    T::batch(&flat).to_vec()
}

fn assert_near(y: &[f32], expected: &[f32]) {
    assert_eq!(y.len(), expected.len());
    let scale = expected.iter().fold(1e-6_f32, |scale, x| scale.max(x.abs()));
    for (i, (y, expected)) in y.iter().zip(expected).enumerate() {
        assert!((y - expected).abs() <= TOLERANCE * scale, "at {i}: {y}, not {expected}");
    }
}

/// Calls `apply` with batches of 0, 1, 3 and 7 samples, compares them with `expected`, and sees
/// that a sample doesn't depend on the others.
fn check<X: Tensor<Number = f32>, Y: Tensor<Number = f32>>(
    apply: impl Fn(&[X], &mut [f32]) -> Vec<Y>,
    expected: impl Fn(&[f32]) -> Vec<f32>,
) {
    let x: Vec<X> = random(7, 1);
    let mut scratch = vec![f32::NAN; 7 * Y::LEN + 3];
    let all = apply(&x, &mut scratch);
    for (x, y) in x.iter().zip(&all) {
        assert_near(Y::flat(std::slice::from_ref(y)), &expected(X::flat(std::slice::from_ref(x))));
    }
    for samples in [0, 1, 3] {
        assert_eq!(apply(&x[..samples], &mut scratch), all[..samples]);
    }
}

fn dense<const IN: usize, const OUT: usize, const ROWS: usize>() {
    let kernel: [[f32; OUT]; IN] = random(1, 2)[0];
    let bias: [f32; OUT] = random(1, 3)[0];
    let mut layer = Dense::<IN, OUT, ROWS>::new_zeroed();
    layer.pack(&kernel, &bias);
    let expected = |x: &[f32]| {
        let rows = x.chunks(IN);
        rows.flat_map(|x| {
            (0..OUT).map(|o| bias[o] + (0..IN).map(|i| x[i] * kernel[i][o]).sum::<f32>())
        })
        .collect()
    };
    check::<[f32; IN], [f32; OUT]>(|x, y| layer.apply(x, LINEAR, y).to_vec(), expected);
    check::<[[[f32; IN]; 5]; 2], [[[f32; OUT]; 5]; 2]>(
        |x, y| layer.apply(x, LINEAR, y).to_vec(),
        expected,
    );
}

#[test]
fn images_in_bands() {
    let mut first = Conv2D::<2, 2, 3, 5, 13>::new_zeroed();
    first.pack(&random(1, 2)[0], &random(1, 3)[0]);
    let mut second = DepthwiseConv2D::<3, 3, 5, 1, 10>::new_zeroed();
    second.pack(&random(1, 4)[0], &random(1, 5)[0]);
    let [slow, fast] = [Window::valid(), Window::same().strides([2, 2])];
    for samples in [0, 1, 3] {
        let x: Vec<[[[f32; 3]; 9]; 8]> = random(samples, 6);
        let (mut image, mut work) = (vec![f32::NAN; samples * 280], vec![f32::NAN; 280]);
        let (mut y, mut z) = (vec![f32::NAN; samples * 80], vec![f32::NAN; samples * 80]);
        let image: &[[[[f32; 5]; 8]; 7]] = first.apply(&x, slow, RELU, &mut image);
        let apart: &[[[[f32; 5]; 4]; 4]] = second.apply(image, fast, LINEAR, &mut y);
        let image: Bands<'_, 7, 8, 5> = first.bands(&x, slow, RELU);
        let together: &[[[[f32; 5]; 4]; 4]] =
            second.apply_to_bands(image, fast, LINEAR, &mut work, &mut z);
        assert_eq!(apart, together);
    }
}

#[test]
fn dense_layers() {
    dense::<1, 1, 2>();
    dense::<3, 15, 4>();
    dense::<16, 16, 17>();
    dense::<17, 17, 36>();
    dense::<300, 33, 903>();
}

/// The numbers of the input under place `k` of the window at `out`, if not padding.
fn step(
    out: usize,
    k: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    len: usize,
) -> Option<usize> {
    (out * stride + k * dilation).checked_sub(before).filter(|&step| step < len)
}

#[derive(Clone, Copy)]
struct Case<const D: usize> {
    strides: [usize; D],
    dilations: [usize; D],
    before: [usize; D],
    window: Window<D>,
}

fn conv1d<
    const SIZE: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
    const STEPS: usize,
    const STEPS_OUT: usize,
>(
    case: Case<1>,
) {
    let kernel: [[[f32; OUT]; IN]; SIZE] = random(1, 2)[0];
    let bias: [f32; OUT] = random(1, 3)[0];
    let mut layer = Conv1D::<SIZE, IN, OUT, ROWS>::new_zeroed();
    layer.pack(&kernel, &bias);
    check::<[[f32; IN]; STEPS], [[f32; OUT]; STEPS_OUT]>(
        |x, y| layer.apply(x, case.window, TANH, y).to_vec(),
        |x| {
            let mut y = vec![];
            for (out, o) in (0..STEPS_OUT).flat_map(|out| (0..OUT).map(move |o| (out, o))) {
                let mut sum = bias[o];
                for (k, kernel) in kernel.iter().enumerate() {
                    let at =
                        step(out, k, case.strides[0], case.dilations[0], case.before[0], STEPS);
                    if let Some(at) = at {
                        sum += (0..IN).map(|i| x[at * IN + i] * kernel[i][o]).sum::<f32>();
                    }
                }
                y.push(sum.tanh());
            }
            y
        },
    );
}

#[test]
fn convolutions_over_steps() {
    let case = |window, stride, dilation, before| Case {
        window,
        strides: [stride],
        dilations: [dilation],
        before: [before],
    };
    let same = Window::same();
    conv1d::<1, 1, 1, 2, 1, 1>(case(same, 1, 1, 0));
    conv1d::<3, 5, 17, 32, 9, 9>(case(same, 1, 1, 1));
    conv1d::<3, 5, 16, 16, 9, 5>(case(same.strides([2]), 2, 1, 1));
    conv1d::<4, 3, 15, 13, 8, 4>(case(same.strides([2]), 2, 1, 1));
    conv1d::<3, 5, 33, 48, 20, 20>(case(same.dilations([3]), 1, 3, 3));
    conv1d::<3, 5, 3, 16, 20, 20>(case(Window::causal().dilations([2]), 1, 2, 4));
    conv1d::<3, 5, 3, 16, 20, 18>(case(Window::valid(), 1, 1, 0));
    conv1d::<9, 2, 3, 19, 1, 1>(case(same, 1, 1, 4));
    conv1d::<3, 2, 3, 7, 5, 6>(case(Window::explicit([[1, 2]]), 1, 1, 1));
    conv1d::<1, 4, 20, 10, 30, 30>(case(same, 1, 1, 0));
}

fn conv2d<
    const KH: usize,
    const KW: usize,
    const IN: usize,
    const OUT: usize,
    const GROUPS: usize,
    const ROWS: usize,
    const C: usize,
    const H: usize,
    const W: usize,
    const H_OUT: usize,
    const W_OUT: usize,
>(
    case: Case<2>,
) {
    let kernel: [[[[f32; OUT]; IN]; KW]; KH] = random(1, 2)[0];
    let bias: [f32; OUT] = random(1, 3)[0];
    let expected = |x: &[f32]| {
        let mut y = vec![];
        for i in 0..H_OUT * W_OUT * OUT {
            let (row, column, o) = (i / OUT / W_OUT, i / OUT % W_OUT, i % OUT);
            let first = o / (OUT / GROUPS) * IN;
            let mut sum = bias[o];
            for (k, l) in (0..KH).flat_map(|k| (0..KW).map(move |l| (k, l))) {
                let at = |d, out, k, len| {
                    step(out, k, case.strides[d], case.dilations[d], case.before[d], len)
                };
                if let (Some(row), Some(column)) = (at(0, row, k, H), at(1, column, l, W)) {
                    let x = &x[(row * W + column) * C + first..];
                    sum += (0..IN).map(|i| x[i] * kernel[k][l][i][o]).sum::<f32>();
                }
            }
            y.push(sum.max(0.0));
        }
        y
    };
    let mut layer = GroupedConv2D::<KH, KW, IN, OUT, GROUPS, ROWS>::new_zeroed();
    layer.pack(&kernel, &bias);
    check::<[[[f32; C]; W]; H], [[[f32; OUT]; W_OUT]; H_OUT]>(
        |x, y| layer.apply(x, case.window, RELU, y).to_vec(),
        expected,
    );
}

#[test]
fn convolutions_over_images() {
    let case = |window, strides, dilations, before| Case { window, strides, dilations, before };
    let same = Window::same();
    conv2d::<3, 3, 3, 17, 1, 56, 3, 7, 9, 7, 9>(case(same, [1, 1], [1, 1], [1, 1]));
    conv2d::<3, 2, 4, 16, 1, 25, 4, 8, 11, 4, 4>(case(
        same.strides([2, 3]),
        [2, 3],
        [1, 1],
        [0, 0],
    ));
    conv2d::<2, 3, 2, 5, 1, 13, 2, 6, 14, 5, 6>(case(
        Window::valid().strides([1, 2]),
        [1, 2],
        [1, 1],
        [0, 0],
    ));
    conv2d::<3, 3, 2, 5, 1, 19, 2, 9, 12, 9, 12>(case(
        same.dilations([2, 3]),
        [1, 1],
        [2, 3],
        [2, 3],
    ));
    conv2d::<1, 1, 5, 33, 1, 18, 5, 3, 5, 3, 5>(case(same, [1, 1], [1, 1], [0, 0]));
    conv2d::<1, 1, 5, 3, 1, 6, 5, 4, 5, 2, 3>(case(same.strides([2, 2]), [2, 2], [1, 1], [0, 0]));
    // Groups that don't fill panels, that fill them, and a group for each channel.
    conv2d::<3, 3, 2, 6, 3, 57, 6, 5, 6, 5, 6>(case(same, [1, 1], [1, 1], [1, 1]));
    conv2d::<3, 3, 2, 48, 2, 76, 4, 5, 6, 5, 6>(case(same, [1, 1], [1, 1], [1, 1]));
    conv2d::<1, 1, 4, 32, 2, 10, 8, 5, 6, 5, 6>(case(same, [1, 1], [1, 1], [0, 0]));
    conv2d::<2, 2, 1, 3, 3, 15, 3, 4, 4, 4, 4>(case(same, [1, 1], [1, 1], [0, 0]));
    conv2d::<3, 3, 2, 5, 1, 19, 2, 4, 4, 4, 5>(case(
        Window::explicit([[1, 1], [2, 1]]),
        [1, 1],
        [1, 1],
        [1, 2],
    ));
}

#[test]
fn one_group_is_a_plain_convolution() {
    let kernel: [[[[f32; 17]; 4]; 2]; 3] = random(1, 2)[0];
    let bias: [f32; 17] = random(1, 3)[0];
    let mut plain = Conv2D::<3, 2, 4, 17, 50>::new_zeroed();
    plain.pack(&kernel, &bias);
    let mut grouped = GroupedConv2D::<3, 2, 4, 17, 1, 50>::new_zeroed();
    grouped.pack(&kernel, &bias);
    let x: Vec<[[[f32; 4]; 9]; 8]> = random(3, 1);
    let (mut a, mut b) = (vec![0.0; 10_000], vec![0.0; 10_000]);
    let y: &mut [[[[f32; 17]; 9]; 8]] = plain.apply(&x, Window::same(), RELU, &mut a);
    let expected: &mut [[[[f32; 17]; 9]; 8]] = grouped.apply(&x, Window::same(), RELU, &mut b);
    assert_eq!(y, expected);
}

#[test]
fn grouped_convolutions_over_steps() {
    let kernel: [[[f32; 4]; 3]; 2] = random(1, 2)[0];
    let bias: [f32; 4] = random(1, 3)[0];
    let mut layer = GroupedConv1D::<2, 3, 4, 2, 14>::new_zeroed();
    layer.pack(&kernel, &bias);
    check::<[[f32; 6]; 5], [[f32; 4]; 4]>(
        |x, y| layer.apply(x, Window::valid(), LINEAR, y).to_vec(),
        |x| {
            let sum = |out: usize, o: usize| -> f32 {
                let taps = (0..2).flat_map(|k| (0..3).map(move |i| (k, i)));
                taps.map(|(k, i)| x[(out + k) * 6 + o / 2 * 3 + i] * kernel[k][i][o]).sum()
            };
            (0..16).map(|i| bias[i % 4] + sum(i / 4, i % 4)).collect()
        },
    );
}

fn depthwise<
    const C: usize,
    const M: usize,
    const OUT: usize,
    const ROWS: usize,
    const H_OUT: usize,
    const W_OUT: usize,
>(
    case: Case<2>,
) {
    const { assert!(OUT == C * M) };
    let kernel: [[[[f32; M]; C]; 2]; 3] = random(1, 2)[0];
    let bias: [[f32; M]; C] = random(1, 3)[0];
    let mut layer = DepthwiseConv2D::<3, 2, C, M, ROWS>::new_zeroed();
    layer.pack(&kernel, &bias);
    check::<[[[f32; C]; 6]; 7], [[[f32; OUT]; W_OUT]; H_OUT]>(
        |x, y| layer.apply(x, case.window, LINEAR, y).to_vec(),
        |x| {
            let mut y = vec![];
            for i in 0..H_OUT * W_OUT * OUT {
                let (row, column, o) = (i / OUT / W_OUT, i / OUT % W_OUT, i % OUT);
                let mut sum = bias[o / M][o % M];
                for (k, l) in (0..3).flat_map(|k| (0..2).map(move |l| (k, l))) {
                    let at = |d, out, k, len| {
                        step(out, k, case.strides[d], case.dilations[d], case.before[d], len)
                    };
                    if let (Some(row), Some(column)) = (at(0, row, k, 7), at(1, column, l, 6)) {
                        sum += x[(row * 6 + column) * C + o / M] * kernel[k][l][o / M][o % M];
                    }
                }
                y.push(sum);
            }
            y
        },
    );
}

#[test]
fn depthwise_convolutions() {
    let case = |window, strides, dilations, before| Case { window, strides, dilations, before };
    let same = Window::same();
    depthwise::<1, 1, 1, 7, 7, 6>(case(same, [1, 1], [1, 1], [1, 0]));
    depthwise::<17, 1, 17, 14, 4, 3>(case(same.strides([2, 2]), [2, 2], [1, 1], [1, 0]));
    depthwise::<16, 1, 16, 7, 7, 6>(case(same.dilations([2, 3]), [1, 1], [2, 3], [2, 1]));
    depthwise::<5, 3, 15, 7, 5, 5>(case(Window::valid(), [1, 1], [1, 1], [0, 0]));
    depthwise::<11, 2, 22, 14, 7, 6>(case(same, [1, 1], [1, 1], [1, 0]));

    let mut layer = DepthwiseConv1D::<2, 3, 2, 3>::new_zeroed();
    layer.pack(&[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[0.0; 2]; 3]], &[[0.0; 2]; 3]);
    let mut scratch = [0.0; 6];
    let y: &mut [[[f32; 6]; 1]] =
        layer.apply(&[[[1.0, 10.0, 100.0], [9.0; 3]]], Window::valid(), LINEAR, &mut scratch);
    assert_eq!(y, [[[1.0, 2.0, 30.0, 40.0, 500.0, 600.0]]]);
}

#[test]
fn embeddings() {
    let table: [[f32; 5]; 10] = random(1, 1)[0];
    let mut layer = Embedding::<10, 5, 4>::new_zeroed();
    layer.pack(&table);
    let mut scratch = [0.0; 30];
    let y: &mut [[[f32; 5]; 3]] =
        layer.apply("words", &[[0_i64, 9, 4], [1, 2, 3]], &mut scratch).unwrap();
    assert_eq!(y, [[table[0], table[9], table[4]], [table[1], table[2], table[3]]]);
    let y: &mut [[f32; 5]] = layer.apply("words", &[7_u8, 8], &mut scratch).unwrap();
    assert_eq!(y, [table[7], table[8]]);
    let y: &mut [[f32; 5]] = layer.apply_wrapping("words", &[-1_i32, -10], &mut scratch).unwrap();
    assert_eq!(y, [table[9], table[0]]);

    for value in [10, -1, i64::MIN, i64::MAX] {
        let x = [[0, 1, 2], [3, value, 4]];
        let error = layer.apply::<_, [[f32; 5]; 3]>("words", &x, &mut scratch).unwrap_err();
        let expected =
            InputError::Index { name: "words", sample: 1, position: 1, value, range: 0..10 };
        assert_eq!(error, expected);
    }
    for value in [10, -11, i64::MIN] {
        let y: Result<&mut [[f32; 5]], _> = layer.apply_wrapping("words", &[value], &mut scratch);
        let expected =
            InputError::Index { name: "words", sample: 0, position: 0, value, range: -10..10 };
        assert_eq!(y, Err(expected));
    }
}

#[test]
fn batch_normalization() {
    let (scale, shift): ([f32; 17], [f32; 17]) = (random(1, 1)[0], random(1, 2)[0]);
    let mut layer = BatchNormalization::<17, 4>::new_zeroed();
    layer.pack(&scale, &shift);
    check::<[[f32; 17]; 3], [[f32; 17]; 3]>(
        |x, y| layer.apply(x, RELU, y).to_vec(),
        |x| {
            let y = x.iter().enumerate().map(|(i, x)| x * scale[i % 17] + shift[i % 17]);
            y.map(|y| y.max(0.0)).collect()
        },
    );
}

#[test]
fn constants() {
    let mut whole = Constant::<[[i64; 3]; 3], 2>::new_zeroed();
    whole.pack(&[[1, 2, 3], [4, 5, 6], [7, 8, i64::MIN]]);
    assert_eq!(whole.values(), [[[1, 2, 3], [4, 5, 6], [7, 8, i64::MIN]]]);
    let mut flags = Constant::<[u8; 65], 2>::new_zeroed();
    flags.pack(&[1; 65]);
    assert_eq!(flags.values(), [[1; 65]]);
    let mut mask = Constant::<[bool; 65], 2>::new_zeroed();
    let every_third: [bool; 65] = std::array::from_fn(|i| i % 3 == 0);
    mask.pack(&every_third);
    assert_eq!(mask.values(), [every_third]);
    let mut number = Constant::<f32, 1>::new_zeroed();
    number.pack(&0.5);
    assert_eq!(number.values(), [0.5]);
}

fn conv1d_transpose<
    const SIZE: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
    const STEPS: usize,
    const STEPS_OUT: usize,
>(
    case: Case<1>,
) {
    let kernel: [[[f32; OUT]; IN]; SIZE] = random(1, 2)[0];
    let bias: [f32; OUT] = random(1, 3)[0];
    let mut layer = Conv1DTranspose::<SIZE, IN, OUT, ROWS>::new_zeroed();
    layer.pack(&kernel, &bias);
    check::<[[f32; IN]; STEPS], [[f32; OUT]; STEPS_OUT]>(
        |x, y| layer.apply(x, case.window, TANH, y).to_vec(),
        |x| {
            let mut y = vec![bias; STEPS_OUT];
            for (from, (k, kernel)) in
                (0..STEPS).flat_map(|from| kernel.iter().enumerate().map(move |k| (from, k)))
            {
                let [stride, dilation, before] =
                    [case.strides[0], case.dilations[0], case.before[0]];
                let Some(at) = step(from, k, stride, dilation, before, STEPS_OUT) else { continue };
                for (i, o) in (0..IN).flat_map(|i| (0..OUT).map(move |o| (i, o))) {
                    y[at][o] += x[from * IN + i] * kernel[i][o];
                }
            }
            y.as_flattened().iter().map(|y| y.tanh()).collect()
        },
    );
}

#[test]
fn transposed_convolutions_over_steps() {
    let case = |window, stride, dilation, before| Case {
        window,
        strides: [stride],
        dilations: [dilation],
        before: [before],
    };
    let (same, valid) = (Window::same(), Window::valid());
    conv1d_transpose::<1, 1, 1, 2, 1, 1>(case(same, 1, 1, 0));
    conv1d_transpose::<3, 5, 17, 32, 9, 9>(case(same, 1, 1, 1));
    conv1d_transpose::<3, 5, 16, 16, 5, 10>(case(same.strides([2]), 2, 1, 0));
    conv1d_transpose::<3, 5, 16, 16, 5, 9>(case(same.strides([2]), 2, 1, 1));
    conv1d_transpose::<4, 3, 15, 13, 4, 11>(case(valid.strides([2]), 2, 1, 0));
    conv1d_transpose::<2, 3, 4, 7, 3, 9>(case(valid.strides([3]), 3, 1, 0));
    conv1d_transpose::<3, 5, 33, 48, 8, 14>(case(valid.dilations([3]), 1, 3, 0));
    conv1d_transpose::<3, 2, 3, 7, 6, 5>(case(Window::explicit([[1, 2]]), 1, 1, 1));
}

#[test]
fn transposed_convolutions_over_images() {
    type X = [[[f32; 3]; 4]; 2];
    type Y = [[[f32; 17]; 5]; 6];
    let kernel: [[[[f32; 17]; 3]; 2]; 3] = random(1, 2)[0];
    let bias: [f32; 17] = random(1, 3)[0];
    let mut layer = Conv2DTranspose::<3, 2, 3, 17, 38>::new_zeroed();
    layer.pack(&kernel, &bias);
    // A row of the output more than the windows reach, as `output_padding` gives.
    let window = Window::valid().strides([2, 1]);
    check::<X, Y>(
        |x, y| layer.apply(x, window, RELU, y).to_vec(),
        |x| {
            let mut y = [[bias; 5]; 6];
            for (at, x) in x.iter().enumerate() {
                let (row, column, i) = (at / 12, at / 3 % 4, at % 3);
                for (k, l) in (0..3).flat_map(|k| (0..2).map(move |l| (k, l))) {
                    for (y, weight) in y[2 * row + k][column + l].iter_mut().zip(kernel[k][l][i]) {
                        *y += x * weight;
                    }
                }
            }
            y.as_flattened().as_flattened().iter().map(|y| y.max(0.0)).collect()
        },
    );
}

#[test]
fn resampling_along_every_axis() {
    let starts: [i32; 17] = std::array::from_fn(|i| i as i32 % 3);
    let weights: [[f32; 3]; 17] = random(1, 2)[0];
    let mut layer = Resampling::<5, 17, 3, 6>::new_zeroed();
    layer.pack(&starts, &weights);
    let sum = |x: &[f32], i: usize, inner: usize| {
        let x = |k: usize| x[(starts[i] as usize + k) * inner];
        (0..3).map(|k| weights[i][k] * x(k)).sum::<f32>()
    };
    check::<[[f32; 2]; 5], [[f32; 2]; 17]>(
        |x, y| layer.apply(x, 1, y).to_vec(),
        |x| (0..17 * 2).map(|at| sum(&x[at % 2..], at / 2, 2)).collect(),
    );
    check::<[[f32; 5]; 3], [[f32; 17]; 3]>(
        |x, y| layer.apply(x, 2, y).to_vec(),
        |x| (0..3 * 17).map(|at| sum(&x[at / 17 * 5..], at % 17, 1)).collect(),
    );
}

#[test]
#[should_panic(expected = "neighbours that are there")]
fn resampling_stays_inside() {
    Resampling::<4, 1, 3, 2>::new_zeroed().pack(&[2], &[[1.0; 3]]);
}
