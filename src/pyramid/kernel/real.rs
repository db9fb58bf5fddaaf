//! Real numbers: conversion to and from doubles, and the means of the most common window.
//!
//! GDAL computes each data type in a working type (`GDALGetOvrWorkDataType`): its own for u8 and u16, single precision
//! for i8, i16, and f32, double for the rest. Rounding happens there, so it is part of the rules.

use half::f16;

use crate::sample::{NodataRange, Number};

use super::area::Area;
use super::rows::Fill;

/// A real number type for arithmetic.
pub(super) trait Real: Number {
    /// True for u8 and u16, where GDAL computes in the type itself, convolves with four sums, and takes integer roots
    /// of means.
    const LANES: bool = false;
    /// True if convolutions end in single precision.
    const SINGLE: bool = false;
    /// True if values are divided by their number before they are summed, so that sums do not overflow.
    const SCALED: bool = true;
    /// True if means of areas need more than doubles.
    const WIDE: bool = false;
    /// Means of 2x2 pixels that GDAL computes at once; the remainder at the end of a row is summed in another order.
    const MEANS_AT_ONCE: usize = 1;
    /// The same for root mean squares.
    const RMS_AT_ONCE: usize = 1;

    /// Converts to single precision.
    fn to_single(self) -> f32 {
        #[expect(clippy::cast_possible_truncation, reason = "rounds to single precision, which is meant")]
        let single = self.to_f64() as f32;
        single
    }

    /// Returns the nearest integer within the range of an unsigned type of at most 16 bits, and its distance. Halves
    /// round to even.
    fn nearest_whole(value: f32) -> (Self, f32) {
        (Self::from_f32(value), 0.0)
    }

    /// Converts the result of a convolution.
    fn from_filtered(value: f64) -> Self {
        if !Self::SINGLE {
            return Self::from_f64(value);
        }
        #[expect(clippy::cast_possible_truncation, reason = "rounds to single precision, which is meant")]
        let single = value as f32;
        if Self::LANES {
            // Weights that sum to 1 do not leave the range of any float.
            return Self::from_f32(single);
        }
        // Overshoot is clamped to the range of the type, as in GDAL; infinities are data.
        let overshoots = value.is_finite() && single.is_infinite();
        Self::from_f32(if overshoots { f32::MAX.copysign(single) } else { single })
    }

    /// Converts a mean or root mean square.
    fn from_mean(mean: f64) -> Self;

    /// Computes the root of a mean of squares.
    fn from_squares(total: f64, weight: f64) -> Self {
        Self::from_mean((total / weight).sqrt())
    }

    /// Returns the mean of four pixels: two of the upper row, two of the lower. `alone` is set at the end of a row,
    /// where GDAL does not compute several at once.
    fn mean_of_four(values: [Self; 4], alone: bool) -> Self;

    /// Returns the root mean square of four pixels.
    fn rms_of_four(values: [Self; 4], alone: bool) -> Self;

    /// Returns the mean of the valid pixels of a window, weighted by the covered area; `None` if there are none.
    fn mean_of_area(area: &Area<'_, Self>, fill: &mut Fill<Self>) -> Option<Self> {
        area.mean(fill)
    }
}

/// Converts a result to a pixel: avoids nodata, and stays within the bits of the file.
#[derive(Clone, Copy)]
pub(super) struct Place<T> {
    pub(super) void: Option<NodataRange<T>>,
    pub(super) largest: T,
}

impl<T: Real + PartialOrd> Place<T> {
    pub(super) fn value(&self, value: T) -> T {
        let value = if value > self.largest { self.largest } else { value };
        match self.void {
            Some(void) if void.contains(value) => value.off_nodata(void, self.largest),
            _ => value,
        }
    }
}

/// Added to a number of at most 23 bits, it moves the integer part, rounded to even, into the low bits.
const WHOLE_IN_LOW_BITS: f32 = 8_388_608.0;

/// The parts shared by all integers.
macro_rules! integer {
    () => {
        #[expect(clippy::allow_attributes, reason = "some types of the macro lose nothing")]
        #[allow(
            clippy::cast_lossless,
            clippy::cast_precision_loss,
            reason = "rounds to single precision, which is meant"
        )]
        fn to_single(self) -> f32 {
            self as f32
        }

        #[expect(clippy::allow_attributes, reason = "some types of the macro need no cast")]
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_possible_wrap,
            clippy::cast_lossless,
            reason = "the low bits are the number"
        )]
        fn nearest_whole(value: f32) -> (Self, f32) {
            let shifted = value + WHOLE_IN_LOW_BITS;
            (shifted.to_bits() as Self, (value - (shifted - WHOLE_IN_LOW_BITS)).abs())
        }
    };
}

macro_rules! real_integers {
    ($($type:ident: $sum:ident, lanes $lanes:literal, single $single:literal, $rms:ident, at once $at_once:literal;)*) => {
        $(impl Real for $type {
            const LANES: bool = $lanes;
            const SINGLE: bool = $single;
            const SCALED: bool = !$lanes;
            const RMS_AT_ONCE: usize = $at_once;

            integer!();

            fn from_mean(mean: f64) -> Self {
                // GDAL's 8- and 16-bit signed means end in single precision.
                #[expect(clippy::cast_possible_truncation, reason = "rounds to single precision, which is meant")]
                if $single && !$lanes { Self::from_f32(mean as f32) } else { Self::from_f64(mean) }
            }

            fn from_squares(total: f64, weight: f64) -> Self {
                let mean = total / weight;
                if !$lanes {
                    return Self::from_mean((mean).sqrt());
                }
                // GDAL `ComputeIntegerRMS`: the integer whose square is nearest to the mean of squares.
                let root = mean.sqrt();
                // The integer part, less than 2^16.
                let shifted = (root + 4_503_599_627_370_496.0) - 4_503_599_627_370_496.0;
                let root = if shifted > root { shifted - 1.0 } else { shifted };
                Self::from_f64(if 2.0 * root * (root + 1.0) + 1.0 < 2.0 * mean { root + 1.0 } else { root })
            }

            fn mean_of_four(values: [Self; 4], _alone: bool) -> Self {
                let total: $sum = values.into_iter().map($sum::from).sum();
                #[expect(clippy::allow_attributes, reason = "not all types of the macro are unsigned")]
                #[allow(unused_comparisons, reason = "not all types of the macro are signed")]
                let mean = if total < 0 { (total - 2) / 4 } else { (total + 2) / 4 };
                // A mean lies between its values, so it always fits.
                Self::try_from(mean).unwrap_or(Self::MAX)
            }

            fn rms_of_four(values: [Self; 4], alone: bool) -> Self {
                $rms(values, alone)
            }
        })*
    };
}

real_integers! {
    u8: u16, lanes true, single true, integer_rms, at once 1;
    u16: u32, lanes true, single true, integer_rms, at once 1;
    i8: i16, lanes false, single true, single_rms, at once 4;
    i16: i32, lanes false, single true, single_rms, at once 4;
    u32: u64, lanes false, single false, double_rms, at once 1;
    i32: i64, lanes false, single false, double_rms, at once 1;
}

/// GDAL `ComputeIntegerRMS_4values`.
fn integer_rms<T: Real>(values: [T; 4], _alone: bool) -> T {
    let [a, b, c, d] = values.map(T::to_f64);
    // At most 4 * 65535^2, so everything is exact.
    T::from_squares(a * a + b * b + (c * c + d * d), 4.0)
}

/// GDAL `QuadraticMeanFloatSSE2`, and the loop after it for the remainder of a row.
fn single_rms<T: Real>(values: [T; 4], alone: bool) -> T {
    #[expect(clippy::cast_possible_truncation, reason = "values of single precision or less")]
    let values = values.map(|value| value.to_f64() as f32);
    let largest = values.iter().fold(0.0, |largest: f32, value| largest.max(value.abs()));
    // Constant values stay constant: dividing and multiplying back can change the last bit, as it does in GDAL.
    if largest == 0.0 || largest.is_infinite() || values.iter().all(|value| value.abs() == largest) {
        return T::from_f32(largest);
    }
    let inverse = 1.0 / largest;
    let [a, b, c, d] = values.map(|value| (value * inverse) * (value * inverse));
    let total = if alone { a + b + c + d } else { (a + b) + (c + d) };
    T::from_f32(largest * (total * 0.25).sqrt())
}

/// The loop of GDAL's `…_AverageOrRMS` for 2x2 pixels in double precision.
fn double_rms<T: Real>(values: [T; 4], _alone: bool) -> T {
    let values = values.map(T::to_f64);
    let largest = values.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 || largest.is_infinite() || values.iter().all(|value| value.abs() == largest) {
        return T::from_f64(largest);
    }
    let inverse = 1.0 / largest;
    let [a, b, c, d] = values.map(|value| (value * inverse) * (value * inverse));
    T::from_f64(largest * (0.25 * (a + b + c + d)).sqrt())
}

/// Integers that a double cannot represent exactly: their means are computed with 128 bits. That is enough for values
/// of at most 64 bits times weights of at most 31 bits along each axis, summed over weights that total at most 62 bits.
macro_rules! wide_integers {
    ($($type:ident),*) => {
        $(impl Real for $type {
            const WIDE: bool = true;

            integer!();

            fn from_mean(mean: f64) -> Self {
                Self::from_f64(mean)
            }

            fn mean_of_four(values: [Self; 4], _alone: bool) -> Self {
                let total = values.into_iter().map(i128::from).sum();
                Self::try_from(round_quotient(total, 4)).unwrap_or(Self::MAX)
            }

            fn rms_of_four(values: [Self; 4], alone: bool) -> Self {
                double_rms(values, alone)
            }

            fn mean_of_area(area: &Area<'_, Self>, fill: &mut Fill<Self>) -> Option<Self> {
                let (mut total, mut total_weight) = (0, 0);
                area.each_valid(fill, |value, row, column| {
                    let weight = area.exact_weight(row, column);
                    total += i128::from(value) * weight;
                    total_weight += weight;
                });
                // A mean lies between its values, so it always fits.
                (total_weight > 0).then(|| Self::try_from(round_quotient(total, total_weight)).unwrap_or(Self::MAX))
            }
        })*
    };
}

wide_integers!(u64, i64);

/// Returns the quotient rounded to the nearest integer, halves away from zero.
fn round_quotient(total: i128, weight: i128) -> i128 {
    let half = if total < 0 { -(weight / 2) } else { weight / 2 };
    (total + half) / weight
}

/// Computes the mean of four floats, each divided first so that the sum does not overflow: GDAL's `AverageFloatSSE2`
/// and `AverageDoubleSSE2` add columns first, the loop after them row by row.
macro_rules! mean_of_four_floats {
    () => {
        fn mean_of_four(values: [Self; 4], alone: bool) -> Self {
            let [a, b, c, d] = values.map(|value| value * 0.25);
            if alone { a + b + c + d } else { (a + c) + (b + d) }
        }
    };
}

impl Real for f32 {
    const SINGLE: bool = true;
    const MEANS_AT_ONCE: usize = 4;
    const RMS_AT_ONCE: usize = 4;

    mean_of_four_floats!();

    fn from_mean(mean: f64) -> Self {
        Self::from_f64(mean)
    }

    fn rms_of_four(values: [Self; 4], alone: bool) -> Self {
        single_rms(values, alone)
    }
}

impl Real for f64 {
    const MEANS_AT_ONCE: usize = 2;

    mean_of_four_floats!();

    fn from_mean(mean: f64) -> Self {
        mean
    }

    fn rms_of_four(values: [Self; 4], alone: bool) -> Self {
        double_rms(values, alone)
    }
}

impl Real for f16 {
    fn from_mean(mean: f64) -> Self {
        Self::from_f64(mean)
    }

    fn mean_of_four(values: [Self; 4], _alone: bool) -> Self {
        let [a, b, c, d] = values.map(Self::to_f64);
        Self::from_f64((a + b + (c + d)) * 0.25)
    }

    fn rms_of_four(values: [Self; 4], alone: bool) -> Self {
        double_rms(values, alone)
    }
}
