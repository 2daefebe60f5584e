//! The elementary functions of f64: those of the standard library, and the error function.

use std::f64::consts::{FRAC_1_SQRT_2, FRAC_2_SQRT_PI};

pub fn exp(x: f64) -> f64 {
    x.exp()
}

pub fn expm1(x: f64) -> f64 {
    x.exp_m1()
}

pub fn log(x: f64) -> f64 {
    x.ln()
}

pub fn log1p(x: f64) -> f64 {
    x.ln_1p()
}

pub fn tanh(x: f64) -> f64 {
    x.tanh()
}

pub fn erf(x: f64) -> f64 {
    if x.abs() < 2.0 { series(x) } else { (1.0 - tail(x.abs())).copysign(x) }
}

pub fn erfc(x: f64) -> f64 {
    if x < -2.0 {
        2.0 - tail(-x)
    } else if x < 2.0 {
        1.0 - series(x)
    } else {
        tail(x)
    }
}

pub fn gelu(x: f64) -> f64 {
    0.5 * x * erfc(-x * FRAC_1_SQRT_2)
}

/// erf x: the Maclaurin series (Abramowitz and Stegun 7.1.6), for |x| ≤ 2.
fn series(x: f64) -> f64 {
    let (mut term, mut sum, mut odd) = (x, x, 1.0);
    while term.abs() > 1e-17 * sum.abs() {
        odd += 2.0;
        term *= 2.0 * x * x / odd;
        sum += term;
    }
    FRAC_2_SQRT_PI * (-x * x).exp() * sum
}

/// erfc x: the continued fraction (Abramowitz and Stegun 7.1.14), for x ≥ 2; from 28 on it is 0.
fn tail(x: f64) -> f64 {
    let fraction = (1..=60).rev().fold(0.0, |fraction, n| f64::from(n) / 2.0 / (x + fraction));
    let y = (-x * x).exp() * FRAC_2_SQRT_PI / 2.0 / (x + fraction);
    if x > 28.0 { 0.0 } else { y }
}
