//! Borders that mirror what they surround.

/// One axis of a tensor, and its border.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Bordered {
    pub(crate) before: usize,
    pub(crate) len: usize,
    pub(crate) after: usize,
}

impl Bordered {
    fn all(&self) -> usize {
        self.before + self.len + self.after
    }
}

/// Writes `x`, with the axes `axes` from the outermost to the innermost, and its borders to `y`.
/// `skipped` steps at each edge are not mirrored.
pub(crate) fn pad<T: Copy>(x: &[T], axes: &[Bordered], skipped: usize, y: &mut [T]) {
    let Some((axis, inner)) = axes.split_first() else { return y.copy_from_slice(x) };
    if axis.len == 0 {
        return;
    }
    let (from, to) = (x.len() / axis.len, y.len() / axis.all());
    let Bordered { before, len, after } = *axis;
    let middle = &mut y[before * to..(before + len) * to];
    if from == to {
        // No border inside.
        middle.copy_from_slice(x);
    } else {
        for (x, y) in x.chunks_exact(from).zip(middle.chunks_exact_mut(to)) {
            pad(x, inner, skipped, y);
        }
    }
    let mut copy = |source: usize, place: usize| {
        y.copy_within(source * to..(source + 1) * to, place * to);
    };
    for i in 0..before {
        copy(before + skipped + i, before - 1 - i);
    }
    for i in 0..after {
        copy(before + len - 1 - skipped - i, before + len + i);
    }
}
