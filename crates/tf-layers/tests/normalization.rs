//! Layer normalization against the loops of its definition.

#![cfg(feature = "pack")]

use tf_layers::LayerNormalization;
use tf_layers::zerocopy::FromZeros;

fn normalizes<const SIZE: usize, const ROWS: usize>() {
    let numbers = |seed: usize| -> [f32; SIZE] {
        std::array::from_fn(|i| ((i + seed) * 7919 % 211) as f32 / 100.0 - 1.0)
    };
    let (scale, shift) = (numbers(3), numbers(5));
    let mut layer = LayerNormalization::<SIZE, ROWS>::new_zeroed();
    layer.pack(&scale, &shift);
    // Far from zero: a variance from the squares of x itself would lose its digits.
    let x = [[numbers(11), numbers(13)], [numbers(17).map(|x| x + 100.0), numbers(19)]];
    let mut scratch = vec![f32::NAN; 4 * SIZE + 3];
    let y: &mut [[[f32; SIZE]; 2]] = layer.apply(&x, 1e-3, &mut scratch);
    for (x, y) in x.as_flattened().iter().zip(y.as_flattened()) {
        let mean = x.iter().map(|x| f64::from(*x)).sum::<f64>() / SIZE as f64;
        let variance = x.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / SIZE as f64;
        for i in 0..SIZE {
            let expected = (f64::from(x[i]) - mean) / (variance + 1e-3).sqrt();
            let expected = expected * f64::from(scale[i]) + f64::from(shift[i]);
            assert!((f64::from(y[i]) - expected).abs() < 2e-4, "{i}: {}, not {expected}", y[i]);
        }
    }
    let mut in_place = x;
    assert_eq!(layer.apply_mut(&mut in_place, 1e-3), y);
    assert!(layer.apply(&x[..0], 1e-3, &mut []).is_empty());
}

#[test]
fn of_any_size() {
    normalizes::<1, 2>();
    normalizes::<2, 2>();
    normalizes::<15, 2>();
    normalizes::<16, 2>();
    normalizes::<17, 4>();
    normalizes::<100, 14>();
}

#[test]
fn rows_of_several_axes() {
    let mut layer = LayerNormalization::<4, 2>::new_zeroed();
    layer.pack(&[1.0; 4], &[0.0, 0.0, 0.0, 1.0]);
    let mut x = [[[1.0_f32, 1.0], [3.0, 3.0]]];
    assert_eq!(layer.apply_mut(&mut x, 0.0), [[[-1.0, -1.0], [1.0, 2.0]]]);
}
