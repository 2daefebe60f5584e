use crate::layers::{Word, copy_rows};
use crate::{InputError, Number, Tensor};

/// The rows of a table that `x` names, whose errors call it `name`: an [`Embedding`] for tables of
/// any numbers. The shape of `Y` is that of `X` with that of a row after it.
///
/// [`Embedding`]: crate::Embedding
///
/// ```
/// let mut scratch = [0_i64; 2];
/// let y: &[[i64; 2]] = tf_layers::ops::look_up("x", &[[2, 0]], &[[7_i64, 8, 9]], &mut scratch)?;
/// assert_eq!(y, [[9, 7]]);
/// # Ok::<(), tf_layers::InputError>(())
/// ```
///
/// # Panics
/// If `y` is too short, or `table` is no batch of one.
pub fn look_up<'y, N, X, R, Y, const ROWS: usize>(
    name: &'static str,
    x: &[X],
    table: &[[R; ROWS]],
    y: &'y mut [N],
) -> Result<&'y mut [Y], InputError>
where
    N: Number,
    X: Tensor<Number: Word>,
    R: Tensor<Number = N>,
    Y: Tensor<Number = N>,
{
    const { assert!(Y::LEN == X::LEN * R::LEN, "the shape of y") };
    let y = &mut y[..x.len() * Y::LEN];
    let rows = <[R; ROWS]>::flat(table);
    assert_eq!(rows.len(), ROWS * R::LEN, "a table is a batch of one");
    copy_rows(name, x, rows, R::LEN, 0..ROWS as i64, y)?;
    Ok(Y::batch_mut(y))
}
