//! The common case: every output pixel covers exactly 2x2 pixels, and there is no mask.

use std::ops::Range;

use super::super::Kernel;
use super::super::real::{Place, Real};
use crate::processor::newest;
use crate::sample::NodataRange;
use crate::validity::is_void;

/// Returns whether a type has code for each common number of bands. The browser module has to stay small, so only u8 and
/// u16 have it there.
const fn has_code_by_bands<T: Real>() -> bool {
    T::LANES || cfg!(not(target_family = "wasm"))
}

/// Output pixels that are checked together for invalid pixels.
const GROUP: usize = 64;

/// Two rows of the finer level, and the number of output pixels that GDAL computes several at once: all but the end of
/// a row.
struct Lines<'a, T> {
    upper: &'a [T],
    lower: &'a [T],
    together: usize,
}

/// Fills a row with means, or with root mean squares, of as many pixels of two rows as it covers. The pair holds the
/// samples per pixel and the wanted bands.
pub(super) fn compute<T: Real>(
    kernel: &Kernel,
    [upper, lower]: [&[T]; 2],
    rms: bool,
    (samples, bands): (usize, Range<usize>),
    target: &mut [T],
) {
    let at_once = if rms { T::RMS_AT_ONCE } else { T::MEANS_AT_ONCE };
    let lines = Lines { upper, lower, together: kernel.columns.in_groups(at_once).min(kernel.width) };
    let all = bands == (0..samples);
    if !has_code_by_bands::<T>() {
        return one_by_one(&lines, rms, samples, bands, target, 0..kernel.width);
    }
    match samples {
        // Constant numbers of bands let the compiler vectorize; root mean squares of one band are faster without.
        1 if all && !rms => several::<T, 1>(&lines, rms, target),
        2 if all => several::<T, 2>(&lines, rms, target),
        3 if all => several::<T, 3>(&lines, rms, target),
        4 if all => several::<T, 4>(&lines, rms, target),
        samples => one_by_one(&lines, rms, samples, bands, target, 0..kernel.width),
    }
}

/// Fills a row with the means of the pixels that are not `nodata`, in the order of [`Area`](super::Area). Returns
/// whether it did, which requires all bands and at most four. `other` computes a single pixel: column, sample.
pub(super) fn compute_valid<T: Real + PartialOrd>(
    [upper, lower]: [&[T]; 2],
    (nodata, place): (NodataRange<T>, Place<T>),
    (samples, bands): (usize, Range<usize>),
    target: &mut [T],
    other: impl FnMut(usize, usize) -> T,
) -> bool {
    if T::WIDE || bands != (0..samples) || !has_code_by_bands::<T>() {
        return false;
    }
    newest(
        #[inline(always)]
        || {
            match samples {
                1 => several_valid::<T, 1>((upper, lower), nodata, place, target, other),
                // Two bands are rarer and take the general path in the browser module.
                #[cfg(not(target_family = "wasm"))]
                2 => several_valid::<T, 2>((upper, lower), nodata, place, target, other),
                3 => several_valid::<T, 3>((upper, lower), nodata, place, target, other),
                4 => several_valid::<T, 4>((upper, lower), nodata, place, target, other),
                _ => return false,
            }
            true
        },
    )
}

/// Fills all bands of a row.
#[inline(always)]
fn several_valid<T: Real + PartialOrd, const SAMPLES: usize>(
    (upper, lower): (&[T], &[T]),
    nodata: NodataRange<T>,
    place: Place<T>,
    target: &mut [T],
    mut other: impl FnMut(usize, usize) -> T,
) {
    // Use zeros for invalid pixels, without a branch, so that several pixels can be computed at once.
    let there = |value: T| {
        let bits = u64::from(!is_void(value, nodata)).wrapping_neg();
        (f64::from_bits(value.to_f64().to_bits() & bits), f64::from_bits(1.0f64.to_bits() & bits))
    };
    let sums =
        |upper: &[T; SAMPLES], right: &[T; SAMPLES], lower: &[T; SAMPLES], last: &[T; SAMPLES], sample: usize| {
            let [a, b, c, d] = [upper, right, lower, last].map(|pixel| there(pixel[sample]));
            ((0.0 + a.0 + b.0) + (0.0 + c.0 + d.0), (a.1 + b.1) + (c.1 + d.1))
        };
    let pairs = |upper, lower| {
        let [upper, lower] = [upper, lower].map(|line: &[T]| line.as_chunks::<SAMPLES>().0);
        upper.as_chunks::<2>().0.iter().zip(lower.as_chunks::<2>().0)
    };
    let mut finite = true;
    let groups = (upper.chunks(GROUP * 2 * SAMPLES)).zip(lower.chunks(GROUP * 2 * SAMPLES));
    for (target, (upper, lower)) in target.chunks_mut(GROUP * SAMPLES).zip(groups) {
        let missing = |values: &[T]| values.iter().fold(false, |any, &value| any | is_void(value, nodata));
        let pixels = target.as_chunks_mut::<SAMPLES>().0.iter_mut().zip(pairs(upper, lower));
        if missing(upper) | missing(lower) {
            for (target, ([a, b], [c, d])) in pixels {
                for (sample, target) in target.iter_mut().enumerate() {
                    let (total, count) = sums(a, b, c, d, sample);
                    let mean = place.value(T::from_mean(total / count));
                    *target = if count > 0.0 { mean } else { nodata.value() };
                    finite &= total.is_finite();
                }
            }
            continue;
        }
        // Most groups have no invalid pixels, and most means do not equal nodata: nothing to mask, and a quarter is
        // exact.
        let mut moves = false;
        for (target, ([a, b], [c, d])) in pixels {
            for (sample, target) in target.iter_mut().enumerate() {
                let [a, b, c, d] = [a, b, c, d].map(|pixel| pixel[sample].to_f64());
                let total = (0.0 + a + b) + (0.0 + c + d);
                *target = T::from_mean(total / 4.0);
                finite &= total.is_finite();
                moves |= nodata.contains(*target) | (*target > place.largest);
            }
        }
        if moves {
            target.iter_mut().for_each(|value| *value = place.value(*value));
        }
    }
    if finite {
        return;
    }
    // Infinities, or sums beyond the range of doubles.
    for ((column, target), ([a, b], [c, d])) in
        target.as_chunks_mut::<SAMPLES>().0.iter_mut().enumerate().zip(pairs(upper, lower))
    {
        for (sample, target) in target.iter_mut().enumerate() {
            if !sums(a, b, c, d, sample).0.is_finite() {
                *target = other(column, sample);
            }
        }
    }
}

/// Fills all bands of a row.
fn several<T: Real, const SAMPLES: usize>(lines: &Lines<'_, T>, rms: bool, target: &mut [T]) {
    let width = target.len() / SAMPLES;
    let &Lines { upper, lower, together } = lines;
    let has_nan = if rms {
        fill::<T, SAMPLES>((upper, lower), |values| T::rms_of_four(values, false), &mut target[..together * SAMPLES])
    } else {
        fill::<T, SAMPLES>((upper, lower), |values| T::mean_of_four(values, false), &mut target[..together * SAMPLES])
    };
    let again = if has_nan { 0 } else { together };
    one_by_one(lines, rms, SAMPLES, 0..SAMPLES, target, again..width);
}

/// Fills pixels, and returns whether any result or value is NaN.
fn fill<T: Real, const SAMPLES: usize>(
    (upper, lower): (&[T], &[T]),
    mean: impl Fn([T; 4]) -> T,
    target: &mut [T],
) -> bool {
    newest(
        #[inline(always)]
        || {
            let pairs = upper.chunks_exact(2 * SAMPLES).zip(lower.chunks_exact(2 * SAMPLES));
            for (target, (upper, lower)) in target.chunks_exact_mut(SAMPLES).zip(pairs) {
                for sample in 0..SAMPLES {
                    let values = [upper[sample], upper[SAMPLES + sample], lower[sample], lower[SAMPLES + sample]];
                    target[sample] = mean(values);
                }
            }
            let has_nan = |values: &[T]| values.iter().fold(false, |any, value| any | value.is_nan());
            has_nan(target) || has_nan(upper) || has_nan(lower)
        },
    )
}

/// Computes some columns of a row that may contain NaN.
fn one_by_one<T: Real>(
    &Lines { upper, lower, together }: &Lines<'_, T>,
    rms: bool,
    samples: usize,
    bands: Range<usize>,
    target: &mut [T],
    columns: Range<usize>,
) {
    let part = 2 * columns.start * samples..2 * columns.end * samples;
    let pairs = upper[part.clone()].chunks_exact(2 * samples).zip(lower[part].chunks_exact(2 * samples));
    let pixels = target[columns.start * samples..columns.end * samples].chunks_exact_mut(samples);
    for ((column, target), (upper, lower)) in columns.zip(pixels).zip(pairs) {
        for sample in bands.clone() {
            let values = [upper[sample], upper[samples + sample], lower[sample], lower[samples + sample]];
            let alone = column >= together;
            target[sample] = if rms { T::rms_of_four(values, alone) } else { T::mean_of_four(values, alone) };
            if target[sample].is_nan() || values.iter().any(|value| value.is_nan()) {
                target[sample] = without_nan(values, rms);
            }
        }
    }
}

/// Returns the mean of the numbers among four values; NaN if there are none, or if infinities cancel.
fn without_nan<T: Real>(values: [T; 4], rms: bool) -> T {
    let numbers = values.iter().filter(|value| !value.is_nan()).map(|value| value.to_f64());
    let count = numbers.clone().fold(0.0, |count, _| count + 1.0);
    if count == 0.0 {
        return values[0];
    }
    if !rms {
        return T::from_mean(numbers.fold(0.0, |sum, value| sum + value) / count);
    }
    let largest = numbers.clone().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    if largest == 0.0 || largest.is_infinite() {
        return T::from_mean(largest);
    }
    let squares = numbers.fold(0.0, |sum, value| sum + (value / largest) * (value / largest));
    T::from_mean(largest * (squares / count).sqrt())
}
