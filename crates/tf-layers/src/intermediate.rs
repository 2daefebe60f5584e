/// What a step of a model computed last.
///
/// ```
/// use tf_layers::{Intermediate, Values};
///
/// let scratch = [1.0_f32, 2.0, 3.0, 4.0, 0.0, 0.0];
/// let step = Intermediate::new("dense_1", &[2], 2, &scratch);
/// assert_eq!(step.name, "dense_1");
/// assert_eq!(step.values, Values::F32(&[1.0, 2.0, 3.0, 4.0]));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Intermediate<'a> {
    /// The name of the layer.
    pub name: &'static str,
    /// The lengths of the dimensions of one sample.
    pub shape: &'static [usize],
    /// The numbers of all samples, one sample after the other.
    pub values: Values<'a>,
}

impl<'a> Intermediate<'a> {
    /// The result for `samples` samples, which are the first numbers of `values`.
    ///
    /// # Panics
    /// If there are fewer.
    pub fn new<N>(
        name: &'static str,
        shape: &'static [usize],
        samples: usize,
        values: &'a [N],
    ) -> Self
    where
        Values<'a>: From<&'a [N]>,
    {
        let count = samples * shape.iter().product::<usize>();
        Self { name, shape, values: values[..count].into() }
    }
}

/// Numbers of one of the types in which models compute.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Values<'a> {
    F32(&'a [f32]),
    F64(&'a [f64]),
    I32(&'a [i32]),
    I64(&'a [i64]),
    U8(&'a [u8]),
    Bool(&'a [bool]),
}

macro_rules! from_slices {
    ($($number:ident $variant:ident)*) => {$(
        impl<'a> From<&'a [$number]> for Values<'a> {
            fn from(numbers: &'a [$number]) -> Self {
                Self::$variant(numbers)
            }
        }
    )*};
}

from_slices!(f32 F32 f64 F64 i32 I32 i64 I64 u8 U8 bool Bool);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn takes_the_numbers_of_the_samples() {
        let flags = vec![true, false, true, false];
        let step = Intermediate::new("mask", &[1, 1], 3, &flags);
        assert_eq!(step.values, Values::Bool(&[true, false, true]));
        let scores = vec![1_i64, 2];
        assert_eq!(Intermediate::new("score", &[], 1, &scores).values, Values::I64(&[1]));
        assert_eq!(Intermediate::new("score", &[], 0, &scores).values, Values::I64(&[]));
    }
}
