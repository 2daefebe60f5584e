//! What the elementary functions of f32 are made of, for single numbers and for registers of them.

use std::ops::{Add, Div, Mul, Sub};

use fearless_simd::{Simd, prelude::*};

/// 1.5·2²³: adding it rounds to a whole number, which is then in the low bits.
const ROUND: f32 = 12_582_912.0;

/// An f32, or several at once.
pub(crate) trait Real:
    Copy + Add<Output = Self> + Sub<Output = Self> + Mul<Output = Self> + Div<Output = Self>
{
    /// As many i32.
    type Whole: Copy;

    /// As many of a number as there are in `self`.
    fn of(self, number: f32) -> Self;
    /// `self`·factor + term, rounded once where there is an instruction for it.
    fn times_plus(self, factor: Self, term: Self) -> Self;
    fn abs(self) -> Self;
    fn copysign(self, sign: Self) -> Self;
    /// `then` where `self` is less than `other`, else `otherwise`.
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self;
    /// The nearest whole number, as such and as a float; up to 2²².
    fn round(self) -> (Self::Whole, Self);
    /// `self`·2ⁿ, where that is not denormal or infinite.
    fn times_two_to_the(self, n: Self::Whole) -> Self;
    fn less_one(n: Self::Whole) -> Self::Whole;
    /// 2ⁿ, for n from −126 to 127.
    fn two_to_the(n: Self::Whole) -> Self;
    /// e and f of 2ᵉ(1 + f), √½ ≤ 1 + f < √2, of a positive number that is not denormal.
    fn exponent_and_fraction(self) -> (Self, Self);
    /// Without the last 12 bits.
    fn coarse(self) -> Self;

    /// `self` from `low` to `high`, and NaN.
    fn between(self, low: f32, high: f32) -> Self;

    /// The polynomial with these coefficients, the highest power first.
    #[inline(always)]
    fn horner<const N: usize>(self, coefficients: [f32; N]) -> Self {
        let mut sum = self.of(coefficients[0]);
        for coefficient in &coefficients[1..] {
            sum = sum.times_plus(self, self.of(*coefficient));
        }
        sum
    }
}

/// The bits of √½, below which a fraction belongs to the next power of 2.
const ROOT: i32 = std::f32::consts::FRAC_1_SQRT_2.to_bits().cast_signed();

impl Real for f32 {
    type Whole = i32;

    #[inline(always)]
    fn of(self, number: f32) -> Self {
        number
    }

    #[inline(always)]
    fn times_plus(self, factor: Self, term: Self) -> Self {
        self * factor + term
    }

    #[inline(always)]
    fn abs(self) -> Self {
        self.abs()
    }

    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        self.copysign(sign)
    }

    #[inline(always)]
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        if self < other { then } else { otherwise }
    }

    #[inline(always)]
    fn round(self) -> (i32, Self) {
        let shifted = self + ROUND;
        (shifted.to_bits().wrapping_sub(ROUND.to_bits()).cast_signed(), shifted - ROUND)
    }

    #[inline(always)]
    fn between(self, low: f32, high: f32) -> Self {
        self.clamp(low, high)
    }

    #[inline(always)]
    fn times_two_to_the(self, n: i32) -> Self {
        Self::from_bits(self.to_bits().wrapping_add_signed(n << 23))
    }

    #[inline(always)]
    fn less_one(n: i32) -> i32 {
        n.wrapping_sub(1)
    }

    #[inline(always)]
    fn two_to_the(n: i32) -> Self {
        Self::from_bits((n.wrapping_add(127) << 23).cast_unsigned())
    }

    #[inline(always)]
    fn exponent_and_fraction(self) -> (Self, Self) {
        let bits = self.to_bits().cast_signed();
        let e = bits.wrapping_sub(ROOT) >> 23;
        let f = Self::from_bits(bits.wrapping_sub(e << 23).cast_unsigned()) - 1.0;
        (e as Self, f)
    }

    #[inline(always)]
    fn coarse(self) -> Self {
        Self::from_bits(self.to_bits() & 0xffff_f000)
    }
}

/// As many f32 as a register of the instruction set `S` holds.
#[derive(Clone, Copy)]
pub(crate) struct Register<S: Simd>(S::f32s);

impl<S: Simd> Register<S> {
    /// How many they are.
    pub(crate) const LEN: usize = S::f32s::LEN;

    #[inline(always)]
    pub(crate) fn splat(simd: S, number: f32) -> Self {
        Self(S::f32s::splat(simd, number))
    }

    /// The first numbers of `x`.
    #[inline(always)]
    pub(crate) fn load(simd: S, x: &[f32]) -> Self {
        Self(S::f32s::from_slice(simd, &x[..Self::LEN]))
    }

    /// All numbers of `x`, which may be too few, and `rest` after them.
    #[inline(always)]
    pub(crate) fn load_some(simd: S, x: &[f32], rest: f32) -> Self {
        let mut lanes = S::f32s::splat(simd, rest);
        lanes.as_mut_slice()[..x.len()].copy_from_slice(x);
        Self(lanes)
    }

    /// Writes the first numbers of `y`.
    #[inline(always)]
    pub(crate) fn store(self, y: &mut [f32]) {
        self.0.store_slice(&mut y[..Self::LEN]);
    }

    /// Writes all of `y`, which may be too short for all numbers.
    #[inline(always)]
    pub(crate) fn store_some(self, y: &mut [f32]) {
        y.copy_from_slice(&self.0.as_slice()[..y.len()]);
    }

    /// The largest of the numbers, of which none is NaN.
    #[inline(always)]
    pub(crate) fn largest(self) -> f32 {
        self.0.reduce_max()
    }

    /// The sum of the numbers, in an order that depends on the instruction set.
    #[inline(always)]
    pub(crate) fn sum(self) -> f32 {
        self.0.reduce_sum()
    }
}

/// Defines an operation of registers, number by number.
macro_rules! operations {
    ($($Trait:ident $operation:ident)*) => {$(
        impl<S: Simd> $Trait for Register<S> {
            type Output = Self;

            #[inline(always)]
            fn $operation(self, other: Self) -> Self {
                Self(self.0.$operation(other.0))
            }
        }
    )*};
}

operations!(Add add Sub sub Mul mul Div div);

impl<S: Simd> Real for Register<S> {
    type Whole = S::i32s;

    #[inline(always)]
    fn of(self, number: f32) -> Self {
        Self::splat(self.0.token(), number)
    }

    #[inline(always)]
    fn times_plus(self, factor: Self, term: Self) -> Self {
        Self(self.0.mul_add(factor.0, term.0))
    }

    #[inline(always)]
    fn abs(self) -> Self {
        Self(self.0.abs())
    }

    #[inline(always)]
    fn copysign(self, sign: Self) -> Self {
        Self(self.0.copysign(sign.0))
    }

    #[inline(always)]
    fn if_less(self, other: Self, then: Self, otherwise: Self) -> Self {
        Self(self.0.simd_lt(other.0).select(then.0, otherwise.0))
    }

    #[inline(always)]
    fn round(self) -> (S::i32s, Self) {
        let shifted = self + self.of(ROUND);
        let bits: S::i32s = shifted.0.bitcast();
        (bits - ROUND.to_bits().cast_signed(), shifted - self.of(ROUND))
    }

    #[inline(always)]
    fn between(self, low: f32, high: f32) -> Self {
        let (low, high) = (self.of(low), self.of(high));
        if cfg!(any(target_arch = "x86", target_arch = "x86_64", target_arch = "aarch64")) {
            // The second operand is returned if one is NaN, or NaN is.
            return Self(high.0.min(low.0.max(self.0)));
        }
        let x = self.if_less(low, low, self);
        high.if_less(x, high, x)
    }

    #[inline(always)]
    fn times_two_to_the(self, n: S::i32s) -> Self {
        let bits: S::i32s = self.0.bitcast();
        Self((bits + (n << 23)).bitcast())
    }

    #[inline(always)]
    fn less_one(n: S::i32s) -> S::i32s {
        n - 1
    }

    #[inline(always)]
    fn two_to_the(n: S::i32s) -> Self {
        Self(((n + 127) << 23).bitcast())
    }

    #[inline(always)]
    fn exponent_and_fraction(self) -> (Self, Self) {
        let bits: S::i32s = self.0.bitcast();
        let e = (bits - ROOT) >> 23;
        let fraction: S::f32s = (bits - (e << 23)).bitcast();
        (Self(S::f32s::float_from(e)), Self(fraction) - self.of(1.0))
    }

    #[inline(always)]
    fn coarse(self) -> Self {
        let bits: S::i32s = self.0.bitcast();
        Self((bits & !0xfff).bitcast())
    }
}
