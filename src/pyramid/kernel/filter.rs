//! The weights of convolutions.
//!
//! Follows GDAL's `GWKBilinear`, `GWKCubic`, `GWKBSpline`, and `GWKLanczosSinc` in `alg/gdalwarpkernel.cpp`, with sums
//! and products in the order of `GDALResampleChunk_ConvolutionT`.

use std::f64::consts::PI;

use crate::error::Result;
use crate::options::Resampling;
use crate::plan::window::Axis;

use super::blocks::Blocks;
use super::estimate::Singles;
use super::reserve;

/// Returns the unnormalized weight at a distance from the center, in units of the kernel at a ratio of 1.
fn weight(resampling: Resampling, x: f64) -> f64 {
    let distance = x.abs();
    match resampling {
        Resampling::Bilinear if distance <= 1.0 => 1.0 - distance,
        Resampling::Cubic if distance <= 1.0 => x * x * (1.5 * distance - 2.5) + 1.0,
        Resampling::Cubic if distance <= 2.0 => x * x * (-0.5 * distance + 2.5) - 4.0 * distance + 2.0,
        Resampling::CubicSpline => {
            let (before, after) = (x + 1.0, x - 1.0);
            let ahead = x + 2.0;
            let mut total = 0.0;
            if ahead > 0.0 {
                if before > 0.0 {
                    if x > 0.0 {
                        if after > 0.0 {
                            total += -4.0 * after * after * after;
                        }
                        total += 6.0 * x * x * x;
                    }
                    total += -4.0 * before * before * before;
                }
                total += ahead * ahead * ahead;
            }
            total
        }
        _ => 0.0,
    }
}

/// Returns the weights at four distances.
fn weights_at(resampling: Resampling, places: [f64; 4]) -> [f64; 4] {
    if resampling != Resampling::Lanczos {
        return places.map(|x| weight(resampling, x));
    }
    // sinc(x) * sinc(x / 3), with sin(3 a) = 3 sin(a) - 4 sin(a)^3.
    let angles = places.map(|x| PI * x);
    let thirds = angles.map(|angle| angle / 3.0);
    let squared = sines(thirds).map(|sine| sine * sine);
    std::array::from_fn(|lane| {
        let weight = (3.0 - 4.0 * squared[lane]) * squared[lane] / (angles[lane] * thirds[lane]);
        if places[lane] == 0.0 { 1.0 } else { weight }
    })
}

/// Returns the sines of angles of at most about half a turn, correctly rounded except in the rarest cases.
///
/// Results must not depend on the platform's sine. This function sums the power series with twice the digits of a
/// double, so it also agrees with the C library that GDAL commonly runs on. Four angles are computed in parallel,
/// because each one alone is limited by latency.
fn sines(angles: [f64; 4]) -> [f64; 4] {
    let squares = angles.map(|angle| product(angle, angle));
    let mut sums = [SERIES[SERIES.len() - 1]; 4];
    for coefficient in SERIES.iter().rev().skip(1) {
        for (sum, square) in sums.iter_mut().zip(&squares) {
            let (high, low) = times(*sum, *square);
            let (sum_high, sum_low) = total(coefficient.0, high);
            *sum = (sum_high, sum_low + (coefficient.1 + low));
        }
    }
    std::array::from_fn(|lane| times(sums[lane], (angles[lane], 0.0)).0)
}

/// The coefficients of the sine series in powers of the square, with twice the digits of a double: 1, -1/3!, 1/5!, …;
/// the last term is below 1e-33 for half a turn.
const SERIES: [(f64, f64); 22] = {
    let mut series = [(1.0, 0.0); 22];
    let (mut index, mut place) = (1, 1.0);
    while index < series.len() {
        let (before, divisor) = (series[index - 1], (place + 1.0) * (place + 2.0));
        let quotient = before.0 / divisor;
        let back = product(quotient, divisor);
        series[index] = (-quotient, -((before.0 - back.0 - back.1 + before.1) / divisor));
        index += 1;
        place += 2.0;
    }
    series
};

/// Returns a sum and its rounding error (Knuth).
const fn total(a: f64, b: f64) -> (f64, f64) {
    let sum = a + b;
    let part = sum - a;
    (sum, (a - (sum - part)) + (b - part))
}

/// Returns a product and its rounding error (Dekker).
const fn product(a: f64, b: f64) -> (f64, f64) {
    let ((a_high, a_low), (b_high, b_low)) = (halves(a), halves(b));
    let rounded = a * b;
    (rounded, ((a_high * b_high - rounded) + a_high * b_low + a_low * b_high) + a_low * b_low)
}

/// Splits a number into two with half the digits each.
const fn halves(value: f64) -> (f64, f64) {
    let stretched = value * 134_217_729.0;
    let high = stretched - (stretched - value);
    (high, value - high)
}

/// Multiplies two numbers with twice the digits of a double.
fn times(a: (f64, f64), b: (f64, f64)) -> (f64, f64) {
    let (high, low) = product(a.0, b.0);
    total(high, low + (a.0 * b.1 + a.1 * b.0))
}

/// Returns the source pixels of one output pixel along an axis, and the position of the first, as [`weight`] expects
/// it.
fn first_tap(axis: &Axis, resampling: Resampling, target: u32) -> (std::ops::Range<u32>, f64) {
    let taps = axis.convolved(resampling.radius().unwrap_or(0), target);
    let x = axis.scale() * axis.distance(target, taps.start);
    (taps, x)
}

/// Computes the unnormalized weights of one output pixel along an axis, and their sum.
///
/// GDAL steps through the positions with sums along columns, and with products of four along rows.
pub(super) fn weights(
    axis: &Axis,
    resampling: Resampling,
    target: u32,
    along_rows: bool,
    out: &mut Vec<f64>,
) -> (u32, f64) {
    let (taps, mut x) = first_tap(axis, resampling, target);
    let scale = axis.scale();
    let count = taps.len();
    let mut sum = 0.0;
    let first = out.len();
    let fours = count - count % 4;
    while out.len() - first < fours {
        let four = if along_rows {
            let second = x + scale;
            let third = second + scale;
            [x, second, third, third + scale]
        } else {
            [x, x + scale, x + 2.0 * scale, x + 3.0 * scale]
        };
        x = if along_rows { four[3] + scale } else { x + 4.0 * scale };
        let [a, b, c, d] = weights_at(resampling, four);
        out.extend([a, b, c, d]);
        sum += a + b + c + d;
    }
    while out.len() - first < count {
        let [value, ..] = weights_at(resampling, [x; 4]);
        out.push(value);
        sum += value;
        x += scale;
    }
    (taps.start, sum)
}

/// The weights of every output column.
#[derive(Debug, Default)]
pub(super) struct Taps {
    pub(super) columns: Vec<Column>,
    /// Weights that sum to 1.
    plain: Vec<f64>,
    /// Weights for sums in which some pixels are invalid.
    open: Vec<f64>,
    /// The columns that are computed in blocks.
    pub(super) blocks: Blocks,
    /// The weights in single precision, if pixels are estimated first.
    pub(super) singles: Option<Singles>,
}

/// The source pixels of one output column.
#[derive(Debug, Clone, Copy)]
pub(super) struct Column {
    /// The first source column.
    pub(super) start: usize,
    /// The start of its weights.
    offset: usize,
    /// Number of source columns.
    pub(super) count: usize,
}

impl Column {
    /// Returns the same weights for other pixels.
    pub(super) fn moved_to(self, start: usize) -> Self {
        Self { start, ..self }
    }
}

impl Taps {
    /// Computes the weights. `valid` is the value of a valid pixel in GDAL's mask, by which it multiplies weights,
    /// which changes their last bit.
    pub(super) fn new(axis: &Axis, resampling: Resampling, width: usize, valid: f64) -> Result<Self> {
        let mut taps = Self::default();
        // The middle column has the most source pixels, or one fewer.
        let middle = u32::try_from(width / 2).unwrap_or(u32::MAX);
        let most = axis.convolved(resampling.radius().unwrap_or(0), middle).len() + 1;
        reserve(&mut taps.columns, width)?;
        reserve(&mut taps.plain, width.saturating_mul(most))?;
        reserve(&mut taps.open, width.saturating_mul(most))?;
        // Columns are numbered with 32 bits.
        let mut last = None;
        for column in 0..u32::try_from(width).unwrap_or(u32::MAX) {
            let offset = taps.plain.len();
            let (range, x) = first_tap(axis, resampling, column);
            let from = Some((x.to_bits(), range.len()));
            if let (true, Some(Column { offset, count, .. })) = (last == from, taps.columns.last().copied()) {
                // At even sizes, all columns except the outermost ones have the same weights.
                taps.columns.push(Column { start: range.start as usize, offset, count });
                continue;
            }
            last = from;
            let (start, sum) = weights(axis, resampling, column, true, &mut taps.plain);
            taps.open.extend(taps.plain[offset..].iter().map(|weight| weight * valid));
            normalise(&mut taps.plain[offset..], sum);
            let count = taps.plain.len() - offset;
            taps.columns.push(Column { start: start as usize, offset, count });
        }
        Ok(taps)
    }

    pub(super) fn plain(&self, column: &Column) -> &[f64] {
        &self.plain[column.offset..column.offset + column.count]
    }

    pub(super) fn open(&self, column: &Column) -> &[f64] {
        &self.open[column.offset..column.offset + column.count]
    }
}

/// The weights of one output row.
#[derive(Debug, Default)]
pub(super) struct RowWeights {
    /// The inputs of the weights: the position of the first source row, and the number of rows.
    from: Option<(u64, usize)>,
    /// The first source row.
    pub(super) start: u32,
    pub(super) plain: Vec<f64>,
    pub(super) open: Vec<f64>,
}

impl RowWeights {
    pub(super) fn set(&mut self, axis: &Axis, resampling: Resampling, row: u32) {
        let (taps, x) = first_tap(axis, resampling, row);
        self.start = taps.start;
        // At even sizes, all rows except the outermost ones have the same weights.
        let from = Some((x.to_bits(), taps.len()));
        if self.from == from {
            return;
        }
        self.from = from;
        self.open.clear();
        let (_, sum) = weights(axis, resampling, row, false, &mut self.open);
        self.plain.clone_from(&self.open);
        normalise(&mut self.plain, sum);
    }
}

fn normalise(weights: &mut [f64], sum: f64) {
    if sum != 0.0 {
        let inverse = 1.0 / sum;
        for weight in weights {
            *weight *= inverse;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sines_are_right() {
        for step in -320..=320 {
            let angle = f64::from(step) / 100.0;
            let [sine, ..] = sines([angle; 4]);
            assert!((sine - angle.sin()).abs() <= f64::EPSILON * angle.sin().abs().max(1e-3), "{angle}");
        }
        assert_eq!(sines([0.0, PI / 6.0, 0.0, 0.0]).map(f64::to_bits)[..2], [0, 0.499_999_999_999_999_94f64.to_bits()]);
    }

    #[test]
    fn weights_at_half_size_are_known() {
        let axis = Axis::new(16, 8);
        let mut plain = Vec::new();
        let (start, sum) = weights(&axis, Resampling::Cubic, 3, true, &mut plain);
        assert_eq!((start, sum), (3, 2.0));
        assert_eq!(plain[..4], [-0.023_437_5, -0.070_312_5, 0.226_562_5, 0.867_187_5]);
        let mut down = Vec::new();
        weights(&axis, Resampling::Cubic, 3, false, &mut down);
        assert_eq!(plain, down);
    }
}
