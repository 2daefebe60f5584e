//! Text that models read: strings of static shape, and batches of them as flat slices.

use crate::Shape;

/// A sample of text: `&str`, or an array of such samples.
///
/// ```
/// use tf_layers::Text;
///
/// let samples: [[&str; 2]; 2] = [["a", "b"], ["c", "d"]];
/// assert_eq!(Text::flat(&samples), ["a", "b", "c", "d"]);
/// ```
pub trait Text<'t>: Copy + 't {
    /// How many strings it holds.
    const LEN: usize = Self::SHAPE.len();
    /// The lengths of its dimensions.
    const SHAPE: Shape;

    /// Reads `flat` as a batch of samples, without the strings that fill none.
    fn batch<'a>(flat: &'a [&'t str]) -> &'a [Self];
    /// The strings of a batch, in row-major order.
    fn flat<'a>(batch: &'a [Self]) -> &'a [&'t str];
}

impl<'t> Text<'t> for &'t str {
    const SHAPE: Shape = Shape::SCALAR;

    fn batch<'a>(flat: &'a [&'t str]) -> &'a [Self] {
        flat
    }

    fn flat<'a>(batch: &'a [Self]) -> &'a [&'t str] {
        batch
    }
}

impl<'t, T: Text<'t>, const N: usize> Text<'t> for [T; N] {
    const SHAPE: Shape = T::SHAPE.repeated(N);

    fn batch<'a>(flat: &'a [&'t str]) -> &'a [Self] {
        T::batch(flat).as_chunks().0
    }

    fn flat<'a>(batch: &'a [Self]) -> &'a [&'t str] {
        T::flat(batch.as_flattened())
    }
}
