//! What the tests of the kernels share: numbers, and a comparison.

/// `count` numbers between −1 and 1, other ones for another `seed`.
pub(crate) fn numbers(count: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let next = || {
        // G. Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    std::iter::repeat_with(next).take(count).collect()
}

/// Asserts that both are the same, up to the error that DESIGN.md allows a layer.
pub(crate) fn assert_near(y: &[f32], expected: &[f32]) {
    const TOLERANCE: f32 = 1e-5;
    assert_eq!(y.len(), expected.len());
    let scale = expected.iter().fold(1e-6_f32, |scale, x| scale.max(x.abs()));
    for (i, (y, expected)) in y.iter().zip(expected).enumerate() {
        assert!((y - expected).abs() <= TOLERANCE * scale, "at {i}: {y}, not {expected}");
    }
}
