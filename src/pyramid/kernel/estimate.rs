//! Convolutions of bytes in single precision, which has twice the lanes of double: an estimate with an error bound.
//!
//! The final pixel is an integer. If the estimate is farther from a rounding boundary than its error bound, both
//! precisions round to the same integer. Otherwise, for about one pixel in several hundred, the pixel is recomputed in
//! doubles, in GDAL's order. Results are therefore bit-identical to those of [`Convolution`].
//!
//! Columns are summed down first, because all columns of all bands then have the same weights, and sums along a row are
//! computed once.

use crate::error::Result;

use super::Piece;
use super::blocks::{BLOCK, Halves};
use super::convolution::Convolution;
use super::filter::{RowWeights, Taps};
use super::real::Real;
use super::reserve;
use super::rows::Rows;

/// Samples that are summed down together, in registers.
const STRIPE: usize = 16;

/// Maximum pixels along an axis for this method: enough where a level halves. The rows of all bands are held in single
/// precision, which would take much memory for more of them.
const MOST: usize = 16;

/// Pixels that are rounded together.
const GROUP: usize = 64;

/// The largest relative error of rounding to single precision.
const ROUNDING: f64 = 1.0 / 16_777_216.0;

/// The column weights in single precision.
#[derive(Debug)]
pub(super) struct Singles {
    /// The weights of the blocks, at the same offsets.
    blocks: Vec<[f32; BLOCK]>,
    /// The largest sum of absolute weights of a column.
    spread: f64,
    /// The most source pixels of a column.
    most: usize,
}

impl Singles {
    /// Converts the weights; `None` if columns have too many source pixels.
    pub(super) fn new(taps: &Taps) -> Result<Option<Self>> {
        let most = taps.columns.iter().map(|column| column.count).max().unwrap_or(0);
        if most > MOST {
            return Ok(None);
        }
        let weights = taps.blocks.weights();
        let mut blocks = Vec::new();
        reserve(&mut blocks, weights.len())?;
        blocks.extend(weights.iter().map(|weights| weights.map(Real::to_single)));
        let spreads = taps.columns.iter().map(|column| spread(taps.plain(column)));
        Ok(Some(Self { blocks, spread: spreads.fold(0.0, f64::max), most }))
    }

    /// Bounds the error of an estimate. To first order, the error of each of two sums of n products is at most n + 1
    /// roundings (of a weight, of a product, of n - 1 sums) of the sum of absolute products; one percent covers higher
    /// orders. GDAL rounds its sum to single precision, and again when it adds a half.
    fn error(&self, rows: &[f64]) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "a number of pixels")]
        let roundings = (self.most + rows.len() + 2) as f64;
        ((1.01 * roundings * self.spread * spread(rows) + 4.0) * ROUNDING * 255.0).to_single()
    }
}

/// Row buffers of a piece. Their previous contents do not matter.
#[derive(Debug, Default)]
pub(in crate::pyramid) struct Lines {
    /// The rows under the kernel, with all samples.
    ring: Vec<f32>,
    /// The sums of those rows down the columns.
    sums: Vec<f32>,
    halves: Halves<f32>,
    estimates: Vec<f32>,
}

/// Returns the sum of absolute weights.
fn spread(weights: &[f64]) -> f64 {
    weights.iter().map(|weight| weight.abs()).sum()
}

/// Fills a piece of a byte image without invalid pixels. `largest` is the largest sample value.
pub(super) fn compute(
    convolution: &Convolution<'_>,
    singles: &Singles,
    source: &Rows<'_, u8>,
    largest: u8,
    piece: &mut Piece<'_, u8>,
) {
    let samples = source.samples;
    let kernel = convolution.kernel;
    let source_len = source.width * samples;
    let padded = source_len.next_multiple_of(STRIPE);
    let mut scratch = kernel.lines.take();
    let Lines { ring, sums, halves, estimates } = &mut scratch;
    sums.resize(padded, 0.0);
    estimates.resize(kernel.width, 0.0);
    let mut weights = RowWeights::default();
    let (mut places, mut next) = (0, 0);
    for (row, target) in (piece.first..).zip(piece.pixels.chunks_exact_mut(kernel.width * samples)) {
        weights.set(&kernel.rows, convolution.resampling, row);
        let rows = weights.plain.iter().map(|weight| weight.to_single());
        let (start, count) = (weights.start as usize, rows.len());
        if places < count {
            places = count + 2;
            if ring.len() < places * padded {
                *ring = vec![0.0; places * padded];
            }
            next = start;
        }
        for source_row in next.max(start)..start + count {
            // Rows are numbered with 32 bits.
            let pixels = source.row(u32::try_from(source_row).unwrap_or(u32::MAX));
            let line = &mut ring[source_row % places * padded..][..padded];
            line.iter_mut().zip(pixels).for_each(|(value, &pixel)| *value = pixel.into());
        }
        next = start + count;
        let lines: Vec<(&[f32], f32)> =
            (start..).zip(rows).map(|(row, weight)| (&ring[row % places * padded..][..padded], weight)).collect();
        down(&lines, sums);
        let error = singles.error(&weights.plain);
        for sample in piece.bands.clone() {
            halves.set_every(&sums[..source_len], samples, sample);
            across(convolution.taps, singles, halves, estimates);
            let exact = |column: usize| exact(convolution, source, &weights, column, sample).min(largest);
            round(estimates, |_| error, largest, (&mut target[sample..], samples), exact);
        }
    }
    kernel.lines.give(scratch);
}

/// Sums rows times their weights.
fn down(lines: &[(&[f32], f32)], sums: &mut [f32]) {
    for (index, sums) in sums.chunks_exact_mut(STRIPE).enumerate() {
        let mut stripe = [0.0; STRIPE];
        for (line, weight) in lines {
            let values = &line[index * STRIPE..][..STRIPE];
            stripe.iter_mut().zip(values).for_each(|(sum, value)| *sum += value * weight);
        }
        sums.copy_from_slice(&stripe);
    }
}

/// Sums a row's pixels times the column weights.
fn across(taps: &Taps, singles: &Singles, halves: &Halves<f32>, estimates: &mut [f32]) {
    for (index, (columns, estimates)) in taps.columns.chunks(BLOCK).zip(estimates.chunks_mut(BLOCK)).enumerate() {
        if let Some(block) = taps.blocks.at(index * BLOCK, false) {
            let weights = &singles.blocks[block.offset..][..block.count];
            let [first, second] = halves.from(block.start);
            let pixels = first.windows(BLOCK).zip(second.windows(BLOCK));
            let pairs = weights.chunks_exact(2);
            let (mut even, mut odd) = ([0.0; BLOCK], [0.0; BLOCK]);
            if let [weights] = pairs.remainder() {
                let pixels = &first[block.count / 2..][..BLOCK];
                add(&mut even, pixels, weights);
            }
            for (weights, (first, second)) in pairs.zip(pixels) {
                add(&mut even, first, &weights[0]);
                add(&mut odd, second, &weights[1]);
            }
            let sums = even.iter().zip(odd);
            estimates.iter_mut().zip(sums).for_each(|(estimate, (even, odd))| *estimate = even + odd);
            continue;
        }
        for (column, estimate) in columns.iter().zip(estimates) {
            let [first, second] = halves.from(column.start);
            let weights = taps.plain(column).chunks(2).enumerate();
            *estimate = weights.fold(0.0, |sum, (index, weights)| match weights {
                [even, odd] => sum + first[index] * even.to_single() + second[index] * odd.to_single(),
                rest => rest.iter().fold(sum, |sum, even| sum + first[index] * even.to_single()),
            });
        }
    }
}

fn add(sums: &mut [f32; BLOCK], pixels: &[f32], weights: &[f32; BLOCK]) {
    for ((sum, pixel), weight) in sums.iter_mut().zip(pixels).zip(weights) {
        *sum += pixel * weight;
    }
}

/// Rounds estimates to integers from 0 to `largest`; calls `exact` for those closer to a rounding boundary than their
/// error bound. `target` starts at the sample to fill.
pub(super) fn round<T: Real>(
    estimates: &[f32],
    error: impl Fn(f32) -> f32,
    largest: T,
    (target, samples): (&mut [T], usize),
    mut exact: impl FnMut(usize) -> T,
) {
    let most = largest.to_single();
    let within = |estimate: f32| {
        let value = if estimate > 0.0 { estimate } else { 0.0 };
        if value < most { value } else { most }
    };
    let doubtful = |estimate: f32| T::nearest_whole(within(estimate)).1 + error(estimate) >= 0.5;
    for (index, (estimates, target)) in estimates.chunks(GROUP).zip(target.chunks_mut(GROUP * samples)).enumerate() {
        let values = estimates.iter().map(|&estimate| T::nearest_whole(within(estimate)).0);
        if samples == 1 {
            target.iter_mut().zip(values).for_each(|(target, value)| *target = value);
        } else {
            target.iter_mut().step_by(samples).zip(values).for_each(|(target, value)| *target = value);
        }
        if estimates.iter().fold(false, |any, &estimate| any | doubtful(estimate)) {
            for (place, _) in estimates.iter().enumerate().filter(|&(_, &estimate)| doubtful(estimate)) {
                target[place * samples] = exact(index * GROUP + place);
            }
        }
    }
}

/// Computes a pixel in doubles, in GDAL's order.
#[cold]
fn exact(
    convolution: &Convolution<'_>,
    source: &Rows<'_, u8>,
    weights: &RowWeights,
    column: usize,
    sample: usize,
) -> u8 {
    let column = convolution.taps.columns[column];
    let mut line = vec![0.0; column.count];
    let here = column.moved_to(0);
    let sum = (weights.start..).zip(&weights.plain).fold(0.0, |sum, (row, weight)| {
        let pixels = source.row(row)[column.start * source.samples + sample..].iter().step_by(source.samples);
        line.iter_mut().zip(pixels).for_each(|(value, &pixel)| *value = f64::from(pixel));
        sum + convolution.across(&here, &line, false) * weight
    });
    u8::from_filtered(sum)
}
