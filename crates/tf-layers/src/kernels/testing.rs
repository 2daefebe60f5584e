//! What the tests of the kernels share: instruction sets, sizes, numbers, and a comparison.

use fearless_simd::Level;

use super::axis::Axis;

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

/// Every instruction set that this machine has, the best first.
pub(crate) fn levels() -> Vec<Level> {
    let best = Level::new();
    #[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
    let others = [
        best.as_avx2().map(Level::Avx2),
        best.as_sse4_2().map(Level::Sse4_2),
        best.as_sse2().map(Level::Sse2),
    ];
    #[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
    let others = [Some(Level::baseline())];
    std::iter::once(best).chain(others.into_iter().flatten()).collect()
}

/// Random whole numbers, for the sizes of property tests.
pub(crate) struct Sizes(u32);

impl Sizes {
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9) | 1)
    }

    /// A number of the range.
    pub(crate) fn of(&mut self, range: std::ops::RangeInclusive<usize>) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        range.start() + self.0 as usize % (range.end() - range.start() + 1)
    }

    /// One of the items.
    pub(crate) fn one<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.of(0..=items.len() - 1)]
    }

    /// An axis of up to `most` steps, with a window that fits it.
    pub(crate) fn axis(&mut self, most: usize) -> Axis {
        let steps = self.of(1..=most);
        self.axis_of(steps)
    }

    /// An axis of so many steps, with a window that fits it.
    pub(crate) fn axis_of(&mut self, steps: usize) -> Axis {
        loop {
            let (size, stride, dilation) =
                (self.of(1..=4), self.of(1..=3), self.one(&[1, 1, 2, 3]));
            let (before, after) = (self.of(0..=4), self.of(0..=4));
            let reach = (size - 1) * dilation + 1;
            if let Some(room) = (before + steps + after).checked_sub(reach) {
                let steps_out = room / stride + 1;
                return Axis { size, stride, dilation, before, steps, steps_out };
            }
        }
    }
}
