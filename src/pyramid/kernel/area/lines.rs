//! Means over windows that start two apart, which is the case where a level halves: along whole rows, many output
//! pixels in parallel.
//!
//! Additions for every pixel are in the same order as in [`Area`](super::Area), so results are bit-identical. Cases
//! with another formula there, such as sums beyond the range of doubles, are left to it.

use std::ops::Range;

use crate::plan::window::Window;

use super::super::blocks::Halves;
use super::super::convolution::load;
use super::super::real::{Place, Real};
use super::super::rows::Rows;
use super::super::{Kernel, Piece};

/// Columns whose windows have the same width and start two apart.
pub(super) struct Columns {
    pub(super) range: Range<usize>,
    /// The first source pixel of the first column.
    pub(super) start: usize,
    /// Window width in pixels: 2 or 3.
    pub(super) window: usize,
    first_weights: Vec<f64>,
    last_weights: Vec<f64>,
    /// Total weights of the windows.
    totals: Vec<f64>,
}

impl Columns {
    /// Finds the longest run of such columns, if it is most of a row.
    pub(super) fn find(windows: &[Window]) -> Option<Self> {
        // The outermost windows may be clipped.
        let first = windows.len().min(2) - 1;
        let (start, window) = (windows.get(first)?.start, windows[first].len());
        if !matches!(window, 2 | 3) {
            return None;
        }
        let regular = |(at, window_at): (u32, &Window)| window_at.start == at && window_at.len() == window;
        let count = (start..).step_by(2).zip(&windows[first..]).take_while(|&pair| regular(pair)).count();
        let from = if first == 1 && start >= 2 && regular((start - 2, &windows[0])) { 0 } else { first };
        let range = from..first + count;
        let inside = &windows[range.clone()];
        (2 * inside.len() >= windows.len()).then(|| Self {
            start: inside[0].start as usize,
            window,
            first_weights: inside.iter().map(|window| window.first_weight).collect(),
            last_weights: inside.iter().map(|window| window.last_weight).collect(),
            totals: inside.iter().map(Window::total_weight).collect(),
            range,
        })
    }
}

/// The sums along one source row.
#[derive(Default)]
struct Line {
    /// The row, and the factor applied to its values.
    of: Option<(u32, u64)>,
    sums: Vec<f64>,
    /// The weights of the valid pixels, if some may be invalid.
    weights: Vec<f64>,
}

/// The sums of the windows of a row; the same code for all types.
struct Sums {
    columns: Columns,
    /// True if pixels may be invalid for a reason other than NaN.
    gaps: bool,
    pixels: Vec<f64>,
    halves: Halves,
    /// Windows overlap by at most one row, and have at most three rows.
    lines: [Line; 3],
    totals: Vec<f64>,
    weights: Vec<f64>,
}

impl Sums {
    /// Sums `pixels`, or their squares, along source row `row`.
    fn along(&mut self, row: u32, rms: bool, has_nan: bool) {
        let line = &mut self.lines[row as usize % 3];
        if rms {
            self.pixels.iter_mut().for_each(|value| *value *= *value);
        }
        self.halves.set(&self.pixels);
        let count = self.columns.range.len();
        let [first, second] = self.halves.from(self.columns.start);
        let weights = self.columns.first_weights.iter().zip(&self.columns.last_weights);
        line.sums.resize(count, 0.0);
        if self.gaps {
            line.weights.resize(count, 0.0);
        }
        // Use zeros for invalid pixels, without a branch, so that several columns can be computed at once.
        let there = |value: f64, weight: f64| {
            let bits = u64::from(!value.is_nan()).wrapping_neg();
            (f64::from_bits((value * weight).to_bits() & bits), f64::from_bits(weight.to_bits() & bits))
        };
        let gaps = self.gaps && has_nan;
        if self.gaps && !has_nan {
            line.weights.copy_from_slice(&self.columns.totals);
        }
        if self.columns.window == 3 {
            let pixels = first.iter().zip(second).zip(&first[1..]);
            if gaps {
                let sums = line.sums.iter_mut().zip(&mut line.weights);
                for (((sum, weight), (before, after)), ((&a, &b), &c)) in sums.zip(weights).zip(pixels) {
                    let (a, b, c) = (there(a, *before), there(b, 1.0), there(c, *after));
                    *sum = 0.0 + a.0 + b.0 + c.0;
                    *weight = a.1 + b.1 + c.1;
                }
            } else {
                for ((sum, (before, after)), ((a, b), c)) in line.sums.iter_mut().zip(weights).zip(pixels) {
                    *sum = a * before + b + c * after;
                }
            }
        } else {
            let pixels = first.iter().zip(second);
            if gaps {
                let sums = line.sums.iter_mut().zip(&mut line.weights);
                for (((sum, weight), (before, after)), (&a, &b)) in sums.zip(weights).zip(pixels) {
                    let (a, b) = (there(a, *before), there(b, *after));
                    *sum = 0.0 + a.0 + b.0;
                    *weight = a.1 + b.1;
                }
            } else {
                for ((sum, (before, after)), (a, b)) in line.sums.iter_mut().zip(weights).zip(pixels) {
                    *sum = a * before + b * after;
                }
            }
        }
    }

    /// Sums down the columns.
    fn down(&mut self, rows: &Window) {
        self.totals.fill(0.0);
        self.weights.fill(0.0);
        for (index, row) in (rows.start..rows.end).enumerate() {
            let (line, weight) = (&self.lines[row as usize % 3], rows.weight(index));
            self.totals.iter_mut().zip(&line.sums).for_each(|(total, sum)| *total += sum * weight);
            if self.gaps {
                self.weights.iter_mut().zip(&line.weights).for_each(|(total, sum)| *total += sum * weight);
            }
        }
        if !self.gaps {
            let weight = rows.total_weight();
            self.weights.iter_mut().zip(&self.columns.totals).for_each(|(total, columns)| *total = columns * weight);
        }
    }
}

/// Means of one band, row by row.
pub(super) struct Lines<'a, T> {
    kernel: &'a Kernel,
    source: &'a Rows<'a, T>,
    place: Place<T>,
    rms: bool,
    sample: usize,
    sums: Sums,
    /// The unmodified pixels, if none may be invalid.
    plain: Halves<T>,
    means: Vec<T>,
}

impl<'a, T: Real + PartialOrd> Lines<'a, T> {
    /// Creates the state; `None` if the method or the windows do not fit.
    pub(super) fn new(
        kernel: &'a Kernel,
        source: &'a Rows<'a, T>,
        place: Place<T>,
        rms: bool,
        sample: usize,
    ) -> Option<Self> {
        // Root mean squares without gaps divide values by the largest one of each window.
        if T::WIDE || (rms && T::SCALED && !source.has_gaps()) {
            return None;
        }
        let columns = Columns::find(&kernel.covered)?;
        let count = columns.range.len();
        Some(Self {
            kernel,
            source,
            place,
            rms,
            sample,
            sums: Sums {
                columns,
                gaps: source.has_gaps(),
                pixels: vec![0.0; source.width],
                halves: Halves::default(),
                lines: Default::default(),
                totals: vec![0.0; count],
                weights: vec![0.0; count],
            },
            plain: Halves::default(),
            means: vec![T::ZERO; count],
        })
    }

    /// Fills as much of a row as it can; calls `other` for the other columns.
    pub(super) fn row(&mut self, row: u32, target: &mut [T], mut other: impl FnMut(usize, &mut T)) {
        let samples = self.source.samples;
        let rows = self.kernel.rows.covered(row);
        if rows.len() > self.sums.lines.len() {
            return (0..self.kernel.width)
                .for_each(|column| other(column, &mut target[column * samples + self.sample]));
        }
        let range = self.sums.columns.range.clone();
        let inside = &mut target[range.start * samples..range.end * samples];
        if self.source.has_gaps() || self.rms {
            self.inside(&rows, inside, &mut other);
        } else {
            self.inside_of_all(&rows, inside, &mut other);
        }
        for column in (0..range.start).chain(range.end..self.kernel.width) {
            other(column, &mut target[column * samples + self.sample]);
        }
    }

    /// Fills the columns of the run if pixels may be invalid, or with root mean squares.
    fn inside(&mut self, rows: &Window, inside: &mut [T], other: &mut impl FnMut(usize, &mut T)) {
        let samples = self.source.samples;
        let gaps = self.source.has_gaps();
        for source_row in rows.start..rows.end {
            self.along(source_row);
        }
        self.sums.down(rows);
        let first = self.sums.columns.range.start;
        let (place, rms) = (self.place, self.rms);
        let value = |total: f64, weight: f64| {
            place.value(if rms { T::from_squares(total, weight) } else { T::from_mean(total / weight) })
        };
        let sums = self.sums.totals.iter().zip(&self.sums.weights);
        if samples == 1 {
            sums.zip(&mut *inside).for_each(|((&total, &weight), target)| *target = value(total, weight));
        } else {
            let targets = inside.chunks_exact_mut(samples).map(|pixel| &mut pixel[self.sample]);
            sums.zip(targets).for_each(|((&total, &weight), target)| *target = value(total, weight));
        }
        // No valid pixels, or a sum beyond the range of doubles.
        let odd = |total: f64, weight: f64| !(total.is_finite() & (weight > 0.0));
        let sums = || self.sums.totals.iter().zip(&self.sums.weights);
        if sums().fold(false, |any, (&total, &weight)| any | odd(total, weight)) {
            let empty = self.source.void.map(|void| void.value()).or(if T::MAY_BE_NAN { None } else { Some(T::ZERO) });
            for ((index, (&total, &weight)), target) in sums().enumerate().zip(inside.chunks_exact_mut(samples)) {
                match empty {
                    _ if !odd(total, weight) => {}
                    Some(empty) if gaps && weight <= 0.0 => target[self.sample] = empty,
                    _ => other(first + index, &mut target[self.sample]),
                }
            }
        }
    }

    /// Fills them with means if all pixels count except NaN.
    fn inside_of_all(&mut self, rows: &Window, inside: &mut [T], other: &mut impl FnMut(usize, &mut T)) {
        let samples = self.source.samples;
        // A number of pixels, at most nine.
        let count = f64::from(u8::try_from(rows.len() * self.sums.columns.window).unwrap_or(u8::MAX));
        let factor = if T::SCALED { 1.0 / count } else { 1.0 };
        for source_row in rows.start..rows.end {
            self.along_all(source_row, factor);
        }
        // A window of fewer than three rows repeats its last row with weight zero.
        let weights = [0, 1, 2].map(|index| if index < rows.len() { rows.weight(index) } else { 0.0 });
        let [a, b, c] = [0, 1, 2].map(|index| {
            let row = (rows.start + index).min(rows.end - 1);
            &self.sums.lines[row as usize % 3].sums
        });
        let total = |a: &f64, b: &f64, c: &f64| 0.0 + a * weights[0] + b * weights[1] + c * weights[2];
        let row_weight = rows.total_weight();
        let mut unusual = 0;
        for ((mean, columns), ((a, b), c)) in
            self.means.iter_mut().zip(&self.sums.columns.totals).zip(a.iter().zip(b).zip(c))
        {
            let total = total(a, b, c);
            let quotient = total / (columns * row_weight);
            *mean = T::from_mean(if T::SCALED { count * quotient } else { quotient });
            unusual |= u64::from(!total.is_finite());
        }
        // If every pixel is valid, there is no nodata to avoid.
        let place = Place { void: None, ..self.place };
        if samples == 1 {
            inside.iter_mut().zip(&self.means).for_each(|(target, mean)| *target = place.value(*mean));
        } else {
            let targets = inside.iter_mut().skip(self.sample).step_by(samples);
            targets.zip(&self.means).for_each(|(target, mean)| *target = place.value(*mean));
        }
        if unusual != 0 {
            // NaN among the pixels, infinities, or sums beyond the range of doubles.
            let targets = inside.iter_mut().skip(self.sample).step_by(samples);
            let totals = a.iter().zip(b).zip(c).map(|((a, b), c)| total(a, b, c));
            for ((column, target), total) in (self.sums.columns.range.start..).zip(targets).zip(totals) {
                if !total.is_finite() {
                    other(column, target);
                }
            }
        }
    }

    /// Sums values times a factor along a source row whose pixels all count.
    fn along_all(&mut self, row: u32, factor: f64) {
        let columns = &self.sums.columns;
        let line = &mut self.sums.lines[row as usize % 3];
        let of = Some((row, factor.to_bits()));
        if line.of == of {
            return;
        }
        line.of = of;
        let count = columns.range.len();
        self.plain.set_every(self.source.row(row), self.source.samples, self.sample);
        let [first, second] = self.plain.from(columns.start);
        let weights = columns.first_weights.iter().zip(&columns.last_weights);
        line.sums.resize(count, 0.0);
        let value = |pixel: &T| if T::SCALED { pixel.to_f64() * factor } else { pixel.to_f64() };
        let sums = line.sums.iter_mut().zip(weights);
        if columns.window == 3 {
            for ((sum, (before, after)), ((a, b), c)) in sums.zip(first.iter().zip(second).zip(&first[1..])) {
                *sum = value(a) * before + value(b) + value(c) * after;
            }
        } else {
            for ((sum, (before, after)), (a, b)) in sums.zip(first.iter().zip(second)) {
                *sum = value(a) * before + value(b) * after;
            }
        }
    }

    /// Sums values or their squares along a source row.
    fn along(&mut self, row: u32) {
        let line = &mut self.sums.lines[row as usize % 3];
        let of = Some((row, 1.0f64.to_bits()));
        if line.of == of {
            return;
        }
        line.of = of;
        let has_nan = load(self.source, row, self.sample, &mut self.sums.pixels);
        self.sums.along(row, self.rms, has_nan);
    }
}

/// Fills a piece band by band if columns and method allow it; returns whether it did.
pub(super) fn compute<T: Real + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    place: Place<T>,
    rms: bool,
    piece: &mut Piece<'_, T>,
    mut other: impl FnMut(u32, usize, usize) -> T,
) -> bool {
    let row_len = kernel.width * source.samples;
    for sample in piece.bands.clone() {
        let Some(mut lines) = Lines::new(kernel, source, place, rms, sample) else { return false };
        for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(row_len)) {
            lines.row(row, target, |column, target| *target = other(row, column, sample));
        }
    }
    true
}
