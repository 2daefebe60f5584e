//! y = f(x₁, x₂, …) element by element, over tensors broadcast to the shape of y.

use fearless_simd::Level;

use super::dispatch::wide;
use super::panels::LANES;
use super::strided::Walk;

/// What one tensor brings to an innermost loop.
#[derive(Clone, Copy)]
enum Run<'a, T> {
    /// A number for each step.
    Each(&'a [T]),
    /// The same number at all of them.
    Same(T),
}

impl<'a, T: Copy + Default> Run<'a, T> {
    /// The run of `x` that begins at `at`.
    fn new(x: &'a [T], at: usize, len: usize, step: isize) -> Self {
        if step == 0 { Self::Same(x[at]) } else { Self::Each(&x[at..at + len]) }
    }

    /// The numbers from `begin` on, `count` of them, and whatever after them.
    #[inline(always)]
    fn load(&self, begin: usize, count: usize) -> [T; LANES] {
        match self {
            Self::Same(number) => [*number; LANES],
            Self::Each(numbers) => {
                let numbers = &numbers[begin..begin + count];
                numbers.first_chunk().copied().unwrap_or_else(|| {
                    let mut lanes = [T::default(); LANES];
                    lanes[..count].copy_from_slice(numbers);
                    lanes
                })
            }
        }
    }
}

/// Defines `$map`, which writes a new tensor, and `$map_mut`, which writes over the first input.
///
/// `walk` goes over all `$count` inputs, broadcast to y. Where all of them move with y, that is
/// one loop; elsewhere 16 numbers at a time, so that one body serves every way to broadcast.
macro_rules! maps {
    ($map:ident $map_mut:ident $count:literal: $x1:ident $X1:ident 0 $($x:ident $X:ident $i:tt)*) => {
        pub(crate) fn $map<$X1: Copy + Default, $($X: Copy + Default,)* Y>(
            $x1: &[$X1],
            $($x: &[$X],)*
            walk: &Walk<$count>,
            y: &mut [Y],
            f: impl Fn($X1, $($X),*) -> Y,
        ) {
            let f = &f;
            wide(Level::new(), #[inline(always)] || {
            let (len, steps) = walk.run();
            for (y, at) in y.chunks_exact_mut(len.max(1)).zip(walk.starts()) {
                let $x1 = Run::new($x1, at[0], len, steps[0]);
                $(let $x = Run::new($x, at[$i], len, steps[$i]);)*
                if let (Run::Each($x1), $(Run::Each($x)),*) = ($x1, $($x),*) {
                    let $x1 = &$x1[..y.len()];
                    $(let $x = &$x[..y.len()];)*
                    for (i, y) in y.iter_mut().enumerate() {
                        *y = f($x1[i], $($x[i]),*);
                    }
                    continue;
                }
                for (block, y) in y.chunks_mut(LANES).enumerate() {
                    let $x1 = $x1.load(block * LANES, y.len());
                    $(let $x = $x.load(block * LANES, y.len());)*
                    each(y, |i, y| *y = f($x1[i], $($x[i]),*));
                }
            }
            });
        }

        pub(crate) fn $map_mut<$X1: Copy, $($X: Copy + Default),*>(
            y: &mut [$X1],
            $($x: &[$X],)*
            walk: &Walk<$count>,
            f: impl Fn($X1, $($X),*) -> $X1,
        ) {
            let f = &f;
            wide(Level::new(), #[inline(always)] || {
            let (len, steps) = walk.run();
            for (y, at) in y.chunks_exact_mut(len.max(1)).zip(walk.starts()) {
                $(let $x = Run::new($x, at[$i], len, steps[$i]);)*
                if let ($(Run::Each($x),)*) = ($($x,)*) {
                    $(let $x = &$x[..y.len()];)*
                    for (i, y) in y.iter_mut().enumerate() {
                        *y = f(*y, $($x[i]),*);
                    }
                    continue;
                }
                for (block, y) in y.chunks_mut(LANES).enumerate() {
                    $(let $x = $x.load(block * LANES, y.len());)*
                    each(y, |i, y| *y = f(*y, $($x[i]),*));
                }
            }
            });
        }
    };
}

maps!(map2 map2_mut 2: x1 X1 0 x2 X2 1);
maps!(map3 map3_mut 3: x1 X1 0 x2 X2 1 x3 X3 2);
maps!(map4 map4_mut 4: x1 X1 0 x2 X2 1 x3 X3 2 x4 X4 3);

/// Calls `f` for each number of a block; for most, 16 is a length that the compiler knows.
#[inline(always)]
fn each<Y>(y: &mut [Y], f: impl Fn(usize, &mut Y)) {
    match y.first_chunk_mut::<LANES>() {
        Some(y) => y.iter_mut().enumerate().for_each(|(i, y)| f(i, y)),
        None => y.iter_mut().enumerate().for_each(|(i, y)| f(i, y)),
    }
}

/// y = f(x), of a tensor broadcast to y.
pub(crate) fn map<X: Copy, Y>(x: &[X], walk: &Walk<1>, y: &mut [Y], f: impl Fn(X) -> Y) {
    wide(
        Level::new(),
        #[inline(always)]
        || {
            let (len, [step]) = walk.run();
            for (y, [at]) in y.chunks_exact_mut(len.max(1)).zip(walk.starts()) {
                match step {
                    0 => y.fill_with(|| f(x[at])),
                    _ => y.iter_mut().zip(&x[at..at + len]).for_each(|(y, x)| *y = f(*x)),
                }
            }
        },
    );
}

/// As [`map`], over x.
pub(crate) fn map_mut<X: Copy>(x: &mut [X], f: impl Fn(X) -> X) {
    wide(
        Level::new(),
        #[inline(always)]
        || {
            for x in x {
                *x = f(*x);
            }
        },
    );
}

/// y = y·scale + shift, in rows as long as those two.
pub(crate) fn scale_and_shift(y: &mut [f32], scale: &[f32], shift: &[f32]) {
    wide(
        Level::new(),
        #[inline(always)]
        || {
            for y in y.chunks_exact_mut(scale.len()) {
                for ((y, scale), shift) in y.iter_mut().zip(scale).zip(shift) {
                    *y = *y * scale + shift;
                }
            }
        },
    );
}
