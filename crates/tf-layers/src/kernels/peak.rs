//! How near the convolutions of ResNet-50 come to the most multiplications that a core can do:
//!
//! ```text
//! cargo test --release -p tf-layers --all-features -- --ignored --nocapture peak
//! ```

use std::hint::black_box;
use std::time::Instant;

use fearless_simd::{Level, Simd, prelude::*};

use super::axis::Axis;
use super::convolution::Convolution;
use super::dispatch::dispatch;
use super::panels::Row;
use super::testing::{levels, numbers};
use super::winograd::{Windows, Winograd};
use crate::Buffer;
use crate::activation::RELU;

/// How often ResNet-50 has a convolution: (count, size, stride, steps out, channels, filters).
const CONVOLUTIONS: [(usize, usize, usize, usize, usize, usize); 21] = [
    (1, 7, 2, 112, 3, 64),
    (1, 1, 1, 56, 64, 64),
    (2, 1, 1, 56, 256, 64),
    (3, 3, 1, 56, 64, 64),
    (4, 1, 1, 56, 64, 256),
    (1, 1, 2, 28, 256, 128),
    (3, 1, 1, 28, 512, 128),
    (4, 3, 1, 28, 128, 128),
    (4, 1, 1, 28, 128, 512),
    (1, 1, 2, 28, 256, 512),
    (1, 1, 2, 14, 512, 256),
    (5, 1, 1, 14, 1024, 256),
    (6, 3, 1, 14, 256, 256),
    (6, 1, 1, 14, 256, 1024),
    (1, 1, 2, 14, 512, 1024),
    (1, 1, 2, 7, 1024, 512),
    (2, 1, 1, 7, 2048, 512),
    (3, 3, 1, 7, 512, 512),
    (3, 1, 1, 7, 512, 2048),
    (1, 1, 2, 7, 1024, 2048),
    (1, 1, 1, 1, 2048, 1000),
];

/// Multiplications a second, in 10⁹, of registers that nothing waits for.
fn most(level: Level) -> f64 {
    #[inline(always)]
    fn run<S: Simd>(simd: S, rounds: usize) -> usize {
        let [x, w] = [0.5, 0.25].map(|number| S::f32s::splat(simd, black_box(number)));
        let mut sums = [x; 12];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = x.mul_add(w, *sum);
            }
        }
        black_box(sums.iter().map(|sum| sum.as_slice()[0]).sum::<f32>());
        rounds * sums.len() * S::f32s::LEN
    }
    let mut count = 0;
    let seconds = least(|| count = dispatch!(level, simd => run(simd, 1_000_000)));
    count as f64 / seconds / 1e9
}

/// The least seconds of some rounds.
fn least(mut f: impl FnMut()) -> f64 {
    let times = (0..30).map(|_| {
        let begin = Instant::now();
        f();
        begin.elapsed().as_secs_f64()
    });
    times.fold(f64::INFINITY, f64::min)
}

fn aligned(count: usize) -> Buffer<f32> {
    let mut buffer = Buffer::zeros(count);
    buffer.copy_from_slice(&numbers(count, 1));
    buffer
}

#[test]
#[ignore = "measures, and takes a while"]
fn peak() {
    for level in levels() {
        let most = most(level);
        println!("{level:?}: {most:.1}·10⁹ multiplications a second");
        let (mut all, mut time, mut time_of_crates) = (0.0, 0.0, 0.0);
        for (count, size, stride, steps_out, channels, filters) in CONVOLUTIONS {
            let before = size / 2;
            let steps = if size == 1 { steps_out * stride } else { (steps_out - 1) * stride + 1 };
            let axis = Axis { size, stride, dilation: 1, before, steps, steps_out };
            let convolution =
                Convolution { axes: [axis; 2], groups: 1, channels, filters, adds: false };
            let x = aligned(steps * steps * channels);
            let mut y = aligned(steps_out * steps_out * filters);
            let panels = vec![Row([0.01; 16]); filters.div_ceil(16) * (1 + size * size * channels)];
            let mut seconds = least(|| convolution.apply(level, &x, &panels, RELU, &mut y));
            let multiplications = (count * steps_out * steps_out * size * size) as f64;
            all += multiplications * (channels * filters) as f64 / 1e9;
            time += count as f64 * seconds;
            if size == 3 && steps_out > 7 {
                let wide = if steps_out > 14 { 4 } else { 2 };
                let windows = [2, wide].map(|outputs| Windows { size, outputs, taps: 3 });
                let winograd = Winograd { windows, channels, filters };
                let panels = vec![Row([0.01; 16]); winograd.rows()];
                let mut work = aligned(winograd.work());
                seconds = least(|| {
                    let images = winograd.over([axis; 2]);
                    images.apply(level, &x, &panels, RELU, &mut work, &mut y);
                });
            }
            time_of_crates += count as f64 * seconds;
        }
        println!("    direct convolutions: {:.0} % of that", 100.0 * all / time / most);
        println!("    as crates have them: {:.0} %", 100.0 * all / time_of_crates / most);
    }
}
