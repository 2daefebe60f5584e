//! What f32 and f64 have in common, and the functions that each computes in its own way.

use std::ops::{Add, Div, Mul, Neg, Rem, Sub};

use super::{double, single};
use crate::Number;

/// A type of floating-point numbers: f32 or f64.
pub trait Float: Functions {}

impl Float for f32 {}
impl Float for f64 {}

/// Defines `Functions`, and a public function for each of its methods that a model may use.
macro_rules! functions {
    (of $float:ident in $module:ident $($name:ident)*) => {
        impl Functions for $float {
            #[inline(always)]
            fn of(x: f64) -> Self {
                x as Self
            }

            #[inline(always)]
            fn is_nan(self) -> bool {
                Self::is_nan(self)
            }

            #[inline(always)]
            fn abs(self) -> Self {
                Self::abs(self)
            }

            #[inline(always)]
            fn copysign(self, sign: Self) -> Self {
                Self::copysign(self, sign)
            }

            #[inline(always)]
            fn floor(self) -> Self {
                Self::floor(self)
            }

            #[inline(always)]
            fn sqrt(self) -> Self {
                Self::sqrt(self)
            }

            $(
                #[inline(always)]
                fn $name(self) -> Self {
                    $module::$name(self)
                }
            )*
        }
    };
    ($($(#[$doc:meta])* $name:ident)*) => {
        /// What a [`Float`] can do. The public sees functions in place of these methods.
        pub trait Functions:
            Number
            + PartialOrd
            + Neg<Output = Self>
            + Add<Output = Self>
            + Sub<Output = Self>
            + Mul<Output = Self>
            + Div<Output = Self>
            + Rem<Output = Self>
        {
            /// The nearest number of the type.
            fn of(x: f64) -> Self;
            fn is_nan(self) -> bool;
            fn abs(self) -> Self;
            fn copysign(self, sign: Self) -> Self;
            fn floor(self) -> Self;
            fn sqrt(self) -> Self;
            $(fn $name(self) -> Self;)*
        }

        functions!(of f32 in single $($name)*);
        functions!(of f64 in double $($name)*);

        $(
            $(#[$doc])*
            #[inline(always)]
            pub fn $name<F: Float>(x: F) -> F {
                Functions::$name(x)
            }
        )*
    };
}

functions! {
    /// eˣ.
    exp
    /// eˣ − 1, also for small x.
    expm1
    /// The natural logarithm of x; −∞ of 0, NaN of negative numbers.
    log
    /// ln(1 + x), also for small x.
    log1p
    /// The hyperbolic tangent.
    tanh
    /// The error function.
    erf
    /// 1 − erf x, also for large x.
    erfc
    /// x·Φ(x), Φ the distribution function of the normal distribution: x·erfc(−x/√2)/2.
    gelu
}
