//! Which pixels of a level a pixel of the next level needs. The only definition: rolling buffers and kernels ask it.
//!
//! Source of the rules: GDAL 3.12 `gcore/overview.cpp`, `GDALResampleChunk_Near` and `…_AverageOrRMS`.

use std::ops::Range;

use crate::options::Resampling;

/// What GDAL adds to and takes from window edges so that rounding errors of the ratio don't widen windows.
const EDGE_TOLERANCE: f64 = 1e-8;

/// The mapping of one axis from a level to the next coarser one.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    source: u32,
    ratio: f64,
}

/// The source pixels that one output pixel covers along an axis, and how much of the outer ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Window {
    /// First source pixel.
    pub(crate) start: u32,
    /// One past the last source pixel; at least `start + 1`.
    pub(crate) end: u32,
    /// The covered share of the first pixel, which is 1 where it is the only one.
    pub(crate) first_weight: f64,
    /// The covered share of the last pixel, where it isn't the first.
    pub(crate) last_weight: f64,
}

impl Axis {
    /// From `source` to `target` pixels; both at least 1, `target` no larger.
    pub(crate) fn new(source: u32, target: u32) -> Self {
        Self { source, ratio: f64::from(source) / f64::from(target) }
    }

    /// Whether every output pixel covers exactly two source pixels.
    pub(crate) fn is_two(&self) -> bool {
        self.ratio.to_bits() == 2.0f64.to_bits()
    }

    /// The source pixel that nearest takes.
    pub(crate) fn nearest(&self, target: u32) -> u32 {
        floor(0.5 + f64::from(target) * self.ratio).min(self.source - 1)
    }

    /// The source pixels that an output pixel covers.
    pub(crate) fn covered(&self, target: u32) -> Window {
        let from = f64::from(target) * self.ratio;
        let to = f64::from(target + 1) * self.ratio;
        let start = floor(from + EDGE_TOLERANCE).min(self.source - 1);
        let end = floor((to - EDGE_TOLERANCE).ceil()).max(start + 1).min(self.source);
        let first_weight = if end == start + 1 { 1.0 } else { 1.0 - (from - f64::from(start)) };
        Window { start, end, first_weight, last_weight: 1.0 - (f64::from(end) - to) }
    }

    /// The source pixels that an output pixel needs.
    pub(crate) fn needed(&self, resampling: Resampling, target: u32) -> Range<u32> {
        match resampling {
            Resampling::Nearest => {
                let source = self.nearest(target);
                source..source + 1
            }
            Resampling::Average | Resampling::Mode => {
                let window = self.covered(target);
                window.start..window.end
            }
        }
    }
}

/// The whole part of a number that is not negative and no larger than an image side.
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
                    last_end = window.end;
                }
                assert_eq!(last_end, source);
            }
        }
    }

    #[test]
    fn five_to_two_splits_the_middle_pixel() {
        let axis = Axis::new(5, 2);
        assert_eq!(axis.covered(0), Window { start: 0, end: 3, first_weight: 1.0, last_weight: 0.5 });
        assert_eq!(axis.covered(1), Window { start: 2, end: 5, first_weight: 0.5, last_weight: 1.0 });
        assert_eq!([axis.nearest(0), axis.nearest(1)], [0, 3]);
    }
}
