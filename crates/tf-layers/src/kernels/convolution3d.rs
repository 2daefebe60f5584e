//! Convolution of volumes: the sum of the convolutions of their planes with those of the window. A plane
//! of the output begins with the bias, and each plane of the window is added to it in turn.

use std::ops::Range;

use fearless_simd::Level;

use super::axis::Axis;
use super::convolution::Convolution;
use super::panels::{LANES, Row};
use crate::Activation;
use crate::activation::LINEAR;

/// The fewest voxels of planes that are computed together, as long as there are planes.
const TOGETHER: usize = 256;

/// A convolution of volumes, channels last: the axis of the depth, and the convolution of a plane of
/// the input with one of the window.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Convolution3D {
    pub(crate) depth: Axis,
    pub(crate) plane: Convolution,
}

impl Convolution3D {
    /// Convolves every volume of the batch `x`.
    ///
    /// `panels` holds the planes of the window one after the other, each as [`Convolution::apply`]
    /// reads them: the bias is in the first, and 0 in all others.
    pub(crate) fn apply(
        &self,
        level: Level,
        x: &[f32],
        panels: &[Row],
        activation: Activation,
        y: &mut [f32],
    ) {
        let Self { depth, plane } = self;
        let [rows, columns] = plane.axes;
        let [from, to] = [
            rows.steps * columns.steps * plane.channels,
            rows.steps_out * columns.steps_out * plane.filters,
        ];
        let voxels = rows.steps_out * columns.steps_out;
        // The planes of the input that a plane of the window sees are neighbours without strides.
        let together = if depth.stride == 1 { TOGETHER.div_ceil(voxels) } else { 1 };
        let volumes = x.chunks_exact(depth.steps * from);
        for (volume, y) in volumes.zip(y.chunks_exact_mut(depth.steps_out * to)) {
            for (block, y) in y.chunks_mut(together * to).enumerate() {
                let first = block * together;
                let planes = first..first + y.len() / to;
                for (plane, y) in planes.clone().zip(y.chunks_exact_mut(to)) {
                    if !depth.taps(plane).contains(&0) {
                        self.write_bias(panels, y);
                    }
                }
                for (k, panels) in panels.chunks_exact(panels.len() / depth.size).enumerate() {
                    let seen = self.seen(planes.clone(), k);
                    if !seen.is_empty() {
                        let x = &volume[depth.step(seen.start, k) * from..][..seen.len() * from];
                        let y = &mut y[(seen.start - first) * to..][..seen.len() * to];
                        let plane = Convolution { adds: k > 0, ..*plane };
                        plane.apply(level, x, panels, LINEAR, y);
                    }
                }
                activation.apply(y);
            }
        }
    }

    /// Which of these planes of the output see the input under plane `k` of the window.
    fn seen(&self, planes: Range<usize>, k: usize) -> Range<usize> {
        let sees = |plane: &usize| self.depth.taps(*plane).contains(&k);
        let begin = planes.clone().find(sees).unwrap_or(planes.end);
        begin..(begin..planes.end).find(|plane| !sees(plane)).unwrap_or(planes.end)
    }

    /// Fills a plane of the output with the bias.
    fn write_bias(&self, panels: &[Row], y: &mut [f32]) {
        let Convolution { groups, filters, .. } = self.plane;
        let of_group = filters / groups;
        let height = panels.len() / self.depth.size / groups / of_group.div_ceil(LANES);
        let panels_of_groups = panels.chunks_exact(of_group.div_ceil(LANES) * height);
        for y in y.chunks_exact_mut(filters) {
            for (y, panels) in y.chunks_exact_mut(of_group).zip(panels_of_groups.clone()) {
                for (y, panel) in y.chunks_mut(LANES).zip(panels.chunks_exact(height)) {
                    y.copy_from_slice(&panel[0].0[..y.len()]);
                }
            }
        }
    }
}
