//! What a layer does to each number of its output: the activation functions of Keras.

use fearless_simd::{Level, Simd};

use crate::kernels::activation;
use crate::kernels::dispatch::dispatch;
use crate::math::real::Real;
use crate::math::{self, single};

/// The scale of selu, and its product with α, from G. Klambauer et al., Self-Normalizing Neural
/// Networks (https://arxiv.org/abs/1706.02515).
const SELU: [f32; 2] = [1.050_701, 1.758_099_3];

/// A function of one number, as `keras/src/activations/activations.py` defines it.
///
/// ```
/// use tf_layers::Activation;
///
/// assert_eq!(Activation::LeakyRelu(0.5).apply_to(-3.0), -1.5);
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Activation {
    /// x.
    Linear,
    /// max(x, 0).
    Relu,
    /// min(max(x, 0), 6).
    Relu6,
    /// min(max(x, 0), maximum).
    ClippedRelu(f32),
    /// x where it is positive, slope·x elsewhere.
    LeakyRelu(f32),
    /// x above the threshold, 0 elsewhere.
    ThresholdedRelu(f32),
    /// `max_value` from there on, x from `threshold` on, `negative_slope`·(x − `threshold`) below.
    GeneralRelu {
        /// The slope below the threshold.
        negative_slope: f32,
        /// Where the function begins to be x.
        threshold: f32,
        /// What the function does not exceed.
        max_value: f32,
    },
    /// x where it is positive, α(eˣ − 1) elsewhere.
    Elu(f32),
    /// max(x, 0) + min(α(e^(x/α) − 1), 0).
    Celu(f32),
    /// 1.0507·elu(x) with α = 1.6733.
    Selu,
    /// x·Φ(x), with the error function.
    Gelu,
    /// The approximation of `Gelu` by a hyperbolic tangent.
    GeluTanh,
    /// x·sigmoid x.
    Silu,
    /// 1 / (1 + e⁻ˣ).
    Sigmoid,
    /// relu6(x + 3) / 6.
    HardSigmoid,
    /// 0.2x + 0.5, between 0 and 1.
    HardSigmoidOfKeras2,
    /// x·relu6(x + 3) / 6.
    HardSilu,
    /// ln(1 + eˣ).
    Softplus,
    /// x / (1 + |x|).
    Softsign,
    /// tanh x.
    Tanh,
    /// eˣ.
    Exponential,
    /// x·tanh(softplus x).
    Mish,
    /// ln sigmoid x.
    LogSigmoid,
    /// x, between −1 and 1.
    HardTanh,
    /// x where |x| exceeds the threshold, 0 elsewhere.
    HardShrink(f32),
    /// x moved towards 0 by the threshold, 0 where it would cross it.
    SoftShrink(f32),
    /// x − tanh x.
    TanhShrink,
    /// (x + √(x² + b)) / 2.
    SquarePlus(f32),
    /// 0 up to −1, x from 1 on, (x + 1)²/4 between.
    SparsePlus,
    /// 0 up to −1, 1 from 1 on, (x + 1)/2 between.
    SparseSigmoid,
    /// x above `threshold`, `value` elsewhere.
    Threshold {
        /// Above it the function is x.
        threshold: f32,
        /// What the function is elsewhere.
        value: f32,
    },
}

impl Activation {
    /// The function of `x`.
    pub fn apply_to(self, x: f32) -> f32 {
        let mut y = [x];
        self.apply(&mut y);
        y[0]
    }

    /// The bounds of a function that is x between them, and nothing else.
    pub(crate) fn bounds(self) -> Option<[f32; 2]> {
        match self {
            Self::Linear => Some([f32::NEG_INFINITY, f32::INFINITY]),
            Self::Relu => Some([0.0, f32::INFINITY]),
            Self::Relu6 => Some([0.0, 6.0]),
            Self::ClippedRelu(maximum) => Some([0.0, maximum]),
            Self::HardTanh => Some([-1.0, 1.0]),
            _ => None,
        }
    }

    /// Puts the function of each number in its place. NaN stays NaN, as in Keras, but where the
    /// function is something else than x only above a threshold.
    pub fn apply(self, y: &mut [f32]) {
        dispatch!(Level::new(), simd => self.apply_at(simd, y));
    }

    /// As [`Activation::apply`], with the instructions of `S`; a function of its own for each.
    #[inline(never)]
    pub(crate) fn apply_at<S: Simd>(self, simd: S, y: &mut [f32]) {
        simd.vectorize(
            #[inline(always)]
            || self.apply_to_all(simd, y),
        );
    }

    #[inline(always)]
    fn apply_to_all<S: Simd>(self, simd: S, y: &mut [f32]) {
        /// Applies a formula of registers, inlined whatever its size.
        macro_rules! registers {
            (|$x:ident| $formula:expr) => {
                activation::each(
                    simd,
                    y,
                    #[inline(always)]
                    |$x| $formula,
                )
            };
        }
        /// Applies a formula of single numbers in the same way.
        macro_rules! numbers {
            (|$x:ident| $formula:expr) => {
                each(
                    y,
                    #[inline(always)]
                    |$x| $formula,
                )
            };
        }
        match self {
            Self::Linear => {}
            Self::Relu | Self::Relu6 | Self::ClippedRelu(_) | Self::HardTanh => {
                let [low, high] = self.bounds().unwrap_or_default();
                registers!(|x| x.between(low, high));
            }
            Self::LeakyRelu(slope) => registers!(|x| activation::leaky_relu(x, slope)),
            Self::ThresholdedRelu(threshold) => numbers!(|x| above(x, threshold, 0.0)),
            Self::GeneralRelu { negative_slope, threshold, max_value } => numbers!(|x| {
                let y = if x < threshold { negative_slope * (x - threshold) } else { x };
                if x >= max_value { max_value } else { y }
            }),
            Self::Elu(alpha) => registers!(|x| activation::elu(x, 1.0, alpha, 1.0)),
            Self::Celu(alpha) => registers!(|x| activation::elu(x, 1.0, alpha, alpha)),
            Self::Selu => registers!(|x| activation::elu(x, SELU[0], SELU[1], 1.0)),
            Self::Gelu => registers!(|x| activation::gelu(x)),
            Self::GeluTanh => registers!(|x| activation::gelu_tanh(x)),
            Self::Silu => registers!(|x| activation::silu(x)),
            Self::Sigmoid => registers!(|x| activation::sigmoid(x)),
            Self::HardSigmoid => numbers!(|x| math::hard_sigmoid(x)),
            Self::HardSigmoidOfKeras2 => numbers!(|x| math::clip(0.2 * x + 0.5, 0.0, 1.0)),
            Self::HardSilu => numbers!(|x| math::hard_silu(x)),
            Self::Softplus => registers!(|x| activation::softplus(x)),
            Self::Softsign => numbers!(|x| math::softsign(x)),
            Self::Tanh => registers!(|x| activation::tanh(x)),
            Self::Exponential => registers!(|x| single::exp(x)),
            Self::Mish => registers!(|x| activation::mish(x)),
            Self::LogSigmoid => registers!(|x| activation::log_sigmoid(x)),
            Self::HardShrink(threshold) => {
                numbers!(|x| if x.abs() > threshold { x } else { 0.0 });
            }
            Self::SoftShrink(threshold) => numbers!(|x| {
                let y = (x.abs() - threshold).copysign(x);
                if x.abs() > threshold { y } else { 0.0 }
            }),
            Self::TanhShrink => registers!(|x| x - activation::tanh(x)),
            Self::SquarePlus(b) => numbers!(|x| (x + (x * x + b).sqrt()) / 2.0),
            Self::SparsePlus => numbers!(|x| {
                let y = if x < 1.0 { (x + 1.0) * (x + 1.0) / 4.0 } else { x };
                if x <= -1.0 { 0.0 } else { y }
            }),
            Self::SparseSigmoid => numbers!(|x| math::clip(0.5 * (x + 1.0), 0.0, 1.0)),
            Self::Threshold { threshold, value } => numbers!(|x| above(x, threshold, value)),
        }
    }
}

#[inline(always)]
fn each(y: &mut [f32], f: impl Fn(f32) -> f32) {
    for y in y {
        *y = f(*y);
    }
}

#[inline(always)]
fn above(x: f32, threshold: f32, otherwise: f32) -> f32 {
    if x > threshold { x } else { otherwise }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::LN_2;

    use super::Activation::{self, *};

    /// Computed with Keras 3, `keras.activations` on TensorFlow, at −2.5, −0.5, 0, 0.7 and 8.
    const AT: [f32; 5] = [-2.5, -0.5, 0.0, 0.7, 8.0];
    const CASES: [(Activation, [f32; 5]); 30] = [
        (Linear, [-2.5, -0.5, 0.0, 0.7, 8.0]),
        (Relu, [0.0, 0.0, 0.0, 0.7, 8.0]),
        (Relu6, [0.0, 0.0, 0.0, 0.7, 6.0]),
        (ClippedRelu(2.0), [0.0, 0.0, 0.0, 0.7, 2.0]),
        (LeakyRelu(0.3), [-0.75, -0.15, 0.0, 0.7, 8.0]),
        (ThresholdedRelu(0.6), [0.0, 0.0, 0.0, 0.7, 8.0]),
        (
            GeneralRelu { negative_slope: 0.1, threshold: 0.5, max_value: 3.0 },
            [-0.3, -0.1, -0.05, 0.7, 3.0],
        ),
        (Elu(1.5), [-1.3768725, -0.590204, 0.0, 0.7, 8.0]),
        (Celu(1.5), [-1.2166866, -0.42520303, 0.0, 0.7, 8.0]),
        (Selu, [-1.6137857, -0.69175816, 0.0, 0.7354907, 8.405608]),
        (Gelu, [-0.015524164, -0.15426877, 0.0, 0.5306254, 8.0]),
        (GeluTanh, [-0.015084222, -0.154286, 0.0, 0.53057015, 8.0]),
        (Silu, [-0.18964544, -0.18877034, 0.0, 0.46773145, 7.9973173]),
        (Sigmoid, [0.075858176, 0.37754068, 0.5, 0.6681878, 0.99966466]),
        (HardSigmoid, [0.083333336, 0.41666666, 0.5, 0.6166667, 1.0]),
        (HardSilu, [-0.20833334, -0.20833333, 0.0, 0.43166667, 8.0]),
        (Softplus, [0.078889735, 0.474077, LN_2, 1.103186, 8.000336]),
        (Softsign, [-0.71428573, -0.33333334, 0.0, 0.41176468, 0.8888889]),
        (Tanh, [-0.98661435, -0.46211714, 0.0, 0.60436773, 1.0]),
        (Exponential, [0.082085, 0.60653067, 1.0, 2.0137527, 2980.958]),
        (Mish, [-0.19681619, -0.22074378, 0.0, 0.5611484, 8.0]),
        (LogSigmoid, [-2.5788898, -0.974077, -LN_2, -0.40318605, -0.00033540637]),
        (HardTanh, [-1.0, -0.5, 0.0, 0.7, 1.0]),
        (HardShrink(0.6), [-2.5, 0.0, 0.0, 0.7, 8.0]),
        (SoftShrink(0.6), [-1.9, 0.0, 0.0, 0.099999964, 7.4]),
        (TanhShrink, [-1.5133857, -0.037882864, 0.0, 0.095632255, 7.0]),
        (SquarePlus(4.0), [0.35078108, 0.7807764, 1.0, 1.409481, 8.123106]),
        (SparsePlus, [0.0, 0.0625, 0.25, 0.7225, 8.0]),
        (SparseSigmoid, [0.0, 0.25, 0.5, 0.85, 1.0]),
        (Threshold { threshold: 0.6, value: -1.0 }, [-1.0, -1.0, -1.0, 0.7, 8.0]),
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
            let loses = matches!(
                activation,
                ThresholdedRelu(_) | HardShrink(_) | SoftShrink(_) | Threshold { .. }
            );
            assert_eq!(activation.apply_to(f32::NAN).is_nan(), !loses, "{activation:?}");
        }
    }

    #[test]
    fn the_hard_sigmoid_of_keras_2() {
        for (x, y) in [(-3.0, 0.0), (-0.5, 0.4), (0.0, 0.5), (4.0, 1.0)] {
            assert_eq!(HardSigmoidOfKeras2.apply_to(x), y);
        }
    }
}
