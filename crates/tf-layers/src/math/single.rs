//! The elementary functions of f32, without branches: of registers, and of single numbers so that
//! loops over slices become SIMD code.

use super::real::Real;

/// ln 2 = `LN_2_HIGH` + `LN_2_LOW`; products of the first with whole numbers up to 2¹² are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// eˣ; 0 where that is denormal, as in TensorFlow.
#[inline(always)]
pub(crate) fn exp<R: Real>(x: R) -> R {
    /// The logarithm of the smallest number that is not denormal.
    const LEAST: f32 = -87.336_54;
    /// The logarithm of 2¹²⁸.
    const INFINITE: f32 = 88.722_84;
    let (n, r) = whole_and_rest(x);
    // Cephes, expf.c: the polynomial of (eʳ − 1 − r) / r².
    let p =
        r.horner([1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5]);
    let p = p.times_plus(r * r, r) + r.of(1.0);
    let y = x.of(LEAST).if_less(x, p.times_two_to_the(n), x.of(0.0));
    // The sum is infinite, or NaN.
    x.if_less(x.of(INFINITE), y, x + x.of(f32::INFINITY))
}

/// eˣ − 1, also for small x.
#[inline(always)]
pub(crate) fn expm1<R: Real>(x: R) -> R {
    let (n, r) = whole_and_rest(x.between(-20.0, 89.0));
    // The Taylor series: its next term is less than 1e-8 of the sum for |r| ≤ ln 2 / 2.
    let p =
        r.horner([1.984_127e-4, 1.388_888_9e-3, 8.333_334e-3, 4.166_666_8e-2, 1.666_666_7e-1, 0.5]);
    let p = p.times_plus(r * r, r);
    // 2ⁿ(p + 1) − 1, halved: 2ⁿ alone may be too large.
    let scale = R::two_to_the(R::less_one(n));
    let y = r.of(2.0) * scale.times_plus(p, scale - r.of(0.5));
    x.abs().if_less(x.of(1e-7), x, y)
}

/// The natural logarithm of x; −∞ of 0, NaN of negative numbers.
#[inline(always)]
pub(crate) fn log<R: Real>(x: R) -> R {
    let (zero, least) = (x.of(0.0), x.of(f32::MIN_POSITIVE));
    let (e, f) = x.if_less(least, x * x.of(8_388_608.0), x).exponent_and_fraction();
    let e = e - x.if_less(least, x.of(23.0), zero);
    // Cephes, logf.c: the polynomial of (ln(1 + f) − f + f²/2) / f³.
    let p = f.horner([
        7.037_683_6e-2,
        -1.151_461e-1,
        1.167_699_87e-1,
        -1.242_014_1e-1,
        1.424_932_3e-1,
        -1.666_805_8e-1,
        2.000_071_5e-1,
        -2.499_999_4e-1,
        3.333_333e-1,
    ]);
    let square = f * f;
    let small = (p * f).times_plus(square, e * x.of(LN_2_LOW)) - x.of(0.5) * square;
    let y = f + small + e * x.of(LN_2_HIGH);
    let y = zero.if_less(x, y, x.of(f32::NEG_INFINITY));
    let y = x.if_less(zero, x.of(f32::NAN), y);
    x.if_less(x.of(f32::INFINITY), y, x)
}

/// ln(1 + x), also for small x.
#[inline(always)]
pub(crate) fn log1p<R: Real>(x: R) -> R {
    let (zero, one) = (x.of(0.0), x.of(1.0));
    let u = one + x;
    // What rounding took from u, to first order; NaN where u is 0 or infinite.
    let rest = (x - (u - one)) / u;
    let log = log(u);
    let y = u.if_less(x.of(f32::INFINITY), log + rest, log);
    let y = zero.if_less(u, y, log);
    x.abs().if_less(x.of(1e-7), x, y)
}

/// The hyperbolic tangent.
#[inline(always)]
pub(crate) fn tanh<R: Real>(x: R) -> R {
    // The rational function of Eigen, MathFunctionsImpl.h, which TensorFlow uses; beyond these bounds
    // it is ±1.
    let t = x.between(-7.905_311, 7.905_311);
    let square = t * t;
    let p = square.horner([
        -2.760_768_5e-16,
        2.000_188e-13,
        -8.604_672e-11,
        5.122_297e-8,
        1.485_722_4e-5,
        6.372_619_3e-4,
        4.893_524_6e-3,
    ]);
    let q = square.horner([1.198_258_4e-6, 1.185_347_1e-4, 2.268_434_6e-3, 4.893_525e-3]);
    x.abs().if_less(x.of(4e-4), x, t * p / q)
}

/// The error function.
#[inline(always)]
pub(crate) fn erf<R: Real>(x: R) -> R {
    // N. Juffa's approximation in two pieces (https://stackoverflow.com/a/35148199); from 4 on it is 1.
    let t = x.abs().between(0.0, 4.0);
    let square = x * x;
    let small = square.horner([
        -5.967_617e-4,
        4.991_194_2e-3,
        -2.676_813_5e-2,
        1.128_199_25e-1,
        -3.761_253_4e-1,
        1.283_791_7e-1,
    ]);
    let large = t.horner([
        -1.728_534_7e-5,
        3.831_971_3e-4,
        -3.883_964_4e-3,
        2.425_462_2e-2,
        -1.067_778_8e-1,
        -6.348_467e-1,
        -1.287_175_1e-1,
    ]);
    let small = x.times_plus(small, x);
    let large = (x.of(1.0) - exp(large.times_plus(t, x.of(0.0) - t))).copysign(x);
    x.of(0.927_734_4).if_less(t, large, small)
}

/// 1 − erf x, also for large x.
#[inline(always)]
pub(crate) fn erfc<R: Real>(x: R) -> R {
    let z = x.abs().between(0.0, 11.0);
    // W. Press et al., Numerical Recipes, erfcc: t·exp(P(t) − z²).
    let t = z.of(1.0) / z.of(0.5).times_plus(z, z.of(1.0));
    let p = t.horner([
        0.170_872_77,
        -0.822_152_2,
        1.488_515_9,
        -1.135_204,
        0.278_868_08,
        -0.186_288_06,
        0.096_784_18,
        0.374_091_96,
        1.000_023_7,
        -1.265_512_2,
    ]);
    // z² = high² + (z − high)(z + high), where high² is exact.
    let high = z.coarse();
    let y = t * exp(p - (z - high) * (z + high)) * exp(x.of(0.0) - high * high);
    x.if_less(x.of(0.0), x.of(2.0) - y, y)
}

/// x·Φ(x), Φ the distribution function of the normal distribution: Φ(−a) = e^(−a²/2)·R(a).
#[inline(always)]
pub(crate) fn gelu<R: Real>(x: R) -> R {
    // From here on e^(−a²/2) is less than 2⁻¹²⁶·⁵, and n is −127, of which 2ⁿ is made 0.
    let a = x.abs().between(0.0, 13.27);
    let (n, r) = whole_and_rest(x.of(-0.5) * a * a);
    // Minimax polynomial of eʳ for |r| ≤ ln 2 / 2, and rational function of e^(a²/2)·erfc(a/√2)/2 for
    // a ≤ 5, with relative errors of 8e-8 and 4e-8; beyond 5 the error grows as slowly as Φ vanishes.
    let power = r.horner([8.312_501e-3, 4.189_033e-2, 1.666_711_5e-1, 0.499_992_3, 1.0, 1.0]);
    let p = a.horner([1.301_435_1e-2, 1.016_027_3e-1, 3.290_554e-1, 0.499_999_98]);
    let q = a.horner([3.264_819_5e-2, 2.540_252_6e-1, 8.649_435_4e-1, 1.455_993, 1.0]);
    let tail = power * p / q * R::two_to_the(n);
    x * x.if_less(x.of(0.0), tail, x.of(1.0) - tail)
}

/// x = n·ln 2 + r with |r| ≤ ln 2 / 2.
#[inline(always)]
fn whole_and_rest<R: Real>(x: R) -> (R::Whole, R) {
    let (whole, n) = (x * x.of(std::f32::consts::LOG2_E)).round();
    let r = n.times_plus(x.of(-LN_2_LOW), n.times_plus(x.of(-LN_2_HIGH), x));
    (whole, r)
}
