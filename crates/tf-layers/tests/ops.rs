//! Operations against the plain loops of their definitions.

use tf_layers::{Window, activation, ops};

#[test]
fn maps_of_one_shape() {
    let x = [[1.0_f32, 2.0], [3.0, 4.0]];
    let mut scratch = [0; 7];
    let y: &mut [[i64; 2]] = ops::map(&x, &mut scratch, |x| x as i64 * 10);
    assert_eq!(y, [[10, 20], [30, 40]]);
    let mut x = x;
    assert_eq!(ops::map_mut(&mut x, |x| x + 0.5), [[1.5, 2.5], [3.5, 4.5]]);
    assert_eq!(ops::activate_mut(&mut x, activation::clipped_relu(2.0)), [[1.5, 2.0], [2.0, 2.0]]);
    assert_eq!(ops::activate(&x, activation::LINEAR, &mut [0.0; 4]), [[1.5, 2.0], [2.0, 2.0]]);
}

/// Numbers that tell which place they come from.
fn numbered<const N: usize, const M: usize>(samples: usize) -> Vec<[[f32; M]; N]> {
    let number = |i: usize| (i * 7919 % 1009) as f32;
    let sample = |s| std::array::from_fn(|i| std::array::from_fn(|j| number((s * N + i) * M + j)));
    (0..samples).map(sample).collect()
}

#[test]
fn maps_broadcast_as_numpy_does() {
    fn check<const N: usize, const M: usize>() {
        for samples in [0, 1, 3] {
            let x = numbered::<N, M>(samples);
            let row: Vec<[f32; M]> = x.iter().map(|x| x[0]).collect();
            let column: Vec<[[f32; 1]; N]> = x.iter().map(|x| x.map(|x| [x[0]])).collect();
            let constant: [[f32; M]; 1] = [std::array::from_fn(|j| j as f32)];
            let rows: Vec<[[f32; M]; 1]> = row.iter().map(|row| [*row]).collect();
            let number = [5_i64];
            let mut scratch = vec![f32::NAN; samples * N * M + 5];

            let y: &mut [[[f32; M]; N]] =
                ops::map2(&x, &constant, &mut scratch, |x1, x2| x1 - 2.0 * x2);
            for (s, i, j) in places(samples, N, M) {
                assert_eq!(y[s][i][j], x[s][i][j] - 2.0 * constant[0][j]);
            }
            let y: &mut [[[f32; M]; N]] =
                ops::map2(&column, &rows, &mut scratch, |x1, x2| x1 - 2.0 * x2);
            for (s, i, j) in places(samples, N, M) {
                assert_eq!(y[s][i][j], x[s][i][0] - 2.0 * x[s][0][j]);
            }
            let y: &mut [[[f32; M]; N]] =
                ops::map3(&number, &rows, &x, &mut scratch, |x1, x2, x3| x1 as f32 * x2 - x3);
            for (s, i, j) in places(samples, N, M) {
                assert_eq!(y[s][i][j], 5.0 * x[s][0][j] - x[s][i][j]);
            }
            let f = |x1: f32, x2: f32, x3: i64, x4: f32| x1 + 2.0 * x2 + 3.0 * x3 as f32 + 7.0 * x4;
            let y: &mut [[[f32; M]; N]] =
                ops::map4(&x, &column, &number, &constant, &mut scratch, f);
            let mut changed = x.clone();
            assert_eq!(ops::map4_mut(&mut changed, &column, &number, &constant, f), y);
            for (s, i, j) in places(samples, N, M) {
                assert_eq!(y[s][i][j], f(x[s][i][j], x[s][i][0], 5, constant[0][j]));
            }
            let mut changed = x.clone();
            ops::map2_mut(&mut changed, &column, |x1, x2| x1 - 3.0 * x2);
            ops::map3_mut(&mut changed, &x, &rows, |x1, x2, x3| x1 - x2 - x3);
            for (s, i, j) in places(samples, N, M) {
                assert_eq!(changed[s][i][j], -3.0 * x[s][i][0] - x[s][0][j]);
            }
        }
    }
    check::<1, 1>();
    check::<2, 3>();
    check::<3, 15>();
    check::<3, 16>();
    check::<2, 37>();
    check::<40, 1>();
}

fn places(samples: usize, n: usize, m: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    (0..samples * n * m).map(move |i| (i / m / n, i / m % n, i % m))
}

#[test]
fn a_sample_for_all_and_its_samples() {
    let mut scratch = [0.0; 8];
    let y: &mut [[f32; 2]] =
        ops::map2(&[[1.0_f32, 2.0]], &[[10.0_f32], [20.0], [30.0]], &mut scratch, |x1, x2| x1 + x2);
    assert_eq!(y, [[11.0, 12.0], [21.0, 22.0], [31.0, 32.0]]);
}

#[test]
#[should_panic(expected = "2 samples where 3 are expected")]
fn other_batches_do_not_broadcast() {
    let _: &mut [f32] = ops::map2(&[0.0_f32; 3], &[0.0_f32; 2], &mut [0.0; 6], |x1, x2| x1 + x2);
}

#[test]
fn pooling_over_steps() {
    let x = [[[1.0, -1.0], [5.0, -5.0], [2.0, -2.0], [f32::NAN, -3.0], [4.0, -8.0]]];
    let mut scratch = [0.0; 16];
    let y: &mut [[[f32; 2]; 2]] =
        ops::max_pooling1d(&x, 2, Window::valid().strides([2]), &mut scratch);
    assert_eq!(y, [[[5.0, -1.0], [2.0, -2.0]]]);
    let y: &mut [[[f32; 2]; 3]] =
        ops::max_pooling1d(&x, 2, Window::same().strides([2]), &mut scratch);
    assert_eq!(y, [[[5.0, -1.0], [2.0, -2.0], [4.0, -8.0]]]);
    let x = [[[1.0], [5.0], [2.0], [3.0], [4.0]]];
    let y: &mut [[[f32; 1]; 5]] = ops::average_pooling1d(&x, 3, Window::same(), &mut scratch);
    assert_eq!(y, [[[3.0], [8.0 / 3.0], [10.0 / 3.0], [3.0], [3.5]]]);
}

#[test]
fn pooling_over_images() {
    fn check<const C: usize>() {
        for samples in [0, 1, 3] {
            let x: Vec<[[[f32; C]; 6]; 5]> = numbered::<5, 6>(samples)
                .iter()
                .map(|x| x.map(|x| x.map(|x| std::array::from_fn(|c| x * (c + 1) as f32))))
                .collect();
            let (mut a, mut b) = (vec![0.0; samples * 9 * C], vec![0.0; samples * 9 * C]);
            let window = Window::same().strides([2, 2]);
            let max: &mut [[[[f32; C]; 3]; 3]] = ops::max_pooling2d(&x, [3, 3], window, &mut a);
            let mean: &mut [[[[f32; C]; 3]; 3]] =
                ops::average_pooling2d(&x, [3, 3], window, &mut b);
            for (s, i, c) in places(samples, 9, C) {
                let (row, column) = (i / 3, i % 3);
                // Padding: 2 in height, 1 of it before; 1 in width, all of it after.
                let rows = (2 * row).saturating_sub(1)..(2 * row + 2).min(5);
                let columns = 2 * column..(2 * column + 3).min(6);
                let numbers = rows.flat_map(|h| columns.clone().map(move |w| (h, w)));
                let numbers: Vec<f32> = numbers.map(|(h, w)| x[s][h][w][c]).collect();
                assert_eq!(
                    max[s][row][column][c],
                    numbers.iter().copied().fold(f32::MIN, f32::max)
                );
                let expected = numbers.iter().sum::<f32>() / numbers.len() as f32;
                assert!((mean[s][row][column][c] - expected).abs() <= 1e-6 * expected.abs());
            }
        }
    }
    check::<1>();
    check::<16>();
    check::<19>();
}

#[test]
fn reductions_over_every_choice_of_axes() {
    fn check<const N: usize, const M: usize>() {
        for samples in [0, 1, 3] {
            let x = numbered::<N, M>(samples);
            let mut scratch = vec![0.0; samples * N * M];
            let y: &mut [[f32; N]] = ops::reduce_sum(&x, &[2], &mut scratch);
            for (s, i, _) in places(samples, N, 1) {
                assert_eq!(y[s][i], x[s][i].iter().sum::<f32>());
            }
            let y: &mut [[[f32; M]; 1]] = ops::reduce_sum(&x, &[1], &mut scratch);
            for (s, j, _) in places(samples, M, 1) {
                assert_eq!(y[s][0][j], x[s].iter().map(|x| x[j]).sum::<f32>());
            }
            let y: &mut [f32] = ops::reduce_max(&x, &[1, 2], &mut scratch);
            for (x, y) in x.iter().zip(y) {
                assert_eq!(*y, x.as_flattened().iter().copied().fold(f32::MIN, f32::max));
            }
            let y: &mut [[f32; M]] = ops::reduce_min(&x, &[1], &mut scratch);
            for (s, j, _) in places(samples, M, 1) {
                assert_eq!(y[s][j], x[s].iter().map(|x| x[j]).fold(f32::MAX, f32::min));
            }
            let y: &mut [f32] = ops::reduce_mean(&x, &[2, 1], &mut scratch);
            for (x, y) in x.iter().zip(y) {
                let mean = x.as_flattened().iter().sum::<f32>() / (N * M) as f32;
                assert!((*y - mean).abs() <= 1e-6 * mean);
            }
        }
    }
    check::<1, 1>();
    check::<3, 15>();
    check::<17, 16>();
    check::<5, 33>();
    check::<100, 1>();
}

#[test]
fn reductions_of_other_types() {
    let mut scratch = [0; 4];
    let y: &mut [i32] = ops::reduce_mean(&[[-3, -4, 0]], &[1], &mut scratch);
    assert_eq!(y, [-2]);
    let y: &mut [i32] = ops::reduce_prod(&[[-3, -4, 2], [5, 6, 1]], &[1], &mut scratch);
    assert_eq!(y, [24, 30]);
    let mut scratch = [0; 4];
    let y: &mut [i64] = ops::reduce_max(&[[i64::MIN, i64::MIN], [3, i64::MAX]], &[1], &mut scratch);
    assert_eq!(y, [i64::MIN, i64::MAX]);
    let mut scratch = [false; 4];
    let y: &mut [bool] = ops::reduce_any(&[[false, true], [false, false]], &[1], &mut scratch);
    assert_eq!(y, [true, false]);
    let mut scratch = [0; 4];
    let y: &mut [u8] = ops::reduce_all(&[[1_u8, 1], [0, 1]], &[1], &mut scratch);
    assert_eq!(y, [1, 0]);
    // The axes in the middle: kept, reduced, kept, reduced.
    let x: [[[[i64; 2]; 3]; 2]; 2] = std::array::from_fn(|i| {
        std::array::from_fn(|j| {
            std::array::from_fn(|k| [1, 10].map(|l| (i + 2 * j + 4 * k) as i64 * l))
        })
    });
    let mut scratch = [0; 6];
    let y: &mut [[[i64; 3]; 2]] = ops::reduce_sum(&[x], &[2, 4], &mut scratch);
    for (i, k) in (0..2).flat_map(|i| (0..3).map(move |k| (i, k))) {
        assert_eq!(y[0][i][k], x[i][0][k].iter().chain(&x[i][1][k]).sum());
    }
}

#[test]
fn reductions_are_nan_where_tensorflow_s_are() {
    for place in [0, 1, 20, 39] {
        let mut x = [[1.0; 40]];
        x[0][place] = f32::NAN;
        let mut scratch = [0.0];
        let y: &mut [f32] = ops::reduce_max(&x, &[1], &mut scratch);
        assert!(y[0].is_nan());
        let y: &mut [f32] = ops::reduce_min(&x, &[1], &mut scratch);
        assert!(y[0].is_nan());
    }
}

#[test]
fn places_of_the_largest_and_smallest() {
    let x = [[1.0, 3.0, 3.0, -1.0], [f32::NAN, 2.0, 0.0, 2.0], [f32::NAN; 4]];
    let mut scratch = [0; 3];
    let y: &mut [i64] = ops::arg_max(&x, 1, &mut scratch);
    assert_eq!(y, [1, 1, 0]);
    let y: &mut [i64] = ops::arg_min(&x, 1, &mut scratch);
    assert_eq!(y, [3, 2, 0]);
    let mut scratch = [0; 2];
    let y: &mut [[i32; 2]] = ops::arg_max(&[[[1, 9], [2, 8], [3, 7]]], 1, &mut scratch);
    assert_eq!(y, [[2, 0]]);
}

#[test]
fn softmax_along_every_axis() {
    let x = [[[1.0, 2.0, 3.0], [100.0, 200.0, 200.0]]];
    let near = |y: &[f32], expected: &[f32]| {
        for (y, expected) in y.iter().zip(expected) {
            assert!((y - expected).abs() < 1e-6 * expected.abs().max(1.0), "{y}, not {expected}");
        }
    };
    let mut scratch = [0.0; 6];
    let y = ops::softmax(&x, 2, &mut scratch);
    near(
        y.as_flattened().as_flattened(),
        &[0.090_030_57, 0.244_728_47, 0.665_240_96, 0.0, 0.5, 0.5],
    );
    let y = ops::log_softmax(&x, 2, &mut scratch);
    let log_2 = std::f32::consts::LN_2;
    let expected = [-2.407_606, -1.407_606, -0.407_606, -100.0 - log_2, -log_2, -log_2];
    near(y.as_flattened().as_flattened(), &expected);
    let y = ops::softmax(&[[[1.0, 2.0], [1.0, 2.0 + log_2]]], 1, &mut scratch);
    near(y.as_flattened().as_flattened(), &[0.5, 1.0 / 3.0, 0.5, 2.0 / 3.0]);
    let masked = ops::softmax(&[[f32::NEG_INFINITY, 0.0]], 1, &mut scratch);
    assert_eq!(masked, [[0.0, 1.0]]);
}

#[test]
fn products_of_matrices() {
    let x = [[[1.0_f32, 2.0, 3.0], [4.0, 5.0, 6.0]], [[0.0, 1.0, 0.0], [1.0, 0.0, 0.0]]];
    let z = [[[1.0_f32, 0.0], [0.0, 1.0], [10.0, 20.0]]];
    let expected = [[[31.0, 62.0], [64.0, 125.0]], [[0.0, 1.0], [1.0, 0.0]]];
    let mut scratch = [0.0; 16];
    let y: &mut [[[f32; 2]; 2]] = ops::matmul(&x, &z, false, false, &mut scratch);
    assert_eq!(y, expected);
    let transposed = [[[1.0_f32, 0.0, 10.0], [0.0, 1.0, 20.0]]];
    let y: &mut [[[f32; 2]; 2]] = ops::matmul(&x, &transposed, false, true, &mut scratch);
    assert_eq!(y, expected);
    let heads = [[[[1.0_f32], [2.0]], [[3.0], [4.0]]]];
    let y: &mut [[[[f32; 3]; 1]; 2]] = ops::matmul(&heads, &x[..1], true, false, &mut scratch);
    assert_eq!(y, [[[[9.0, 12.0, 15.0]], [[19.0, 26.0, 33.0]]]]);
}

#[test]
fn other_shapes() {
    let x = [[[1, 2, 3], [4, 5, 6]], [[7, 8, 9], [10, 11, 12]]];
    let y: &[[i32; 3]] = ops::reshape(&x);
    assert_eq!(y, [[1, 2, 3], [4, 5, 6], [7, 8, 9], [10, 11, 12]]);
    let mut changed = x;
    let y: &mut [[i32; 6]] = ops::reshape_mut(&mut changed);
    assert_eq!(y, [[1, 2, 3, 4, 5, 6], [7, 8, 9, 10, 11, 12]]);

    let mut scratch = [0; 40];
    let y: &mut [[[i32; 2]; 3]] = ops::transpose(&x, [0, 2, 1], &mut scratch);
    assert_eq!(y, [[[1, 4], [2, 5], [3, 6]], [[7, 10], [8, 11], [9, 12]]]);
    let y: &mut [[[i32; 2]; 1]] = ops::slice(&x, [1, 2], [1, -2], &mut scratch);
    assert_eq!(y, [[[6, 4]], [[12, 10]]]);
    let y: &mut [[[i32; 4]; 3]] = ops::pad(&x[..1], [[1, 0], [0, 1]], -1, &mut scratch);
    assert_eq!(y, [[[-1, -1, -1, -1], [1, 2, 3, -1], [4, 5, 6, -1]]]);
    let y: &mut [[[i32; 5]; 2]] = ops::pad(&x[..1], [[0, 0], [1, 1]], 0, &mut scratch);
    assert_eq!(y, [[[0, 1, 2, 3, 0], [0, 4, 5, 6, 0]]]);
    let y: &mut [[[i32; 3]; 3]] =
        ops::concatenate(&[ops::flat(&x), ops::flat(&[[0; 3]; 2])], 1, &mut scratch);
    assert_eq!(y[1], [[7, 8, 9], [10, 11, 12], [0; 3]]);
    let constant = [[[-1], [-2]]];
    let y: &mut [[[i32; 5]; 2]] = ops::concatenate(
        &[ops::flat(&constant), ops::flat(&x), ops::flat(&constant)],
        2,
        &mut scratch,
    );
    assert_eq!(y[0], [[-1, 1, 2, 3, -1], [-2, 4, 5, 6, -2]]);
    assert_eq!(y[1], [[-1, 7, 8, 9, -1], [-2, 10, 11, 12, -2]]);
    let y: &mut [[[i32; 3]; 3]] =
        ops::concatenate(&[ops::flat(&x[..0]), ops::flat(&[[0; 3]])], 1, &mut scratch);
    assert!(y.is_empty());
    let y: &mut [[[i32; 3]; 2]] = ops::broadcast_to(&[[1, 2, 3], [4, 5, 6]], 2, &mut scratch);
    assert_eq!(y, [[[1, 2, 3]; 2], [[4, 5, 6]; 2]]);
    let y: &mut [[[i32; 3]; 2]] = ops::broadcast_to(&[[1, 2, 3]], 3, &mut scratch);
    assert_eq!(y, [[[1, 2, 3]; 2]; 3]);
    let y: &mut [[i32; 3]] = ops::broadcast_to(&[1], 0, &mut scratch);
    assert!(y.is_empty());
    assert_eq!(ops::copy(&x, &mut scratch), x);
    let y: &mut [[[i32; 3]; 4]] = ops::tile(&x[..1], &mut scratch);
    assert_eq!(y, [[[1, 2, 3], [4, 5, 6], [1, 2, 3], [4, 5, 6]]]);
    let y: &mut [[[i32; 6]; 2]] = ops::tile(&x[..1], &mut scratch);
    assert_eq!(y, [[[1, 2, 3, 1, 2, 3], [4, 5, 6, 4, 5, 6]]]);
    let y: &mut [[[i32; 2]; 2]] = ops::gather(&x, 2, &[2, 0], &mut scratch);
    assert_eq!(y, [[[3, 1], [6, 4]], [[9, 7], [12, 10]]]);
    let y: &mut [[[i32; 3]; 1]] = ops::gather(&x, 1, &[1], &mut scratch);
    assert_eq!(y, [[[4, 5, 6]], [[10, 11, 12]]]);
}

#[test]
fn empty_batches() {
    let x: [[[f32; 3]; 2]; 0] = [];
    let y: &mut [[[f32; 2]; 3]] = ops::transpose(&x, [0, 2, 1], &mut []);
    assert!(y.is_empty());
    let y: &mut [[[f32; 1]; 2]] = ops::slice(&x, [0, 1], [1, 1], &mut []);
    assert!(y.is_empty());
    let y: &mut [[[f32; 5]; 2]] = ops::pad(&x, [[0, 0], [1, 1]], 0.0, &mut []);
    assert!(y.is_empty());
    let y: &mut [[[f32; 6]; 2]] = ops::tile(&x, &mut []);
    assert!(y.is_empty());
    let y: &mut [[[f32; 2]; 2]] = ops::matmul(&x, &x, false, true, &mut []);
    assert!(y.is_empty());
    assert!(ops::softmax(&x, 1, &mut []).is_empty());
    let y: &mut [[i64; 3]] = ops::arg_max(&x, 1, &mut []);
    assert!(y.is_empty());
    let y: &mut [[[f32; 3]; 1]] = ops::max_pooling1d(&x, 2, Window::valid(), &mut []);
    assert!(y.is_empty());
}

#[test]
fn mirrored_borders_in_every_dimension() {
    fn check<const H: usize, const W: usize, const H_OUT: usize, const W_OUT: usize>(
        borders: [[usize; 2]; 2],
    ) {
        for samples in [0, 1, 3] {
            let x = numbered::<H, W>(samples);
            let (mut a, mut b) =
                (vec![0.0; samples * H_OUT * W_OUT + 3], vec![0.0; samples * H_OUT * W_OUT]);
            let reflected: &mut [[[f32; W_OUT]; H_OUT]] = ops::pad_reflect(&x, borders, &mut a);
            let symmetric: &mut [[[f32; W_OUT]; H_OUT]] = ops::pad_symmetric(&x, borders, &mut b);
            assert_eq!([reflected.len(), symmetric.len()], [samples; 2]);
            for (s, i, j) in places(samples, H_OUT, W_OUT) {
                let from = |at: usize, before: usize, len: usize, twice: isize| {
                    let at = at as isize - before as isize;
                    let last = len as isize - 1;
                    let at = if at < 0 { -at - twice } else { at };
                    (if at > last { 2 * last - at + twice } else { at }) as usize
                };
                let [[top, _], [left, _]] = borders;
                let at = |twice| x[s][from(i, top, H, twice)][from(j, left, W, twice)];
                assert_eq!(reflected[s][i][j], at(0));
                assert_eq!(symmetric[s][i][j], at(1));
            }
        }
    }
    check::<1, 1, 1, 1>([[0, 0], [0, 0]]);
    check::<3, 2, 7, 4>([[2, 2], [1, 1]]);
    check::<5, 1, 8, 1>([[1, 2], [0, 0]]);
    check::<2, 17, 2, 35>([[0, 0], [16, 2]]);
}

#[test]
#[should_panic(expected = "the steps to mirror in dimension 0")]
fn no_more_is_mirrored_than_there_is() {
    let _: &mut [[f32; 5]] = ops::pad_reflect(&[[0.0_f32; 2]], [[2, 1]], &mut [0.0; 5]);
}

#[test]
fn cumulative_sums_and_products() {
    let x = [[[1, 2], [3, 4], [5, 6]], [[7, 8], [9, 10], [11, i32::MAX]]];
    let mut scratch = [0; 13];
    assert_eq!(
        ops::cumsum(&x, 1, false, false, &mut scratch),
        [[[1, 2], [4, 6], [9, 12]], [[7, 8], [16, 18], [27, i32::MIN + 17]]]
    );
    assert_eq!(ops::cumsum(&x, 1, true, true, &mut scratch)[0], [[8, 10], [5, 6], [0, 0]],);
    assert_eq!(ops::cumsum(&x, 2, false, true, &mut scratch)[0], [[3, 2], [7, 4], [11, 6]]);
    assert_eq!(
        ops::cumprod(&x, 1, true, false, &mut scratch),
        [[[1, 1], [1, 2], [3, 8]], [[1, 1], [7, 8], [63, 80]]]
    );
    assert_eq!(ops::cumprod(&[[2.0, 0.5, 4.0]], 1, false, false, &mut [0.0; 3]), [[2.0, 1.0, 4.0]]);
    assert_eq!(ops::cumsum(&[[0.0_f32; 4]; 0], 1, false, false, &mut []), [[0.0; 4]; 0]);
}

#[test]
fn the_largest_in_order() {
    fn check<const N: usize, const K: usize>() {
        let x =
            numbered::<3, N>(2).iter().map(|x| x.map(|x| x.map(|x| x % 5.0))).collect::<Vec<_>>();
        let (mut a, mut b) = (vec![0.0; 6 * K], vec![0; 6 * K]);
        let values: &mut [[[f32; K]; 3]] = ops::top_k_values(&x, &mut a);
        let indices: &mut [[[i32; K]; 3]] = ops::top_k_indices(&x, &mut b);
        for (s, i, _) in places(2, 3, 1) {
            let mut order: Vec<usize> = (0..N).collect();
            order.sort_by(|&a, &b| x[s][i][b].total_cmp(&x[s][i][a]));
            assert_eq!(indices[s][i].map(|at| at as usize), order[..K]);
            assert_eq!(
                values[s][i].as_slice(),
                order[..K].iter().map(|&at| x[s][i][at]).collect::<Vec<_>>()
            );
        }
    }
    check::<1, 1>();
    check::<7, 1>();
    check::<16, 3>();
    check::<17, 17>();
    let x = [[f32::NAN, 1.0, f32::INFINITY, f32::NAN]];
    let mut scratch = [0; 4];
    let y: &mut [[i32; 4]] = ops::top_k_indices(&x, &mut scratch);
    assert_eq!(y, [[2, 1, 0, 3]]);
}

#[test]
fn ranges_begin_at_their_boundaries() {
    let x = [[i64::MIN, -1, 0, 1, 7]];
    let mut scratch = [0; 5];
    let y: &mut [[i32; 5]] = ops::bucketize(&x, &[-1.0, 0.5, 0.5, 7.0], &mut scratch);
    assert_eq!(y, [[0, 1, 1, 3, 4]]);
    let y: &mut [[i32; 3]] =
        ops::bucketize(&[[f64::NAN, f64::INFINITY, -0.0]], &[0.0, 1.0], &mut scratch);
    assert_eq!(y, [[2, 2, 1]]);
    let y: &mut [i32] = ops::bucketize(&[3.0_f32], &[], &mut scratch);
    assert_eq!(y, [0]);
}

#[test]
fn steps_that_stand_several_times() {
    let x = numbered::<3, 2>(2);
    let mut scratch = [0.0; 2 * 6 * 6 + 1];
    let y: &mut [[[f32; 6]; 6]] = ops::repeat(&x, &mut scratch);
    for (s, i, j) in places(2, 6, 6) {
        assert_eq!(y[s][i][j], x[s][i / 2][j / 3]);
    }
    let y: &mut [[f32; 4]] = ops::repeat(&[[0.0_f32; 2]; 0], &mut scratch);
    assert!(y.is_empty());
}

#[test]
fn rounds_read_their_items_and_write_their_results() {
    fn check<const ROUNDS: usize, const M: usize, const LEN: usize>(start: usize) {
        for samples in [0, 1, 5] {
            let x = numbered::<ROUNDS, M>(samples);
            let (mut flat, mut items) =
                (vec![-1.0; samples * LEN + 3], vec![[0.0; M]; samples + 1]);
            let y: &mut [[f32; LEN]] = ops::rows(&mut flat, samples);
            for round in 0..ROUNDS {
                ops::put(ops::item(&x, round, &mut items), start + round * M, y);
            }
            for (x, y) in x.iter().zip(y) {
                assert_eq!(y[start..start + ROUNDS * M], *x.as_flattened());
                assert!(y[..start].iter().chain(&y[start + ROUNDS * M..]).all(|&y| y == -1.0));
            }
            assert_eq!(flat[samples * LEN..], [-1.0; 3]);
        }
    }
    check::<1, 1, 1>(0);
    check::<7, 3, 24>(2);
    check::<16, 17, 272>(0);
}
