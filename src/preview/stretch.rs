//! Samples of any type as 8-bit gray, colors, and alpha.

use crate::sample::{NodataRange, Value, dispatch};
use crate::spec::ImageSpec;
use crate::validity::{Validity, is_masked, lacks_data};
use crate::view::Stripe;

use super::Choice;

/// The shares of valid pixels that are darker than black and not lighter than white.
const PERCENTILES: [f64; 2] = [0.02, 0.98];

/// Visible pixels.
pub(super) struct Shown {
    pub(super) channels: u8,
    /// (row, column, channel).
    pub(super) pixels: Vec<u8>,
}

/// Makes the pixels of a planar stripe visible.
pub(super) fn show(spec: &ImageSpec, stripe: &Stripe<'_>, choice: &Choice) -> Shown {
    dispatch!(spec.data_type, T => show_samples::<T>(spec, stripe, choice))
}

fn show_samples<T: Value>(spec: &ImageSpec, stripe: &Stripe<'_>, choice: &Choice) -> Shown {
    let count = stripe.width * stripe.rows;
    let nodata: Option<NodataRange<T>> = Validity::of_image(spec).nodata();
    let planes: Vec<&[T]> = stripe.planes.iter().map(|plane| &bytemuck::cast_slice(plane)[..count]).collect();
    let (bands, alpha) = planes.split_at(choice.colors.min(planes.len()));
    let opacity = alpha.first().filter(|_| choice.alpha);
    let largest = opaque(spec);
    let alpha: Vec<u8> = (0..count)
        .map(|pixel| {
            let is_hidden = stripe.mask.as_ref().is_some_and(|mask| is_masked(mask[pixel]))
                || bands.iter().all(|band| lacks_data(band[pixel], nodata));
            match opacity {
                _ if is_hidden => 0,
                Some(alpha) => scaled(alpha[pixel].to_f64(), 0.0, largest),
                None => u8::MAX,
            }
        })
        .collect();
    let has_alpha = alpha.iter().any(|alpha| *alpha < u8::MAX);
    let channels = bands.len() + usize::from(has_alpha);
    let mut pixels = vec![0; count * channels];
    for (channel, band) in bands.iter().enumerate() {
        let is_valid = |pixel: usize| alpha[pixel] > 0 && !lacks_data(band[pixel], nodata);
        let (low, high) = if choice.is_color { (0.0, 255.0) } else { range(band, is_valid) };
        for (pixel, value) in band.iter().enumerate().filter(|(pixel, _)| is_valid(*pixel)) {
            let value = scaled(value.to_f64(), low, high);
            pixels[pixel * channels + channel] = if choice.inverted { u8::MAX - value } else { value };
        }
    }
    if has_alpha {
        for (pixel, alpha) in pixels.chunks_exact_mut(channels).zip(&alpha) {
            pixel[channels - 1] = *alpha;
        }
    }
    Shown { channels: u8::try_from(channels).unwrap_or(u8::MAX), pixels }
}

/// Returns the value of opaque alpha: the largest of the samples for integers, as in GDAL, and 1 for floats.
fn opaque(spec: &ImageSpec) -> f64 {
    match spec.data_type.kind() {
        crate::sample::SampleKind::Unsigned => 2f64.powi(spec.bits().into()) - 1.0,
        crate::sample::SampleKind::Signed => 2f64.powi(i32::from(spec.bits()) - 1) - 1.0,
        _ => 1.0,
    }
}

/// Returns the values that become 0 and 255.
fn range<T: Value>(band: &[T], is_valid: impl Fn(usize) -> bool) -> (f64, f64) {
    let valid = band.iter().enumerate().filter(|(pixel, _)| is_valid(*pixel)).map(|(_, value)| value.to_f64());
    let mut values: Vec<f64> = valid.filter(|value| value.is_finite()).collect();
    let Some(last) = values.len().checked_sub(1) else { return (0.0, 1.0) };
    let [low, high] = PERCENTILES.map(|share| {
        #[expect(clippy::cast_precision_loss, reason = "at most 2^26 pixels")]
        let rank = (share * last as f64).round();
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "whole, and at most `last`")]
        let rank = rank as usize;
        *values.select_nth_unstable_by(rank, f64::total_cmp).1
    });
    if low < high {
        return (low, high);
    }
    // Nearly all values are the same: those that differ show from the smallest to the largest.
    values.iter().fold((low, high), |(low, high), value| (low.min(*value), high.max(*value)))
}

/// Maps a range to 0 to 255. The middle is for a range without extent.
fn scaled(value: f64, low: f64, high: f64) -> u8 {
    let share = if low < high { (value - low) / (high - low) } else { 0.5 };
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the range of a byte")]
    let byte = (share * 255.0).round().clamp(0.0, 255.0) as u8;
    byte
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_bands_are_gray_and_few_outliers_show() {
        assert_eq!(range(&[7.0f32; 9], |_| true), (7.0, 7.0));
        assert_eq!(scaled(7.0, 7.0, 7.0), 128);
        let mut values = [0u16; 1000];
        values[5] = 90;
        assert_eq!(range(&values, |_| true), (0.0, 90.0));
        assert_eq!(range(&[f64::INFINITY], |_| true), (0.0, 1.0));
    }

    #[test]
    fn values_out_of_range_become_black_and_white() {
        assert_eq!(
            [-3.0, 0.0, 50.0, 100.0, f64::INFINITY].map(|value| scaled(value, 0.0, 100.0)),
            [0, 0, 128, 255, 255]
        );
    }
}
