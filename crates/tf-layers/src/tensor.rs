//! Values of static shape, and batches of them as flat slices of numbers.

use std::fmt::Debug;

/// The most dimensions that a [`Tensor`] has, not counting the batch.
const MAX_RANK: usize = 8;

/// A type of numbers in which models compute.
pub trait Number: Tensor<Number = Self> + Default {
    /// The same numbers, if they are f32, for which there are faster loops.
    #[doc(hidden)]
    fn floats(_: &[Self]) -> Option<&[f32]> {
        None
    }

    /// As [`Number::floats`], to write to.
    #[doc(hidden)]
    fn floats_mut(_: &mut [Self]) -> Option<&mut [f32]> {
        None
    }
}

impl Number for f32 {
    fn floats(numbers: &[Self]) -> Option<&[f32]> {
        Some(numbers)
    }

    fn floats_mut(numbers: &mut [Self]) -> Option<&mut [f32]> {
        Some(numbers)
    }
}

impl Number for f64 {}
impl Number for i32 {}
impl Number for i64 {}
impl Number for u8 {}
impl Number for bool {}

/// A value of static shape, a sample of a batch: a number, or an array of such values.
///
/// ```
/// use tf_layers::Tensor;
///
/// const { assert!(<[[f32; 3]; 2]>::LEN == 6 && <[[f32; 3]; 2]>::SHAPE.last() == 3) };
/// let buffer = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
/// let samples: &[[f32; 3]] = Tensor::batch(&buffer);
/// assert_eq!(samples, [[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]);
/// ```
pub trait Tensor: Copy + PartialEq + Debug + 'static {
    /// The type of its numbers.
    type Number: Number;
    /// How many numbers it holds.
    const LEN: usize = Self::SHAPE.len();
    /// How many dimensions it has.
    const RANK: usize = Self::SHAPE.rank();
    /// The lengths of its dimensions.
    const SHAPE: Shape;

    /// Reads `flat` as a batch of tensors, without the numbers that fill none.
    fn batch(flat: &[Self::Number]) -> &[Self];
    /// As [`Tensor::batch`], to write to.
    fn batch_mut(flat: &mut [Self::Number]) -> &mut [Self];
    /// The numbers of a batch, in row-major order.
    fn flat(batch: &[Self]) -> &[Self::Number];
    /// As [`Tensor::flat`], to write to.
    fn flat_mut(batch: &mut [Self]) -> &mut [Self::Number];
}

macro_rules! numbers {
    ($($number:ty)*) => {$(
        impl Tensor for $number {
            type Number = Self;
            const SHAPE: Shape = Shape::SCALAR;

            fn batch(flat: &[Self]) -> &[Self] {
                flat
            }

            fn batch_mut(flat: &mut [Self]) -> &mut [Self] {
                flat
            }

            fn flat(batch: &[Self]) -> &[Self] {
                batch
            }

            fn flat_mut(batch: &mut [Self]) -> &mut [Self] {
                batch
            }
        }
    )*};
}

numbers!(f32 f64 i32 i64 u8 bool);

impl<T: Tensor, const N: usize> Tensor for [T; N] {
    type Number = T::Number;
    const SHAPE: Shape = T::SHAPE.repeated(N);

    fn batch(flat: &[T::Number]) -> &[Self] {
        T::batch(flat).as_chunks().0
    }

    fn batch_mut(flat: &mut [T::Number]) -> &mut [Self] {
        T::batch_mut(flat).as_chunks_mut().0
    }

    fn flat(batch: &[Self]) -> &[T::Number] {
        T::flat(batch.as_flattened())
    }

    fn flat_mut(batch: &mut [Self]) -> &mut [T::Number] {
        T::flat_mut(batch.as_flattened_mut())
    }
}

/// A sample of planes, rows, columns and channels.
pub type Volume<const D: usize, const H: usize, const W: usize, const C: usize> =
    [[[[f32; C]; W]; H]; D];

/// A sample of five dimensions.
pub type Rank5<T, const A: usize, const B: usize, const C: usize, const D: usize, const E: usize> =
    [[[[[T; E]; D]; C]; B]; A];

/// A sample of six dimensions.
pub type Rank6<
    T,
    const A: usize,
    const B: usize,
    const C: usize,
    const D: usize,
    const E: usize,
    const F: usize,
> = [Rank5<T, B, C, D, E, F>; A];

/// A sample of seven dimensions.
pub type Rank7<
    T,
    const A: usize,
    const B: usize,
    const C: usize,
    const D: usize,
    const E: usize,
    const F: usize,
    const G: usize,
> = [Rank6<T, B, C, D, E, F, G>; A];

/// A sample of eight dimensions.
pub type Rank8<
    T,
    const A: usize,
    const B: usize,
    const C: usize,
    const D: usize,
    const E: usize,
    const F: usize,
    const G: usize,
    const H: usize,
> = [Rank7<T, B, C, D, E, F, G, H>; A];

/// The lengths of the dimensions of a [`Tensor`], from the outermost to the innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    dims: [usize; MAX_RANK],
    rank: usize,
}

impl Shape {
    /// Of a number: no dimensions.
    pub const SCALAR: Self = Self { dims: [0; MAX_RANK], rank: 0 };

    /// The shape of an array of `count` tensors of this shape.
    ///
    /// # Panics
    /// If it had more than 8 dimensions; in a constant, that is a compile error.
    pub const fn repeated(self, count: usize) -> Self {
        assert!(self.rank < MAX_RANK, "a tensor has at most 8 dimensions");
        let mut dims = [0; MAX_RANK];
        dims[0] = count;
        let mut axis = 0;
        while axis < self.rank {
            dims[axis + 1] = self.dims[axis];
            axis += 1;
        }
        Self { dims, rank: self.rank + 1 }
    }

    /// The lengths, as a slice.
    pub const fn dims(&self) -> &[usize] {
        self.dims.split_at(self.rank).0
    }

    /// How many dimensions there are.
    pub const fn rank(&self) -> usize {
        self.rank
    }

    /// How many numbers there are.
    pub const fn len(&self) -> usize {
        let (mut len, mut axis) = (1, 0);
        while axis < self.rank {
            len *= self.dims[axis];
            axis += 1;
        }
        len
    }

    /// Whether there are no numbers.
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The length of the innermost dimension; for a number, 1.
    pub const fn last(&self) -> usize {
        if self.rank == 0 { 1 } else { self.dims[self.rank - 1] }
    }

    /// All dimensions but the innermost; for a number, none.
    pub const fn without_last(self) -> Self {
        match self.rank {
            0 => self,
            rank => {
                let mut dims = self.dims;
                dims[rank - 1] = 0;
                Self { dims, rank: rank - 1 }
            }
        }
    }

    /// As `==`, which constants can't use.
    pub const fn is(&self, other: &Self) -> bool {
        let mut same = self.rank == other.rank;
        let mut axis = 0;
        while axis < MAX_RANK {
            same &= self.dims[axis] == other.dims[axis];
            axis += 1;
        }
        same
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_shapes_at_compile_time() {
        type X = [[[f32; 4]; 3]; 2];
        const {
            assert!(X::LEN == 24 && X::RANK == 3 && X::SHAPE.last() == 4);
            assert!(X::SHAPE.without_last().is(&<[[bool; 3]; 2]>::SHAPE));
            assert!(!X::SHAPE.is(&<[[f32; 4]; 6]>::SHAPE));
            assert!(i64::LEN == 1 && i64::RANK == 0 && i64::SHAPE.last() == 1);
            assert!(i64::SHAPE.without_last().is(&Shape::SCALAR));
            assert!(<[[[[[[[[u8; 1]; 2]; 3]; 4]; 5]; 6]; 7]; 8]>::LEN == 40_320);
        };
        assert_eq!(X::SHAPE.dims(), [2, 3, 4]);
        assert_eq!(f64::SHAPE.dims(), []);
    }

    #[test]
    fn reads_numbers_as_whole_tensors() {
        let mut numbers: Vec<i32> = (0..13).collect();
        let batch: &mut [[[i32; 3]; 2]] = Tensor::batch_mut(&mut numbers);
        assert_eq!(batch, [[[0, 1, 2], [3, 4, 5]], [[6, 7, 8], [9, 10, 11]]]);
        Tensor::flat_mut(batch)[11] = -1;
        assert_eq!(Tensor::flat(batch)[9..], [9, 10, -1]);
        assert_eq!(<[[i32; 2]; 7]>::batch(&numbers), [[[0; 2]; 7]; 0]);
        assert_eq!(<i32 as Tensor>::batch(&numbers).len(), 13);
    }
}
