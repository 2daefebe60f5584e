use crate::layers::Word;
use crate::{InputError, Number, Tensor};

/// How often each number from 0 is there in a sample: `Y` counts as many numbers as it has room
/// for. Errors call the input `name`: a number below 0 is one.
///
/// ```
/// let mut scratch = [0; 3];
/// let y: &mut [[i64; 3]] = tf_layers::ops::bincount("x", &[[2, 0, 2, 5]], &mut scratch)?;
/// assert_eq!(y, [[1, 0, 2]]);
/// # Ok::<(), tf_layers::InputError>(())
/// ```
pub fn bincount<'y, X, Y>(
    name: &'static str,
    x: &[X],
    y: &'y mut [Y::Number],
) -> Result<&'y mut [Y], InputError>
where
    X: Tensor<Number: Word>,
    Y: Tensor<Number: Count>,
{
    count(name, x, y, Count::next)
}

/// As [`bincount`], but 1 where a number is there at all.
pub fn multi_hot<'y, X, Y>(
    name: &'static str,
    x: &[X],
    y: &'y mut [Y::Number],
) -> Result<&'y mut [Y], InputError>
where
    X: Tensor<Number: Word>,
    Y: Tensor<Number: Count>,
{
    count(name, x, y, |_| Count::ONE)
}

fn count<'y, X, Y>(
    name: &'static str,
    x: &[X],
    y: &'y mut [Y::Number],
    next: impl Fn(Y::Number) -> Y::Number,
) -> Result<&'y mut [Y], InputError>
where
    X: Tensor<Number: Word>,
    Y: Tensor<Number: Count>,
{
    let y = &mut y[..x.len() * Y::LEN];
    y.fill(Y::Number::default());
    for (i, number) in X::flat(x).iter().enumerate() {
        let value: i64 = (*number).into();
        let Ok(place) = usize::try_from(value) else {
            return Err(InputError::index(name, i, X::LEN, value, 0..i64::MAX));
        };
        if let Some(y) = y[i / X::LEN * Y::LEN..][..Y::LEN].get_mut(place) {
            *y = next(*y);
        }
    }
    Ok(Y::batch_mut(y))
}

/// A type of numbers that count.
pub trait Count: Number {
    /// One.
    const ONE: Self;

    /// One more.
    fn next(self) -> Self;
}

macro_rules! counts {
    ($($number:ty: $one:literal),*) => {$(
        impl Count for $number {
            const ONE: Self = $one;

            fn next(self) -> Self {
                self + $one
            }
        }
    )*};
}

counts!(f32: 1.0, f64: 1.0, i32: 1, i64: 1);
