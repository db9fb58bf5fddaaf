//! Whether a pixel of an overview can come from the values under it, by any kernel.

use crate::sample::DataType;

use super::footprint::{Range, Sample};
use super::image::Image;

/// Numbers that a kernel may add up: floats are compared where as many have a finite sum.
const SUMMED: f64 = 1e6;

/// The values that a kernel can make of a range.
pub(super) struct Fit<'a> {
    image: &'a Image,
    range: Range,
    /// Whether missing pixels say anything: not where masks differ in kind, or where values come and go with the codec.
    gaps: bool,
    /// Smallest and largest value that the range allows; `None` where it has no values.
    allowed: Option<(f64, f64)>,
    /// Whether sums of such numbers are infinite: what becomes of infinities may be no number.
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
        // Averages of colors may have any index, but of one color that one.
        if self.image.photometric == 3 {
            return low != high || value == low || self.color(value) == self.color(low);
        }
        // The root of the mean square has no sign.
        let rms = low < 0.0 && value.abs() <= (-lowest).max(highest);
        (lowest..=highest).contains(&value) || rms || !value.is_finite()
    }

    fn color(&self, value: f64) -> [Option<u64>; 3] {
        let map = &self.image.color_map;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an index of a palette")]
        let index = value.max(0.0) as usize;
        [0, 1, 2].map(|part| map.get(part * (map.len() / 3) + index).copied())
    }

    /// Says why values of an overview do not fit.
    pub(super) fn describe(&self, own: &Range) -> String {
        match (own.values(), self.range.values()) {
            (None, _) => "the overview has no data, the level before has data all around".to_owned(),
            (Some((low, high)), None) => {
                format!("the overview has values from {low} to {high}, the level before has no data")
            }
            (Some((low, high)), Some((from, to))) => {
                format!("the overview has values from {low} to {high}, the level before from {from} to {to}")
            }
        }
    }
}

/// By how much a value may leave the range.
fn tolerance(image: &Image, low: f64, high: f64) -> f64 {
    let magnitude = low.abs().max(high.abs());
    let rounding = match image.data_type {
        Some(DataType::F16) => magnitude * 4e-3 + 1e-6,
        Some(DataType::F32) => magnitude * 1e-5 + f64::from(f32::MIN_POSITIVE),
        Some(DataType::F64) => magnitude * 1e-5 + f64::MIN_POSITIVE,
        // Half for rounding, one for a value that steps out of nodata's way; doubles hold 64 bits with an error.
        _ => 2.0 + magnitude * 1e-6,
    };
    let lossy = if image.is_lossy() { 32f64.max(magnitude / 8.0) } else { 0.0 };
    high - low + rounding + lossy
}
