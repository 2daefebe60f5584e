//! Activation functions of registers: the formulas of [`crate::math`], in its elementary functions.

use fearless_simd::Simd;

use super::panels::LANES;
use crate::math::real::{Real, Register};
use crate::math::single::{exp, expm1, log1p};

pub(crate) use crate::math::single::{gelu, tanh};

/// Puts the function of each number in its place.
#[inline(always)]
pub(crate) fn each<S: Simd>(simd: S, y: &mut [f32], f: impl Fn(Register<S>) -> Register<S>) {
    let (whole, some) = y.split_at_mut(y.len() - y.len() % Register::<S>::LEN);
    let mut rest = [0.0; LANES];
    rest[..some.len()].copy_from_slice(some);
    let filled = if some.is_empty() { 0 } else { Register::<S>::LEN };
    // The formula is there once for both.
    for y in [whole, &mut rest[..filled]] {
        for y in y.chunks_exact_mut(Register::<S>::LEN) {
            f(Register::load(simd, y)).store(y);
        }
    }
    some.copy_from_slice(&rest[..some.len()]);
}

/// max(x, 0); NaN stays NaN.
#[inline(always)]
pub(crate) fn relu<R: Real>(x: R) -> R {
    x.if_less(x.of(0.0), x.of(0.0), x)
}

/// x where it is positive, slope·x elsewhere.
#[inline(always)]
pub(crate) fn leaky_relu<R: Real>(x: R, slope: f32) -> R {
    x.of(0.0).if_less(x, x, x.of(slope) * x)
}

/// 1 / (1 + e⁻ˣ).
#[inline(always)]
pub(crate) fn sigmoid<R: Real>(x: R) -> R {
    let one = x.of(1.0);
    one / (one + exp(x.of(0.0) - x))
}

/// ln(1 + eˣ).
#[inline(always)]
pub(crate) fn softplus<R: Real>(x: R) -> R {
    relu(x) + log1p(exp(x.of(0.0) - x.abs()))
}

/// ln sigmoid x = −softplus(−x).
#[inline(always)]
pub(crate) fn log_sigmoid<R: Real>(x: R) -> R {
    x.of(0.0) - softplus(x.of(0.0) - x)
}

/// x(1 + tanh u)/2 = x·sigmoid(2u), u = √(2/π)·(x + 0.044715x³).
#[inline(always)]
pub(crate) fn gelu_tanh<R: Real>(x: R) -> R {
    x * sigmoid(x.of(1.595_769_2) * (x + x.of(0.044_715) * x * x * x))
}

/// x·sigmoid x.
#[inline(always)]
pub(crate) fn silu<R: Real>(x: R) -> R {
    x * sigmoid(x)
}

/// x·tanh(softplus x) = x·n / (n + 2) with n = e(e + 2), e = eˣ; from x = 20 on it is x.
#[inline(always)]
pub(crate) fn mish<R: Real>(x: R) -> R {
    let twenty = x.of(20.0);
    let e = exp(twenty.if_less(x, twenty, x));
    let n = e * (e + x.of(2.0));
    x * (n / (n + x.of(2.0)))
}

/// scale·x where x is positive, slope·(e^(x/width) − 1) elsewhere.
#[inline(always)]
pub(crate) fn elu<R: Real>(x: R, scale: f32, slope: f32, width: f32) -> R {
    let negative = x.of(slope) * expm1(x / x.of(width));
    x.of(0.0).if_less(x, x.of(scale) * x, negative)
}

#[cfg(test)]
mod tests {
    use crate::activation::*;
    use crate::kernels::testing::levels;

    /// Every 40009th f32 (a prime), both signs, and the special ones.
    fn all() -> Vec<f32> {
        let special = [0.0, f32::INFINITY, f32::NAN, f32::MAX, f32::MIN_POSITIVE, 1e-45, 1e-40];
        let positive = (0..0x7f80_0000).step_by(40_009).map(f32::from_bits).chain(special);
        positive.flat_map(|x| [x, -x]).collect()
    }

    fn softplus(x: f64) -> f64 {
        x.max(0.0) + (-x.abs()).exp().ln_1p()
    }

    type Exact = fn(f64) -> f64;

    /// Functions, and the same in f64, by other formulas where these would lose digits.
    const EXACT: [(Activation, Exact); 9] = [
        (elu(1.5), |x| if x > 0.0 { x } else { 1.5 * x.exp_m1() }),
        (SELU, |x| {
            1.050_700_987_355_480_5 * if x > 0.0 { x } else { 1.673_263_242_354_377_2 * x.exp_m1() }
        }),
        (SIGMOID, |x| 1.0 / (1.0 + (-x).exp())),
        (SILU, |x| x / (1.0 + (-x).exp())),
        (SOFTPLUS, softplus),
        (LOG_SIGMOID, |x| -softplus(-x)),
        (TANH, f64::tanh),
        (EXPONENTIAL, f64::exp),
        (MISH, |x| x * softplus(x).tanh()),
    ];

    #[test]
    fn functions_are_exact_to_a_millionth() {
        let x = all();
        for ((activation, exact), level) in
            EXACT.into_iter().flat_map(|f| levels().into_iter().map(move |level| (f, level)))
        {
            let mut y = x.clone();
            let vanishes = ["SILU", "MISH"].contains(&format!("{activation:?}").as_str());
            activation.apply_at(level, &mut y);
            for (x, y) in x.iter().zip(y) {
                // Silu and mish vanish towards −∞, where they are products of huge and tiny numbers.
                if vanishes && *x < -80.0 {
                    assert!(
                        y.abs() < 1e-30 || *x == f32::NEG_INFINITY,
                        "{activation:?} of {x:e}: {y:e}"
                    );
                    continue;
                }
                let exact = exact(f64::from(*x));
                let error = (f64::from(y) - exact).abs();
                // What would be denormal is 0.
                let near = error <= 1e-6 * exact.abs() + f64::from(f32::MIN_POSITIVE);
                let special = y == exact as f32 || y.is_nan() && exact.is_nan();
                assert!(
                    near || special,
                    "{level:?}: {activation:?} of {x:e} is {y:e}, not {exact:e}"
                );
            }
        }
    }

    #[test]
    fn registers_agree_with_single_numbers() {
        for x in all() {
            for (activation, f) in [
                (GELU, crate::math::gelu as fn(f32) -> f32),
                (GELU_TANH, crate::math::gelu_tanh),
                (celu(1.5), |x| if x > 0.0 { x } else { 1.5 * crate::math::expm1(x / 1.5) }),
                (TANH_SHRINK, |x| x - crate::math::tanh(x)),
            ] {
                for level in levels() {
                    let mut y = [x; 17];
                    activation.apply_at(level, &mut y);
                    let expected = f(x);
                    for y in y {
                        let near =
                            (y - expected).abs() <= 2e-6 * expected.abs().max(x.abs().min(1e-1));
                        let same = y == expected || y.is_nan() && expected.is_nan();
                        assert!(near || same, "{activation:?} of {x:e}: {y:e}, not {expected:e}");
                    }
                }
            }
        }
    }

    #[test]
    fn no_numbers_and_odd_counts() {
        for (level, count) in levels().into_iter().flat_map(|level| {
            [0, 1, 15, 16, 17, 31, 33].into_iter().map(move |count| (level, count))
        }) {
            let mut y = vec![1.0; count];
            EXPONENTIAL.apply_at(level, &mut y);
            assert!(y.iter().all(|y| (y - std::f32::consts::E).abs() < 1e-6));
        }
    }
}
