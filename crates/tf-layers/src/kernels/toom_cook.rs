//! The transforms of A. Toom and S. Cook: m outputs of a window of r taps, in one direction, by
//! m + r − 1 products.
//!
//! A product of polynomials is known by its values at as many points as it has coefficients, and the
//! value of a product is the product of the values. Convolution is the transpose of that:
//! y = Aᵀ·\[(G·g) ⊙ (Bᵀ·d)\], with a place for each point p. Its row of Bᵀ has the coefficients of the
//! product of x − q over all other points, and its column of Aᵀ the powers of p. The last point is
//! infinity, and the others lose few digits, after B. Barabasz, A. Anderson, K. M. Soodhalter and
//! D. Gregg, Error Analysis and Improving the Accuracy of Winograd Convolution for Deep Neural
//! Networks (<https://arxiv.org/abs/1803.10986>).

use fearless_simd::Simd;

use crate::math::real::{Real, Register};

/// The finite points: as many of them as there are places, and infinity. All powers of the first one
/// are 1, so that the bias goes in there.
#[cfg(feature = "pack")]
const POINTS: [f64; 7] = [1.0, -1.0, 0.0, 0.5, -2.0, -0.5, 2.0];

/// The numbers of a tile in one direction, with as many places as there are of them, for `M` outputs at
/// most.
pub(crate) trait Places<S: Simd, const M: usize> {
    /// Bᵀ·d of the inputs.
    fn spread(self) -> Self;

    /// Aᵀ·m of the products, for so many outputs.
    fn gather(self, outputs: usize) -> [Register<S>; M];
}

/// Nothing to transform.
impl<S: Simd> Places<S, 1> for [Register<S>; 1] {
    #[inline(always)]
    fn spread(self) -> Self {
        self
    }

    #[inline(always)]
    fn gather(self, _outputs: usize) -> [Register<S>; 1] {
        self
    }
}

/// For 2 outputs of 3 taps.
impl<S: Simd> Places<S, 2> for [Register<S>; 4] {
    #[inline(always)]
    fn spread(self) -> Self {
        let d = self;
        [d[2] + d[1], d[2] - d[1], d[2] - d[0], d[3] - d[1]]
    }

    #[inline(always)]
    fn gather(self, _outputs: usize) -> [Register<S>; 2] {
        let [one, minus_one, zero, infinity] = self;
        [one + minus_one + zero, one - minus_one + infinity]
    }
}

/// For 4 outputs of 3 taps.
impl<S: Simd> Places<S, 4> for [Register<S>; 6] {
    #[inline(always)]
    fn spread(self) -> Self {
        let [a, b, c, d, e, f] = self;
        // Those of (x − ½)·(x + 2) = x² + 1½·x − 1, which the points 0, 1 and −1 share.
        let u = [plus(c, 1.5, b) - a, plus(d, 1.5, c) - b];
        let v = [plus(e, 1.5, d) - c, plus(f, 1.5, e) - d];
        // And those of (x − 1)·(x + 1).
        let [w, x] = [d - b, e - c];
        [v[0] + u[1], v[0] - u[1], v[0] - u[0], plus(x, 2.0, w), plus(x, -0.5, w), v[1] - u[1]]
    }

    #[inline(always)]
    fn gather(self, _outputs: usize) -> [Register<S>; 4] {
        let [one, minus_one, zero, half, minus_two, infinity] = self;
        let (even, odd) = (one + minus_one, one - minus_one);
        [
            even + zero + half + minus_two,
            plus(plus(odd, 0.5, half), -2.0, minus_two),
            plus(plus(even, 0.25, half), 4.0, minus_two),
            plus(plus(odd, 0.125, half), -8.0, minus_two) + infinity,
        ]
    }
}

/// For 5 outputs of 4 taps, or 4 of 5.
impl<S: Simd> Places<S, 5> for [Register<S>; 8] {
    #[inline(always)]
    fn spread(self) -> Self {
        let [a, b, c, d, e, f, g, h] = self;
        // The product for p or −p is x·(x ± p) times those of x² − q for the squares q of the others.
        let (even, odd) = ([c, e, g], [b, d, f]);
        let [one, minus_one] = pair(1.0, even, odd, [1.0, -4.25]);
        let [half, minus_half] = pair(0.5, even, odd, [4.0, -5.0]);
        let [two, minus_two] = pair(2.0, even, odd, [0.25, -1.25]);
        // (x² − 1)·(x² − ¼)·(x² − 4) = x⁶ − 5¼·x⁴ + 5¼·x² − 1.
        let zero = plus(g - a, 5.25, c - e);
        let infinity = plus(h - b, 5.25, d - f);
        [one, minus_one, zero, half, minus_two, minus_half, two, infinity]
    }

    #[inline(always)]
    fn gather(self, outputs: usize) -> [Register<S>; 5] {
        let [one, minus_one, zero, half, minus_two, minus_half, two, infinity] = self;
        let even = [one + minus_one, half + minus_half, two + minus_two];
        let odd = [one - minus_one, half - minus_half, two - minus_two];
        let fourth = powers(odd, 3);
        [
            even[0] + zero + even[1] + even[2],
            powers(odd, 1),
            powers(even, 2),
            if outputs == 4 { fourth + infinity } else { fourth },
            powers(even, 4) + infinity,
        ]
    }
}

/// x + factor·y.
#[inline(always)]
fn plus<S: Simd>(x: Register<S>, factor: f32, y: Register<S>) -> Register<S> {
    y.times_plus(y.of(factor), x)
}

/// Those of the points p and −p: of what comes with the even and the odd powers up to the fourth
/// higher one, with the coefficients of the first two of each.
#[inline(always)]
fn pair<S: Simd>(
    p: f32,
    even: [Register<S>; 3],
    odd: [Register<S>; 3],
    [first, second]: [f32; 2],
) -> [Register<S>; 2] {
    let even = plus(plus(even[2], second, even[1]), first, even[0]);
    let odd = plus(plus(odd[2], second, odd[1]), first, odd[0]);
    [plus(even, p, odd), plus(even, -p, odd)]
}

/// The sum of the points 1, ½ and 2 to a power.
#[inline(always)]
fn powers<S: Simd>([one, half, two]: [Register<S>; 3], power: u32) -> Register<S> {
    let power = f32::from(1_u16 << power);
    plus(plus(one, 1.0 / power, half), power, two)
}

/// G: how much each tap of the kernel counts at a place, of so many for so many taps.
#[cfg(feature = "pack")]
pub(crate) fn kernel_factor(places: usize, taps: usize, place: usize, tap: usize) -> f64 {
    if place + 1 == places {
        return f64::from(u8::from(tap + 1 == taps));
    }
    let point = POINTS[place];
    let others = (0..places - 1).filter(|other| *other != place);
    let distances: f64 = others.map(|other| point - POINTS[other]).product();
    (0..tap).map(|_| point).product::<f64>() / distances
}
