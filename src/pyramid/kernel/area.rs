//! Means over the footprint of an output pixel: average and root mean square.
//!
//! Follows GDAL `GDALResampleChunk_AverageOrRMS_T`: sums run along each row of the window first, then over the rows.

mod lines;
mod quick;
mod two;

use crate::plan::window::{Axis, Window};
use crate::sample::Value;

use super::real::{Place, Real};
use super::rows::{Fill, Rows};
use super::{Kernel, Piece};

impl Window {
    /// Returns the number of source pixels.
    pub(super) fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// Returns the source pixels.
    pub(super) fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// Returns the weight of the source pixel at `index`, counted from the start of the window.
    pub(super) fn weight(&self, index: usize) -> f64 {
        if index == 0 {
            self.first_weight
        } else if index + 1 == self.len() {
            self.last_weight
        } else {
            1.0
        }
    }

    /// Returns the weight of all source pixels, summed in GDAL's order.
    fn total_weight(&self) -> f64 {
        match self.end - self.start {
            1 => self.first_weight,
            length => self.first_weight + f64::from(length - 2) + self.last_weight,
        }
    }
}

/// The pixels of one band in the footprint of an output pixel.
pub(super) struct Area<'a, T> {
    kernel: &'a Kernel,
    source: &'a Rows<'a, T>,
    /// The output pixel.
    row: u32,
    column: u32,
    rows: Window,
    columns: Window,
    sample: usize,
}

impl<T: Value> Area<'_, T> {
    /// Calls `call` with every valid value, its row, and its column.
    pub(super) fn each_valid(&self, fill: &mut Fill<T>, mut call: impl FnMut(T, u32, u32)) {
        for row in self.rows.start..self.rows.end {
            for column in self.columns.start..self.columns.end {
                if let Some(value) = self.source.valid(row, column as usize, self.sample, fill) {
                    call(value, row, column);
                }
            }
        }
    }

    /// Returns the covered area of a pixel of the window, in whole units.
    pub(super) fn exact_weight(&self, row: u32, column: u32) -> i128 {
        let weight = |axis: &Axis, target, source| i128::from(axis.exact_weight(target, source));
        weight(&self.kernel.rows, self.row, row) * weight(&self.kernel.columns, self.column, column)
    }
}

/// The terms of a sum: values times a factor, or the squares of those.
#[derive(Clone, Copy)]
struct Terms {
    factor: f64,
    squares: bool,
}

impl Terms {
    fn of(self, value: f64) -> f64 {
        let value = value * self.factor;
        if self.squares { value * value } else { value }
    }
}

impl<T: Real> Area<'_, T> {
    fn pixels(&self) -> impl Iterator<Item = T> {
        let columns = self.columns.range();
        (self.rows.start..self.rows.end)
            .flat_map(move |row| columns.clone().map(move |column| (row, column)))
            .map(|(row, column)| self.source.row(row)[column * self.source.samples + self.sample])
    }

    /// Returns the weighted sum of all pixels, valid or not.
    fn sum(&self, terms: Terms) -> f64 {
        let (samples, columns) = (self.source.samples, self.columns.range());
        let mut total = 0.0;
        for (index, row) in (self.rows.start..self.rows.end).enumerate() {
            let line = self.source.row(row);
            let at = |column: usize| terms.of(line[column * samples + self.sample].to_f64());
            let mut along = at(columns.start) * self.columns.first_weight;
            if columns.len() > 1 {
                for column in columns.start + 1..columns.end - 1 {
                    along += at(column);
                }
                along += at(columns.end - 1) * self.columns.last_weight;
            }
            total += along * self.rows.weight(index);
        }
        total
    }

    /// Returns the weighted sum of the valid pixels, and their weight.
    fn sum_of_valid(&self, fill: &mut Fill<T>, terms: Terms) -> (f64, f64) {
        let (mut total, mut total_weight) = (0.0, 0.0);
        for (index, row) in (self.rows.start..self.rows.end).enumerate() {
            let (mut along, mut weight_along) = (0.0, 0.0);
            for (index, column) in self.columns.range().enumerate() {
                if let Some(value) = self.source.valid(row, column, self.sample, fill) {
                    let weight = self.columns.weight(index);
                    along += terms.of(value.to_f64()) * weight;
                    weight_along += weight;
                }
            }
            let weight = self.rows.weight(index);
            total += along * weight;
            total_weight += weight_along * weight;
        }
        (total, total_weight)
    }

    /// Returns the mean of the valid pixels, weighted by the covered area; `None` if there are none.
    pub(super) fn mean(&self, fill: &mut Fill<T>) -> Option<T> {
        #[expect(clippy::cast_precision_loss, reason = "a number of pixels")]
        let count = (self.rows.len() * self.columns.len()) as f64;
        let values = |factor| Terms { factor, squares: false };
        if !self.source.has_gaps() {
            let weight = self.columns.total_weight() * self.rows.total_weight();
            let mean = if T::SCALED {
                count * (self.sum(values(1.0 / count)) / weight)
            } else {
                self.sum(values(1.0)) / weight
            };
            if !mean.is_nan() {
                return Some(T::from_mean(mean));
            }
        }
        let (total, weight) = self.sum_of_valid(fill, values(1.0));
        if weight <= 0.0 {
            return None;
        }
        if total.is_infinite() {
            // There is an infinite value, or a sum exceeds the range of doubles.
            let (total, weight) = self.sum_of_valid(fill, values(1.0 / count));
            return Some(T::from_mean(count * (total / weight)));
        }
        Some(T::from_mean(total / weight))
    }

    /// Returns the square root of the mean of squares of the valid pixels; `None` if there are none.
    fn rms(&self, fill: &mut Fill<T>) -> Option<T> {
        let squares = |factor| Terms { factor, squares: true };
        if !self.source.has_gaps() {
            let weight = self.columns.total_weight() * self.rows.total_weight();
            if T::SCALED {
                let largest = self.pixels().fold(0.0, |largest: f64, value| largest.max(value.to_f64().abs()));
                let factor = if largest > 0.0 && largest.is_finite() { 1.0 / largest } else { 1.0 };
                let total = self.sum(squares(factor));
                if !total.is_nan() {
                    return Some(T::from_mean(largest * (total / weight).sqrt()));
                }
            } else {
                return Some(T::from_squares(self.sum(squares(1.0)), weight));
            }
        }
        let (total, weight) = self.sum_of_valid(fill, squares(1.0));
        if weight <= 0.0 {
            return None;
        }
        if total.is_infinite() {
            let mut largest = 0.0;
            self.each_valid(fill, |value, _, _| largest = f64::max(largest, value.to_f64().abs()));
            if largest.is_finite() {
                let (total, weight) = self.sum_of_valid(fill, squares(1.0 / largest));
                return Some(T::from_mean(largest * (total / weight).sqrt()));
            }
        }
        Some(T::from_squares(total, weight))
    }
}

/// Fills a piece with means, or with root mean squares.
pub(super) fn compute<T: Real + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    place: Place<T>,
    rms: bool,
    piece: &mut Piece<'_, T>,
) {
    let samples = source.samples;
    let row_len = kernel.width * samples;
    let twos = kernel.columns.start_of_twos().filter(|_| kernel.rows.start_of_twos().is_some());
    let lines = |row: u32, left: usize| {
        let top = kernel.rows.covered(row).start;
        [top, top + 1].map(|row| &source.row(row)[left * samples..(left + 2 * kernel.width) * samples])
    };
    if let (Some(left), false) = (twos, source.has_gaps()) {
        for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(row_len)) {
            two::compute(kernel, lines(row, left), rms, (samples, piece.bands.clone()), target);
        }
        return;
    }
    let mut one = |row: u32, column: usize, sample: usize| {
        let mut fill = Fill::default();
        let (rows, columns) = (kernel.rows.covered(row), kernel.covered[column]);
        // Columns are numbered with 32 bits.
        let column = u32::try_from(column).unwrap_or(u32::MAX);
        let area = Area { kernel, source, row, column, rows, columns, sample };
        let value = if rms { area.rms(&mut fill) } else { T::mean_of_area(&area, &mut fill) };
        value.map_or_else(|| fill.value(source.void), |value| place.value(value))
    };
    if let (Some(left), Some(nodata), None, false) = (twos, source.nodata, source.mask, rms) {
        let bands = (samples, piece.bands.clone());
        let done = (piece.first..).zip(piece.pixels.chunks_exact_mut(row_len)).all(|(row, target)| {
            let other = |column, sample| one(row, column, sample);
            two::compute_valid(lines(row, left), (nodata, place), bands.clone(), target, other)
        });
        if done {
            return;
        }
    }
    if !rms && quick::compute(kernel, source, place, piece, &mut one) {
        return;
    }
    if lines::compute(kernel, source, place, rms, piece, one) {
        return;
    }
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(row_len)) {
        for (column, target) in target.chunks_exact_mut(samples).enumerate() {
            for sample in piece.bands.clone() {
                target[sample] = one(row, column, sample);
            }
        }
    }
}
