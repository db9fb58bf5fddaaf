//! Convolutions: bilinear, cubic, cubic spline, Lanczos (GDAL `GDALResampleChunk_ConvolutionT`).
//!
//! They are separable: rows of the finer level are resampled horizontally, once per piece of output rows, and the
//! result vertically. Intermediate values are doubles, and NaN marks invalid pixels.

use crate::error::Result;
use crate::options::Resampling;
use crate::sample::DataType;
use crate::validity::is_masked;

use super::blocks::{BLOCK, Blocks, Down, Halves, Order, all_finite};
use super::estimate::{self, Singles};
use super::filter::{Column, RowWeights, Taps};
use super::real::{Place, Real};
use super::rows::Rows;
use super::{Kernel, Piece};

/// A convolution from one level to the next, for one band or for a mask.
pub(super) struct Convolution<'a> {
    pub(super) kernel: &'a Kernel,
    pub(super) taps: &'a Taps,
    pub(super) resampling: Resampling,
    /// True if pixels may be masked or nodata, so that sums are divided by the total weight of the valid pixels.
    gaps: bool,
    /// True to use four parallel sums along a row, as GDAL does for u8 and u16.
    lanes: bool,
    /// True to use one sum down a column, as GDAL does for u8, u16, and bilinear f32; two otherwise.
    one_sum: bool,
}

/// A resampled row, rounded up to whole blocks so that no column needs separate code. Values after the last column are
/// unused.
type Line = Vec<f64>;

/// Finds the columns that can be computed in blocks.
pub(super) fn set_blocks(taps: &mut Taps, data_type: DataType, gaps: bool) -> Result<()> {
    let lanes = matches!(data_type, DataType::U8 | DataType::U16);
    let total = |weights: &[f64]| {
        let ones = vec![1.0; weights.len()];
        if lanes { lanes_over_gaps(&ones, weights).1 } else { sum_over_gaps(&ones, weights).1 }
    };
    taps.blocks = Blocks::new(taps, gaps, total)?;
    taps.singles = if data_type == DataType::U8 && !gaps { Singles::new(taps)? } else { None };
    Ok(())
}

impl<'a> Convolution<'a> {
    fn new<T: Real>(kernel: &'a Kernel, resampling: Resampling, gaps: bool) -> Option<Self> {
        let taps = kernel.taps(resampling)?;
        let one_sum = T::SINGLE && (T::LANES || resampling == Resampling::Bilinear);
        Some(Self { kernel, taps, resampling, gaps, lanes: T::LANES, one_sum })
    }

    /// Returns whether weights can be negative and values overshoot, so that enough valid pixels in one run are
    /// required.
    fn needs_runs(&self) -> bool {
        matches!(self.resampling, Resampling::Cubic | Resampling::Lanczos)
    }

    /// Computes `count` rows from row `first` on. `load` fills a source row with doubles, NaN for invalid pixels, and
    /// returns whether there are any. `emit` receives a row, NaN where there is no value.
    fn run(
        &self,
        first: u32,
        count: u32,
        mut load: impl FnMut(u32, &mut [f64]) -> bool,
        mut emit: impl FnMut(u32, &[f64]),
    ) {
        let mut line = vec![0.0; self.kernel.source_width];
        let mut halves = Halves::default();
        let mut out = vec![0.0; self.kernel.width.next_multiple_of(BLOCK)];
        let mut ring: Vec<Line> = Vec::new();
        let mut weights = RowWeights::default();
        let mut next = 0;
        for row in first..first.saturating_add(count) {
            weights.set(&self.kernel.rows, self.resampling, row);
            let end = weights.start as usize + weights.plain.len();
            next = next.max(weights.start as usize);
            // The rows of a window share the ring; it grows to the largest window, at most once or twice.
            if ring.len() < weights.plain.len() {
                ring = vec![Line::default(); weights.plain.len() + 2];
                next = weights.start as usize;
            }
            let places = ring.len();
            while next < end {
                // Rows are numbered with 32 bits.
                let has_nan = load(u32::try_from(next).unwrap_or(u32::MAX), &mut line);
                halves.set(&line);
                self.horizontal(&line, &halves, has_nan, &mut ring[next % places]);
                next += 1;
            }
            let lines: Vec<&Line> = (weights.start as usize..end).map(|row| &ring[row % places]).collect();
            self.vertical(&lines, &weights, &mut out);
            emit(row, &out[..self.kernel.width]);
        }
    }

    fn horizontal(&self, line: &[f64], halves: &Halves, has_nan: bool, target: &mut Line) {
        target.resize(self.kernel.width.next_multiple_of(BLOCK), 0.0);
        let group = self.group();
        for (index, columns) in self.taps.columns.chunks(BLOCK).enumerate() {
            let first = index * BLOCK;
            let values = &mut target[first..first + columns.len()];
            let block = self.taps.blocks.at(first, self.gaps);
            if let Some(block) = block {
                let order = match (self.gaps, self.lanes) {
                    (_, true) => Order::Lanes(whole(block.count, if self.gaps { 4 } else { group })),
                    (true, false) => Order::OneSum,
                    (false, false) => Order::Pairs,
                };
                let sums = self.taps.blocks.row(block, halves, order);
                values.copy_from_slice(&sums);
                if all_finite(&sums) {
                    continue;
                }
                if line[block.range()].iter().all(|pixel| pixel.is_nan()) {
                    continue;
                }
            }
            for (column, value) in columns.iter().zip(values) {
                if block.is_none() || !value.is_finite() {
                    *value = self.across(column, line, has_nan);
                }
            }
        }
    }

    /// Returns the number of products of a row that GDAL sums at once.
    fn group(&self) -> usize {
        let reach = self.kernel.columns.reach(self.resampling.radius().unwrap_or(0));
        if reach < 4.0 { 4 } else { 8 }
    }

    /// Returns the value of one column.
    pub(super) fn across(&self, column: &Column, line: &[f64], has_nan: bool) -> f64 {
        let pixels = &line[column.start..column.start + column.count];
        if self.gaps {
            return self.over_gaps(pixels, self.taps.open(column), has_nan, self.lanes);
        }
        let weights = self.taps.plain(column);
        let sum = if self.lanes { sum_of_lanes(pixels, weights, self.group()) } else { sum_of_pairs(pixels, weights) };
        if sum.is_finite() { sum } else { self.unusual(pixels, weights, self.taps.open(column)) }
    }

    fn vertical(&self, lines: &[&Line], weights: &RowWeights, out: &mut [f64]) {
        let used = if self.gaps { &weights.open } else { &weights.plain };
        let total: f64 = weights.open.iter().fold(0.0, |sum, weight| sum + weight);
        let order = if self.gaps || self.one_sum { Order::OneSum } else { Order::Pairs };
        let mut column_values = vec![0.0; lines.len()];
        for (index, out) in out.chunks_exact_mut(BLOCK).enumerate() {
            let first = index * BLOCK;
            let mut sums = order.sum(lines.len(), &Down { lines, weights: used, first });
            if self.gaps {
                sums.iter_mut().for_each(|value| *value = if total > 0.0 { *value / total } else { f64::NAN });
            }
            out.copy_from_slice(&sums);
            if all_finite(&sums) {
                continue;
            }
            let mut block = lines.iter().flat_map(|line| &line[first..first + BLOCK]);
            if block.all(|value| value.is_nan()) {
                continue;
            }
            for (column, out) in (first..).zip(out).filter(|(_, out)| !out.is_finite()) {
                for (value, line) in column_values.iter_mut().zip(lines) {
                    *value = line[column];
                }
                *out = if self.gaps {
                    self.over_gaps_down(&column_values, &weights.open)
                } else {
                    self.unusual(&column_values, &weights.plain, &weights.open)
                };
            }
        }
    }

    /// Returns the mean of the valid pixels along a row, or NaN.
    fn over_gaps(&self, pixels: &[f64], weights: &[f64], has_nan: bool, lanes: bool) -> f64 {
        if has_nan && self.needs_runs() && longest_run(pixels) < pixels.len() / 2 {
            return f64::NAN;
        }
        let (total, weight) = if lanes { lanes_over_gaps(pixels, weights) } else { sum_over_gaps(pixels, weights) };
        if weight > 0.0 { total / weight } else { f64::NAN }
    }

    /// Returns the mean of the valid values down a column, or NaN.
    fn over_gaps_down(&self, values: &[f64], weights: &[f64]) -> f64 {
        if self.needs_runs() && longest_run(values) < values.len() / 2 {
            return f64::NAN;
        }
        let (mut total, mut weight_total) = (0.0, 0.0);
        for (value, weight) in values.iter().zip(weights) {
            if !value.is_nan() {
                total += value * weight;
                weight_total += weight;
            }
        }
        if weight_total > 0.0 { total / weight_total } else { f64::NAN }
    }

    /// Handles a plain sum that is not finite: NaN among the values, infinities, or sums beyond the range of doubles.
    fn unusual(&self, values: &[f64], weights: &[f64], open: &[f64]) -> f64 {
        if values.iter().any(|value| value.is_nan()) {
            return self.over_gaps(values, open, true, false);
        }
        let sum: f64 = values.iter().zip(weights).map(|(value, weight)| value * weight).sum();
        let mut infinite = values.iter().filter(|value| value.is_infinite());
        match infinite.next() {
            // A zero or negative weight does not change an infinity.
            Some(first) if sum.is_nan() && infinite.all(|other| other == first) => *first,
            Some(_) => sum,
            None => {
                let half: f64 = values.iter().zip(weights).map(|(value, weight)| value * (weight * 0.5)).sum();
                half.clamp(-f64::MAX / 2.0, f64::MAX / 2.0) * 2.0
            }
        }
    }
}

/// Returns the length of the longest run of valid values.
fn longest_run(values: &[f64]) -> usize {
    let (mut run, mut longest) = (0, 0);
    for value in values {
        run = if value.is_nan() { 0 } else { run + 1 };
        longest = longest.max(run);
    }
    longest
}

/// GDAL `GDALResampleConvolutionHorizontal_3rows_SSE2`: four parallel sums, then the remainder one by one.
fn sum_of_lanes(pixels: &[f64], weights: &[f64], group: usize) -> f64 {
    let whole = whole(pixels.len(), group);
    let mut lanes = [0.0; 4];
    for (pixels, weights) in pixels[..whole].chunks_exact(4).zip(weights[..whole].chunks_exact(4)) {
        for (lane, (pixel, weight)) in lanes.iter_mut().zip(pixels.iter().zip(weights)) {
            *lane += pixel * weight;
        }
    }
    let mut sum = (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    for (pixel, weight) in pixels[whole..].iter().zip(&weights[whole..]) {
        sum += pixel * weight;
    }
    sum
}

/// GDAL `GDALResampleConvolutionHorizontal`: two sums, each of two consecutive products.
fn sum_of_pairs(pixels: &[f64], weights: &[f64]) -> f64 {
    let whole = pixels.len() - pixels.len() % 4;
    let (mut first, mut second) = (0.0, 0.0);
    for (pixels, weights) in pixels[..whole].chunks_exact(4).zip(weights[..whole].chunks_exact(4)) {
        first += pixels[0] * weights[0];
        first += pixels[1] * weights[1];
        second += pixels[2] * weights[2];
        second += pixels[3] * weights[3];
    }
    for (pixel, weight) in pixels[whole..].iter().zip(&weights[whole..]) {
        first += pixel * weight;
    }
    first + second
}

/// GDAL `GDALResampleConvolutionHorizontalWithMask`: the sum of the valid pixels, and their weight.
fn sum_over_gaps(pixels: &[f64], weights: &[f64]) -> (f64, f64) {
    let whole = pixels.len() - pixels.len() % 4;
    let (mut total, mut weight_total) = (0.0, 0.0);
    for (pixels, weights) in pixels[..whole].chunks_exact(4).zip(weights[..whole].chunks_exact(4)) {
        let mut there = [0.0; 4];
        for (there, (&pixel, &weight)) in there.iter_mut().zip(pixels.iter().zip(weights)) {
            if !pixel.is_nan() {
                total += pixel * weight;
                *there = weight;
            }
        }
        weight_total += there[0] + there[1] + there[2] + there[3];
    }
    for (&pixel, &weight) in pixels[whole..].iter().zip(&weights[whole..]) {
        if !pixel.is_nan() {
            total += pixel * weight;
            weight_total += weight;
        }
    }
    (total, weight_total)
}

/// GDAL `GDALResampleConvolutionHorizontalWithMaskSSE2`: the same with four parallel sums.
fn lanes_over_gaps(pixels: &[f64], weights: &[f64]) -> (f64, f64) {
    let whole = pixels.len() - pixels.len() % 4;
    let (mut totals, mut weight_totals) = ([0.0; 4], [0.0; 4]);
    for (pixels, weights) in pixels[..whole].chunks_exact(4).zip(weights[..whole].chunks_exact(4)) {
        for lane in 0..4 {
            if !pixels[lane].is_nan() {
                totals[lane] += pixels[lane] * weights[lane];
                weight_totals[lane] += weights[lane];
            }
        }
    }
    let together = |lanes: [f64; 4]| (lanes[0] + lanes[2]) + (lanes[1] + lanes[3]);
    let (mut total, mut weight_total) = (together(totals), together(weight_totals));
    for (&pixel, &weight) in pixels[whole..].iter().zip(&weights[whole..]) {
        if !pixel.is_nan() {
            total += pixel * weight;
            weight_total += weight;
        }
    }
    (total, weight_total)
}

/// Rounds down to whole groups; a count of four always forms a group.
fn whole(count: usize, group: usize) -> usize {
    count - count % if count == 4 { 4 } else { group }
}

/// Fills a piece.
pub(super) fn compute<T: Real + PartialOrd>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    place: Place<T>,
    resampling: Resampling,
    piece: &mut Piece<'_, T>,
) {
    let samples = source.samples;
    let row_len = kernel.width * samples;
    let Some(convolution) = Convolution::new::<T>(kernel, resampling, source.has_gaps()) else { return };
    if let (Some(singles), false) = (&convolution.taps.singles, source.has_gaps()) {
        // Only bytes have them.
        let source = Rows {
            pixels: bytemuck::cast_slice(source.pixels),
            mask: None,
            nodata: None,
            void: None,
            alpha: None,
            first: source.first,
            width: source.width,
            samples,
        };
        let largest = bytemuck::cast(place.largest);
        let (first, bands) = (piece.first, piece.bands.clone());
        let mut piece = Piece { pixels: bytemuck::cast_slice_mut(piece.pixels), first, bands };
        return estimate::compute(&convolution, singles, &source, largest, &mut piece);
    }
    for sample in piece.bands.clone() {
        let (first, rows) = (piece.first, piece.rows(row_len));
        let mut load = |row: u32, line: &mut [f64]| load(source, row, sample, line);
        let mut emit = |row: u32, values: &[f64]| {
            let target = &mut piece.pixels[(row - first) as usize * row_len..][..row_len];
            let mut has_nan = false;
            for (target, &value) in target.chunks_exact_mut(samples).zip(values) {
                target[sample] = place.value(T::from_filtered(value));
                has_nan |= value.is_nan();
            }
            if has_nan {
                let columns = target.chunks_exact_mut(samples).zip(values).zip(&convolution.taps.columns);
                for ((target, _), column) in columns.filter(|((_, value), _)| value.is_nan()) {
                    target[sample] = nothing(kernel, source, resampling, row, column, sample);
                }
            }
        };
        if cfg!(target_family = "wasm") {
            // The browser module has to stay small, so all types share one copy there.
            let load: &mut dyn FnMut(u32, &mut [f64]) -> bool = &mut load;
            let emit: &mut dyn FnMut(u32, &[f64]) = &mut emit;
            convolution.run(first, rows, load, emit);
        } else {
            convolution.run(first, rows, load, emit);
        }
    }
}

/// Loads a source row as doubles, NaN for invalid pixels; returns whether there are any.
pub(super) fn load<T: Real>(source: &Rows<'_, T>, row: u32, sample: usize, line: &mut [f64]) -> bool {
    let pixels = source.row(row);
    if source.samples == 1 {
        load_from(source, row, pixels.iter(), line)
    } else {
        load_from(source, row, pixels.chunks_exact(source.samples).map(|pixel| &pixel[sample]), line)
    }
}

fn load_from<'a, T: Real>(
    source: &Rows<'_, T>,
    row: u32,
    pixels: impl Iterator<Item = &'a T>,
    line: &mut [f64],
) -> bool {
    let valued = line.iter_mut().zip(pixels);
    match (source.nodata, source.mask_row(row)) {
        (None, None) => valued.for_each(|(value, pixel)| *value = pixel.to_f64()),
        (Some(nodata), None) => valued.for_each(|(value, pixel)| {
            *value = if nodata.contains(*pixel) { f64::NAN } else { pixel.to_f64() };
        }),
        (None, Some(mask)) => valued.zip(mask).for_each(|((value, pixel), &mask)| {
            *value = if is_masked(mask) { f64::NAN } else { pixel.to_f64() };
        }),
        (Some(nodata), Some(mask)) => valued.zip(mask).for_each(|((value, pixel), &mask)| {
            *value = if is_masked(mask) || nodata.contains(*pixel) { f64::NAN } else { pixel.to_f64() };
        }),
    }
    let may_have = source.has_gaps() || T::MAY_BE_NAN;
    may_have && line.iter().fold(false, |any, value| any | value.is_nan())
}

/// Returns the value of a pixel that could not be computed: nodata, if defined; otherwise NaN if there is one among the
/// source pixels; otherwise 0.
#[cold]
fn nothing<T: Real>(
    kernel: &Kernel,
    source: &Rows<'_, T>,
    resampling: Resampling,
    row: u32,
    column: &Column,
    sample: usize,
) -> T {
    let mut fill = super::rows::Fill::default();
    if source.void.is_none() && T::MAY_BE_NAN {
        for row in kernel.rows.needed(resampling, row) {
            for column in column.start..column.start + column.count {
                let _ = source.valid(row, column, sample, &mut fill);
            }
        }
    }
    fill.value(source.void)
}

/// Computes rows of a mask: valid where the valid pixels yield a value. `mask` starts at row `held_from`.
pub(super) fn compute_mask(
    kernel: &Kernel,
    resampling: Resampling,
    mask: &[u8],
    held_from: u32,
    first: u32,
    target: &mut [u8],
) {
    let Some(convolution) = Convolution::new::<u8>(kernel, resampling, true) else { return };
    let (source_width, width) = (kernel.source_width, kernel.width);
    // Validity along each source row under the piece, then down its columns: 1 or 0.
    let mut across: Vec<u8> = Vec::new();
    let mut next = kernel.rows.needed(resampling, first).start;
    let start = next;
    let mut weights = RowWeights::default();
    let mut values = Vec::new();
    let mut is_there = |valid: &mut dyn Iterator<Item = u8>, weights: &[f64], down: bool| {
        values.clear();
        values.extend(valid.map(|valid| if valid == 0 { f64::NAN } else { 1.0 }));
        let all = values.iter().all(|value| !value.is_nan());
        let value = if down {
            convolution.over_gaps_down(&values, weights)
        } else {
            convolution.over_gaps(&values, weights, !all, true)
        };
        u8::from(!value.is_nan())
    };
    for (row, target) in (first..).zip(target.chunks_exact_mut(width)) {
        let needed = kernel.rows.needed(resampling, row);
        weights.set(&kernel.rows, resampling, row);
        for source_row in next..needed.end {
            let mask = &mask[(source_row - held_from) as usize * source_width..][..source_width];
            let same = uniform(mask.iter().map(|&valid| u8::from(!is_masked(valid))));
            for (index, columns) in convolution.taps.columns.chunks(BLOCK).enumerate() {
                let block = convolution.taps.blocks.at(index * BLOCK, true);
                let known = match (same, block) {
                    (Some(same), Some(_)) => Some(same),
                    (None, Some(block)) => {
                        uniform(mask[block.range()].iter().map(|&valid| u8::from(!is_masked(valid))))
                    }
                    _ => None,
                };
                match known {
                    Some(known) => across.extend([known; BLOCK]),
                    None => across.extend(columns.iter().map(|column| {
                        let pixels = &mask[column.start..column.start + column.count];
                        is_there(&mut pixels.iter().copied(), convolution.taps.open(column), false)
                    })),
                }
            }
        }
        next = next.max(needed.end);
        let lines = across[(needed.start - start) as usize * width..].chunks_exact(width).take(needed.len());
        let (mut all, mut any) = (vec![1; width], vec![0; width]);
        for line in lines.clone() {
            for ((all, any), valid) in all.iter_mut().zip(&mut any).zip(line) {
                *all &= valid;
                *any |= valid;
            }
        }
        for (column, (target, (all, any))) in target.iter_mut().zip(all.into_iter().zip(any)).enumerate() {
            // Weights of all rows together are never 0.
            let valid = if all == any {
                all
            } else {
                is_there(&mut lines.clone().map(|line| line[column]), &weights.open, true)
            };
            *target = if valid == 0 { 0 } else { u8::MAX };
        }
    }
}

/// Returns the common value, if all are equal.
fn uniform(mut valid: impl Iterator<Item = u8>) -> Option<u8> {
    let first = valid.next()?;
    let differ = valid.fold(0, |differ, valid| differ | (valid ^ first));
    (differ == 0).then_some(first)
}
