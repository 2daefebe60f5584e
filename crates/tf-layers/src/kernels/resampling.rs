//! Other numbers of steps along an axis, each a weighted sum of neighbouring old ones.

/// x is blocks of rows of `inner` numbers; row i of a block of y is the sum of the rows of x from
/// `starts[i]` on, times the weights of i.
pub(crate) fn apply(
    x: &[f32],
    [steps, inner]: [usize; 2],
    starts: &[u32],
    weights: &[f32],
    y: &mut [f32],
) {
    let taps = weights.len() / starts.len().max(1);
    let blocks = x.chunks_exact((steps * inner).max(1));
    for (x, y) in blocks.zip(y.chunks_exact_mut((starts.len() * inner).max(1))) {
        let rows = y.chunks_exact_mut(inner).zip(starts).zip(weights.chunks_exact(taps.max(1)));
        for ((y, start), weights) in rows {
            y.fill(0.0);
            let sources = x[*start as usize * inner..].chunks_exact(inner);
            for (x, weight) in sources.zip(weights) {
                for (y, x) in y.iter_mut().zip(x) {
                    *y += weight * x;
                }
            }
        }
    }
}
