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

/// The numbers that a table has for integers; `unknown` for those that it does not have. A row of
/// the table is a key and its number, and the keys ascend.
///
/// ```
/// let mut scratch = [0; 3];
/// let table = [[[3, 0], [5, 1], [9, 2]]];
/// let y: &mut [[i64; 3]] =
///     tf_layers::ops::look_up_integers(&[[9_i64, 4, 3]], &table, -1, &mut scratch);
/// assert_eq!(y, [[2, -1, 0]]);
/// ```
///
/// # Panics
/// If `y` is too short.
pub fn look_up_integers<'y, X, Y, const KEYS: usize>(
    x: &[X],
    table: &[[[i64; 2]; KEYS]],
    unknown: i64,
    y: &'y mut [i64],
) -> &'y mut [Y]
where
    X: Tensor<Number: Word>,
    Y: Tensor<Number = i64>,
{
    let rows = table.as_flattened();
    super::map(x, y, |x| {
        let place = rows.binary_search_by_key(&x.into(), |[key, _]| *key);
        place.map_or(unknown, |place| rows[place][1])
    })
}

/// As [`look_up_integers`], of integers that all have to be in the table. Errors call them `name`.
///
/// ```
/// let mut scratch = [0; 2];
/// let table = [[[3, 0], [5, 1], [9, 2]]];
/// let y: Result<&mut [[i64; 2]], _> =
///     tf_layers::ops::look_up_known_integers("x", &[[9_i64, 4]], &table, &mut scratch);
/// assert_eq!(
///     y.unwrap_err().to_string(),
///     "`x` of sample 0 holds \"4\" at position 1, which is not known"
/// );
/// ```
///
/// # Panics
/// If `y` is too short.
pub fn look_up_known_integers<'y, X, Y, const KEYS: usize>(
    name: &'static str,
    x: &[X],
    table: &[[[i64; 2]; KEYS]],
    y: &'y mut [i64],
) -> Result<&'y mut [Y], InputError>
where
    X: Tensor<Number: Word>,
    Y: Tensor<Number = i64>,
{
    const { assert!(Y::LEN == X::LEN, "the shape of y") };
    let rows = table.as_flattened();
    let y = &mut y[..x.len() * X::LEN];
    for (i, (x, y)) in X::flat(x).iter().zip(&mut *y).enumerate() {
        let key: i64 = (*x).into();
        let place = rows
            .binary_search_by_key(&key, |[key, _]| *key)
            .map_err(|_| InputError::unknown(name, i, X::LEN, key.to_string()))?;
        *y = rows[place][1];
    }
    Ok(Y::batch_mut(y))
}
