//! What the steps up to each come to.

/// Writes what the accumulator is after each step, or before it if `exclusive`, from the last step
/// to the first if `reverse`. x is blocks of `len` rows of `inner` numbers.
pub(crate) fn scan<T: Copy, A: Copy>(
    x: &[T],
    [len, inner]: [usize; 2],
    [exclusive, reverse]: [bool; 2],
    y: &mut [T],
    start: A,
    join: impl Fn(A, T) -> A,
    finish: impl Fn(A) -> T,
) {
    let block = (len * inner).max(1);
    for (x, y) in x.chunks_exact(block).zip(y.chunks_exact_mut(block)) {
        for column in 0..inner {
            let mut all = start;
            for step in 0..len {
                let at = if reverse { len - 1 - step } else { step } * inner + column;
                let next = join(all, x[at]);
                y[at] = finish(if exclusive { all } else { next });
                all = next;
            }
        }
    }
}
