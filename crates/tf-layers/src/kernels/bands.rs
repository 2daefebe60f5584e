//! A large layer in bands of its output, one for each thread that there is. No sum is in two of them:
//! the bits are the same for any number.

use std::ops::Range;

use super::axis::Axis;
use crate::threads::{current_num_threads, join};

/// Multiplications of a band, at least: to wake a thread takes as long as many of them. Tests cut
/// small layers too.
const LEAST: usize = if cfg!(test) { 50 } else { 2 << 20 };

/// Calls `f` with the lines of each band, and their numbers: `line` of them for each line.
pub(crate) fn in_bands(
    multiplications: usize,
    line: usize,
    y: &mut [f32],
    f: impl Fn(Range<usize>, &mut [f32]) + Sync,
) {
    let lines = y.len() / line.max(1);
    let most = (multiplications / LEAST).min(lines);
    // To ask for the threads starts them.
    let bands = if most > 1 { current_num_threads().min(most) } else { 1 };
    split(lines.div_ceil(bands).max(1), line, 0, y, &f);
}

/// Calls `f` with the axes, the input and the output of each band of an image, or at once with those
/// of all images where there are several. The channels are those of the input and of the output.
pub(crate) fn in_bands_of_image(
    multiplications: usize,
    [rows, columns]: [Axis; 2],
    [channels, filters]: [usize; 2],
    x: &[f32],
    y: &mut [f32],
    f: impl Fn([Axis; 2], &[f32], &mut [f32]) + Sync,
) {
    let line = columns.steps_out * filters;
    if y.len() != rows.steps_out * line {
        return f([rows, columns], x, y);
    }
    in_bands(multiplications, line, y, |band, y| {
        let (first, rows) = rows.band(band);
        f([rows, columns], &x[first * columns.steps * channels..], y);
    });
}

fn split(
    most: usize,
    line: usize,
    first: usize,
    y: &mut [f32],
    f: &(impl Fn(Range<usize>, &mut [f32]) + Sync),
) {
    let lines = y.len() / line.max(1);
    if lines <= most {
        return f(first..first + lines, y);
    }
    let before = lines.div_ceil(most) / 2 * most;
    let (left, right) = y.split_at_mut(before * line);
    join(|| split(most, line, first, left, f), || split(most, line, first + before, right, f));
}

#[cfg(all(test, feature = "parallel"))]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_in_one_band() {
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            for lines in [0, 1, 2, 5, 64] {
                let mut y = vec![0.0; 3 * lines];
                let bands = std::sync::atomic::AtomicUsize::new(0);
                pool.install(|| {
                    in_bands(LEAST * 100, 3, &mut y, |band, y| {
                        bands.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                        assert_eq!(y.len(), 3 * band.len());
                        for (line, y) in band.zip(y.chunks_exact_mut(3)) {
                            y.iter_mut().for_each(|y| *y += line as f32 + 1.0);
                        }
                    });
                });
                assert!(y.iter().enumerate().all(|(i, y)| *y == (i / 3) as f32 + 1.0));
                assert!(bands.into_inner() <= threads, "{lines} lines, {threads} threads");
            }
        }
    }
}
