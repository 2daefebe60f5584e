//! Strings and integers become the numbers of buckets, by their hashes.

use crate::kernels::fingerprint::{concatenated, fingerprint};
use crate::kernels::siphash::siphash;
use crate::{Tensor, Text};

/// How a string gets the number of a bucket.
///
/// ```
/// use tf_layers::ops::{self, Hash};
///
/// let mut scratch = [0; 2];
/// let y: &mut [[i64; 2]] = ops::hash_text(&[["the cat", "a"]], Hash::fast(7), &mut scratch);
/// assert_eq!(y, [[3, 5]]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hash {
    key: Option<[u64; 2]>,
    buckets: i64,
}

impl Hash {
    /// By FarmHash's fingerprint, into buckets from 0.
    ///
    /// # Panics
    /// If there are no buckets.
    pub const fn fast(buckets: i64) -> Self {
        assert!(buckets > 0, "a hash has buckets");
        Self { key: None, buckets }
    }

    /// By SipHash under a key, into buckets from 0.
    ///
    /// # Panics
    /// If there are no buckets.
    pub const fn strong(key: [u64; 2], buckets: i64) -> Self {
        assert!(buckets > 0, "a hash has buckets");
        Self { key: Some(key), buckets }
    }

    /// The bucket of a string.
    pub fn bucket(self, bytes: &[u8]) -> i64 {
        let hash = match self.key {
            None => fingerprint(bytes),
            Some(key) => siphash(key, bytes),
        };
        (hash % self.buckets.cast_unsigned()).cast_signed()
    }
}

/// The buckets of strings.
pub fn hash_text<'y, 't, X: Text<'t>, Y: Tensor<Number = i64>>(
    x: &[X],
    hash: Hash,
    y: &'y mut [i64],
) -> &'y mut [Y] {
    const { assert!(Y::LEN == X::LEN, "the shape of y") };
    let y = &mut y[..x.len() * X::LEN];
    for (text, y) in X::flat(x).iter().zip(&mut *y) {
        *y = hash.bucket(text.as_bytes());
    }
    Y::batch_mut(y)
}

/// The buckets of integers, each written out in digits.
///
/// ```
/// use tf_layers::ops::{self, Hash};
///
/// let mut scratch = [0; 2];
/// let y: &mut [i64] = ops::hash_integers(&[4_i64, 0], Hash::strong([3, 4], 7), &mut scratch);
/// assert_eq!(y, [5, 2]);
/// ```
pub fn hash_integers<'y, X, Y>(x: &[X], hash: Hash, y: &'y mut [i64]) -> &'y mut [Y]
where
    X: Tensor<Number: Into<i64>>,
    Y: Tensor<Number = i64>,
{
    const { assert!(Y::LEN == X::LEN, "the shape of y") };
    let y = &mut y[..x.len() * X::LEN];
    for (number, y) in X::flat(x).iter().zip(&mut *y) {
        *y = with_digits((*number).into(), |digits| hash.bucket(digits));
    }
    Y::batch_mut(y)
}

/// Calls `read` with a number in digits.
fn with_digits<T>(number: i64, read: impl FnOnce(&[u8]) -> T) -> T {
    let mut digits = [0; 20];
    let (mut start, mut rest) = (digits.len(), number.unsigned_abs());
    loop {
        start -= 1;
        digits[start] = b'0' + (rest % 10) as u8;
        rest /= 10;
        if rest == 0 {
            break;
        }
    }
    if number < 0 {
        start -= 1;
        digits[start] = b'-';
    }
    read(&digits[start..])
}

/// A feature that is crossed with others: one string or integer for each sample.
#[derive(Clone, Copy, Debug)]
pub enum Crossed<'a> {
    Text(&'a [&'a str]),
    Integers(&'a [i64]),
}

impl Crossed<'_> {
    fn hash(self, sample: usize) -> u64 {
        match self {
            Self::Text(text) => fingerprint(text[sample].as_bytes()),
            Self::Integers(numbers) => numbers[sample].cast_unsigned(),
        }
    }
}

impl<'a> From<&'a [&'a str]> for Crossed<'a> {
    fn from(text: &'a [&'a str]) -> Self {
        Self::Text(text)
    }
}

impl<'a> From<&'a [[&'a str; 1]]> for Crossed<'a> {
    fn from(text: &'a [[&'a str; 1]]) -> Self {
        Self::Text(text.as_flattened())
    }
}

impl<'a> From<&'a [i64]> for Crossed<'a> {
    fn from(numbers: &'a [i64]) -> Self {
        Self::Integers(numbers)
    }
}

impl<'a> From<&'a [[i64; 1]]> for Crossed<'a> {
    fn from(numbers: &'a [[i64; 1]]) -> Self {
        Self::Integers(numbers.as_flattened())
    }
}

/// The buckets of combinations of features, as `tf.sparse.cross_hashed` computes them under `key`.
///
/// ```
/// use tf_layers::ops;
///
/// let (x1, x2) = (["the cat", "a"], ["b", "b"]);
/// let mut scratch = [0; 2];
/// let features = [x1.as_slice().into(), x2.as_slice().into()];
/// let y: &mut [[i64; 1]] = ops::hash_crossing(&features, 956888297470, 7, &mut scratch);
/// assert_eq!(y, [[5], [3]]);
/// ```
///
/// # Panics
/// If there are no features, no buckets, or a feature has fewer samples than the first.
pub fn hash_crossing<'y, Y: Tensor<Number = i64>>(
    features: &[Crossed],
    key: u64,
    buckets: i64,
    y: &'y mut [i64],
) -> &'y mut [Y] {
    const { assert!(Y::LEN == 1, "the shape of y") };
    let samples = match features[0] {
        Crossed::Text(text) => text.len(),
        Crossed::Integers(numbers) => numbers.len(),
    };
    let y = &mut y[..samples];
    for (sample, y) in y.iter_mut().enumerate() {
        let hash = features.iter().fold(key, |hash, x| concatenated(hash, x.hash(sample)));
        *y = (hash % buckets.cast_unsigned()).cast_signed();
    }
    Y::batch_mut(y)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_integers_in_digits() {
        for number in [0, 7, 10, -1, i64::MAX, i64::MIN] {
            assert_eq!(with_digits(number, <[u8]>::to_vec), number.to_string().as_bytes());
        }
    }
}
