//! No layer and no operation allocates: all memory is that of the caller.

#![cfg(feature = "pack")]

use std::hint::black_box;

use allocation_counter::measure;
use tf_layers::activation::{GELU, LINEAR, SELU, TANH};
use tf_layers::zerocopy::FromZeros;
use tf_layers::{
    BatchNormalization, Constant, Conv1D, Conv2D, Dense, DepthwiseConv1D, DepthwiseConv2D,
    Embedding, GroupedConv1D, GroupedConv2D, Gru, InputError, Intermediate, Lstm, Steps, Window,
    math, ops,
};

const SAMPLES: usize = 3;

type Sequence = [[f32; 6]; 20];
type Image = [[[f32; 6]; 9]; 8];

/// Runs `f`, and counts.
fn check<T>(what: &str, f: impl FnOnce() -> T) {
    let allocations = measure(|| {
        black_box(f());
    });
    assert_eq!(allocations.count_total, 0, "{what} allocates: {allocations:?}");
}

#[test]
fn allocations_are_counted() {
    assert_eq!(measure(|| drop(black_box(vec![0_u8; 9]))).count_total, 1);
}

#[test]
fn layers() {
    let steps: [Sequence; SAMPLES] = [[[0.5; 6]; 20]; SAMPLES];
    let images: [Image; SAMPLES] = [[[[0.5; 6]; 9]; 8]; SAMPLES];
    let mut scratch = vec![0.0; 100_000];
    let y = &mut scratch[..];

    let dense = Box::new(Dense::<6, 33, 21>::new_zeroed());
    check("Dense", || -> &mut [[[f32; 33]; 20]] { dense.apply(&steps, GELU, y) });
    let layer = Box::new(Lstm::<6, 9, 36, { 3 * (2 + 6 + 9) }>::new_zeroed());
    check("Lstm", || -> &mut [[[f32; 9]; 20]] {
        layer.run(&steps, LINEAR, LINEAR, Steps::aligned()).sequence(y)
    });
    let layer = Box::new(Gru::<6, 9, 27, { 2 * (2 + 6 + 9) }>::new_zeroed());
    check("Gru", || -> &mut [[f32; 9]] {
        layer.run(&steps, LINEAR, LINEAR, Steps::forward()).last(y)
    });
    let layer = Box::new(Conv1D::<3, 6, 17, 38>::new_zeroed());
    let window = Window::same().strides([2]);
    check("Conv1D", || -> &mut [[[f32; 17]; 10]] { layer.apply(&steps, window, LINEAR, y) });
    let layer = Box::new(Conv2D::<3, 3, 6, 17, 110>::new_zeroed());
    let window = Window::same().dilations([2, 2]);
    check("Conv2D", || -> &mut [[[[f32; 17]; 9]; 8]] { layer.apply(&images, window, LINEAR, y) });
    let layer = Box::new(GroupedConv1D::<3, 3, 4, 2, 20>::new_zeroed());
    check("GroupedConv1D", || -> &mut [[[f32; 4]; 20]] {
        layer.apply(&steps, Window::causal(), LINEAR, y)
    });
    let layer = Box::new(GroupedConv2D::<3, 3, 2, 6, 3, 57>::new_zeroed());
    check("GroupedConv2D", || -> &mut [[[[f32; 6]; 9]; 8]] {
        layer.apply(&images, Window::same(), LINEAR, y)
    });
    let layer = Box::new(DepthwiseConv1D::<3, 6, 2, 4>::new_zeroed());
    check("DepthwiseConv1D", || -> &mut [[[f32; 12]; 20]] {
        layer.apply(&steps, Window::same(), LINEAR, y)
    });
    let layer = Box::new(DepthwiseConv2D::<3, 3, 6, 1, 10>::new_zeroed());
    check("DepthwiseConv2D", || -> &mut [[[[f32; 6]; 9]; 8]] {
        layer.apply(&images, Window::same(), LINEAR, y)
    });
    let layer = Box::new(Embedding::<10, 5, 4>::new_zeroed());
    check("Embedding", || -> Result<&mut [[[f32; 5]; 2]], InputError> {
        layer.apply("words", &[[1_i64, 2]; SAMPLES], y)
    });
    check("an error of Embedding", || -> Result<&mut [[[f32; 5]; 2]], InputError> {
        layer.apply_wrapping("words", &[[-11_i32, 2]; SAMPLES], y)
    });
    let layer = Box::new(BatchNormalization::<6, 2>::new_zeroed());
    check("BatchNormalization", || layer.apply(&steps, TANH, y));
    let layer = Box::new(Constant::<[f32; 17], 2>::new_zeroed());
    check("Constant", || layer.values());
    check("Intermediate", || Intermediate::new("steps", &[20, 6], SAMPLES, &scratch));
}

#[test]
fn operations() {
    let x: [Sequence; SAMPLES] = [[[0.5; 6]; 20]; SAMPLES];
    let images: [Image; SAMPLES] = [[[[0.5; 6]; 9]; 8]; SAMPLES];
    let row: [[f32; 6]; 1] = [[2.0; 6]];
    let mut changed = x;
    let mut scratch = vec![0.0; 100_000];
    let y = &mut scratch[..];
    let (mut places, mut flags) = ([0_i64; 1000], [0_u8; SAMPLES]);

    check("map", || -> &mut [Sequence] { ops::map(&x, y, math::mish) });
    check("map_mut", || ops::map_mut(&mut changed, |x| math::leaky_relu(x, 0.1)).len());
    check("map2", || -> &mut [Sequence] { ops::map2(&x, &row, y, math::maximum) });
    check("map2_mut", || ops::map2_mut(&mut changed, &row, |x1, x2| x1 + x2).len());
    check("map3", || -> &mut [Sequence] { ops::map3(&x, &row, &x, y, |a, b, c| a + b * c) });
    check("map3_mut", || ops::map3_mut(&mut changed, &row, &x, |a, b, c| a + b * c).len());
    check("map4", || -> &mut [Sequence] {
        ops::map4(&x, &row, &x, &row, y, |a, b, c, d| a + b * c - d)
    });
    check("map4_mut", || {
        ops::map4_mut(&mut changed, &row, &x, &row, |a, b, c, d| a + b * c - d).len()
    });
    check("activate", || ops::activate(&x, SELU, y).len());
    check("max_pooling1d", || -> &mut [[[f32; 6]; 20]] {
        ops::max_pooling1d(&x, 3, Window::same(), y)
    });
    check("average_pooling2d", || -> &mut [[[[f32; 6]; 4]; 4]] {
        ops::average_pooling2d(&images, [2, 2], Window::valid().strides([2, 2]), y)
    });
    check("reduce_sum", || -> &mut [[f32; 6]] { ops::reduce_sum(&x, &[1], y) });
    check("reduce_mean", || -> &mut [[f32; 20]] { ops::reduce_mean(&x, &[2], y) });
    check("reduce_max", || -> &mut [[f32; 9]] { ops::reduce_max(&images, &[1, 3], y) });
    check("reduce_prod", || -> &mut [f32] { ops::reduce_prod(&x, &[1, 2], y) });
    check("reduce_any", || -> &mut [u8] {
        ops::reduce_any(&[[1_u8, 0]; SAMPLES], &[1], &mut flags)
    });
    check("arg_max", || -> &mut [[i64; 6]] { ops::arg_max(&x, 1, &mut places) });
    check("softmax", || ops::softmax(&x, 2, y).len());
    check("log_softmax", || ops::log_softmax(&x, 1, y).len());
    check("softmax_mut", || ops::softmax_mut(&mut changed, 2).len());
    check("matmul", || -> &mut [[[f32; 20]; 20]] { ops::matmul(&x, &x, false, true, y) });
    check("matmul, transposed", || -> &mut [[[f32; 6]; 6]] { ops::matmul(&x, &x, true, false, y) });
    check("transpose", || -> &mut [[[f32; 20]; 6]] { ops::transpose(&x, [0, 2, 1], y) });
    check("slice", || -> &mut [[[f32; 2]; 10]] { ops::slice(&x, [1, 5], [2, -2], y) });
    check("pad", || -> &mut [[[f32; 9]; 20]] { ops::pad(&x, [[0, 0], [1, 2]], 0.0, y) });
    check("concatenate", || -> &mut [[[f32; 12]; 20]] {
        ops::concatenate(&[ops::flat(&x), ops::flat(&x[..1])], 2, y)
    });
    check("broadcast_to", || -> &mut [Sequence] { ops::broadcast_to(&row, SAMPLES, y) });
    check("tile", || -> &mut [[[f32; 12]; 40]] { ops::tile(&x, y) });
    check("gather", || -> &mut [[[f32; 3]; 20]] { ops::gather(&x, 2, &[5, 0, 5], y) });
    check("copy", || ops::copy(&x, y).len());
    check("reshape", || -> &[[f32; 120]] { ops::reshape(&x) });
}
