use std::marker::PhantomData;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, TryFromBytes};

use crate::Tensor;
use crate::kernels::panels::Row;

/// A tensor that is part of the model.
///
/// `ROWS` is the size of `T` in bytes / 64, rounded up.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Constant<T, const ROWS: usize>([Row; ROWS], PhantomData<T>);

impl<T, const ROWS: usize> Constant<T, ROWS>
where
    T: Tensor<Number: TryFromBytes + IntoBytes + Immutable>,
{
    const CHECKED: () =
        assert!(ROWS == size_of::<T>().div_ceil(size_of::<Row>()), "ROWS of Constant");

    /// The tensor, as a batch of one: operations use it for every sample.
    pub fn values(&self) -> &[T] {
        const { Self::CHECKED };
        let numbers = <[T::Number]>::try_ref_from_bytes(self.0.as_bytes());
        let numbers = numbers.map_err(|_| ()).expect("the rows hold what was packed");
        &T::batch(numbers)[..1]
    }

    /// Takes the tensor.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, value: &T) {
        const { Self::CHECKED };
        let value = T::flat(std::slice::from_ref(value));
        self.0.as_mut_bytes()[..size_of::<T>()].copy_from_slice(value.as_bytes());
    }
}
