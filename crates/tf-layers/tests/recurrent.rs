//! Recurrent layers against the plain loops of their definitions: orders, masks and states.

#![cfg(feature = "pack")]

use tf_layers::activation::{RELU, SIGMOID, TANH};
use tf_layers::zerocopy::FromZeros;
use tf_layers::{Activation, Gru, GruResetBefore, Lstm, SimpleRnn, Steps, Tensor};

/// Floats are added in other orders here than there, at each of the steps.
const TOLERANCE: f32 = 1e-5;

const IN: usize = 3;

/// More than go through the product with the input's weights together.
const STEPS: usize = 19;

/// More than take a step together.
const SAMPLES: usize = 11;

/// Tensors of numbers between −1 and 1, others for another `seed`.
fn random<T: Tensor<Number = f32>>(samples: usize, seed: u32) -> Vec<T> {
    let mut state = seed.wrapping_mul(0x9e37_79b9) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state as f32 / u32::MAX as f32 * 2.0 - 1.0
    };
    let flat: Vec<f32> = (0..samples * T::LEN).map(|_| next()).collect();
    T::batch(&flat).to_vec()
}

fn assert_near(y: &[f32], expected: &[f32]) {
    assert_eq!(y.len(), expected.len());
    for (i, (y, expected)) in y.iter().zip(expected).enumerate() {
        assert!((y - expected).abs() <= TOLERANCE, "at {i}: {y}, not {expected}");
    }
}

/// x·matrix + bias.
fn product<const OUT: usize>(x: &[f32], matrix: &[[f32; OUT]], bias: &[f32; OUT]) -> [f32; OUT] {
    std::array::from_fn(|o| bias[o] + x.iter().zip(matrix).map(|(x, row)| x * row[o]).sum::<f32>())
}

/// What a step makes of the input and the states, of which the first is the output.
type Step<'a, const UNITS: usize, const STATES: usize> =
    &'a dyn Fn(&[f32; IN], [[f32; UNITS]; STATES]) -> [[f32; UNITS]; STATES];

/// The outputs of all steps in their order, and the states after them.
fn reference<const UNITS: usize, const STATES: usize>(
    x: &[[f32; IN]; STEPS],
    is_backward: bool,
    mask: Option<&[bool; STEPS]>,
    is_zeroed: bool,
    mut states: [[f32; UNITS]; STATES],
    step: Step<'_, UNITS, STATES>,
) -> (Vec<[f32; UNITS]>, [[f32; UNITS]; STATES]) {
    let mut shown = [0.0; UNITS];
    let outputs = (0..STEPS).map(|i| {
        let place = if is_backward { STEPS - 1 - i } else { i };
        if mask.is_none_or(|mask| mask[place]) {
            states = step(&x[place], states);
            shown = states[0];
        } else if is_zeroed {
            shown = [0.0; UNITS];
        }
        shown
    });
    (outputs.collect(), states)
}

/// Checks everything that the layer `$layer` can do: `$run` is its activations.
macro_rules! check {
    ($layer:expr, [$($activation:expr),*], $units:literal, $states:literal, $step:expr) => {{
        const OUT: usize = STEPS + $states;
        let layer = $layer;
        let step: Step<'_, $units, $states> = &$step;
        let x: Vec<[[f32; IN]; STEPS]> = random(SAMPLES, 1);
        let mask: Vec<[bool; STEPS]> =
            (0..SAMPLES).map(|n| std::array::from_fn(|i| (i * 7 + n * 3) % 5 != 0)).collect();
        let states: [Vec<[f32; $units]>; $states] =
            std::array::from_fn(|i| random(SAMPLES, 2 + i as u32));
        let zeros = [[0.0; $units]; $states];
        let mut y = vec![f32::NAN; SAMPLES * OUT * $units + 3];

        let run = |steps, y: &mut [f32]| -> Vec<[[f32; $units]; OUT]> {
            layer.run(&x, $($activation,)* steps).sequence_and_states(y).to_vec()
        };
        let check = |found: &[[[f32; $units]; OUT]], is_backward, is_masked: bool, is_zeroed, is_aligned, is_initial| {
            for (n, found) in found.iter().enumerate() {
                let mask = is_masked.then(|| &mask[n]);
                let initial = if is_initial { std::array::from_fn(|i| states[i][n]) } else { zeros };
                let (mut outputs, states) = reference(&x[n], is_backward, mask, is_zeroed, initial, step);
                if is_aligned {
                    outputs.reverse();
                }
                assert_near(found[..STEPS].as_flattened(), outputs.as_flattened());
                assert_near(found[STEPS..].as_flattened(), states.as_flattened());
            }
        };
        let initial = std::array::from_fn(|i| &states[i][..]);
        let all = run(Steps::forward(), &mut y);
        check(&all, false, false, false, false, false);
        check(&run(Steps::backward(), &mut y), true, false, false, false, false);
        check(&run(Steps::aligned().masked(&mask), &mut y), true, true, false, true, false);
        let steps = Steps::forward().masked(&mask).zeroed().starting_from(initial);
        check(&run(steps, &mut y), false, true, true, false, true);
        check(&run(Steps::backward().starting_from(initial), &mut y), true, false, false, false, true);

        for samples in [0, 1, 3, 8] {
            let run = || layer.run(&x[..samples], $($activation,)* Steps::forward());
            let sequence: Vec<[[f32; $units]; STEPS]> = run().sequence(&mut y).to_vec();
            let last: Vec<[f32; $units]> = run().last(&mut y).to_vec();
            let last_and_states: Vec<[[f32; $units]; 1 + $states]> = run().last_and_states(&mut y).to_vec();
            assert_eq!([sequence.len(), last.len(), last_and_states.len()], [samples; 3]);
            for n in 0..samples {
                assert_eq!(sequence[n], all[n][..STEPS]);
                assert_eq!(last[n], all[n][STEPS - 1]);
                assert_eq!(last_and_states[n], all[n][STEPS - 1..]);
            }
        }
    }};
}

fn sum<const N: usize>(a: [f32; N], b: [f32; N]) -> [f32; N] {
    std::array::from_fn(|i| a[i] + b[i])
}

fn f(activation: Activation, x: f32) -> f32 {
    activation.apply_to(x)
}

#[test]
fn simple_rnn() {
    const UNITS: usize = 17;
    let kernel: Vec<[f32; UNITS]> = random(IN, 5);
    let recurrent: Vec<[f32; UNITS]> = random(UNITS, 6);
    let bias: [f32; UNITS] = random(1, 7)[0];
    let mut layer = SimpleRnn::<IN, UNITS, { 2 * (2 + IN + UNITS) }>::new_zeroed();
    layer.pack(
        kernel.as_slice().try_into().unwrap(),
        recurrent.as_slice().try_into().unwrap(),
        &bias,
    );
    check!(layer, [TANH], 17, 1, |x, [h]: [_; 1]| {
        let sums = sum(product(x, &kernel, &bias), product(&h, &recurrent, &[0.0; UNITS]));
        [sums.map(|x| f(TANH, x))]
    });
}

#[test]
fn lstm() {
    const UNITS: usize = 5;
    let kernel: Vec<[f32; 20]> = random(IN, 5);
    let recurrent: Vec<[f32; 20]> = random(UNITS, 6);
    let bias: [f32; 20] = random(1, 7)[0];
    let mut layer = Lstm::<IN, UNITS, 20, { 2 * (2 + IN + UNITS) }>::new_zeroed();
    layer.pack(
        kernel.as_slice().try_into().unwrap(),
        recurrent.as_slice().try_into().unwrap(),
        &bias,
    );
    check!(layer, [TANH, SIGMOID], 5, 2, |x, [h, c]: [_; 2]| {
        let sums = sum(product(x, &kernel, &bias), product(&h, &recurrent, &[0.0; 20]));
        let gate = |gate, activation, unit| f(activation, sums[gate * UNITS + unit]);
        let c: [f32; UNITS] = std::array::from_fn(|u| {
            gate(1, SIGMOID, u) * c[u] + gate(0, SIGMOID, u) * gate(2, TANH, u)
        });
        [std::array::from_fn(|u| gate(3, SIGMOID, u) * f(TANH, c[u])), c]
    });
}

#[test]
fn gru() {
    const UNITS: usize = 7;
    let kernel: Vec<[f32; 21]> = random(IN, 5);
    let recurrent: Vec<[f32; 21]> = random(UNITS, 6);
    let biases: [[f32; 21]; 2] = random(1, 7)[0];
    let mut layer = Gru::<IN, UNITS, 21, { 2 * (2 + IN + UNITS) }>::new_zeroed();
    layer.pack(
        kernel.as_slice().try_into().unwrap(),
        recurrent.as_slice().try_into().unwrap(),
        &biases,
    );
    check!(layer, [RELU, SIGMOID], 7, 1, |x, [h]: [_; 1]| {
        let a = product(x, &kernel, &biases[0]);
        let b = product(&h, &recurrent, &biases[1]);
        [std::array::from_fn(|u| {
            let z = f(SIGMOID, a[u] + b[u]);
            let r = f(SIGMOID, a[UNITS + u] + b[UNITS + u]);
            z * h[u] + (1.0 - z) * f(RELU, a[2 * UNITS + u] + r * b[2 * UNITS + u])
        })]
    });
}

#[test]
fn gru_that_resets_before_the_product() {
    const UNITS: usize = 7;
    let kernel: Vec<[f32; 21]> = random(IN, 5);
    let recurrent: Vec<[f32; 21]> = random(UNITS, 6);
    let bias: [f32; 21] = random(1, 7)[0];
    const ROWS: usize = 2 * (1 + IN) + 2 * (1 + UNITS);
    let mut layer = GruResetBefore::<IN, UNITS, 21, ROWS>::new_zeroed();
    layer.pack(
        kernel.as_slice().try_into().unwrap(),
        recurrent.as_slice().try_into().unwrap(),
        &bias,
    );
    check!(layer, [TANH, SIGMOID], 7, 1, |x, [h]: [_; 1]| {
        let a = product(x, &kernel, &bias);
        let b = product(&h, &recurrent, &[0.0; 21]);
        let z: [f32; UNITS] = std::array::from_fn(|u| f(SIGMOID, a[u] + b[u]));
        let reset: [f32; UNITS] =
            std::array::from_fn(|u| h[u] * f(SIGMOID, a[UNITS + u] + b[UNITS + u]));
        let c = product(&reset, &recurrent, &[0.0; 21]);
        [std::array::from_fn(|u| {
            z[u] * h[u] + (1.0 - z[u]) * f(TANH, a[2 * UNITS + u] + c[2 * UNITS + u])
        })]
    });
}
