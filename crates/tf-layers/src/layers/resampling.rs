use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout};

use crate::Tensor;
use crate::kernels::panels::{LANES, Row, numbers};
use crate::kernels::resampling;
use crate::ops::around;

/// An axis of other length: `STEPS` steps → `STEPS_OUT` steps, each a weighted sum of `TAPS`
/// neighbouring old ones. Images are resized by one for their rows and one for their columns.
///
/// `ROWS` is ceil(`STEPS_OUT` / 16) + ceil(`STEPS_OUT`·`TAPS` / 16): where the neighbours begin,
/// then their weights.
///
/// ```
/// # #[cfg(feature = "pack")] {
/// use tf_layers::Resampling;
/// use tf_layers::zerocopy::FromZeros;
///
/// let mut halves: Resampling<4, 2, 2, 2> = Resampling::new_zeroed();
/// halves.pack(&[0, 2], &[[0.5, 0.5]; 2]);
/// let mut scratch = [0.0; 2];
/// let y: &mut [[f32; 2]] = halves.apply(&[[1.0_f32, 3.0, 5.0, 9.0]], 1, &mut scratch);
/// assert_eq!(y, [[2.0, 7.0]]);
/// # }
/// ```
#[derive(Clone, Debug, FromBytes, IntoBytes, Immutable, KnownLayout)]
#[repr(transparent)]
pub struct Resampling<
    const STEPS: usize,
    const STEPS_OUT: usize,
    const TAPS: usize,
    const ROWS: usize,
>([Row; ROWS]);

impl<const STEPS: usize, const STEPS_OUT: usize, const TAPS: usize, const ROWS: usize>
    Resampling<STEPS, STEPS_OUT, TAPS, ROWS>
{
    const STARTS: usize = STEPS_OUT.div_ceil(LANES);
    const CHECKED: () = assert!(
        TAPS <= STEPS && ROWS == Self::STARTS + (STEPS_OUT * TAPS).div_ceil(LANES),
        "ROWS of Resampling"
    );

    /// `x` with other steps along `axis`, which is counted with the batch as axis 0.
    ///
    /// # Panics
    /// If `y` is too short, or the axis has another length than `STEPS` in `X` or `STEPS_OUT` in
    /// `Y`.
    pub fn apply<'y, X: Tensor<Number = f32>, Y: Tensor<Number = f32>>(
        &self,
        x: &[X],
        axis: usize,
        y: &'y mut [f32],
    ) -> &'y mut [Y] {
        const { Self::CHECKED };
        let [steps, inner] = around(&X::SHAPE, axis);
        assert_eq!([steps, X::LEN / STEPS], [STEPS, Y::LEN / STEPS_OUT], "the shapes of x and y");
        assert_eq!(around(&Y::SHAPE, axis), [STEPS_OUT, inner], "axis {axis} of y");
        let (starts, weights) = self.0.split_at(Self::STARTS);
        let starts = &numbers(starts)[..STEPS_OUT];
        let weights = &numbers(weights)[..STEPS_OUT * TAPS];
        let y = &mut Y::batch_mut(y)[..x.len()];
        resampling::apply(X::flat(x), [steps, inner], starts, weights, Y::flat_mut(y));
        y
    }

    /// Takes where the neighbours of each new step begin, and their weights.
    ///
    /// # Panics
    /// If there are no `TAPS` steps from there on.
    #[cfg(feature = "pack")]
    pub fn pack(&mut self, starts: &[i32; STEPS_OUT], weights: &[[f32; TAPS]; STEPS_OUT]) {
        use crate::kernels::panels::numbers_mut;

        const { Self::CHECKED };
        let last = (STEPS - TAPS) as i32;
        assert!(starts.iter().all(|start| (0..=last).contains(start)), "neighbours that are there");
        let (first, rest) = self.0.split_at_mut(Self::STARTS);
        numbers_mut(first)[..STEPS_OUT].copy_from_slice(starts);
        numbers_mut(rest)[..STEPS_OUT * TAPS].copy_from_slice(weights.as_flattened());
    }
}
