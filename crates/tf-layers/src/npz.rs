//! Reads and writes `.npz` files: arrays in numpy's format, in a zip file.
//!
//! ```
//! use tf_layers::npz::{Npz, NpzWriter};
//!
//! let file = NpzWriter::new().array("tokens", &[[1_i64, 2, 3], [4, 5, 6]]).finish();
//! let tokens: Vec<[i64; 3]> = Npz::new(&file)?.rows("tokens")?;
//! assert_eq!(tokens, [[1, 2, 3], [4, 5, 6]]);
//! # Ok::<(), tf_layers::npz::NpzError>(())
//! ```

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt::{self, Display, Formatter};

use zerocopy::FromZeros;

use crate::{Shape, Tensor, Text};

mod inflate;
mod npy;
mod zip;

use npy::{Array, DType, Element, Tuple};
use zip::{Member, ZipWriter};

/// A row of an array in an npz file: a number or an array of numbers.
pub trait Item: Tensor<Number: Element> + FromZeros {}

impl<T: Tensor<Number: Element> + FromZeros> Item for T {}

/// The arrays of an npz file, by name.
#[derive(Clone, Debug)]
pub struct Npz<'a>(BTreeMap<&'a str, Member<'a>>);

impl<'a> Npz<'a> {
    /// Finds the arrays in the bytes of a file from `numpy.savez` or `numpy.savez_compressed`.
    pub fn new(file: &'a [u8]) -> Result<Self, NpzError> {
        let mut arrays = BTreeMap::new();
        for member in zip::members(file)? {
            let name = member.name.strip_suffix(".npy").unwrap_or(member.name);
            if arrays.insert(name, member).is_some() {
                return Err(NpzError(format!("array `{name}` is there twice")));
            }
        }
        Ok(Self(arrays))
    }

    /// The names of the arrays, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &'a str> {
        self.0.keys().copied()
    }

    /// The array `name`, with any number of rows.
    ///
    /// Its numbers may be of another type: floats and integers are converted to floats, integers
    /// to integers if every value fits, and 0 and 1 to booleans. A row of one number may have a
    /// dimension, or none.
    pub fn rows<T: Item>(&self, name: &str) -> Result<Vec<T>, NpzError> {
        self.read(name, None)
    }

    /// The array `name`, of exactly `N` rows; otherwise as [`Npz::rows`].
    pub fn array<T: Item, const N: usize>(&self, name: &str) -> Result<Box<[T; N]>, NpzError> {
        let rows: Vec<T> = self.read(name, Some(N))?;
        rows.try_into().map_err(|_| NpzError(format!("array `{name}` has not {N} rows")))
    }

    /// The array `name` of strings, with any number of rows, as [`Npz::rows`] reads numbers. The text
    /// stays in memory until the program ends.
    pub fn texts<T: Text<'static>>(&self, name: &str) -> Result<Vec<T>, NpzError> {
        let file = self.0.get(name).ok_or_else(|| self.missing(name))?.read()?;
        let damaged = || NpzError(format!("array `{name}` is damaged, or its text is no Unicode"));
        let array = Array::new(&file).ok_or_else(damaged)?;
        if !array.is_text() || row_count(&array.shape, T::SHAPE).is_none() {
            return Err(NpzError(format!(
                "array `{name}`: expected strings {}, found {:?} {}",
                Tuple(&shape_of_rows(None, T::SHAPE)),
                array.descr,
                Tuple(&array.shape),
            )));
        }
        let (text, ends) = array.text().ok_or_else(damaged)?;
        let text: &'static str = text.leak();
        let starts = [0].iter().chain(&ends);
        let strings: Vec<&'static str> =
            starts.zip(&ends).map(|(&start, &end)| &text[start..end]).collect();
        Ok(T::batch(&strings).to_vec())
    }

    fn read<T: Item>(&self, name: &str, rows: Option<usize>) -> Result<Vec<T>, NpzError> {
        let file = self.0.get(name).ok_or_else(|| self.missing(name))?.read()?;
        let array = Array::new(&file).ok_or_else(|| {
            NpzError(format!("array `{name}` is not one of numbers, or is damaged"))
        })?;
        let dtype = DType::new(array.descr).filter(|dtype| dtype.is_for::<T::Number>());
        let count =
            row_count(&array.shape, T::SHAPE).filter(|&count| rows.is_none_or(|n| n == count));
        let (Some(dtype), Some(count)) = (dtype, count) else {
            return Err(unexpected::<T>(name, rows, &array));
        };
        let len = array.len(dtype).filter(|&len| Some(len) == count.checked_mul(T::LEN));
        if len.is_none() {
            return Err(NpzError(format!(
                "array `{name}` is damaged: it holds more or less than its shape {} says",
                Tuple(&array.shape)
            )));
        }

        let mut items = T::new_vec_zeroed(count)
            .map_err(|_| NpzError(format!("not enough memory for array `{name}`")))?;
        array.copy_to(dtype, T::flat_mut(&mut items)).map_err(|(place, value)| {
            let (row, position) = (place / T::LEN, place % T::LEN);
            let wanted = T::Number::NAME;
            NpzError(format!(
                "array `{name}`: row {row} holds {value} at position {position}, \
                 which does not fit {wanted}"
            ))
        })?;
        Ok(items)
    }

    fn missing(&self, name: &str) -> NpzError {
        const SHOWN: usize = 20;
        let names: Vec<_> = self.names().take(SHOWN).map(|name| format!("`{name}`")).collect();
        let (names, more) = (names.join(", "), if self.0.len() > SHOWN { ", …" } else { "" });
        NpzError(format!("array `{name}` is missing: the file holds [{names}{more}]"))
    }
}

/// How many rows an array of `shape` has, if each is of the shape `row`.
fn row_count(shape: &[usize], row: Shape) -> Option<usize> {
    match (shape, row.dims()) {
        ([], [] | [1]) => Some(1),
        ([count], [1]) | ([count, 1], []) => Some(*count),
        ([count, row @ ..], dims) => (row == dims).then_some(*count),
        _ => None,
    }
}

fn unexpected<T: Item>(name: &str, rows: Option<usize>, array: &Array) -> NpzError {
    let expected_shape = shape_of_rows(rows, T::SHAPE);
    let found = DType::new(array.descr)
        .map_or_else(|| format!("{:?}", array.descr), |dtype| dtype.to_string());
    NpzError(format!(
        "array `{name}`: expected {} {}, found {found} {}",
        T::Number::NAME,
        Tuple(&expected_shape),
        Tuple(&array.shape),
    ))
}

/// The lengths of an array of rows, of any number of them if it is not given.
fn shape_of_rows(rows: Option<usize>, row: Shape) -> Vec<String> {
    let rows = rows.map_or("n".into(), |rows| rows.to_string());
    std::iter::once(rows).chain(row.dims().iter().map(usize::to_string)).collect()
}

/// What is wrong with an npz file, or with an array in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NpzError(String);

impl Display for NpzError {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error for NpzError {}

/// Writes an npz file, not compressed: the same bytes for the same arrays.
///
/// # Panics
/// Writing more than 4 GiB or 65535 arrays.
#[derive(Clone, Debug, Default)]
pub struct NpzWriter(ZipWriter);

impl NpzWriter {
    /// A file without arrays.
    pub fn new() -> Self {
        Self::default()
    }

    /// Appends an array. Names must differ, or the file can't be read.
    pub fn array<T: Item>(mut self, name: &str, rows: &[T]) -> Self {
        let shape = [&[rows.len()], T::SHAPE.dims()].concat();
        self.0.push(&format!("{name}.npy"), &npy::write(&shape, T::flat(rows)));
        self
    }

    /// The bytes of the file.
    pub fn finish(self) -> Vec<u8> {
        self.0.finish()
    }
}
