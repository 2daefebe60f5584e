//! The pixels of a convolution that see the same places of its window, and where their inputs are.

use std::ops::Range;

use super::axis::Axis;
use super::convolution::Convolution;
use super::tile::{Place, Runs};

/// Weights of a filter in a part of the sums: more of them, for all filters of a tile, don't stay in
/// the level-2 cache.
pub(crate) const DEPTH: usize = 2048;

/// The pixels of all images, in one group, that see the same places of the window.
#[derive(Clone, Debug)]
pub(crate) struct Rectangle {
    convolution: Convolution,
    group: usize,
    row: Range<usize>,
    column: Range<usize>,
}

impl Rectangle {
    /// The rectangles of a group, which together are all of its pixels.
    pub(crate) fn all(convolution: Convolution, group: usize) -> impl Iterator<Item = Self> {
        let [rows, columns] = convolution.axes;
        alike(rows).flat_map(move |row| {
            alike(columns).map(move |column| Self { convolution, group, row: row.clone(), column })
        })
    }

    /// Its pixels in an image.
    pub(crate) fn area(&self) -> usize {
        self.row.len() * self.column.len()
    }

    /// Where the inputs and outputs of pixel `begin` and the next ones are; the pixels of an image are
    /// followed by those of the next.
    pub(crate) fn places(&self, begin: usize, places: &mut [Place]) {
        let Convolution { axes: [rows, columns], channels, filters, groups, .. } = self.convolution;
        let [wide, high] = [self.column.len(), self.row.len()];
        let first = |axis: Axis, out: usize| {
            let taps = axis.taps(out);
            if taps.is_empty() { 0 } else { axis.step(out, taps.start) }
        };
        let x_first = (first(rows, self.row.start) * columns.steps
            + first(columns, self.column.start))
            * channels
            + self.group * (channels / groups);
        let y_first = (self.row.start * columns.steps_out + self.column.start) * filters
            + self.group * (filters / groups);
        let (mut image, rest) = (begin / (wide * high), begin % (wide * high));
        let (mut down, mut across) = (rest / wide, rest % wide);
        let mut left = places;
        while !left.is_empty() {
            let x = x_first
                + ((image * rows.steps + down * rows.stride) * columns.steps
                    + across * columns.stride)
                    * channels;
            let y =
                y_first + ((image * rows.steps_out + down) * columns.steps_out + across) * filters;
            let (line, others) = left.split_at_mut(left.len().min(wide - across));
            for (i, place) in line.iter_mut().enumerate() {
                *place = Place { x: x + i * columns.stride * channels, y: y + i * filters };
            }
            left = others;
            (across, down) = (0, down + 1);
            if down == high {
                (down, image) = (0, image + 1);
            }
        }
    }

    /// How the sums of a pixel are cut into parts.
    pub(crate) fn parts(&self) -> Parts {
        let Convolution { axes: [rows, columns], channels, .. } = self.convolution;
        let inputs = self.convolution.inputs();
        let (row_taps, column_taps) = (rows.taps(self.row.start), columns.taps(self.column.start));
        // Where the window is all over padding, there are no products.
        let height = if column_taps.is_empty() { 0 } else { row_taps.len() };
        // Neighbouring columns of the window that are neighbours in the image too are one run.
        let (width, run) = if columns.dilation == 1 && inputs == channels {
            (1, column_taps.len() * inputs)
        } else {
            (column_taps.len(), inputs)
        };
        Parts {
            x_steps: [rows.dilation * columns.steps * channels, columns.dilation * channels],
            weight_steps: [columns.size * inputs, inputs],
            first: (row_taps.start * columns.size + column_taps.start) * inputs,
            ..Parts::cut([height, width], run)
        }
    }
}

/// The ranges of steps whose windows have the same places over the input.
fn alike(axis: Axis) -> impl Iterator<Item = Range<usize>> {
    let mut begin = 0;
    std::iter::from_fn(move || {
        let taps = (begin < axis.steps_out).then(|| axis.taps(begin))?;
        let end = if taps.len() == axis.size {
            axis.last_whole() + 1
        } else {
            let other = (begin + 1..axis.steps_out).find(|&out| axis.taps(out) != taps);
            other.unwrap_or(axis.steps_out)
        };
        let range = begin..end;
        begin = range.end;
        Some(range)
    })
}

/// The parts into which the sums of a pixel are cut: the whole window, each of its rows, or shorter
/// runs.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Parts {
    /// Parts by row of the window, by column, and by cuts of a run.
    counts: [usize; 3],
    /// The runs of a part, in rows and columns of the window.
    runs: [usize; 2],
    /// The length of a run of a part, and of a whole run.
    len: usize,
    run: usize,
    /// How far rows and columns of the window are from each other in x, and in a panel.
    x_steps: [usize; 2],
    weight_steps: [usize; 2],
    /// The row of a panel of the first product, counted without the bias.
    first: usize,
}

impl Parts {
    /// Those of a pixel that sees itself alone.
    pub(crate) fn of_row(len: usize) -> Self {
        Self::cut([1, 1], len)
    }

    /// So many rows and columns of runs, cut where they are too long.
    fn cut([height, width]: [usize; 2], run: usize) -> Self {
        let (counts, runs, len) = if height * width * run <= DEPTH {
            ([1, 1, 1], [height, width], run)
        } else if width * run <= DEPTH {
            ([height, 1, 1], [1, width], run)
        } else {
            let cuts = run.div_ceil(DEPTH);
            ([height, width, cuts], [1, 1], run.div_ceil(cuts))
        };
        Self { counts, runs, len, run, ..Self::default() }
    }

    pub(crate) fn count(&self) -> usize {
        self.counts.iter().product()
    }

    pub(crate) fn part(&self, part: usize) -> Runs {
        let [_, columns, cuts] = self.counts;
        let at = [part / cuts / columns, part / cuts % columns];
        let begin = part % cuts * self.len;
        let offset = |steps: [usize; 2]| at[0] * steps[0] + at[1] * steps[1] + begin;
        Runs {
            counts: self.runs,
            x_steps: self.x_steps,
            weight_steps: self.weight_steps,
            x_begin: offset(self.x_steps),
            begin: self.first + offset(self.weight_steps),
            len: self.len.min(self.run - begin),
        }
    }
}
