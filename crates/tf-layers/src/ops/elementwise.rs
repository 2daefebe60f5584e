//! y = f(x₁, x₂, …) element by element, broadcasting as numpy does.

use crate::kernels::elementwise;
use crate::kernels::strided::broadcast;
use crate::{Activation, Tensor};

use super::samples;

/// `f` of every number of `x`, which is broadcast to the shape of `Y`.
pub fn map<'y, X: Tensor, Y: Tensor>(
    x: &[X],
    y: &'y mut [Y::Number],
    f: impl Fn(X::Number) -> Y::Number,
) -> &'y mut [Y] {
    let y = &mut Y::batch_mut(y)[..x.len()];
    let walk = broadcast(x.len(), Y::SHAPE.dims(), [(x.len(), X::SHAPE.dims())]);
    elementwise::map(X::flat(x), &walk, Y::flat_mut(y), f);
    y
}

/// Replaces every number of `x` by `f` of it.
pub fn map_mut<X: Tensor>(x: &mut [X], f: impl Fn(X::Number) -> X::Number) -> &mut [X] {
    elementwise::map_mut(X::flat_mut(x), f);
    x
}

/// Defines `$map`, which writes a new batch, and `$map_mut`, which works in place.
macro_rules! maps {
    ($map:ident $map_mut:ident $inputs:literal: $x1:ident $X1:ident $($x:ident $X:ident)*) => {
        #[doc = concat!("`f` of the numbers of ", $inputs, " batches, broadcast to the shape of `Y`.")]
        pub fn $map<'y, $X1: Tensor, $($X: Tensor,)* Y: Tensor>(
            $x1: &[$X1],
            $($x: &[$X],)*
            y: &'y mut [Y::Number],
            f: impl Fn($X1::Number, $($X::Number),*) -> Y::Number,
        ) -> &'y mut [Y] {
            let samples = samples([$x1.len(), $($x.len()),*]);
            let y = &mut Y::batch_mut(y)[..samples];
            let inputs = [($x1.len(), $X1::SHAPE.dims()), $(($x.len(), $X::SHAPE.dims())),*];
            let walk = broadcast(samples, Y::SHAPE.dims(), inputs);
            elementwise::$map($X1::flat($x1), $($X::flat($x),)* &walk, Y::flat_mut(y), f);
            y
        }

        #[doc = concat!("Replaces every number of the first of ", $inputs, " batches by `f` of all,")]
        /// where the others are broadcast to it.
        pub fn $map_mut<'x, $X1: Tensor, $($X: Tensor),*>(
            $x1: &'x mut [$X1],
            $($x: &[$X],)*
            f: impl Fn($X1::Number, $($X::Number),*) -> $X1::Number,
        ) -> &'x mut [$X1] {
            let (samples, shape) = ($x1.len(), $X1::SHAPE);
            let inputs = [(samples, shape.dims()), $(($x.len(), $X::SHAPE.dims())),*];
            let walk = broadcast(samples, shape.dims(), inputs);
            elementwise::$map_mut($X1::flat_mut($x1), $($X::flat($x),)* &walk, f);
            $x1
        }
    };
}

maps!(map2 map2_mut "two": x1 X1 x2 X2);
maps!(map3 map3_mut "three": x1 X1 x2 X2 x3 X3);
maps!(map4 map4_mut "four": x1 X1 x2 X2 x3 X3 x4 X4);

/// The activation of every number of `x`.
pub fn activate<'y, X: Tensor<Number = f32>>(
    x: &[X],
    activation: Activation,
    y: &'y mut [f32],
) -> &'y mut [X] {
    let y = &mut X::batch_mut(y)[..x.len()];
    y.copy_from_slice(x);
    activate_mut(y, activation)
}

/// As [`activate`], in place.
pub fn activate_mut<X: Tensor<Number = f32>>(x: &mut [X], activation: Activation) -> &mut [X] {
    activation.apply(X::flat_mut(x));
    x
}
