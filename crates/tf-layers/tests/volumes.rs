//! Layers and pooling over volumes against the plain loops of their definitions.

#![cfg(feature = "pack")]

use tf_layers::activation::RELU;
use tf_layers::zerocopy::FromZeros;
use tf_layers::{Conv3D, Conv3DTranspose, Tensor, Volume, Window, ops};

/// Floats are added in other orders here than there.
const TOLERANCE: f32 = 1e-5;

/// Tensors of numbers between −1 and 1.
fn numbers<T: Tensor<Number = f32>>(count: usize, seed: usize) -> Vec<T> {
    let number = |i: usize| ((i + seed) * 7919 % 2003) as f32 / 1001.0 - 1.0;
    T::batch(&(0..count * T::LEN).map(number).collect::<Vec<f32>>()).to_vec()
}

fn assert_near(y: &[f32], expected: &[f32]) {
    assert_eq!(y.len(), expected.len());
    let scale = expected.iter().fold(1e-6_f32, |scale, x| scale.max(x.abs()));
    for (i, (y, expected)) in y.iter().zip(expected).enumerate() {
        assert!((y - expected).abs() <= TOLERANCE * scale, "at {i}: {y}, not {expected}");
    }
}

/// How a window slides over three axes.
#[derive(Clone, Copy)]
struct Slide {
    window: Window<3>,
    strides: [usize; 3],
    dilations: [usize; 3],
    before: [usize; 3],
}

impl Slide {
    fn one_by_one(window: Window<3>, before: [usize; 3]) -> Self {
        Self { window, strides: [1; 3], dilations: [1; 3], before }
    }

    /// Every place of the window over the input: the voxels of output and input, and the place.
    fn places(
        self,
        sizes: [usize; 3],
        lens: [usize; 3],
        lens_out: [usize; 3],
    ) -> impl Iterator<Item = [usize; 3]> {
        let count = |lens: [usize; 3]| lens.iter().product::<usize>();
        let split = |i: usize, [_, h, w]: [usize; 3]| [i / w / h, i / w % h, i % w];
        let join = |at: [usize; 3], [_, h, w]: [usize; 3]| (at[0] * h + at[1]) * w + at[2];
        (0..count(lens_out) * count(sizes)).filter_map(move |i| {
            let (out, place) = (split(i / count(sizes), lens_out), split(i % count(sizes), sizes));
            let mut from = [0; 3];
            for axis in 0..3 {
                let at = out[axis] * self.strides[axis] + place[axis] * self.dilations[axis];
                from[axis] = at.checked_sub(self.before[axis]).filter(|&step| step < lens[axis])?;
            }
            Some([join(out, lens_out), join(from, lens), i % count(sizes)])
        })
    }
}

fn conv3d<
    const K: usize,
    const IN: usize,
    const OUT: usize,
    const GROUPS: usize,
    const ROWS: usize,
    const C: usize,
    const L: usize,
    const M: usize,
>(
    slide: Slide,
) {
    let kernel: [Volume<K, K, IN, OUT>; K] = numbers(1, 1)[0];
    let bias: [f32; OUT] = numbers(1, 2)[0];
    let mut layer = Conv3D::<K, K, K, IN, OUT, GROUPS, ROWS>::new_zeroed();
    layer.pack(&kernel, &bias);
    let x: Vec<Volume<L, L, L, C>> = numbers(2, 3);
    let mut scratch = vec![f32::NAN; 2 * M * M * M * OUT + 1];
    let y: &mut [Volume<M, M, M, OUT>] = layer.apply(&x, slide.window, RELU, &mut scratch);
    let kernel = Tensor::flat(&kernel);
    for (x, y) in x.iter().zip(y) {
        let x = Tensor::flat(std::slice::from_ref(x));
        let mut expected = bias.repeat(M * M * M);
        for [to, from, place] in slide.places([K; 3], [L; 3], [M; 3]) {
            for (i, o) in (0..IN).flat_map(|i| (0..OUT).map(move |o| (i, o))) {
                let channel = o / (OUT / GROUPS) * IN + i;
                expected[to * OUT + o] +=
                    x[from * C + channel] * kernel[(place * IN + i) * OUT + o];
            }
        }
        expected.iter_mut().for_each(|y| *y = y.max(0.0));
        assert_near(Tensor::flat(std::slice::from_ref(y)), &expected);
    }
}

#[test]
fn convolutions() {
    let (same, valid) = (Window::same(), Window::valid());
    conv3d::<1, 3, 17, 1, 8, 3, 3, 3>(Slide::one_by_one(same, [0; 3]));
    conv3d::<3, 2, 5, 1, 57, 2, 5, 5>(Slide::one_by_one(same, [1; 3]));
    conv3d::<2, 3, 16, 1, 26, 3, 5, 4>(Slide::one_by_one(valid, [0; 3]));
    let explicit = Window::explicit([[2, 1], [0, 3], [1, 2]]);
    conv3d::<2, 1, 3, 1, 10, 1, 2, 4>(Slide::one_by_one(explicit, [2, 0, 1]));
    conv3d::<2, 2, 6, 3, 54, 6, 4, 4>(Slide::one_by_one(same, [0; 3]));
    conv3d::<3, 1, 34, 2, 120, 2, 3, 3>(Slide::one_by_one(same, [1; 3]));
    conv3d::<3, 2, 20, 1, 114, 2, 9, 9>(Slide::one_by_one(same, [1; 3]));
    let strided =
        Slide { window: same.strides([2; 3]), strides: [2; 3], dilations: [1; 3], before: [1; 3] };
    conv3d::<3, 2, 4, 1, 57, 2, 7, 4>(strided);
    let dilated = Slide {
        window: valid.dilations([2; 3]),
        strides: [1; 3],
        dilations: [2; 3],
        before: [0; 3],
    };
    conv3d::<2, 2, 4, 1, 18, 2, 5, 3>(dilated);
}

fn conv3d_transpose<
    const K: usize,
    const IN: usize,
    const OUT: usize,
    const ROWS: usize,
    const L: usize,
    const M: usize,
>(
    slide: Slide,
) {
    let kernel: [Volume<K, K, IN, OUT>; K] = numbers(1, 1)[0];
    let bias: [f32; OUT] = numbers(1, 2)[0];
    let mut layer = Conv3DTranspose::<K, K, K, IN, OUT, ROWS>::new_zeroed();
    layer.pack(&kernel, &bias);
    let x: Vec<Volume<L, L, L, IN>> = numbers(2, 3);
    let mut scratch = vec![f32::NAN; 2 * M * M * M * OUT + 1];
    let y: &mut [Volume<M, M, M, OUT>] = layer.apply(&x, slide.window, RELU, &mut scratch);
    let kernel = Tensor::flat(&kernel);
    for (x, y) in x.iter().zip(y) {
        let x = Tensor::flat(std::slice::from_ref(x));
        let mut expected = bias.repeat(M * M * M);
        for [from, to, place] in slide.places([K; 3], [M; 3], [L; 3]) {
            for (i, o) in (0..IN).flat_map(|i| (0..OUT).map(move |o| (i, o))) {
                expected[to * OUT + o] += x[from * IN + i] * kernel[(place * IN + i) * OUT + o];
            }
        }
        expected.iter_mut().for_each(|y| *y = y.max(0.0));
        assert_near(Tensor::flat(std::slice::from_ref(y)), &expected);
    }
}

#[test]
fn transposed_convolutions() {
    let (same, valid) = (Window::same(), Window::valid());
    conv3d_transpose::<1, 2, 3, 3, 2, 2>(Slide::one_by_one(same, [0; 3]));
    conv3d_transpose::<3, 2, 17, 110, 3, 3>(Slide::one_by_one(same, [1; 3]));
    let strided =
        Slide { window: same.strides([2; 3]), strides: [2; 3], dilations: [1; 3], before: [0; 3] };
    conv3d_transpose::<3, 2, 4, 55, 3, 6>(strided);
    let wide = Slide { window: valid.strides([3; 3]), strides: [3; 3], ..strided };
    conv3d_transpose::<2, 3, 2, 25, 2, 6>(wide);
}

#[test]
fn pooling() {
    let x: Vec<Volume<5, 4, 3, 2>> = numbers(3, 1);
    let slide = Slide {
        window: Window::same().strides([2, 1, 2]),
        strides: [2, 1, 2],
        dilations: [1; 3],
        before: [1, 1, 0],
    };
    let (mut most, mut mean) = ([f32::NAN; 150], [f32::NAN; 150]);
    let most: &mut [Volume<3, 4, 2, 2>] =
        ops::max_pooling3d(&x, [3, 3, 2], slide.window, &mut most);
    let mean: &mut [Volume<3, 4, 2, 2>] =
        ops::average_pooling3d(&x, [3, 3, 2], slide.window, &mut mean);
    for ((x, most), mean) in x.iter().zip(most).zip(mean) {
        let x = Tensor::flat(std::slice::from_ref(x));
        let mut seen = vec![vec![]; 3 * 4 * 2 * 2];
        for [to, from, _] in slide.places([3, 3, 2], [5, 4, 3], [3, 4, 2]) {
            (0..2).for_each(|c| seen[to * 2 + c].push(x[from * 2 + c]));
        }
        let largest: Vec<f32> =
            seen.iter().map(|seen| seen.iter().copied().fold(f32::MIN, f32::max)).collect();
        let means: Vec<f32> =
            seen.iter().map(|seen| seen.iter().sum::<f32>() / seen.len() as f32).collect();
        assert_eq!(Tensor::flat(std::slice::from_ref(most)), largest);
        assert_near(Tensor::flat(std::slice::from_ref(mean)), &means);
    }
}
