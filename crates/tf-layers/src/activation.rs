//! What a layer does to each number of its output: the activation functions of Keras.
//!
//! Each is a constant, or a function of its parameters, that alone names its formula: a program has
//! the code of those that it uses.

use std::fmt;

use fearless_simd::Level;

use crate::kernels::activation;
use crate::kernels::dispatch::{dispatch, wide};
use crate::math::real::Real;
use crate::math::{self, single};

/// A function of one number, as `keras/src/activations/activations.py` defines it.
///
/// ```
/// use tf_layers::activation::leaky_relu;
///
/// assert_eq!(leaky_relu(0.5).apply_to(-3.0), -1.5);
/// ```
#[derive(Clone, Copy)]
pub struct Activation {
    name: &'static str,
    parameters: [f32; 3],
    function: Function,
}

#[derive(Clone, Copy)]
enum Function {
    /// x between these bounds, and nothing else.
    Bounds([f32; 2]),
    /// Puts the function of each number in its place, by the parameters.
    Formula(Formula),
}

type Formula = fn(Level, &mut [f32], [f32; 3]);

impl Activation {
    /// The function of `x`.
    pub fn apply_to(self, x: f32) -> f32 {
        let mut y = [x];
        self.apply(&mut y);
        y[0]
    }

    /// Puts the function of each number in its place. NaN stays NaN, as in Keras, but where the
    /// function is something else than x only above a threshold.
    pub fn apply(self, y: &mut [f32]) {
        self.apply_at(Level::new(), y);
    }

    /// As [`Activation::apply`], with the instructions of `level`.
    pub(crate) fn apply_at(self, level: Level, y: &mut [f32]) {
        match self.function {
            Function::Bounds([low, high]) if low > f32::NEG_INFINITY || high < f32::INFINITY => {
                dispatch!(level, simd => activation::each(
                    simd,
                    y,
                    #[inline(always)]
                    |x| x.between(low, high),
                ));
            }
            Function::Bounds(_) => {}
            Function::Formula(formula) => formula(level, y, self.parameters),
        }
    }

    /// The bounds of a function that is x between them, and nothing else.
    pub(crate) fn bounds(self) -> Option<[f32; 2]> {
        match self.function {
            Function::Bounds(bounds) => Some(bounds),
            Function::Formula(_) => None,
        }
    }

    const fn between(name: &'static str, low: f32, high: f32) -> Self {
        Self { name, parameters: [high, 0.0, 0.0], function: Function::Bounds([low, high]) }
    }

    const fn by(name: &'static str, parameters: [f32; 3], formula: Formula) -> Self {
        Self { name, parameters, function: Function::Formula(formula) }
    }
}

impl fmt::Debug for Activation {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// A formula of registers and parameters, inlined whatever its size.
macro_rules! registers {
    (|$x:ident $(, $parameter:ident)*| $formula:expr) => {
        |level, y, [$($parameter,)* ..]| {
            dispatch!(level, simd => activation::each(
                simd,
                y,
                #[inline(always)]
                |$x| $formula,
            ));
        }
    };
}

/// The same of single numbers.
macro_rules! numbers {
    (|$x:ident $(, $parameter:ident)*| $formula:expr) => {
        |level, y, [$($parameter,)* ..]| {
            wide(
                level,
                #[inline(always)]
                || y.iter_mut().for_each(|y| {
                    let $x = *y;
                    *y = $formula;
                }),
            );
        }
    };
}

const NONE: [f32; 3] = [0.0; 3];

/// x.
pub const LINEAR: Activation = Activation::between("LINEAR", f32::NEG_INFINITY, f32::INFINITY);

/// max(x, 0).
pub const RELU: Activation = Activation::between("RELU", 0.0, f32::INFINITY);

/// min(max(x, 0), 6).
pub const RELU6: Activation = Activation::between("RELU6", 0.0, 6.0);

/// min(max(x, 0), maximum).
pub const fn clipped_relu(maximum: f32) -> Activation {
    Activation::between("clipped_relu", 0.0, maximum)
}

/// x, between −1 and 1.
pub const HARD_TANH: Activation = Activation::between("HARD_TANH", -1.0, 1.0);

/// x where it is positive, slope·x elsewhere.
pub const fn leaky_relu(slope: f32) -> Activation {
    let formula: Formula = registers!(|x, slope| activation::leaky_relu(x, slope));
    Activation::by("leaky_relu", [slope, 0.0, 0.0], formula)
}

/// x above the threshold, 0 elsewhere.
pub const fn thresholded_relu(threshold: f32) -> Activation {
    let formula: Formula = numbers!(|x, threshold| if x > threshold { x } else { 0.0 });
    Activation::by("thresholded_relu", [threshold, 0.0, 0.0], formula)
}

/// `max_value` from there on, x from `threshold` on, `negative_slope`·(x − `threshold`) below.
pub const fn general_relu(negative_slope: f32, threshold: f32, max_value: f32) -> Activation {
    let formula: Formula = numbers!(|x, slope, threshold, most| {
        let y = if x < threshold { slope * (x - threshold) } else { x };
        if x >= most { most } else { y }
    });
    Activation::by("general_relu", [negative_slope, threshold, max_value], formula)
}

/// x where it is positive, α(eˣ − 1) elsewhere.
pub const fn elu(alpha: f32) -> Activation {
    let formula: Formula = registers!(|x, alpha| activation::elu(x, 1.0, alpha, 1.0));
    Activation::by("elu", [alpha, 0.0, 0.0], formula)
}

/// max(x, 0) + min(α(e^(x/α) − 1), 0).
pub const fn celu(alpha: f32) -> Activation {
    let formula: Formula = registers!(|x, alpha| activation::elu(x, 1.0, alpha, alpha));
    Activation::by("celu", [alpha, 0.0, 0.0], formula)
}

/// 1.0507·elu(x) with α = 1.6733, from G. Klambauer et al., Self-Normalizing Neural Networks
/// (<https://arxiv.org/abs/1706.02515>).
pub const SELU: Activation =
    Activation::by("SELU", NONE, registers!(|x| activation::elu(x, 1.050_701, 1.758_099_3, 1.0)));

/// x·Φ(x), with the error function.
pub const GELU: Activation = Activation::by("GELU", NONE, registers!(|x| activation::gelu(x)));

/// The approximation of [`GELU`] by a hyperbolic tangent.
pub const GELU_TANH: Activation =
    Activation::by("GELU_TANH", NONE, registers!(|x| activation::gelu_tanh(x)));

/// x·sigmoid x.
pub const SILU: Activation = Activation::by("SILU", NONE, registers!(|x| activation::silu(x)));

/// 1 / (1 + e⁻ˣ).
pub const SIGMOID: Activation =
    Activation::by("SIGMOID", NONE, registers!(|x| activation::sigmoid(x)));

/// relu6(x + 3) / 6.
pub const HARD_SIGMOID: Activation =
    Activation::by("HARD_SIGMOID", NONE, numbers!(|x| math::hard_sigmoid(x)));

/// 0.2x + 0.5, between 0 and 1.
pub const HARD_SIGMOID_OF_KERAS_2: Activation = Activation::by(
    "HARD_SIGMOID_OF_KERAS_2",
    NONE,
    numbers!(|x| math::clip(0.2 * x + 0.5, 0.0, 1.0)),
);

/// x·relu6(x + 3) / 6.
pub const HARD_SILU: Activation =
    Activation::by("HARD_SILU", NONE, numbers!(|x| math::hard_silu(x)));

/// ln(1 + eˣ).
pub const SOFTPLUS: Activation =
    Activation::by("SOFTPLUS", NONE, registers!(|x| activation::softplus(x)));

/// x / (1 + |x|).
pub const SOFTSIGN: Activation = Activation::by("SOFTSIGN", NONE, numbers!(|x| math::softsign(x)));

/// tanh x.
pub const TANH: Activation = Activation::by("TANH", NONE, registers!(|x| activation::tanh(x)));

/// eˣ.
pub const EXPONENTIAL: Activation =
    Activation::by("EXPONENTIAL", NONE, registers!(|x| single::exp(x)));

/// x·tanh(softplus x).
pub const MISH: Activation = Activation::by("MISH", NONE, registers!(|x| activation::mish(x)));

/// ln sigmoid x.
pub const LOG_SIGMOID: Activation =
    Activation::by("LOG_SIGMOID", NONE, registers!(|x| activation::log_sigmoid(x)));

/// x where |x| exceeds the threshold, 0 elsewhere.
pub const fn hard_shrink(threshold: f32) -> Activation {
    let formula: Formula = numbers!(|x, threshold| if x.abs() > threshold { x } else { 0.0 });
    Activation::by("hard_shrink", [threshold, 0.0, 0.0], formula)
}

/// x moved towards 0 by the threshold, 0 where it would cross it.
pub const fn soft_shrink(threshold: f32) -> Activation {
    let formula: Formula = numbers!(|x, threshold| {
        let y = (x.abs() - threshold).copysign(x);
        if x.abs() > threshold { y } else { 0.0 }
    });
    Activation::by("soft_shrink", [threshold, 0.0, 0.0], formula)
}

/// x − tanh x.
pub const TANH_SHRINK: Activation =
    Activation::by("TANH_SHRINK", NONE, registers!(|x| x - activation::tanh(x)));

/// (x + √(x² + b)) / 2.
pub const fn square_plus(b: f32) -> Activation {
    let formula: Formula = numbers!(|x, b| (x + (x * x + b).sqrt()) / 2.0);
    Activation::by("square_plus", [b, 0.0, 0.0], formula)
}

/// 0 up to −1, x from 1 on, (x + 1)²/4 between.
pub const SPARSE_PLUS: Activation = Activation::by(
    "SPARSE_PLUS",
    NONE,
    numbers!(|x| {
        let y = if x < 1.0 { (x + 1.0) * (x + 1.0) / 4.0 } else { x };
        if x <= -1.0 { 0.0 } else { y }
    }),
);

/// 0 up to −1, 1 from 1 on, (x + 1)/2 between.
pub const SPARSE_SIGMOID: Activation =
    Activation::by("SPARSE_SIGMOID", NONE, numbers!(|x| math::clip(0.5 * (x + 1.0), 0.0, 1.0)));

/// x above `threshold`, `value` elsewhere.
pub const fn threshold(threshold: f32, value: f32) -> Activation {
    let formula: Formula = numbers!(|x, threshold, value| if x > threshold { x } else { value });
    Activation::by("threshold", [threshold, value, 0.0], formula)
}

#[cfg(test)]
mod tests {
    use std::f32::consts::LN_2;

    use super::*;

    /// Computed with Keras 3, `keras.activations` on TensorFlow, at −2.5, −0.5, 0, 0.7 and 8.
    const AT: [f32; 5] = [-2.5, -0.5, 0.0, 0.7, 8.0];
    const CASES: [(Activation, [f32; 5]); 30] = [
        (LINEAR, [-2.5, -0.5, 0.0, 0.7, 8.0]),
        (RELU, [0.0, 0.0, 0.0, 0.7, 8.0]),
        (RELU6, [0.0, 0.0, 0.0, 0.7, 6.0]),
        (clipped_relu(2.0), [0.0, 0.0, 0.0, 0.7, 2.0]),
        (leaky_relu(0.3), [-0.75, -0.15, 0.0, 0.7, 8.0]),
        (thresholded_relu(0.6), [0.0, 0.0, 0.0, 0.7, 8.0]),
        (general_relu(0.1, 0.5, 3.0), [-0.3, -0.1, -0.05, 0.7, 3.0]),
        (elu(1.5), [-1.3768725, -0.590204, 0.0, 0.7, 8.0]),
        (celu(1.5), [-1.2166866, -0.42520303, 0.0, 0.7, 8.0]),
        (SELU, [-1.6137857, -0.69175816, 0.0, 0.7354907, 8.405608]),
        (GELU, [-0.015524164, -0.15426877, 0.0, 0.5306254, 8.0]),
        (GELU_TANH, [-0.015084222, -0.154286, 0.0, 0.53057015, 8.0]),
        (SILU, [-0.18964544, -0.18877034, 0.0, 0.46773145, 7.9973173]),
        (SIGMOID, [0.075858176, 0.37754068, 0.5, 0.6681878, 0.99966466]),
        (HARD_SIGMOID, [0.083333336, 0.41666666, 0.5, 0.6166667, 1.0]),
        (HARD_SILU, [-0.20833334, -0.20833333, 0.0, 0.43166667, 8.0]),
        (SOFTPLUS, [0.078889735, 0.474077, LN_2, 1.103186, 8.000336]),
        (SOFTSIGN, [-0.71428573, -0.33333334, 0.0, 0.41176468, 0.8888889]),
        (TANH, [-0.98661435, -0.46211714, 0.0, 0.60436773, 1.0]),
        (EXPONENTIAL, [0.082085, 0.60653067, 1.0, 2.0137527, 2980.958]),
        (MISH, [-0.19681619, -0.22074378, 0.0, 0.5611484, 8.0]),
        (LOG_SIGMOID, [-2.5788898, -0.974077, -LN_2, -0.40318605, -0.00033540637]),
        (HARD_TANH, [-1.0, -0.5, 0.0, 0.7, 1.0]),
        (hard_shrink(0.6), [-2.5, 0.0, 0.0, 0.7, 8.0]),
        (soft_shrink(0.6), [-1.9, 0.0, 0.0, 0.099999964, 7.4]),
        (TANH_SHRINK, [-1.5133857, -0.037882864, 0.0, 0.095632255, 7.0]),
        (square_plus(4.0), [0.35078108, 0.7807764, 1.0, 1.409481, 8.123106]),
        (SPARSE_PLUS, [0.0, 0.0625, 0.25, 0.7225, 8.0]),
        (SPARSE_SIGMOID, [0.0, 0.25, 0.5, 0.85, 1.0]),
        (threshold(0.6, -1.0), [-1.0, -1.0, -1.0, 0.7, 8.0]),
    ];

    #[test]
    fn agrees_with_keras() {
        for (activation, expected) in CASES {
            for (x, expected) in AT.into_iter().zip(expected) {
                let y = activation.apply_to(x);
                assert!(
                    (y - expected).abs() <= 1e-6 * expected.abs().max(1.0),
                    "{activation:?} of {x}: {y}, not {expected}"
                );
            }
        }
    }

    #[test]
    fn keeps_nan_where_keras_does() {
        for (activation, _) in CASES {
            let loses = ["thresholded_relu", "hard_shrink", "soft_shrink", "threshold"];
            let loses = loses.contains(&activation.name);
            assert_eq!(activation.apply_to(f32::NAN).is_nan(), !loses, "{activation:?}");
        }
    }

    #[test]
    fn the_hard_sigmoid_of_keras_2() {
        for (x, y) in [(-3.0, 0.0), (-0.5, 0.4), (0.0, 0.5), (4.0, 1.0)] {
            assert_eq!(HARD_SIGMOID_OF_KERAS_2.apply_to(x), y);
        }
    }
}
