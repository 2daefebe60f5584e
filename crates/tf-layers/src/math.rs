//! Elementary functions of f32, without branches, so that loops over slices become SIMD code.
//!
//! Each is within 1e-6 (relative) of the exact value, also at ±0, denormals, ±∞ and NaN. Only where
//! gelu, silu and mish vanish towards −∞ (below −12.5, −80 and −80), and for gelu_tanh, the error is
//! that small in absolute terms alone. All are inlined, whatever their size: a loop with a call in
//! it stays scalar.

/// 1.5·2²³: adding it rounds to a whole number, which is then in the low bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2 = `LN_2_HIGH` + `LN_2_LOW`; products of the first with whole numbers up to 2¹² are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// eˣ.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (n, r) = whole_and_rest(clamp(x, -104.0, 89.0));
    // Cephes, expf.c: the polynomial of (eʳ − 1 − r) / r².
    let p =
        horner(r, [1.987_569_1e-4, 1.398_2e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 0.5]);
    let p = p * (r * r) + r + 1.0;
    // 2ⁿ in two factors, since it may be denormal or too large for one.
    let half = n >> 1;
    p * two_to_the(half) * two_to_the(n.wrapping_sub(half))
}

/// eˣ − 1, also for small x.
#[inline(always)]
pub fn expm1(x: f32) -> f32 {
    let (n, r) = whole_and_rest(clamp(x, -20.0, 89.0));
    // The Taylor series: its next term is less than 1e-8 of the sum for |r| ≤ ln 2 / 2.
    let p = horner(
        r,
        [1.984_127e-4, 1.388_888_9e-3, 8.333_334e-3, 4.166_666_8e-2, 1.666_666_7e-1, 0.5],
    );
    let p = p * (r * r) + r;
    // 2ⁿ(p + 1) − 1, halved: 2ⁿ alone may be too large.
    let scale = two_to_the(n.wrapping_sub(1));
    let y = 2.0 * (scale * p + (scale - 0.5));
    if x.abs() < 1e-7 { x } else { y }
}

/// The natural logarithm of x; −∞ of 0, NaN of negative numbers.
#[inline(always)]
pub fn log(x: f32) -> f32 {
    let denormal = x < f32::MIN_POSITIVE;
    let bits = if denormal { x * 8_388_608.0 } else { x }.to_bits().cast_signed();
    // x = 2ᵉ(1 + f) with √½ ≤ 1 + f < √2.
    let e = bits.wrapping_sub(std::f32::consts::FRAC_1_SQRT_2.to_bits().cast_signed()) >> 23;
    let f = f32::from_bits(bits.wrapping_sub(e << 23).cast_unsigned()) - 1.0;
    let e = e as f32 - if denormal { 23.0 } else { 0.0 };
    // Cephes, logf.c: the polynomial of (ln(1 + f) − f + f²/2) / f³.
    let p = horner(
        f,
        [
            7.037_683_6e-2,
            -1.151_461e-1,
            1.167_699_87e-1,
            -1.242_014_1e-1,
            1.424_932_3e-1,
            -1.666_805_8e-1,
            2.000_071_5e-1,
            -2.499_999_4e-1,
            3.333_333e-1,
        ],
    );
    let square = f * f;
    let y = f + (p * f * square + e * LN_2_LOW - 0.5 * square) + e * LN_2_HIGH;
    let y = if x == 0.0 { f32::NEG_INFINITY } else { y };
    let y = if x < 0.0 { f32::NAN } else { y };
    if x < f32::INFINITY { y } else { x }
}

/// ln(1 + x), also for small x.
#[inline(always)]
pub fn log1p(x: f32) -> f32 {
    let u = 1.0 + x;
    // What rounding took from u, to first order; NaN where u is 0 or infinite.
    let rest = (x - (u - 1.0)) / u;
    let log = log(u);
    let y = if u > 0.0 && u < f32::INFINITY { log + rest } else { log };
    if x.abs() < 1e-7 { x } else { y }
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh(x: f32) -> f32 {
    // tanh x = (e²ˣ − 1) / (e²ˣ + 1); from 10 on it is 1.
    let e = expm1(2.0 * clamp(x.abs(), 0.0, 10.0));
    (e / (e + 2.0)).copysign(x)
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid(x: f32) -> f32 {
    let e = exp(-x.abs());
    (if x < 0.0 { e } else { 1.0 }) / (1.0 + e)
}

/// ln sigmoid x = −softplus(−x).
#[inline(always)]
pub fn log_sigmoid(x: f32) -> f32 {
    -softplus(-x)
}

/// ln(1 + eˣ).
#[inline(always)]
pub fn softplus(x: f32) -> f32 {
    (if x < 0.0 { 0.0 } else { x }) + log1p(exp(-x.abs()))
}

/// The error function.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    // N. Juffa's approximation in two pieces (https://stackoverflow.com/a/35148199); from 4 on it is 1.
    let t = clamp(x.abs(), 0.0, 4.0);
    let square = x * x;
    let small = horner(
        square,
        [
            -5.967_617e-4,
            4.991_194_2e-3,
            -2.676_813_5e-2,
            1.128_199_25e-1,
            -3.761_253_4e-1,
            1.283_791_7e-1,
        ],
    );
    let large = horner(
        t,
        [
            -1.728_534_7e-5,
            3.831_971_3e-4,
            -3.883_964_4e-3,
            2.425_462_2e-2,
            -1.067_778_8e-1,
            -6.348_467e-1,
            -1.287_175_1e-1,
        ],
    );
    let small = x * small + x;
    let large = (1.0 - exp(large * t - t)).copysign(x);
    if t > 0.927_734_4 { large } else { small }
}

/// 1 − erf x, also for large x.
#[inline(always)]
pub fn erfc(x: f32) -> f32 {
    let z = clamp(x.abs(), 0.0, 11.0);
    let y = tail(z, z, 1.0);
    if x < 0.0 { 2.0 - y } else { y }
}

/// x·Φ(x), Φ the distribution function of the normal distribution: x·erfc(−x/√2)/2.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    let a = clamp(x.abs(), 0.0, 15.0);
    let y = tail(a * std::f32::consts::FRAC_1_SQRT_2, a, 0.5);
    0.5 * x * if x > 0.0 { 2.0 - y } else { y }
}

/// The approximation of [`gelu`] by a hyperbolic tangent, x(1 + tanh u)/2 = x·sigmoid(2u).
#[inline(always)]
pub fn gelu_tanh(x: f32) -> f32 {
    x * sigmoid(1.595_769 * (x + 0.044_715 * x * x * x))
}

/// x·sigmoid x, also called swish.
#[inline(always)]
pub fn silu(x: f32) -> f32 {
    x * sigmoid(x)
}

/// x·tanh(softplus x).
#[inline(always)]
pub fn mish(x: f32) -> f32 {
    // tanh ln(1 + e) = e(e + 2) / (e(e + 2) + 2); from x = 20 on it is 1.
    let e = exp(if x > 20.0 { 20.0 } else { x });
    let n = e * (e + 2.0);
    x * (n / (n + 2.0))
}

/// 1/√x.
#[inline(always)]
pub fn rsqrt(x: f32) -> f32 {
    1.0 / x.sqrt()
}

/// The larger number; NaN if one is NaN, as in TensorFlow.
#[inline(always)]
pub fn maximum(a: f32, b: f32) -> f32 {
    if (a > b) | a.is_nan() { a } else { b }
}

/// The smaller number; NaN if one is NaN, as in TensorFlow.
#[inline(always)]
pub fn minimum(a: f32, b: f32) -> f32 {
    if (a < b) | a.is_nan() { a } else { b }
}

/// −1, 0 or 1; NaN of NaN.
#[inline(always)]
pub fn sign(x: f32) -> f32 {
    if x == 0.0 || x.is_nan() { x } else { 1_f32.copysign(x) }
}

/// The whole part of x; the smallest number where there is none in the type, as x86 does.
#[inline(always)]
pub fn to_i32(x: f32) -> i32 {
    if (-2_147_483_648.0..2_147_483_648.0).contains(&x) { x as i32 } else { i32::MIN }
}

/// As [`to_i32`], to 64 bits.
#[inline(always)]
pub fn to_i64(x: f32) -> i64 {
    to_i64_from_f64(f64::from(x))
}

/// As [`to_i32`], of an f64.
#[inline(always)]
pub fn to_i32_from_f64(x: f64) -> i32 {
    if x > -2_147_483_649.0 && x < 2_147_483_648.0 { x as i32 } else { i32::MIN }
}

/// As [`to_i64`], of an f64.
#[inline(always)]
pub fn to_i64_from_f64(x: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&x) { x as i64 } else { i64::MIN }
}

/// As [`f32::clamp`], but in a form that becomes SIMD code; NaN stays NaN.
#[inline(always)]
fn clamp(x: f32, low: f32, high: f32) -> f32 {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// erfc z for z ≥ 0, where z² = scale·a² and scale is a power of 2.
#[inline(always)]
fn tail(z: f32, a: f32, scale: f32) -> f32 {
    // W. Press et al., Numerical Recipes, erfcc: t·exp(−z² + P(t)).
    let t = 1.0 / (1.0 + 0.5 * z);
    let p = horner(
        t,
        [
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
        ],
    );
    // a² = high² + (a − high)(a + high), where high² is exact.
    let high = f32::from_bits(a.to_bits() & 0xffff_f000);
    t * exp(p - scale * (a - high) * (a + high)) * exp(-scale * high * high)
}

/// x = n·ln 2 + r with |r| ≤ ln 2 / 2.
#[inline(always)]
fn whole_and_rest(x: f32) -> (i32, f32) {
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    (shifted.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed(), r)
}

/// 2ⁿ, for n from −126 to 127.
#[inline(always)]
fn two_to_the(n: i32) -> f32 {
    f32::from_bits((n.wrapping_add(127) << 23).cast_unsigned())
}

/// The polynomial of x with these coefficients, the highest power first.
#[inline(always)]
fn horner<const N: usize>(x: f32, coefficients: [f32; N]) -> f32 {
    coefficients.into_iter().fold(0.0, |sum, coefficient| sum * x + coefficient)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOLERANCE: f64 = 1e-6;

    /// Every 40009th f32 (a prime), both signs, and the special ones.
    fn numbers() -> impl Iterator<Item = f32> {
        let special = [0.0, f32::INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE, 1e-45, 1e-40];
        let positive = (0..0x7f80_0000).step_by(40_009).map(f32::from_bits).chain(special);
        positive.flat_map(|x| [x, -x])
    }

    /// Compares with `exact` in f64, for x in `from..=to`.
    fn check(f: fn(f32) -> f32, exact: fn(f64) -> f64, from: f32, to: f32) {
        for x in numbers().filter(|&x| x.is_nan() || (from..=to).contains(&x)) {
            let (y, exact) = (f(x), exact(f64::from(x)));
            if exact.is_nan() || (exact as f32).is_infinite() {
                let near = y.is_nan() && exact.is_nan() || f64::from(y) == exact;
                assert!(near || y == exact as f32, "f({x:e}) = {y:e}, not {exact:e}");
            } else {
                let error = (f64::from(y) - exact).abs();
                // 2 units of the smallest denormal, where there are no more digits.
                let allowed = TOLERANCE * exact.abs() + 2.0 * 1.5e-45;
                assert!(error <= allowed, "f({x:e}) = {y:e}, not {exact:e}");
                assert!(
                    y != 0.0
                        || exact.abs() > 0.0
                        || y.is_sign_negative() == exact.is_sign_negative(),
                    "the sign of f({x:e}) = {y:e}",
                );
            }
        }
    }

    const ALL: (f32, f32) = (f32::NEG_INFINITY, f32::INFINITY);

    #[test]
    fn exponential_functions() {
        check(exp, f64::exp, ALL.0, ALL.1);
        check(expm1, f64::exp_m1, ALL.0, ALL.1);
        check(tanh, f64::tanh, ALL.0, ALL.1);
        check(sigmoid, |x| 1.0 / (1.0 + (-x).exp()), ALL.0, ALL.1);
    }

    #[test]
    fn logarithms() {
        check(log, f64::ln, ALL.0, ALL.1);
        check(log1p, f64::ln_1p, ALL.0, ALL.1);
        check(softplus, exact_softplus, ALL.0, ALL.1);
        check(log_sigmoid, |x| -exact_softplus(-x), ALL.0, ALL.1);
    }

    #[test]
    fn error_functions() {
        check(
            erf,
            |x| if x.abs() < 1.0 { exact_erf(x) } else { (1.0 - exact_erfc(x.abs())).copysign(x) },
            ALL.0,
            ALL.1,
        );
        check(erfc, exact_erfc, ALL.0, ALL.1);
        // Below −12.5 the tail is denormal.
        check(gelu, |x| 0.5 * x * exact_erfc(-x / std::f64::consts::SQRT_2), -12.5, ALL.1);
    }

    #[test]
    fn activations_made_of_them() {
        check(silu, |x| x / (1.0 + (-x).exp()), -80.0, ALL.1);
        check(mish, |x| x * exact_softplus(x).tanh(), -80.0, ALL.1);
        check(rsqrt, |x| 1.0 / x.sqrt(), ALL.0, ALL.1);
        let root = (2.0 / std::f64::consts::PI).sqrt();
        for x in (-320..320).map(|x| x as f32 / 8.0) {
            let exact = f64::from(x);
            let exact = 0.5 * exact * (1.0 + (root * (exact + 0.044715 * exact.powi(3))).tanh());
            assert!(
                (f64::from(gelu_tanh(x)) - exact).abs() <= 1e-6 * exact.abs().max(1.0),
                "gelu_tanh({x})"
            );
        }
    }

    #[test]
    fn activations_vanish_towards_minus_infinity() {
        for x in numbers().filter(|x| x.is_finite()) {
            assert!(x > -12.5 || gelu(x).abs() < 1e-30, "gelu({x:e})");
            assert!(x > -80.0 || silu(x).abs() < 1e-30, "silu({x:e})");
            assert!(x > -80.0 || mish(x).abs() < 1e-30, "mish({x:e})");
            assert!(x > -40.0 || gelu_tanh(x).abs() < 1e-30, "gelu_tanh({x:e})");
        }
    }

    #[test]
    fn comparisons_keep_nan() {
        for (a, b) in [(f32::NAN, 1.0), (1.0, f32::NAN)] {
            assert!(maximum(a, b).is_nan() && minimum(a, b).is_nan());
        }
        assert_eq!([maximum(-1.0, 2.0), minimum(-1.0, 2.0)], [2.0, -1.0]);
        assert_eq!([-3.0, -0.0, 1e-45, f32::INFINITY].map(sign), [-1.0, 0.0, 1.0, 1.0]);
        assert!(sign(f32::NAN).is_nan());
    }

    #[test]
    fn casts_as_tensorflow_does_on_x86() {
        for (x, expected) in [(-1.9, -1), (2.5, 2), (f32::NAN, i32::MIN), (3e9, i32::MIN)] {
            assert_eq!(to_i32(x), expected);
            assert_eq!(to_i32_from_f64(f64::from(x)), expected);
        }
        assert_eq!(to_i32(-2_147_483_648.0), i32::MIN);
        assert_eq!(to_i32_from_f64(-2_147_483_648.9), i32::MIN);
        for (x, expected) in
            [(-1.9, -1), (3e9, 3_000_000_000), (f32::NAN, i64::MIN), (1e19, i64::MIN)]
        {
            assert_eq!(to_i64(x), expected);
        }
    }

    fn exact_softplus(x: f64) -> f64 {
        x.max(0.0) + (-x.abs()).exp().ln_1p() + if x.is_nan() { x } else { 0.0 }
    }

    /// The Maclaurin series, for |x| up to 2.
    fn exact_erf(x: f64) -> f64 {
        let (mut term, mut sum) = (x, x);
        for n in 1..60 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        if x == 0.0 { x } else { sum * std::f64::consts::FRAC_2_SQRT_PI }
    }

    /// Laplace's continued fraction beyond 2.
    fn exact_erfc(x: f64) -> f64 {
        if x.is_nan() {
            return x;
        }
        if x < 0.0 {
            return 2.0 - exact_erfc(-x);
        }
        if x < 2.0 {
            return 1.0 - exact_erf(x);
        }
        let fraction = (1..200).rev().fold(0.0, |rest, n| f64::from(n) / 2.0 / (x + rest));
        (-x * x).exp() / (x + fraction) * std::f64::consts::FRAC_2_SQRT_PI / 2.0
    }
}
