//! Functions of single numbers, for the steps that [`ops::map`](crate::ops::map) and its like take.
//!
//! Those of floats are for f32 and f64. In f32 each is within 1e-6 (relative) of the exact value,
//! also at ±0, ±∞ and NaN; where eˣ would be denormal it is 0, as in TensorFlow. Only where gelu,
//! silu and mish vanish towards −∞ (below −5, −80 and −80), and for gelu_tanh, the error is that
//! small in absolute terms alone. They have no branches and are inlined, whatever their size: a loop
//! with a call in it stays scalar. In f64 they are as exact, and slower.
//!
//! ```
//! use tf_layers::math;
//!
//! assert_eq!(math::leaky_relu(-2.0_f32, 0.25), -0.5);
//! assert_eq!(math::floor_mod_i32(-7, 3), 2);
//! assert_eq!(math::f32_to_i32(-1.9), -1);
//! ```

mod double;
mod float;
pub(crate) mod real;
pub(crate) mod single;

pub use float::{Float, erf, erfc, exp, expm1, gelu, log, log1p, tanh};

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub fn sigmoid<F: Float>(x: F) -> F {
    let (zero, one) = (F::of(0.0), F::of(1.0));
    let e = exp(-x.abs());
    (if x < zero { e } else { one }) / (one + e)
}

/// ln sigmoid x = −softplus(−x).
#[inline(always)]
pub fn log_sigmoid<F: Float>(x: F) -> F {
    -softplus(-x)
}

/// ln(1 + eˣ).
#[inline(always)]
pub fn softplus<F: Float>(x: F) -> F {
    relu(x) + log1p(exp(-x.abs()))
}

/// x / (1 + |x|).
#[inline(always)]
pub fn softsign<F: Float>(x: F) -> F {
    x / (F::of(1.0) + x.abs())
}

/// The approximation of [`gelu`] by a hyperbolic tangent, x(1 + tanh u)/2 = x·sigmoid(2u).
#[inline(always)]
pub fn gelu_tanh<F: Float>(x: F) -> F {
    // u = √(2/π)·(x + 0.044715x³).
    x * sigmoid(F::of(1.595_769_121_605_730_8) * (x + F::of(0.044_715) * x * x * x))
}

/// x·sigmoid x, also called swish.
#[inline(always)]
pub fn silu<F: Float>(x: F) -> F {
    x * sigmoid(x)
}

/// x·tanh(softplus x).
#[inline(always)]
pub fn mish<F: Float>(x: F) -> F {
    // tanh ln(1 + e) = e(e + 2) / (e(e + 2) + 2); from x = 20 on it is 1.
    let (two, twenty) = (F::of(2.0), F::of(20.0));
    let e = exp(if x > twenty { twenty } else { x });
    let n = e * (e + two);
    x * (n / (n + two))
}

/// max(x, 0).
#[inline(always)]
pub fn relu<F: Float>(x: F) -> F {
    let zero = F::of(0.0);
    if x < zero { zero } else { x }
}

/// min(max(x, 0), 6).
#[inline(always)]
pub fn relu6<F: Float>(x: F) -> F {
    clip(x, F::of(0.0), F::of(6.0))
}

/// x where it is positive, slope·x elsewhere.
#[inline(always)]
pub fn leaky_relu<F: Float>(x: F, slope: F) -> F {
    if x > F::of(0.0) { x } else { slope * x }
}

/// x where it is positive, α(eˣ − 1) elsewhere.
#[inline(always)]
pub fn elu<F: Float>(x: F, alpha: F) -> F {
    if x > F::of(0.0) { x } else { alpha * expm1(x) }
}

/// 1.0507·elu(x) with α = 1.6733.
#[inline(always)]
pub fn selu<F: Float>(x: F) -> F {
    // From G. Klambauer et al., Self-Normalizing Neural Networks (https://arxiv.org/abs/1706.02515).
    const SCALE: f64 = 1.050_700_987_355_480_5;
    const ALPHA: f64 = 1.673_263_242_354_377_2;
    if x > F::of(0.0) { F::of(SCALE) * x } else { F::of(SCALE * ALPHA) * expm1(x) }
}

/// relu6(x + 3) / 6.
#[inline(always)]
pub fn hard_sigmoid<F: Float>(x: F) -> F {
    relu6(x + F::of(3.0)) / F::of(6.0)
}

/// x·relu6(x + 3) / 6.
#[inline(always)]
pub fn hard_silu<F: Float>(x: F) -> F {
    x * hard_sigmoid(x)
}

/// 1/√x.
#[inline(always)]
pub fn rsqrt<F: Float>(x: F) -> F {
    F::of(1.0) / x.sqrt()
}

/// `a` where the condition holds, else `b`; both are computed, so that loops have no branches.
#[inline(always)]
pub fn select<T>(condition: bool, a: T, b: T) -> T {
    if condition { a } else { b }
}

/// The larger number; NaN if one is NaN, as in TensorFlow.
#[inline(always)]
pub fn maximum<F: Float>(a: F, b: F) -> F {
    if (a > b) | a.is_nan() { a } else { b }
}

/// The smaller number; NaN if one is NaN, as in TensorFlow.
#[inline(always)]
pub fn minimum<F: Float>(a: F, b: F) -> F {
    if (a < b) | a.is_nan() { a } else { b }
}

/// As [`f32::clamp`], but in a form that becomes SIMD code; NaN stays NaN.
#[inline(always)]
pub(crate) fn clip<F: Float>(x: F, low: F, high: F) -> F {
    let x = if x < low { low } else { x };
    if x > high { high } else { x }
}

/// −1, 0 or 1; NaN of NaN.
#[inline(always)]
pub fn sign<F: Float>(x: F) -> F {
    if (x == F::of(0.0)) | x.is_nan() { x } else { F::of(1.0).copysign(x) }
}

/// ⌊a / b⌋, where the quotient is rounded first, as in TensorFlow.
#[inline(always)]
pub fn floor_divide<F: Float>(a: F, b: F) -> F {
    (a / b).floor()
}

/// What remains of `a` when `b` is taken from it as often as it fits, with the sign of `b`.
#[inline(always)]
pub fn floor_mod<F: Float>(a: F, b: F) -> F {
    let (zero, rest) = (F::of(0.0), a % b);
    if (rest != zero) & ((rest < zero) != (b < zero)) { rest + b } else { rest }
}

/// Defines the division of signed integers.
macro_rules! floor_division {
    ($integer:ident $floor_divide:ident $floor_mod:ident) => {
        /// ⌊a / b⌋, wrapping around. 0 where `b` is 0: TensorFlow reports an error there.
        #[inline(always)]
        pub fn $floor_divide(a: $integer, b: $integer) -> $integer {
            if b == 0 {
                return 0;
            }
            let (quotient, rest) = (a.wrapping_div(b), a.wrapping_rem(b));
            if rest != 0 && (rest < 0) != (b < 0) { quotient - 1 } else { quotient }
        }

        /// a − b·⌊a / b⌋, which has the sign of `b`. 0 where `b` is 0: TensorFlow reports an error
        /// there.
        #[inline(always)]
        pub fn $floor_mod(a: $integer, b: $integer) -> $integer {
            if b == 0 {
                return 0;
            }
            let rest = a.wrapping_rem(b);
            if rest != 0 && (rest < 0) != (b < 0) { rest + b } else { rest }
        }
    };
}

floor_division!(i32 floor_divide_i32 floor_mod_i32);
floor_division!(i64 floor_divide_i64 floor_mod_i64);

/// ⌊a / b⌋. 0 where `b` is 0: TensorFlow reports an error there.
#[inline(always)]
pub fn floor_divide_u8(a: u8, b: u8) -> u8 {
    a.checked_div(b).unwrap_or(0)
}

/// a − b·⌊a / b⌋. 0 where `b` is 0: TensorFlow reports an error there.
#[inline(always)]
pub fn floor_mod_u8(a: u8, b: u8) -> u8 {
    a.checked_rem(b).unwrap_or(0)
}

/// Whether it is false.
#[inline(always)]
pub fn not(x: bool) -> bool {
    !x
}

/// The whole part of x; the smallest number where there is none in the type, as x86 does.
#[inline(always)]
pub fn f32_to_i32(x: f32) -> i32 {
    if (-2_147_483_648.0..2_147_483_648.0).contains(&x) { x as i32 } else { i32::MIN }
}

/// As [`f32_to_i32`], to 64 bits.
#[inline(always)]
pub fn f32_to_i64(x: f32) -> i64 {
    f64_to_i64(x.into())
}

/// The lowest 8 bits of [`f32_to_i32`], 0 for NaN.
///
/// So does TensorFlow above −1 and below 256, where no bits are lost. What it makes of others depends
/// on their place in a tensor: it takes the lowest bits of some, as here, and clips the others.
#[inline(always)]
pub fn f32_to_u8(x: f32) -> u8 {
    f32_to_i32(x) as u8
}

/// The nearest number, ±∞ where it is too large.
#[inline(always)]
pub fn f64_to_f32(x: f64) -> f32 {
    x as f32
}

/// As [`f32_to_i32`], of an f64.
#[inline(always)]
pub fn f64_to_i32(x: f64) -> i32 {
    if x > -2_147_483_649.0 && x < 2_147_483_648.0 { x as i32 } else { i32::MIN }
}

/// As [`f32_to_i64`], of an f64.
#[inline(always)]
pub fn f64_to_i64(x: f64) -> i64 {
    const LIMIT: f64 = 9_223_372_036_854_775_808.0;
    if (-LIMIT..LIMIT).contains(&x) { x as i64 } else { i64::MIN }
}

/// As [`f32_to_u8`], of an f64.
#[inline(always)]
pub fn f64_to_u8(x: f64) -> u8 {
    f64_to_i32(x) as u8
}

/// 1 if true, 0 if false.
#[inline(always)]
pub fn bool_to_f32(x: bool) -> f32 {
    u8::from(x).into()
}

/// As [`bool_to_f32`], as an f64.
#[inline(always)]
pub fn bool_to_f64(x: bool) -> f64 {
    u8::from(x).into()
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
                // What would be denormal may be 0.
                let allowed = TOLERANCE * exact.abs() + f64::from(f32::MIN_POSITIVE);
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
        let exact = |x: f64| 0.5 * x * exact_erfc(-x / std::f64::consts::SQRT_2);
        check(gelu, exact, -5.0, ALL.1);
        for x in numbers().filter(|x| *x < -5.0 && x.is_finite()) {
            assert!((f64::from(gelu(x)) - exact(x.into())).abs() < 1e-12, "gelu({x:e})");
        }
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
    fn functions_of_f64() {
        /// Computed with Python's `math`, at −2.5, −0.5, 0, 0.7 and 8.
        const AT: [f64; 5] = [-2.5, -0.5, 0.0, 0.7, 8.0];
        type Case = (fn(f64) -> f64, [f64; 5]);
        #[rustfmt::skip]
        let cases: [Case; 7] = [
            (erf, [-0.999593047982555, -0.5204998778130465, 0.0, 0.6778011938374184, 1.0]),
            (erfc, [1.999593047982555, 1.5204998778130465, 1.0, 0.32219880616258156, 1.1224297172982928e-29]),
            (gelu, [-0.015524163314440348, -0.15426876936299344, 0.0, 0.5306254434438489, 7.999999999999995]),
            (gelu_tanh, [-0.015084266089998577, -0.15428599017485606, 0.0, 0.5305701347051167, 8.0]),
            (selu, [-1.6137857588732425, -0.6917581878028713, 0.0, 0.7354906911488363, 8.405607898843844]),
            (mish, [-0.19681620390653337, -0.22074377465173, 0.0, 0.5611483776438518, 7.999998200644843]),
            (sigmoid, [0.07585818002124355, 0.3775406687981454, 0.5, 0.6681877721681662, 0.9996646498695336]),
        ];
        for (i, (f, expected)) in cases.into_iter().enumerate() {
            for (x, expected) in AT.into_iter().zip(expected) {
                let y = f(x);
                let near = (y - expected).abs() <= 1e-13 * expected.abs();
                assert!(near, "function {i} of {x}: {y:e}, not {expected:e}");
            }
        }
        assert_eq!([f64::NEG_INFINITY, f64::INFINITY].map(erf), [-1.0, 1.0]);
        assert_eq!([f64::NEG_INFINITY, f64::INFINITY].map(erfc), [2.0, 0.0]);
        assert!(erf(f64::NAN).is_nan() && erfc(f64::NAN).is_nan());
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
    fn division_as_tensorflow_does() {
        const INFINITY: f32 = f32::INFINITY;
        for (a, b, quotient, rest) in [
            (7.0, 2.0, 3.0, 1.0),
            (-7.0, 2.0, -4.0, 1.0),
            (7.0, -2.0, -4.0, -1.0),
            (-7.0, -2.0, 3.0, -1.0),
            (6.0, -3.0, -2.0, 0.0),
            (1e30, 3.0, 3.333_333_4e29, 0.0),
            (5.0, INFINITY, 0.0, 5.0),
            (-5.0, INFINITY, -0.0, INFINITY),
            (5.0, -INFINITY, -0.0, -INFINITY),
            // The quotient is rounded to 10, and yet the rest is that of 9.
            (1.0, 0.1, 10.0, 0.099_999_99),
        ] {
            assert_eq!((floor_divide(a, b), floor_mod(a, b)), (quotient, rest), "{a} and {b}");
        }
        for (a, b) in [(1.0, 0.0), (INFINITY, 2.0), (f32::NAN, 1.0)] {
            assert!(floor_mod(a, b).is_nan(), "{a} and {b}");
        }
        assert_eq!([floor_divide(1.0, 0.0), floor_divide(-1.0, 0.0)], [INFINITY, -INFINITY]);

        for (a, b, quotient, rest) in [
            (7, 2, 3, 1),
            (-7, 2, -4, 1),
            (7, -2, -4, -1),
            (-7, -2, 3, -1),
            (-6, 3, -2, 0),
            (5, 0, 0, 0),
            (i32::MIN, -1, i32::MIN, 0),
            (i32::MIN, 2, i32::MIN / 2, 0),
            (i32::MAX, i32::MIN, -1, -1),
        ] {
            assert_eq!((floor_divide_i32(a, b), floor_mod_i32(a, b)), (quotient, rest));
            if (a, b) != (i32::MIN, -1) {
                let (a, b) = (a.into(), b.into());
                let expected = (quotient.into(), rest.into());
                assert_eq!((floor_divide_i64(a, b), floor_mod_i64(a, b)), expected);
            }
        }
        assert_eq!((floor_divide_i64(i64::MIN, -1), floor_mod_i64(i64::MIN, -1)), (i64::MIN, 0));
        assert_eq!((floor_divide_u8(200, 7), floor_mod_u8(200, 7)), (28, 4));
        assert_eq!((floor_divide_u8(200, 0), floor_mod_u8(200, 0)), (0, 0));
    }

    #[test]
    fn casts_as_tensorflow_does_on_x86() {
        for (x, expected) in [(-1.9, -1), (2.5, 2), (f32::NAN, i32::MIN), (3e9, i32::MIN)] {
            assert_eq!(f32_to_i32(x), expected);
            assert_eq!(f64_to_i32(f64::from(x)), expected);
        }
        assert_eq!(f32_to_i32(-2_147_483_648.0), i32::MIN);
        assert_eq!(f64_to_i32(-2_147_483_648.9), i32::MIN);
        for (x, expected) in
            [(-1.9, -1), (3e9, 3_000_000_000), (f32::NAN, i64::MIN), (1e19, i64::MIN)]
        {
            assert_eq!(f32_to_i64(x), expected);
        }
        // Of many ways in TensorFlow, that of the last numbers of a tensor, which fill no register.
        for (x, expected) in
            [(-0.5, 0), (255.9, 255), (-1.0, 255), (300.0, 44), (70_000.0, 112), (f32::NAN, 0)]
        {
            assert_eq!(f32_to_u8(x), expected);
            assert_eq!(f64_to_u8(x.into()), expected);
        }
        assert_eq!([f64_to_f32(1e300), f64_to_f32(0.1)], [f32::INFINITY, 0.1]);
        assert_eq!([bool_to_f32(true), bool_to_f32(false)], [1.0, 0.0]);
        assert_eq!([bool_to_f64(true), bool_to_f64(false)], [1.0, 0.0]);
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
