use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use zerocopy::{FromBytes, Immutable, IntoBytes};

use crate::kernels::panels::{LANES, Row, numbers, numbers_mut};

/// Numbers for the layers to compute in. They begin with a cache line, so that no register of them
/// is in two.
///
/// ```
/// let mut buffer = tf_layers::Buffer::<f32>::zeros(3);
/// buffer[1] = 2.0;
/// assert_eq!(*buffer, [0.0, 2.0, 0.0]);
/// ```
#[derive(Clone)]
pub struct Buffer<N> {
    rows: Vec<Row>,
    len: usize,
    numbers: PhantomData<N>,
}

impl<N> Buffer<N> {
    /// So many zeros.
    pub fn zeros(len: usize) -> Self {
        let rows = vec![Row::ZERO; (len * size_of::<N>()).div_ceil(LANES * size_of::<f32>())];
        Self { rows, len, numbers: PhantomData }
    }
}

impl<N: FromBytes + Immutable> Deref for Buffer<N> {
    type Target = [N];

    fn deref(&self) -> &[N] {
        &numbers(&self.rows)[..self.len]
    }
}

impl<N: FromBytes + IntoBytes + Immutable> DerefMut for Buffer<N> {
    fn deref_mut(&mut self) -> &mut [N] {
        &mut numbers_mut(&mut self.rows)[..self.len]
    }
}

impl<N: FromBytes + Immutable + fmt::Debug> fmt::Debug for Buffer<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}
