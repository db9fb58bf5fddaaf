//! Tests whether some kernel can produce an overview pixel from the values under it.

use crate::sample::DataType;

use super::footprint::{Range, Sample};
use super::image::Image;

/// Maximum number of values that a kernel adds up: floats are compared only if the sum of that many is finite.
const SUMMED: f64 = 1e6;

/// The values that a kernel can produce from a range.
pub(super) struct Fit<'a> {
    image: &'a Image,
    range: Range,
    /// True if missing pixels are significant. They are not if the kinds of masks differ, or if a lossy codec can turn
    /// data into nodata and back.
    gaps: bool,
    /// Smallest and largest value that the range allows; `None` if it has no values.
    allowed: Option<(f64, f64)>,
    /// True if sums of such values may be infinite: the results may then be NaN.
    unbounded: bool,
}

impl<'a> Fit<'a> {
    pub(super) fn new(image: &'a Image, range: Range, gaps: bool) -> Self {
        let max = match image.data_type {
            Some(DataType::F32) => f64::from(f32::MAX) / SUMMED,
            Some(DataType::F64) => f64::MAX / SUMMED,
            _ => f64::MAX,
        };
        let values = range.values();
        let allowed = values.map(|(low, high)| {
            let tolerance = tolerance(image, low, high);
            (low - tolerance, high + tolerance)
        });
        let unbounded = values.is_some_and(|(low, high)| !(low.abs() <= max && high.abs() <= max));
        Self { image, range, gaps, allowed, unbounded }
    }

    pub(super) fn fits(&self, sample: Sample) -> bool {
        self.unbounded
            || match sample {
                Sample::Valid(value) => self.fits_value(value),
                Sample::Missing => self.fits_missing(),
                Sample::Either(value) => self.fits_missing() || self.fits_value(value),
            }
    }

    fn fits_missing(&self) -> bool {
        !(self.gaps && self.range.is_full())
    }

    fn fits_value(&self, value: f64) -> bool {
        let (Some((low, high)), Some((lowest, highest))) = (self.range.values(), self.allowed) else {
            return !self.gaps;
        };
        // An average of several colors may have any index; that of a single color has its index.
        if self.image.photometric == 3 {
            return low != high || value == low || self.color(value) == self.color(low);
        }
        // The root mean square has no sign.
        let rms = low < 0.0 && value.abs() <= (-lowest).max(highest);
        (lowest..=highest).contains(&value) || rms || !value.is_finite()
    }

    fn color(&self, value: f64) -> [Option<u64>; 3] {
        let map = &self.image.color_map;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of a palette")]
        let index = value.max(0.0) as usize;
        [0, 1, 2].map(|part| map.get(part * (map.len() / 3) + index).copied())
    }

    /// Describes why values of an overview do not fit.
    pub(super) fn describe(&self, own: &Range) -> String {
        match (own.values(), self.range.values()) {
            (None, _) => "the overview has no data, but the previous level has data everywhere around it".to_owned(),
            (Some((low, high)), None) => {
                format!("the overview has values from {low} to {high}, but the previous level has no data")
            }
            (Some((low, high)), Some((from, to))) => {
                format!("the overview has values from {low} to {high}, the previous level from {from} to {to}")
            }
        }
    }
}

/// Returns how far a value may lie outside the range.
fn tolerance(image: &Image, low: f64, high: f64) -> f64 {
    let magnitude = low.abs().max(high.abs());
    let rounding = match image.data_type {
        Some(DataType::F16) => magnitude * 4e-3 + 1e-6,
        Some(DataType::F32) => magnitude * 1e-5 + f64::from(f32::MIN_POSITIVE),
        Some(DataType::F64) => magnitude * 1e-5 + f64::MIN_POSITIVE,
        // 0.5 for rounding, 1 for a value moved off nodata; f64 represents 64-bit integers inexactly.
        _ => 2.0 + magnitude * 1e-6,
    };
    let lossy = if image.is_lossy() { 32f64.max(magnitude / 8.0) } else { 0.0 };
    high - low + rounding + lossy
}
