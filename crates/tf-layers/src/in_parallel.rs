use std::ops::Range;

use crate::InputError;
use crate::threads::{current_num_threads, join};

/// Predicts `out` in shares: `predict` gets a model, the rows of a share, and their place in `out`.
///
/// With the feature `parallel` there is a share for each thread of rayon's pool, of whole tiles, and
/// each but the first has a clone of `model`; without it there is one share. An error is that of the
/// first sample that has one.
pub fn in_parallel<Model, Output>(
    model: &mut Model,
    out: &mut [Output],
    tile: usize,
    predict: impl Fn(&mut Model, Range<usize>, &mut [Output]) -> Result<(), InputError> + Sync,
) -> Result<(), InputError>
where
    Model: Clone + Send,
    Output: Send,
{
    split(model, 0, out, share(out.len(), tile), &predict)
}

/// How many samples each thread gets.
fn share(samples: usize, tile: usize) -> usize {
    samples.div_ceil(tile).div_ceil(current_num_threads()).max(1) * tile
}

fn split<Model: Clone + Send, Output: Send>(
    model: &mut Model,
    first: usize,
    out: &mut [Output],
    share: usize,
    predict: &(impl Fn(&mut Model, Range<usize>, &mut [Output]) -> Result<(), InputError> + Sync),
) -> Result<(), InputError> {
    if out.len() <= share {
        let rows = first..first + out.len();
        return predict(model, rows, out).map_err(|error| error.after(first));
    }
    let shares = out.len().div_ceil(share);
    let (left, right) = out.split_at_mut(shares / 2 * share);
    let middle = first + left.len();
    let mut other = model.clone();
    let (before, after) = join(
        || split(model, first, left, share, predict),
        || split(&mut other, middle, right, share, predict),
    );
    before.and(after)
}

#[cfg(all(test, feature = "parallel"))]
mod tests {
    use std::sync::Mutex;

    use super::*;

    /// What is predicted of 100 samples by a pool of `threads`, and how many models took part.
    fn predicted(threads: usize, bad: &[usize]) -> (Result<(), InputError>, Vec<usize>, usize) {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        let mut out = vec![usize::MAX; 100];
        let models = Mutex::new(Vec::new());
        let result = pool.install(|| {
            in_parallel(&mut Vec::<usize>::new(), &mut out, 8, |model, rows, out| {
                models.lock().unwrap().push(rows.start);
                model.push(rows.start);
                assert_eq!(model.len(), 1, "a share has a model of its own");
                for (place, (row, out)) in rows.zip(out).enumerate() {
                    if bad.contains(&row) {
                        let range = 0..1;
                        return Err(InputError::Index {
                            name: "x",
                            sample: place,
                            position: 0,
                            value: 1,
                            range,
                        });
                    }
                    *out = row;
                }
                Ok(())
            })
        });
        let shares = models.into_inner().unwrap();
        assert!(shares.iter().all(|first| first % 8 == 0), "shares are whole tiles");
        (result, out, shares.len())
    }

    #[test]
    fn every_sample_is_predicted_once_in_its_place() {
        for (threads, shares) in [(1, 1), (2, 2), (3, 3), (5, 5), (50, 13)] {
            let (result, out, found) = predicted(threads, &[]);
            assert_eq!((result, found), (Ok(()), shares));
            assert!(out.iter().copied().eq(0..100));
        }
    }

    #[test]
    fn the_error_is_that_of_the_first_bad_sample() {
        for threads in [1, 2, 3, 8] {
            let (result, out, _) = predicted(threads, &[97, 61, 42]);
            let error = result.unwrap_err().to_string();
            assert!(error.contains("sample 42 "), "{error}");
            assert!(out[..42].iter().copied().eq(0..42));
        }
    }
}
