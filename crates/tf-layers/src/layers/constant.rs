use std::marker::PhantomData;

use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Tensor;
use crate::kernels::panels::{Row, numbers};

/// A tensor that is part of the model.
///
/// `ROWS` is the size of `T` in bytes / 64, rounded up.
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Constant<T, const ROWS: usize>([Row; ROWS], PhantomData<T>);

impl<T, const ROWS: usize> Constant<T, ROWS>
where
    T: Tensor<Number: FromBytes + IntoBytes + Immutable>,
{
    const CHECKED: () =
        assert!(ROWS == size_of::<T>().div_ceil(size_of::<Row>()), "ROWS of Constant");

    /// The tensor, as a batch of one: operations use it for every sample.
    pub fn values(&self) -> &[T] {
        const { Self::CHECKED };
        &T::batch(numbers(&self.0))[..1]
    }

    /// Takes the tensor.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, value: &T) {
        const { Self::CHECKED };
        let value = T::flat(std::slice::from_ref(value));
        crate::kernels::panels::numbers_mut(&mut self.0)[..value.len()].copy_from_slice(value);
    }
}
