//! Pooling of volumes: the maximum or the mean of every channel under a window.

use super::axis::Axis;

/// The largest number under each window. NaN is skipped, as TensorFlow does on a CPU.
pub(crate) fn max(x: &[f32], axes: [Axis; 3], channels: usize, y: &mut [f32]) {
    y.fill(f32::NEG_INFINITY);
    pool(x, axes, channels, y, |y, voxels| {
        for x in voxels {
            y.iter_mut().zip(x).for_each(|(y, x)| *y = if x > y { *x } else { *y });
        }
    });
}

/// The mean of the numbers under each window, without the padding.
pub(crate) fn average(x: &[f32], axes: [Axis; 3], channels: usize, y: &mut [f32]) {
    y.fill(0.0);
    pool(x, axes, channels, y, |y, voxels| {
        let mut count = 0.0;
        for x in voxels {
            y.iter_mut().zip(x).for_each(|(y, x)| *y += x);
            count += 1.0;
        }
        y.iter_mut().for_each(|y| *y /= count);
    });
}

/// Calls `window` for each voxel of the output, with the voxels of the input that it sees.
fn pool(
    x: &[f32],
    axes: [Axis; 3],
    channels: usize,
    y: &mut [f32],
    window: impl Fn(&mut [f32], &mut dyn Iterator<Item = &[f32]>),
) {
    let [planes, rows, columns] = axes;
    let volumes = x.chunks_exact(planes.steps * rows.steps * columns.steps * channels);
    let size = planes.steps_out * rows.steps_out * columns.steps_out * channels;
    for (volume, y) in volumes.zip(y.chunks_exact_mut(size)) {
        for (voxel, y) in y.chunks_exact_mut(channels).enumerate() {
            let column = voxel % columns.steps_out;
            let row = voxel / columns.steps_out % rows.steps_out;
            let plane = voxel / columns.steps_out / rows.steps_out;
            let mut seen = planes.taps(plane).flat_map(|j| {
                rows.taps(row).flat_map(move |k| {
                    let line = planes.step(plane, j) * rows.steps + rows.step(row, k);
                    columns.taps(column).map(move |l| {
                        let voxel = line * columns.steps + columns.step(column, l);
                        &volume[voxel * channels..][..channels]
                    })
                })
            });
            window(y, &mut seen);
        }
    }
}
