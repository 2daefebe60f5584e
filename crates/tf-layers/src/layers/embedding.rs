use std::ops::Range;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::kernels::panels::{LANES, Row, numbers};
use crate::{InputError, Number, Tensor};

/// A vector of `SIZE` numbers for each of `WORDS` words.
///
/// `ROWS` is ceil(`WORDS`·`SIZE` / 16): the vectors follow each other without gaps.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Embedding<const WORDS: usize, const SIZE: usize, const ROWS: usize>([Row; ROWS]);

impl<const WORDS: usize, const SIZE: usize, const ROWS: usize> Embedding<WORDS, SIZE, ROWS> {
    const CHECKED: () = assert!(ROWS == (WORDS * SIZE).div_ceil(LANES), "ROWS of Embedding");

    /// The vectors of the words `x`, which errors call `name`. The shape of `Y` is that of `X`
    /// with `SIZE` after it.
    ///
    /// # Panics
    /// If `y` is too short.
    pub fn apply<'y, X: Tensor<Number: Word>, Y: Tensor<Number = f32>>(
        &self,
        name: &'static str,
        x: &[X],
        y: &'y mut [f32],
    ) -> Result<&'y mut [Y], InputError> {
        self.look_up(name, x, y, 0)
    }

    /// As [`Embedding::apply`], but negative words count from the end, as Keras 3 does.
    pub fn apply_wrapping<'y, X: Tensor<Number: Word>, Y: Tensor<Number = f32>>(
        &self,
        name: &'static str,
        x: &[X],
        y: &'y mut [f32],
    ) -> Result<&'y mut [Y], InputError> {
        self.look_up(name, x, y, -(WORDS as i64))
    }

    /// Words from `first` on are allowed.
    fn look_up<'y, X: Tensor<Number: Word>, Y: Tensor<Number = f32>>(
        &self,
        name: &'static str,
        x: &[X],
        y: &'y mut [f32],
        first: i64,
    ) -> Result<&'y mut [Y], InputError> {
        const {
            let () = Self::CHECKED;
            assert!(Y::LEN == X::LEN * SIZE && Y::SHAPE.last() == SIZE, "the shape of y");
        };
        let y = &mut y[..x.len() * Y::LEN];
        copy_rows(name, x, numbers(&self.0), SIZE, first..WORDS as i64, y)?;
        Ok(Y::batch_mut(y))
    }

    /// Takes the weights as Keras keeps them.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, table: &[[f32; SIZE]; WORDS]) {
        const { Self::CHECKED };
        let table = table.as_flattened();
        crate::kernels::panels::numbers_mut(&mut self.0)[..table.len()].copy_from_slice(table);
    }
}

/// The rows of `table`, of `size` numbers each, that `x` names; negative ones count from the end,
/// where `range` allows them.
pub(crate) fn copy_rows<X: Tensor<Number: Word>, N: Number>(
    name: &'static str,
    x: &[X],
    table: &[N],
    size: usize,
    range: Range<i64>,
    y: &mut [N],
) -> Result<(), InputError> {
    for (i, (word, y)) in X::flat(x).iter().zip(y.chunks_exact_mut(size)).enumerate() {
        let value: i64 = (*word).into();
        if !range.contains(&value) {
            return Err(InputError::index(name, i, X::LEN, value, range));
        }
        let row = value.rem_euclid(range.end) as usize;
        y.copy_from_slice(&table[row * size..][..size]);
    }
    Ok(())
}

/// A type of word numbers: `i32`, `i64` or `u8`.
pub trait Word: Number + Into<i64> {}

impl Word for i32 {}
impl Word for i64 {}
impl Word for u8 {}
