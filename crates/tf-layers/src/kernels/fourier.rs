//! The discrete Fourier transform of real numbers, and its inverse.
//!
//! A power of two is halved again and again (J. W. Cooley and J. W. Tukey, 1965), as complex
//! numbers of half as many, of which the even numbers are the real parts and the odd ones the
//! imaginary parts. Any other length is summed as the formula has it, in double precision.

/// The cosine and the sine of 2πk/n, for every k below n.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Circle<'a> {
    pub(crate) cosines: &'a [f32],
    pub(crate) sines: &'a [f32],
}

impl Circle<'_> {
    fn len(&self) -> usize {
        self.cosines.len()
    }
}

/// Writes `Σ x[j]·e^(−2πi·jk/n)` for k from 0 to n/2: real part, imaginary part, next real part, …
pub(crate) fn forward(x: &[f32], circle: Circle, spectrum: &mut [f32]) {
    if circle.len() >= 2 && circle.len().is_power_of_two() {
        halving(x, circle, spectrum);
    } else {
        let pairs = spectrum.as_chunks_mut::<2>().0;
        for (k, pair) in pairs.iter_mut().enumerate() {
            let (mut real, mut imaginary, mut angle) = (0.0, 0.0, 0);
            for x in x {
                real += f64::from(*x) * f64::from(circle.cosines[angle]);
                imaginary -= f64::from(*x) * f64::from(circle.sines[angle]);
                angle = (angle + k) % circle.len();
            }
            *pair = [real as f32, imaginary as f32];
        }
    }
}

fn halving(x: &[f32], circle: Circle, spectrum: &mut [f32]) {
    let half = circle.len() / 2;
    let z = &mut spectrum.as_chunks_mut::<2>().0[..=half];
    // The order in which the halves of halves lie side by side: that of the reversed bits.
    for (j, x) in x.as_chunks::<2>().0.iter().enumerate() {
        z[if half == 1 { 0 } else { j.reverse_bits() >> (usize::BITS - half.ilog2()) }] = *x;
    }
    let mut size = 2;
    while size <= half {
        let step = circle.len() / size;
        for z in z[..half].chunks_exact_mut(size) {
            let (even, odd) = z.split_at_mut(size / 2);
            for (k, (even, odd)) in even.iter_mut().zip(odd).enumerate() {
                let turned = turn(*odd, k * step, circle);
                (*even, *odd) = (
                    [even[0] + turned[0], even[1] + turned[1]],
                    [even[0] - turned[0], even[1] - turned[1]],
                );
            }
        }
        size *= 2;
    }
    // The spectra of the even and of the odd numbers come apart, for each is that of real numbers.
    let [real, imaginary] = z[0];
    (z[0], z[half]) = ([real + imaginary, 0.0], [real - imaginary, 0.0]);
    for k in 1..=half / 2 {
        let ([a, b], [c, d]) = (z[k], z[half - k]);
        let even = [(a + c) / 2.0, (b - d) / 2.0];
        let odd = turn([(b + d) / 2.0, (c - a) / 2.0], k, circle);
        z[half - k] = [even[0] - odd[0], odd[1] - even[1]];
        z[k] = [even[0] + odd[0], even[1] + odd[1]];
    }
}

/// z·e^(−2πi·k/n)
fn turn([a, b]: [f32; 2], k: usize, circle: Circle) -> [f32; 2] {
    let (cosine, sine) = (circle.cosines[k], circle.sines[k]);
    [a * cosine + b * sine, b * cosine - a * sine]
}

/// Writes the n real numbers that have this spectrum of n/2 + 1 pairs.
pub(crate) fn inverse(spectrum: &[f32], circle: Circle, y: &mut [f32]) {
    let pairs = spectrum.as_chunks::<2>().0;
    for (j, y) in y.iter_mut().enumerate() {
        let (mut sum, mut angle) = (0.0, 0);
        for (k, [real, imaginary]) in pairs.iter().enumerate() {
            let term = f64::from(*real) * f64::from(circle.cosines[angle]);
            // All others stand for two: themselves, and their mirror image beyond n/2.
            let is_single = k == 0 || 2 * k == circle.len();
            let other = f64::from(*imaginary) * f64::from(circle.sines[angle]);
            sum += if is_single { term } else { 2.0 * (term - other) };
            angle = (angle + j) % circle.len();
        }
        *y = (sum / circle.len() as f64) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spectra_and_back() {
        for n in [1, 2, 3, 4, 5, 8, 12, 16, 31, 64, 100, 512] {
            let angle = |k: usize| k as f64 * std::f64::consts::TAU / n as f64;
            let cosines: Vec<f32> = (0..n).map(|k| angle(k).cos() as f32).collect();
            let sines: Vec<f32> = (0..n).map(|k| angle(k).sin() as f32).collect();
            let circle = Circle { cosines: &cosines, sines: &sines };
            let x: Vec<f32> =
                (0..n).map(|j| (j * 7919 % 211) as f32 / 100.0 - 1.0 + (j % 2) as f32).collect();
            let mut spectrum = vec![f32::NAN; 2 * (n / 2 + 1)];
            forward(&x, circle, &mut spectrum);
            let tolerance = 2e-6 * n as f64;
            for (k, pair) in spectrum.chunks_exact(2).enumerate() {
                let real: f64 = (0..n).map(|j| f64::from(x[j]) * angle(j * k).cos()).sum();
                let imaginary: f64 = (0..n).map(|j| -f64::from(x[j]) * angle(j * k).sin()).sum();
                assert!((f64::from(pair[0]) - real).abs() < tolerance, "{n}: {k}: {pair:?}");
                assert!((f64::from(pair[1]) - imaginary).abs() < tolerance, "{n}: {k}: {pair:?}");
            }
            let mut y = vec![f32::NAN; n];
            inverse(&spectrum, circle, &mut y);
            for (x, y) in x.iter().zip(&y) {
                assert!((x - y).abs() < 1e-5, "{n}: {y}, not {x}");
            }
        }
    }
}
