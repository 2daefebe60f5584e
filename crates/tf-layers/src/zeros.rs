use std::alloc::{Layout, handle_alloc_error};

use zerocopy::FromZeros;

/// A batch of `count` zeros of any size: they are made where they stay, and not on the stack, as
/// those of `vec!` may be.
///
/// ```
/// type Image = [[[f32; 3]; 1024]; 1024];
/// let images: Vec<Image> = tf_layers::zeros(2);
/// assert_eq!(images[1][1023][1023], [0.0; 3]);
/// ```
///
/// # Panics
/// If there is not enough memory, as every `Vec` does.
pub fn zeros<T: FromZeros>(count: usize) -> Vec<T> {
    T::new_vec_zeroed(count).unwrap_or_else(|_| match Layout::array::<T>(count) {
        Ok(layout) => handle_alloc_error(layout),
        Err(_) => panic!("{count} values of {} bytes do not fit into memory", size_of::<T>()),
    })
}
