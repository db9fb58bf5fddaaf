//! Source pixels that a pixel of the next level needs. The only definition, used by row buffers and kernels.
//!
//! Source of the rules: GDAL 3.13 `gcore/overview.cpp`, `GDALResampleChunk_Near`, `…_AverageOrRMS`, `…_ConvolutionT`
//! and `…_Gauss`.

use std::ops::Range;

use crate::options::Resampling;

/// GDAL's tolerance at window edges, so that rounding errors of the ratio do not widen windows.
const EDGE_TOLERANCE: f64 = 1e-8;

/// The mapping of one axis from a level to the next coarser one.
///
/// Pixels of both levels are numbered from the start of the part in memory: from 0, unless set by
/// [`within`](Self::within). Results are bit-identical in either numbering.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    source: u32,
    target: u32,
    ratio: f64,
    /// The source pixel and the output pixel with number 0.
    source_start: u32,
    target_start: u32,
    /// Side of the gauss matrix in pixels.
    gauss_side: u32,
}

/// The source pixels that one output pixel covers along an axis, and the weights of the outer ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    /// First source pixel.
    pub(crate) start: u32,
    /// One past the last source pixel; at least `start + 1`.
    pub(crate) end: u32,
    /// The covered share of the first pixel; 1 if it is the only one.
    pub(crate) first_weight: f64,
    /// The covered share of the last pixel, if it is not the first.
    pub(crate) last_weight: f64,
}

impl Axis {
    /// Maps `source` to `target` pixels; both at least 1, `target` at most `source`.
    pub(crate) fn new(source: u32, target: u32) -> Self {
        let ratio = f64::from(source) / f64::from(target);
        let gauss_side = match floor(0.5 + ratio) {
            0..=2 => 3,
            3..=4 => 5,
            _ => 7,
        };
        Self { source, target, ratio, source_start: 0, target_start: 0, gauss_side }
    }

    /// Restricts the axis to a part of either level: pixels are numbered from these positions. The source pixels from
    /// `source_start` must include everything that the output pixels from `target_start` need.
    pub(crate) fn within(self, source_start: u32, target_start: u32) -> Self {
        Self { source_start, target_start, ..self }
    }

    /// Returns the column axis for `rows`: GDAL derives the size of the gauss matrix from the ratio of the rows only.
    pub(crate) fn across(self, rows: &Self) -> Self {
        Self { gauss_side: rows.gauss_side, ..self }
    }

    /// Returns the first source pixel of the first output pixel if every output pixel covers exactly two source pixels.
    pub(crate) fn start_of_twos(&self) -> Option<usize> {
        let two = self.ratio.to_bits() == 2.0f64.to_bits();
        two.then(|| 2 * self.target_start as usize - self.source_start as usize)
    }

    /// Returns the number of output pixels in whole groups of `size`, counted from the start of the level.
    pub(crate) fn in_groups(&self, size: usize) -> usize {
        let target = self.target as usize;
        (target - target % size).saturating_sub(self.target_start as usize)
    }

    /// Returns the source pixel that nearest selects.
    pub(crate) fn nearest(&self, target: u32) -> u32 {
        let target = target + self.target_start;
        floor(0.5 + f64::from(target) * self.ratio).min(self.source - 1) - self.source_start
    }

    /// Returns the source pixels that an output pixel covers.
    pub(crate) fn covered(&self, target: u32) -> Window {
        let target = target + self.target_start;
        let from = f64::from(target) * self.ratio;
        let to = f64::from(target + 1) * self.ratio;
        let start = floor(from + EDGE_TOLERANCE).min(self.source - 1);
        let end = floor((to - EDGE_TOLERANCE).ceil()).max(start + 1).min(self.source);
        let first_weight = if end == start + 1 { 1.0 } else { 1.0 - (from - f64::from(start)) };
        let last_weight = 1.0 - (f64::from(end) - to);
        Window { start: start - self.source_start, end: end - self.source_start, first_weight, last_weight }
    }

    /// Returns how much of source pixel `source` output pixel `target` covers, in units of one source pixel divided by
    /// the number of output pixels: the weights of [`covered`](Self::covered) without rounding.
    pub(crate) fn exact_weight(&self, target: u32, source: u32) -> u64 {
        let (target, source) = (target + self.target_start, source + self.source_start);
        let (step, size) = (u64::from(self.source), u64::from(self.target));
        let (from, to) = (u64::from(target) * step, (u64::from(target) + 1) * step);
        let (start, end) = (u64::from(source) * size, (u64::from(source) + 1) * size);
        to.min(end).saturating_sub(from.max(start))
    }

    /// Returns the whole source pixels that GDAL uses for complex samples (`GDALResampleChunkC32R`), a subset of those
    /// that the output pixel covers.
    pub(crate) fn rounded(&self, target: u32) -> Range<u32> {
        let target = target + self.target_start;
        let start = floor(0.5 + f64::from(target) * self.ratio).min(self.source - 1);
        let end = floor(0.5 + f64::from(target + 1) * self.ratio).max(start + 1);
        self.numbered(start..if target + 1 == self.target { self.source } else { end.min(self.source) })
    }

    /// Returns the source pixels under a convolution that extends `radius` pixels to either side at a ratio of 1.
    pub(crate) fn convolved(&self, radius: u8, target: u32) -> Range<u32> {
        let (center, reach) = (self.center(target), self.reach(radius));
        let start = floor((center - reach + 0.5).floor().max(0.0)).min(self.source - 1);
        self.numbered(start..floor(center + reach + 0.5).max(start + 1).min(self.source))
    }

    /// Returns the center of an output pixel, in source pixels from the start of the level.
    fn center(&self, target: u32) -> f64 {
        (f64::from(target + self.target_start) + 0.5) * self.ratio
    }

    /// Returns the distance from the center of an output pixel to the center of a source pixel, in source pixels.
    pub(crate) fn distance(&self, target: u32, source: u32) -> f64 {
        f64::from(source + self.source_start) - self.center(target) + 0.5
    }

    /// Renumbers source pixels from the start of the part in memory instead of the start of the level.
    fn numbered(&self, source: Range<u32>) -> Range<u32> {
        source.start - self.source_start..source.end - self.source_start
    }

    /// Returns output pixels per source pixel, at most 1: the inverse of the kernel's stretch.
    pub(crate) fn scale(&self) -> f64 {
        (1.0 / self.ratio).min(1.0)
    }

    /// Returns the reach of a convolution of this radius to either side, in source pixels.
    pub(crate) fn reach(&self, radius: u8) -> f64 {
        f64::from(radius) / self.scale()
    }

    /// Returns the side of the gauss matrix, the source pixels under it, and the number of its positions before the
    /// first one.
    pub(crate) fn gauss(&self, target: u32) -> (u32, Range<u32>, u32) {
        let side = self.gauss_side;
        let target = target + self.target_start;
        let from = floor(0.5 + f64::from(target) * self.ratio);
        let to = floor(0.5 + f64::from(target + 1) * self.ratio) + 1;
        let middle = from + (to - from) / 2;
        let before = (side / 2).saturating_sub(middle);
        let start = (middle + before - side / 2).min(self.source - 1);
        (side, self.numbered(start..(start + side - before).min(self.source)), before)
    }

    /// Returns the source pixels that an output pixel needs. Both ends increase with the output pixel.
    pub(crate) fn needed(&self, resampling: Resampling, target: u32) -> Range<u32> {
        match resampling {
            Resampling::Nearest => {
                let source = self.nearest(target);
                source..source + 1
            }
            Resampling::Average
            | Resampling::Rms
            | Resampling::Mode
            | Resampling::Min
            | Resampling::Max
            | Resampling::Median => {
                let window = self.covered(target);
                window.start..window.end
            }
            Resampling::Bilinear => self.convolved(1, target),
            Resampling::Cubic | Resampling::CubicSpline => self.convolved(2, target),
            Resampling::Lanczos => self.convolved(3, target),
            Resampling::Gauss => self.gauss(target).1,
        }
    }
}

/// Returns the source pixels that a range of output pixels needs, along an axis.
pub(crate) fn source_range(axis: &Axis, resampling: &[Resampling], target: &Range<u32>) -> Range<u32> {
    let Some(last) = target.end.checked_sub(1).filter(|&last| last >= target.start) else { return 0..0 };
    // Both ends increase with the pixel.
    let needed = |pixel| resampling.iter().map(move |&resampling| axis.needed(resampling, pixel));
    let start = needed(target.start).map(|range| range.start).min().unwrap_or(0);
    start..needed(last).map(|range| range.end).max().unwrap_or(0)
}

/// Returns the output pixels of a whole axis that need any of a range of source pixels.
#[cfg(all(feature = "geotiff", feature = "mosaic"))]
pub(crate) fn dependent_range(axis: &Axis, resampling: &[Resampling], source: &Range<u32>) -> Range<u32> {
    // Both ends increase with the pixel.
    let first_with = |is_before: &dyn Fn(Range<u32>) -> bool| {
        let (mut low, mut high) = (0, axis.target);
        while low < high {
            let middle = low + (high - low) / 2;
            if is_before(source_range(axis, resampling, &(middle..middle + 1))) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        low
    };
    let start = first_with(&|needed| needed.end <= source.start);
    let end = first_with(&|needed| needed.start < source.end);
    if source.is_empty() { 0..0 } else { start..end }
}

/// Returns the integer part of a number that is not negative and at most an image side.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 <= value <= 2^31 by construction")]
fn floor(value: f64) -> u32 {
    value as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_cover_the_axis_without_gaps() {
        for source in 1..200u32 {
            for target in 1..=source {
                let axis = Axis::new(source, target);
                let mut last_end = 0;
                for pixel in 0..target {
                    let window = axis.covered(pixel);
                    assert!(window.start <= last_end && window.end > last_end, "{source} to {target} at {pixel}");
                    assert!((0.0..=1.0 + 1e-7).contains(&window.first_weight), "{window:?}");
                    assert!((-1e-7..=1.0 + 1e-7).contains(&window.last_weight), "{window:?}");
                    let rounded = axis.rounded(pixel);
                    assert!(window.start <= rounded.start && rounded.end <= window.end, "{source} to {target}");
                    let exact: u64 = (window.start..window.end).map(|from| axis.exact_weight(pixel, from)).sum();
                    assert_eq!(exact, u64::from(source), "the exact weights of a pixel add up to the ratio");
                    last_end = window.end;
                }
                assert_eq!(last_end, source);
            }
        }
    }

    #[test]
    fn what_is_needed_only_moves_forward() {
        for source in 1..80u32 {
            for target in 1..=source {
                let axis = Axis::new(source, target);
                for &resampling in Resampling::ALL {
                    let mut last = 0..0;
                    for pixel in 0..target {
                        let needed = axis.needed(resampling, pixel);
                        let place = format!("{source} to {target} at {pixel}, {}: {needed:?}", resampling.name());
                        assert!(needed.start < needed.end && needed.end <= source, "{place}");
                        assert!(needed.start >= last.start && needed.end >= last.end, "{place} after {last:?}");
                        last = needed;
                    }
                }
            }
        }
    }

    #[cfg(all(feature = "geotiff", feature = "mosaic"))]
    #[test]
    fn dependents_are_those_that_need_a_pixel() {
        for (source, target) in [(16, 8), (17, 8), (37, 5), (9, 9), (40, 1), (101, 50)] {
            let axis = Axis::new(source, target);
            for &resampling in Resampling::ALL {
                for start in 0..source {
                    for end in start + 1..=source.min(start + 5) {
                        let needs = |pixel: &u32| {
                            let needed = axis.needed(resampling, *pixel);
                            needed.start < end && needed.end > start
                        };
                        let expected: Vec<u32> = (0..target).filter(needs).collect();
                        let found: Vec<u32> = dependent_range(&axis, &[resampling], &(start..end)).collect();
                        assert_eq!(found, expected, "{source} to {target}, {start}..{end}, {}", resampling.name());
                    }
                }
            }
        }
    }

    #[test]
    fn convolutions_reach_beyond_what_is_covered() {
        let axis = Axis::new(16, 8);
        assert_eq!(axis.convolved(1, 3), 5..9);
        assert_eq!(axis.convolved(2, 3), 3..11);
        assert_eq!(axis.convolved(3, 3), 1..13);
        assert_eq!([axis.convolved(2, 0), axis.convolved(2, 7)], [0..5, 11..16]);
        assert_eq!(axis.gauss(3), (3, 6..9, 0));
        assert_eq!(axis.gauss(7), (3, 14..16, 0));
    }

    #[test]
    fn five_to_two_splits_the_middle_pixel() {
        let axis = Axis::new(5, 2);
        assert_eq!(axis.covered(0), Window { start: 0, end: 3, first_weight: 1.0, last_weight: 0.5 });
        assert_eq!(axis.covered(1), Window { start: 2, end: 5, first_weight: 0.5, last_weight: 1.0 });
        assert_eq!([axis.nearest(0), axis.nearest(1)], [0, 3]);
    }
}
