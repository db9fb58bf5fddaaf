//! The kernels: how a pixel of a level is computed from the pixels of the level before it.
//!
//! Source of the rules: GDAL 3.12 `gcore/overview.cpp`. What differs from it on purpose: NaN never counts as a value,
//! and masked pixels never contribute to a valid one, for every kernel.

use std::collections::HashMap;

use half::f16;

use crate::grid::Level;
use crate::options::Resampling;
use crate::plan::CogPlan;
use crate::plan::window::{Axis, Window};
use crate::sample::{DataType, Nodata, Value, dispatch};

use super::LevelRows;

/// Distinct values are counted in a list while a window has at most this many pixels, in a map beyond.
const LIST_WINDOW: usize = 64;

/// The kernel from one level to the next.
#[derive(Debug)]
pub(super) struct Kernel {
    resampling: Resampling,
    data_type: DataType,
    nodata: Option<Nodata>,
    columns: Axis,
    rows: Axis,
    /// Columns and rows of the finer level.
    source_width: usize,
    /// Columns of the coarser level.
    width: usize,
    height: u32,
}

impl Kernel {
    pub(super) fn new(plan: &CogPlan, source: &Level, target: &Level) -> Self {
        let spec = plan.spec();
        Self {
            resampling: plan.resampling(),
            data_type: spec.data_type,
            nodata: spec.nodata_in_range(),
            columns: Axis::new(source.width, target.width),
            rows: Axis::new(source.height, target.height),
            source_width: source.width as usize,
            width: target.width as usize,
            height: target.height,
        }
    }

    /// How many rows from row `first` on can be computed when the finer level has its first `available` rows.
    pub(super) fn computable(&self, available: u32, first: u32) -> u32 {
        let ready = |row: u32| self.rows.needed(self.resampling, row).end <= available;
        // Rows become ready one after the other: find the end by bisection.
        let (mut low, mut high) = (first, self.height);
        while low < high {
            let middle = low + (high - low) / 2;
            if ready(middle) { low = middle + 1 } else { high = middle }
        }
        low - first
    }

    /// The first row of the finer level that rows from `next` on need.
    pub(super) fn first_needed(&self, next: u32) -> u32 {
        if next < self.height { self.rows.needed(self.resampling, next).start } else { u32::MAX }
    }

    /// Computes rows of an image plane, from row `first` on, as many as `target` holds.
    pub(super) fn compute_plane(&self, source: &LevelRows, plane: usize, first: u32, target: &mut [u8]) {
        let samples = source.samples();
        let row_len = self.width * samples;
        dispatch!(self.data_type, T => {
            let target: &mut [T] = bytemuck::cast_slice_mut(target);
            let nodata = self.nodata.as_ref().and_then(T::from_nodata);
            for (row, target) in (first..).zip(target.chunks_exact_mut(row_len)) {
                let needed = self.rows.needed(self.resampling, row);
                let rows: &[T] = bytemuck::cast_slice(whole(source.plane_from(plane, needed.start), size_of::<T>()));
                let mask = source.mask_from(needed.start);
                let view = SourceRows { rows, mask, width: self.source_width, samples };
                match self.resampling {
                    Resampling::Nearest => self.nearest_row(view, target),
                    Resampling::Average => T::average_row(self, view, nodata, row, target),
                    Resampling::Mode => self.mode_row(view, nodata, row, target),
                }
            }
        });
    }

    /// Computes rows of the mask: a pixel is valid where any pixel that its kernel looks at is.
    pub(super) fn compute_mask(&self, source: &LevelRows, first: u32, target: &mut [u8]) {
        for (row, target) in (first..).zip(target.chunks_exact_mut(self.width)) {
            let needed = self.rows.needed(self.resampling, row);
            let Some(mask) = source.mask_from(needed.start) else { return };
            let height = needed.len();
            for (column, target) in (0u32..).zip(target) {
                let columns = self.columns.needed(self.resampling, column);
                let valid = mask
                    .chunks(self.source_width)
                    .take(height)
                    .any(|row| row[columns.start as usize..columns.end as usize].iter().any(|&valid| valid != 0));
                *target = if valid { u8::MAX } else { 0 };
            }
        }
    }

    fn nearest_row<T: Value>(&self, view: SourceRows<'_, T>, target: &mut [T]) {
        for (column, target) in (0u32..).zip(target.chunks_exact_mut(view.samples)) {
            let start = self.columns.nearest(column) as usize * view.samples;
            target.copy_from_slice(&view.rows[start..start + view.samples]);
        }
    }

    fn mode_row<T: Value>(&self, view: SourceRows<'_, T>, nodata: Option<T>, row: u32, target: &mut [T]) {
        let height = self.rows.covered(row).len();
        let mut counter = Counter::default();
        for (column, target) in (0u32..).zip(target.chunks_exact_mut(view.samples)) {
            let window = self.columns.covered(column);
            for (sample, target) in target.iter_mut().enumerate() {
                counter.start(height * window.len());
                let mut fill = Fill::default();
                for source_row in 0..height {
                    for source_column in window.range() {
                        if let Some(value) = view.valid(source_row, source_column, sample, nodata, &mut fill) {
                            counter.count(value);
                        }
                    }
                }
                *target = counter.winner().unwrap_or_else(|| fill.value(nodata));
            }
        }
    }
}

/// As many bytes as make whole items.
fn whole(bytes: &[u8], size: usize) -> &[u8] {
    &bytes[..bytes.len() - bytes.len() % size]
}

/// The rows of the finer level that a row of the coarser one needs.
#[derive(Clone, Copy)]
pub(super) struct SourceRows<'a, T> {
    rows: &'a [T],
    mask: Option<&'a [u8]>,
    width: usize,
    samples: usize,
}

impl<T: Value> SourceRows<'_, T> {
    /// The value at a place, unless it is masked, NaN, or nodata; remembers in `fill` why there was none.
    fn valid(&self, row: usize, column: usize, sample: usize, nodata: Option<T>, fill: &mut Fill<T>) -> Option<T> {
        let pixel = row * self.width + column;
        if self.mask.is_some_and(|mask| mask[pixel] == 0) {
            return None;
        }
        let value = self.rows[pixel * self.samples + sample];
        if value.is_nan() {
            fill.nan = Some(value);
            return None;
        }
        (nodata != Some(value)).then_some(value)
    }
}

/// What a pixel without any valid source pixel becomes: nodata; NaN where there is none and NaN was seen; else 0.
struct Fill<T> {
    nan: Option<T>,
}

impl<T> Default for Fill<T> {
    fn default() -> Self {
        Self { nan: None }
    }
}

impl<T: Value> Fill<T> {
    fn value(&self, nodata: Option<T>) -> T {
        nodata.or(self.nan).unwrap_or(T::ZERO)
    }
}

impl Window {
    /// The number of source pixels.
    fn len(&self) -> usize {
        (self.end - self.start) as usize
    }

    /// The source pixels.
    fn range(&self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }

    /// The weight of the source pixel at `index`, counted from the start of the window.
    fn weight(&self, index: usize) -> f64 {
        if index == 0 {
            self.first_weight
        } else if index + 1 == self.len() {
            self.last_weight
        } else {
            1.0
        }
    }
}

/// Counts values and remembers which one first reached the highest count.
struct Counter<T> {
    list: Vec<(T, u32)>,
    map: HashMap<Vec<u8>, u32>,
    use_map: bool,
    best: Option<(T, u32)>,
}

impl<T> Default for Counter<T> {
    fn default() -> Self {
        Self { list: Vec::new(), map: HashMap::new(), use_map: false, best: None }
    }
}

impl<T: Value> Counter<T> {
    fn start(&mut self, window: usize) {
        self.list.clear();
        self.map.clear();
        self.use_map = window > LIST_WINDOW;
        self.best = None;
    }

    fn count(&mut self, value: T) {
        let count = if self.use_map {
            // Both zeros of a float are one value.
            let key = if value == T::ZERO { T::ZERO } else { value };
            let count = self.map.entry(bytemuck::bytes_of(&key).to_vec()).or_default();
            *count += 1;
            *count
        } else if let Some((_, count)) = self.list.iter_mut().find(|(seen, _)| *seen == value) {
            *count += 1;
            *count
        } else {
            self.list.push((value, 1));
            1
        };
        if self.best.is_none_or(|(_, best)| count > best) {
            self.best = Some((value, count));
        }
    }

    fn winner(&self) -> Option<T> {
        self.best.map(|(value, _)| value)
    }
}

/// Averages, for the types that have them.
pub(super) trait Average: Value {
    /// Computes one row.
    fn average_row(kernel: &Kernel, view: SourceRows<'_, Self>, nodata: Option<Self>, row: u32, target: &mut [Self]);
}

/// A real number that can be averaged.
trait Real: Value {
    fn to_f64(self) -> f64;
    /// Rounds as GDAL does: to the nearest, halves away from zero, clamped to the type.
    fn from_f64(mean: f64) -> Self;
    /// The value that takes the place of a mean that happens to equal nodata.
    fn beside(self) -> Self;

    /// The mean of four values, NaN left out.
    fn mean_of_four(values: [Self; 4]) -> Self {
        let [a, b, c, d] = values.map(Self::to_f64);
        let sum = (a + b) + (c + d);
        if sum.is_nan() { mean_without_nan(values) } else { Self::from_f64(sum * 0.25) }
    }

    /// The mean of the valid pixels of a window, weighted by the area covered; `None` if there are none.
    fn weighted_mean(window: &Area<'_, Self>, fill: &mut Fill<Self>) -> Option<Self> {
        let (mut total, mut total_weight) = (0.0, 0.0);
        for (row, column, value) in window.valid(fill) {
            let weight = window.rows.weight(row) * window.columns.weight(column);
            total += value.to_f64() * weight;
            total_weight += weight;
        }
        (total_weight > 0.0).then(|| Self::from_f64(total / total_weight))
    }
}

/// The pixels of one band that an output pixel covers.
struct Area<'a, T> {
    kernel: &'a Kernel,
    view: SourceRows<'a, T>,
    nodata: Option<T>,
    /// The output pixel.
    row: u32,
    column: u32,
    rows: Window,
    columns: Window,
    sample: usize,
}

impl<T: Value> Area<'_, T> {
    /// The valid pixels: row and column counted from the start of the window, and the value.
    fn valid(&self, fill: &mut Fill<T>) -> impl Iterator<Item = (usize, usize, T)> {
        (0..self.rows.len()).flat_map(|row| (0..self.columns.len()).map(move |column| (row, column))).filter_map(
            |(row, column)| {
                let source_column = self.columns.start as usize + column;
                let value = self.view.valid(row, source_column, self.sample, self.nodata, fill)?;
                Some((row, column, value))
            },
        )
    }
}

/// The mean of the valid pixels, weighted by the area covered.
fn average_row<T: Real>(kernel: &Kernel, view: SourceRows<'_, T>, nodata: Option<T>, row: u32, target: &mut [T]) {
    let rows = kernel.rows.covered(row);
    if kernel.columns.is_two() && rows.len() == 2 && kernel.rows.is_two() && view.mask.is_none() && nodata.is_none() {
        return average_row_of_two(view, target);
    }
    for (column, target) in (0u32..).zip(target.chunks_exact_mut(view.samples)) {
        let columns = kernel.columns.covered(column);
        for (sample, target) in target.iter_mut().enumerate() {
            let mut fill = Fill::default();
            let area = Area { kernel, view, nodata, row, column, rows, columns, sample };
            *target = match T::weighted_mean(&area, &mut fill) {
                Some(mean) if nodata == Some(mean) => mean.beside(),
                Some(mean) => mean,
                None => fill.value(nodata),
            };
        }
    }
}

/// The common case: every output pixel covers exactly 2x2 pixels and there is neither nodata nor a mask.
fn average_row_of_two<T: Real>(view: SourceRows<'_, T>, target: &mut [T]) {
    let samples = view.samples;
    let (upper, lower) = view.rows.split_at(view.width * samples);
    for ((target, upper), lower) in
        target.chunks_exact_mut(samples).zip(upper.chunks_exact(2 * samples)).zip(lower.chunks_exact(2 * samples))
    {
        for sample in 0..samples {
            let values = [upper[sample], upper[samples + sample], lower[sample], lower[samples + sample]];
            target[sample] = T::mean_of_four(values);
        }
    }
}

/// The mean of the numbers among four values; NaN if there is none, or if infinities cancel.
fn mean_without_nan<T: Real>(values: [T; 4]) -> T {
    let numbers = values.iter().filter(|value| !value.is_nan());
    let (sum, count) = numbers.fold((0.0, 0.0), |(sum, count), value| (sum + value.to_f64(), count + 1.0));
    if count == 0.0 { values[0] } else { T::from_f64(sum / count) }
}

/// Integers whose means a double holds.
macro_rules! real_integers {
    ($($type:ty, $work:ty);* $(;)?) => {
        $(impl Real for $type {
            fn to_f64(self) -> f64 {
                self.into()
            }

            #[expect(clippy::allow_attributes, reason = "some types of the macro need no cast")]
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` clamps, which is meant")]
            fn from_f64(mean: f64) -> Self {
                // GDAL computes 8- and 16-bit signed means in single precision.
                let mean = mean as $work;
                (if mean < 0.0 { mean - 0.5 } else { mean + 0.5 }) as Self
            }

            fn beside(self) -> Self {
                self.checked_add(1).unwrap_or(Self::MAX - 1)
            }
        }
        average!($type);)*
    };
}

/// Integers beyond what a double holds exactly: their means are computed with 128 bits. Values of at most 64 bits times
/// weights of at most 31 bits along each axis, summed over weights that add up to at most 62 bits, fit.
macro_rules! wide_integers {
    ($($type:ty),*) => {
        $(impl Real for $type {
            #[expect(clippy::cast_precision_loss, reason = "not used for the mean")]
            fn to_f64(self) -> f64 {
                self as f64
            }

            #[expect(clippy::cast_possible_truncation, clippy::allow_attributes, reason = "`as` clamps")]
            #[allow(clippy::cast_sign_loss, reason = "`as` clamps")]
            fn from_f64(mean: f64) -> Self {
                mean as Self
            }

            fn beside(self) -> Self {
                self.checked_add(1).unwrap_or(Self::MAX - 1)
            }

            fn mean_of_four(values: [Self; 4]) -> Self {
                let total = values.into_iter().map(i128::from).sum();
                Self::try_from(round_quotient(total, 4)).unwrap_or(Self::MAX)
            }

            fn weighted_mean(window: &Area<'_, Self>, fill: &mut Fill<Self>) -> Option<Self> {
                let (mut total, mut total_weight) = (0, 0);
                for (row, column, value) in window.valid(fill) {
                    let weight = window.exact_weight(row, column);
                    total += i128::from(value) * weight;
                    total_weight += weight;
                }
                // A mean lies between its values, so it always fits.
                (total_weight > 0).then(|| Self::try_from(round_quotient(total, total_weight)).unwrap_or(Self::MAX))
            }
        }
        average!($type);)*
    };
}

/// The quotient to the nearest integer, halves away from zero.
fn round_quotient(total: i128, weight: i128) -> i128 {
    let half = if total < 0 { -(weight / 2) } else { weight / 2 };
    (total + half) / weight
}

impl<T> Area<'_, T> {
    /// The area of a pixel of the window that is covered, in whole units.
    fn exact_weight(&self, row: usize, column: usize) -> i128 {
        let weight = |axis: &Axis, window: &Window, target, index| {
            (window.start..window.end).nth(index).map_or(0, |source| axis.exact_weight(target, source))
        };
        i128::from(weight(&self.kernel.rows, &self.rows, self.row, row))
            * i128::from(weight(&self.kernel.columns, &self.columns, self.column, column))
    }
}

macro_rules! average {
    ($type:ty) => {
        impl Average for $type {
            fn average_row(
                kernel: &Kernel,
                view: SourceRows<'_, Self>,
                nodata: Option<Self>,
                row: u32,
                target: &mut [Self],
            ) {
                average_row(kernel, view, nodata, row, target);
            }
        }
    };
}

real_integers! {
    u8, f64;
    i8, f32;
    u16, f64;
    i16, f32;
    u32, f64;
    i32, f64;
}
wide_integers!(u64, i64);

impl Real for f32 {
    fn to_f64(self) -> f64 {
        self.into()
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounds to single precision, which is meant")]
    fn from_f64(mean: f64) -> Self {
        mean as Self
    }

    fn beside(self) -> Self {
        let up = self.next_up();
        if up.is_finite() { up } else { self.next_down() }
    }
}
average!(f32);

impl Real for f64 {
    fn to_f64(self) -> f64 {
        self
    }

    fn from_f64(mean: f64) -> Self {
        mean
    }

    fn beside(self) -> Self {
        let up = self.next_up();
        if up.is_finite() { up } else { self.next_down() }
    }
}
average!(f64);

impl Real for f16 {
    fn to_f64(self) -> f64 {
        Self::to_f64(self)
    }

    fn from_f64(mean: f64) -> Self {
        Self::from_f64(mean)
    }

    fn beside(self) -> Self {
        let bits = self.to_bits();
        let up = match bits {
            0x8000 => 0x0001,
            negative if negative & 0x8000 != 0 => negative - 1,
            positive => positive + 1,
        };
        if Self::from_bits(up).is_finite() { Self::from_bits(up) } else { Self::from_bits(bits - 1) }
    }
}
average!(f16);

/// Complex samples have no average here: the plan refuses it.
macro_rules! no_average {
    ($($type:ty),*) => {
        $(impl Average for num_complex::Complex<$type> {
            fn average_row(
                kernel: &Kernel,
                view: SourceRows<'_, Self>,
                _nodata: Option<Self>,
                _row: u32,
                target: &mut [Self],
            ) {
                debug_assert!(false, "the plan refuses averages of complex samples");
                kernel.nearest_row(view, target);
            }
        })*
    };
}

no_average!(i16, i32, f32, f64);
