use crate::layers::Word;
use crate::{InputError, Tensor};

/// The steps of an axis of `x` that `indices` names, others for every sample. Errors call the
/// indices `name`.
///
/// The sizes are those in a sample: how many groups have indices of their own, the blocks of each
/// group, the steps of a block, and the numbers of a step.
///
/// ```
/// use tf_layers::ops;
///
/// let x = [[[1.0_f32, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]];
/// let mut scratch = [0.0; 4];
/// let y: &[[[f32; 2]; 1]] =
///     ops::gather_along("order", &x, &[[1_i32], [0]], [1, 1, 2, 2], &mut scratch)?;
/// assert_eq!(y, [[[3.0, 4.0]], [[5.0, 6.0]]]);
/// # Ok::<(), tf_layers::InputError>(())
/// ```
///
/// # Panics
/// If `y` is too short, or the sizes don't fit.
pub fn gather_along<'y, X, I, Y>(
    name: &'static str,
    x: &[X],
    indices: &[I],
    [groups, blocks, steps, size]: [usize; 4],
    y: &'y mut [X::Number],
) -> Result<&'y mut [Y], InputError>
where
    X: Tensor,
    I: Tensor<Number: Word>,
    Y: Tensor<Number = X::Number>,
{
    assert!(X::LEN > 0 && I::LEN > 0, "numbers to choose, and to choose from");
    assert_eq!(X::LEN, groups * blocks * steps * size, "the numbers of x");
    assert_eq!(Y::LEN, blocks * I::LEN * size, "the numbers of y");
    assert_eq!(x.len(), indices.len(), "indices for every sample");
    let range = 0..steps as i64;
    for (i, index) in I::flat(indices).iter().enumerate() {
        let value: i64 = (*index).into();
        if !range.contains(&value) {
            return Err(InputError::index(name, i, I::LEN, value, range));
        }
    }
    let y = &mut Y::batch_mut(y)[..x.len()];
    let count = I::LEN / groups;
    let parts = X::flat(x).chunks_exact(X::LEN / groups).zip(I::flat(indices).chunks_exact(count));
    for ((part, indices), y) in parts.zip(Y::flat_mut(y).chunks_exact_mut(blocks * count * size)) {
        for (block, y) in part.chunks_exact(steps * size).zip(y.chunks_exact_mut(count * size)) {
            for (index, y) in indices.iter().zip(y.chunks_exact_mut(size)) {
                let step: i64 = (*index).into();
                y.copy_from_slice(&block[step as usize * size..][..size]);
            }
        }
    }
    Ok(y)
}
