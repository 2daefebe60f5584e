//! The elementary functions of f32, without branches, so that loops over slices become SIMD code.

use super::clip;

/// 1.5·2²³: adding it rounds to a whole number, which is then in the low bits.
const ROUND: f32 = 12_582_912.0;

/// ln 2 = `LN_2_HIGH` + `LN_2_LOW`; products of the first with whole numbers up to 2¹² are exact.
const LN_2_HIGH: f32 = 0.693_359_4;
const LN_2_LOW: f32 = -2.121_944_4e-4;

/// eˣ.
#[inline(always)]
pub fn exp(x: f32) -> f32 {
    let (n, r) = whole_and_rest(clip(x, -104.0, 89.0));
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
    let (n, r) = whole_and_rest(clip(x, -20.0, 89.0));
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
    let e = expm1(2.0 * clip(x.abs(), 0.0, 10.0));
    (e / (e + 2.0)).copysign(x)
}

/// The error function.
#[inline(always)]
pub fn erf(x: f32) -> f32 {
    // N. Juffa's approximation in two pieces (https://stackoverflow.com/a/35148199); from 4 on it is 1.
    let t = clip(x.abs(), 0.0, 4.0);
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
    let z = clip(x.abs(), 0.0, 11.0);
    let y = tail(z, z, 1.0);
    if x < 0.0 { 2.0 - y } else { y }
}

/// x·Φ(x), Φ the distribution function of the normal distribution: x·erfc(−x/√2)/2.
#[inline(always)]
pub fn gelu(x: f32) -> f32 {
    let a = clip(x.abs(), 0.0, 15.0);
    let y = tail(a * std::f32::consts::FRAC_1_SQRT_2, a, 0.5);
    0.5 * x * if x > 0.0 { 2.0 - y } else { y }
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
