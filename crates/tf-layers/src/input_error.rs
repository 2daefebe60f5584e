use std::error::Error;
use std::fmt::{self, Display, Formatter};
use std::ops::Range;

/// What a model cannot read in its inputs, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum InputError {
    /// `name` has another number of rows than the first input.
    Rows { name: &'static str, rows: usize, expected: usize },
    /// A batch of another size than that for which the model keeps a state.
    Batch { name: &'static str, rows: usize, expected: usize },
    /// A number that is no index: not in `range`.
    Index { name: &'static str, sample: usize, position: usize, value: i64, range: Range<i64> },
    /// A word, or an integer in digits, that a look-up has no number for.
    Unknown { name: &'static str, sample: usize, position: usize, value: String },
}

impl InputError {
    /// Checks that all have as many rows as the first.
    pub fn check_rows<const N: usize>(counts: [(&'static str, usize); N]) -> Result<(), Self> {
        let expected = counts.first().map_or(0, |&(_, rows)| rows);
        match counts.into_iter().find(|&(_, rows)| rows != expected) {
            Some((name, rows)) => Err(Self::Rows { name, rows, expected }),
            None => Ok(()),
        }
    }

    /// Checks that a batch has the size for which the model keeps a state.
    pub fn check_batch(name: &'static str, rows: usize, expected: usize) -> Result<(), Self> {
        if rows == expected { Ok(()) } else { Err(Self::Batch { name, rows, expected }) }
    }

    /// A number that is not in `range`: `place` counts those of all samples, `len` of each.
    pub(crate) fn index(
        name: &'static str,
        place: usize,
        len: usize,
        value: i64,
        range: Range<i64>,
    ) -> Self {
        Self::Index { name, sample: place / len, position: place % len, value, range }
    }

    /// A word that is not known, in the same way.
    pub(crate) fn unknown(name: &'static str, place: usize, len: usize, value: String) -> Self {
        Self::Unknown { name, sample: place / len, position: place % len, value }
    }

    /// The same error, with `samples` more samples before it.
    pub fn after(mut self, samples: usize) -> Self {
        match &mut self {
            Self::Rows { .. } | Self::Batch { .. } => {}
            Self::Index { sample, .. } | Self::Unknown { sample, .. } => *sample += samples,
        }
        self
    }
}

impl Display for InputError {
    fn fmt(&self, f: &mut Formatter) -> fmt::Result {
        match self {
            Self::Rows { name, rows, expected } => {
                write!(f, "`{name}` has {rows} rows where {expected} are expected")
            }
            Self::Batch { name, rows, expected } => write!(
                f,
                "`{name}` has {rows} rows, and the model keeps a state for batches of {expected}",
            ),
            Self::Index { name, sample, position, value, range } => write!(
                f,
                "`{name}` of sample {sample} holds {value} at position {position}, not in {range:?}",
            ),
            Self::Unknown { name, sample, position, value } => write!(
                f,
                "`{name}` of sample {sample} holds {value:?} at position {position}, which is not known",
            ),
        }
    }
}

impl Error for InputError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_which_input_has_other_rows() {
        assert_eq!(InputError::check_rows([]), Ok(()));
        assert_eq!(InputError::check_rows([("tokens", 8), ("out", 8)]), Ok(()));
        let error = InputError::check_rows([("tokens", 8), ("features", 5), ("out", 9)]);
        assert_eq!(error.unwrap_err().to_string(), "`features` has 5 rows where 8 are expected");
    }

    #[test]
    fn says_how_large_a_batch_has_to_be() {
        assert_eq!(InputError::check_batch("steps", 2, 2), Ok(()));
        let error = InputError::check_batch("steps", 3, 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "`steps` has 3 rows, and the model keeps a state for batches of 2"
        );
    }

    #[test]
    fn says_where_the_index_is() {
        let index = |range| InputError::Index {
            name: "tokens",
            sample: 6,
            position: 3,
            value: 1000,
            range,
        };
        assert_eq!(
            index(0..1000).after(64).to_string(),
            "`tokens` of sample 70 holds 1000 at position 3, not in 0..1000"
        );
        assert_eq!(
            index(-1000..1000).to_string(),
            "`tokens` of sample 6 holds 1000 at position 3, not in -1000..1000"
        );
    }

    #[test]
    fn says_which_word_is_not_known() {
        let value = "zebra".to_owned();
        let error = InputError::Unknown { name: "words", sample: 6, position: 3, value };
        assert_eq!(
            error.after(64).to_string(),
            "`words` of sample 70 holds \"zebra\" at position 3, which is not known"
        );
    }
}
