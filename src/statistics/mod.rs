//! Band statistics, computed as rows stream in. They are exact, so they depend on the pixels alone.
//!
//! Sums and sums of squares are integers of arbitrary length; mean and standard deviation are rounded once at the end.
//! So neither the order of the pixels nor the number of threads matters.

mod exact;
mod packed;

use crate::geo::MetadataItem;
use crate::geo::text::shortest;
use crate::sample::{DataType, Value, dispatch};
use crate::spec::ImageSpec;
use crate::validity::{Validity, is_masked, is_transparent};

use exact::{FixedPoint, Whole};
pub(crate) use packed::{pack, unpack};

/// Pixels whose sums are kept in machine integers: 2^12 squares of 32 bits fit in 64 bits.
const RUN: usize = 1 << 12;
/// Size of the pixels that are processed band by band, in bytes.
const RUN_BYTES: usize = 1 << 17;

/// Statistics of the valid pixels of a band.
///
/// Validity follows GDAL. With a nodata value, pixels that do not equal it are valid; for f16 and f32, a mask must mark
/// them as valid as well, if there is one. Without a nodata value, pixels that the mask marks as valid are; without
/// either, those that are not transparent. Mask and alpha do not apply to the alpha band itself. NaN is never valid.
///
/// All numbers except the percentage are NaN if no pixel is valid. Mean and standard deviation are exact, rounded once.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct BandStatistics {
    /// The smallest value; for 64-bit integers, the nearest double.
    pub minimum: f64,
    /// The largest value; for 64-bit integers, the nearest double.
    pub maximum: f64,
    /// The mean; infinite or NaN if pixels are infinite.
    pub mean: f64,
    /// The population standard deviation (divided by the number of pixels, as in GDAL); NaN if pixels are infinite.
    pub standard_deviation: f64,
    /// The percentage of valid pixels.
    pub valid_percent: f64,
    /// The smallest and the largest value of integers.
    whole: Option<(i128, i128)>,
}

impl BandStatistics {
    /// Returns GDAL's metadata items by name, in its order; without valid pixels, only their percentage, 0.
    pub(crate) fn items(&self) -> Vec<(&'static str, String)> {
        let number = |value: f64, whole: Option<i128>| whole.map_or_else(|| shortest(value), |whole| whole.to_string());
        let percent = ("STATISTICS_VALID_PERCENT", shortest(self.valid_percent));
        if self.valid_percent == 0.0 {
            return vec![percent];
        }
        vec![
            ("STATISTICS_MAXIMUM", number(self.maximum, self.whole.map(|(_, maximum)| maximum))),
            ("STATISTICS_MEAN", shortest(self.mean)),
            ("STATISTICS_MINIMUM", number(self.minimum, self.whole.map(|(minimum, _)| minimum))),
            ("STATISTICS_STDDEV", shortest(self.standard_deviation)),
            percent,
        ]
    }

    /// Statistics with the longest possible texts: `-2.2250738585072014e-308` has 24 bytes.
    pub(crate) const LONGEST: Self = {
        let value = -2.225_073_858_507_201_4e-308;
        Self {
            minimum: value,
            maximum: value,
            mean: value,
            standard_deviation: value,
            valid_percent: value,
            whole: None,
        }
    };
}

/// Returns GDAL's metadata items of the statistics of all bands.
pub(crate) fn statistic_items(statistics: &[BandStatistics]) -> Vec<MetadataItem> {
    let bands = (0..).zip(statistics);
    let items = bands.flat_map(|(band, statistics)| {
        statistics.items().into_iter().map(move |(name, value)| MetadataItem {
            name: name.to_owned(),
            domain: None,
            sample: Some(band),
            role: None,
            value,
        })
    });
    items.collect()
}

/// Consecutive pixels of an image in memory: full rows, or part of a row.
pub(crate) struct MeasuredPixels<'a> {
    /// All planes: a single one with all bands of a pixel, or one per band.
    pub(crate) planes: Vec<&'a [u8]>,
    /// One byte per pixel, 0 = invalid.
    pub(crate) mask: Option<&'a [u8]>,
}

/// The sums of a band.
#[derive(Debug, Clone)]
pub(crate) struct BandSums {
    /// All pixels, valid or not.
    pixels: u64,
    valid: u64,
    sums: Sums,
}

#[derive(Debug, Clone)]
enum Sums {
    Integer {
        range: Option<(i128, i128)>,
        sum: i128,
        /// Sums of the lower and of the upper 64 bits of squares.
        squares: [u128; 2],
    },
    Float {
        /// Range of finite and infinite values.
        range: Option<(f64, f64)>,
        /// Counts of negative and of positive infinities.
        infinities: [u64; 2],
        /// Exponent of the unit of the sums, 2^unit: the smallest positive number of the type.
        unit: i32,
        sum: FixedPoint,
        squares: FixedPoint,
    },
}

impl BandSums {
    /// Makes the sums of no pixels.
    pub(crate) fn new(data_type: DataType) -> Self {
        let float = |unit: i32, highest: i32| Sums::Float {
            range: None,
            infinities: [0; 2],
            unit,
            sum: FixedPoint::new(unit, highest),
            squares: FixedPoint::new(2 * unit, 2 * highest),
        };
        let sums = match data_type {
            DataType::F16 => float(-24, 16),
            DataType::F32 => float(-149, 128),
            DataType::F64 => float(-1074, 1024),
            _ => Sums::Integer { range: None, sum: 0, squares: [0; 2] },
        };
        Self { pixels: 0, valid: 0, sums }
    }

    /// Adds the sums of other pixels.
    pub(crate) fn merge(&mut self, other: Self) {
        self.pixels += other.pixels;
        self.valid += other.valid;
        match (&mut self.sums, other.sums) {
            (
                Sums::Integer { range, sum, squares },
                Sums::Integer { range: other_range, sum: other_sum, squares: other_squares },
            ) => {
                widen(range, other_range);
                *sum += other_sum;
                squares.iter_mut().zip(other_squares).for_each(|(squares, other)| *squares += other);
            }
            (
                Sums::Float { range, infinities, sum, squares, .. },
                Sums::Float { range: other_range, infinities: others, sum: other_sum, squares: other_squares, .. },
            ) => {
                widen(range, other_range);
                infinities.iter_mut().zip(others).for_each(|(count, other)| *count += other);
                sum.merge(other_sum);
                squares.merge(other_squares);
            }
            _ => debug_assert!(false, "sums of the same band are of the same type"),
        }
    }

    /// Returns the number of all pixels, valid or not.
    pub(crate) fn pixels(&self) -> u64 {
        self.pixels
    }

    /// Computes the statistics.
    pub(crate) fn statistics(&self) -> BandStatistics {
        let (count, valid) = (u128::from(self.valid), u128::from(self.valid));
        let valid_percent = Whole::from(100 * valid).divided(self.pixels.into(), 0);
        if self.valid == 0 {
            let nan = f64::NAN;
            return BandStatistics {
                minimum: nan,
                maximum: nan,
                mean: nan,
                standard_deviation: nan,
                valid_percent: 0.0,
                whole: None,
            };
        }
        let (sum, squares, unit) = match &self.sums {
            Sums::Integer { sum, squares: [low, high], .. } => {
                (Whole::from(*sum), Whole::from(*high).shifted(2).plus(&Whole::from(*low)), 0)
            }
            Sums::Float { sum, squares, unit, .. } => (sum.clone().whole(), squares.clone().whole(), *unit),
        };
        let mean = sum.divided(count, unit);
        // Variance: (n · sum of squares - square of the sum) / n², which is never negative.
        let spread = squares.times(&Whole::from(count)).minus(&sum.times(&sum));
        let standard_deviation = spread.divided(count * count, 2 * unit).sqrt();
        match &self.sums {
            Sums::Integer { range, .. } => {
                let (minimum, maximum) = range.unwrap_or_default();
                #[expect(clippy::cast_precision_loss, reason = "documented: the nearest double")]
                let (low, high) = (minimum as f64, maximum as f64);
                let whole = Some((minimum, maximum));
                BandStatistics { minimum: low, maximum: high, mean, standard_deviation, valid_percent, whole }
            }
            Sums::Float { range, infinities, .. } => {
                let (minimum, maximum) = range.unwrap_or_default();
                let (mean, standard_deviation) = match infinities {
                    [0, 0] => (mean, standard_deviation),
                    [0, _] => (f64::INFINITY, f64::NAN),
                    [_, 0] => (f64::NEG_INFINITY, f64::NAN),
                    _ => (f64::NAN, f64::NAN),
                };
                // A zero may have been either of the two zeros.
                let (minimum, maximum) = (minimum + 0.0, maximum + 0.0);
                BandStatistics { minimum, maximum, mean, standard_deviation, valid_percent, whole: None }
            }
        }
    }
}

fn widen<T: PartialOrd + Copy>(range: &mut Option<(T, T)>, other: Option<(T, T)>) {
    *range = match (*range, other) {
        (Some((low, high)), Some((other_low, other_high))) => {
            Some((if other_low < low { other_low } else { low }, if other_high > high { other_high } else { high }))
        }
        (one, other) => one.or(other),
    };
}

/// Returns whether samples under the mask count in statistics: nodata decides alone for most types, as in GDAL.
pub(crate) fn counts_masked_pixels(spec: &ImageSpec) -> bool {
    spec.mask && !Validity::of_statistics(spec, true).has_mask()
}

/// Returns the sums of no pixels for each band.
pub(crate) fn no_sums(spec: &ImageSpec) -> Vec<BandSums> {
    vec![BandSums::new(spec.data_type); spec.bands.into()]
}

/// Adds pixels to the sums of each band. Complex samples have no order and no sums: the plan rejects them.
pub(crate) fn measure(spec: &ImageSpec, pixels: &MeasuredPixels<'_>, sums: &mut [BandSums]) {
    match spec.data_type {
        DataType::U8 => measure_as::<u8>(spec, pixels, sums),
        DataType::I8 => measure_as::<i8>(spec, pixels, sums),
        DataType::U16 => measure_as::<u16>(spec, pixels, sums),
        DataType::I16 => measure_as::<i16>(spec, pixels, sums),
        DataType::U32 => measure_as::<u32>(spec, pixels, sums),
        DataType::I32 => measure_as::<i32>(spec, pixels, sums),
        DataType::U64 => measure_as::<u64>(spec, pixels, sums),
        DataType::I64 => measure_as::<i64>(spec, pixels, sums),
        DataType::F16 => measure_as::<half::f16>(spec, pixels, sums),
        DataType::F32 => measure_as::<f32>(spec, pixels, sums),
        DataType::F64 => measure_as::<f64>(spec, pixels, sums),
        DataType::CI16 | DataType::CI32 | DataType::CF32 | DataType::CF64 => {}
    }
}

/// Adds `count` pixels whose samples are all `sample`, masked if there is a mask, to the sums of each band.
pub(crate) fn measure_repeated(spec: &ImageSpec, sample: &[u8], mut count: u64, sums: &mut [BandSums]) {
    let mut part = no_sums(spec);
    dispatch!(spec.data_type, T => {
        let pixel = vec![bytemuck::pod_read_unaligned::<T>(sample); spec.bands.into()];
        let pixels = MeasuredPixels { planes: vec![bytemuck::cast_slice(&pixel)], mask: spec.mask.then_some(&[0]) };
        measure(spec, &pixels, &mut part);
    });
    // Sums are exact, so those of 2, 4, 8 pixels and so on follow from each other.
    while count > 0 {
        if count % 2 == 1 {
            sums.iter_mut().zip(&part).for_each(|(sums, part)| sums.merge(part.clone()));
        }
        part.iter_mut().for_each(|sums| sums.merge(sums.clone()));
        count /= 2;
    }
}

fn measure_as<T: Measured>(spec: &ImageSpec, rows: &MeasuredPixels<'_>, sums: &mut [BandSums]) {
    let validity = Validity::of_statistics(spec, rows.mask.is_some());
    let nodata = validity.nodata::<T>();
    // Alpha itself is not masked.
    let alpha = spec.alpha_band().map(|(band, _)| band);
    let mask = rows.mask.filter(|_| validity.has_mask());
    let samples = usize::from(spec.bands) / rows.planes.len().max(1);
    let planes: Vec<&[T]> = rows.planes.iter().map(|plane| bytemuck::cast_slice(plane)).collect();
    let pixels = planes.first().map_or(0, |plane| plane.len() / samples.max(1));
    // The samples of a band in a range of pixels, which are `samples` apart.
    let run_of = |band: usize, start: usize, end: usize| {
        let (plane, offset) = if planes.len() > 1 { (planes[band], 0) } else { (planes[0], band) };
        plane[start * samples..end * samples].iter().skip(offset).step_by(samples).copied()
    };
    // Fewer pixels if they have many bands, so that they stay in the cache from band to band.
    let run = (RUN_BYTES / (samples * size_of::<T>()).max(1)).clamp(16, RUN);
    let mut valid = Vec::with_capacity(run);
    for start in (0..pixels).step_by(run) {
        let end = (start + run).min(pixels);
        for (band, sums) in sums.iter_mut().enumerate() {
            sums.pixels += (end - start) as u64;
            let samples = run_of(band, start, end);
            valid.clear();
            match (mask.filter(|_| alpha != Some(band)), validity.alpha().filter(|&alpha| alpha != band)) {
                (Some(mask), _) => {
                    let masked = samples.zip(&mask[start..end]);
                    valid.extend(masked.filter(|(_, mask)| !is_masked(**mask)).map(|(value, _)| value));
                }
                (None, Some(alpha)) => {
                    let covered = samples.zip(run_of(alpha, start, end));
                    valid.extend(covered.filter(|(_, alpha)| !is_transparent(*alpha)).map(|(value, _)| value));
                }
                (None, None) => valid.extend(samples),
            }
            if let Some(nodata) = nodata {
                valid.retain(|value| !nodata.contains(*value));
            }
            T::add(sums, &valid);
        }
    }
}

/// A sample that can be summed.
trait Measured: Value {
    /// Adds at most [`RUN`] samples. NaN values are skipped.
    fn add(sums: &mut BandSums, samples: &[Self]);
}

/// Integers of up to 16 bits: the sums of a run fit in 64 bits, which SIMD can add.
macro_rules! small_integers {
    ($($type:ty),*) => {
        $(impl Measured for $type {
            fn add(sums: &mut BandSums, samples: &[Self]) {
                let (mut low, mut high) = (Self::MAX, Self::MIN);
                let (mut sum, mut squares) = (0i64, 0u64);
                for &value in samples {
                    (low, high) = (low.min(value), high.max(value));
                    let value = i64::from(value);
                    sum += value;
                    squares += value.unsigned_abs() * value.unsigned_abs();
                }
                let range = (low.into(), high.into());
                sums.add_integers(samples.len(), range, sum.into(), [squares.into(), 0]);
            }
        })*
    };
}

macro_rules! large_integers {
    ($($type:ty),*) => {
        $(impl Measured for $type {
            fn add(sums: &mut BandSums, samples: &[Self]) {
                let (mut low, mut high) = (Self::MAX, Self::MIN);
                let (mut sum, mut squares) = (0i128, [0u128; 2]);
                for &value in samples {
                    (low, high) = (low.min(value), high.max(value));
                    let value = i128::from(value);
                    sum += value;
                    let square = value.unsigned_abs() * value.unsigned_abs();
                    squares[0] += square & u128::from(u64::MAX);
                    squares[1] += square >> 64;
                }
                sums.add_integers(samples.len(), (low.into(), high.into()), sum, squares);
            }
        })*
    };
}

macro_rules! floats {
    ($($type:ty),*) => {
        $(impl Measured for $type {
            fn add(sums: &mut BandSums, samples: &[Self]) {
                sums.add_floats(samples.iter().filter(|value| !value.is_nan()).map(|&value| f64::from(value)));
            }
        })*
    };
}

small_integers!(u8, i8, u16, i16);
large_integers!(u32, i32, u64, i64);
floats!(half::f16, f32, f64);

impl BandSums {
    fn add_integers(&mut self, count: usize, more: (i128, i128), more_sum: i128, more_squares: [u128; 2]) {
        if let Sums::Integer { range, sum, squares } = &mut self.sums
            && count > 0
        {
            self.valid += count as u64;
            widen(range, Some(more));
            *sum += more_sum;
            squares.iter_mut().zip(more_squares).for_each(|(squares, more)| *squares += more);
        }
    }

    fn add_floats(&mut self, values: impl Iterator<Item = f64>) {
        let Sums::Float { range, infinities, sum, squares, .. } = &mut self.sums else { return };
        for value in values {
            self.valid += 1;
            widen(range, Some((value, value)));
            if value.is_infinite() {
                infinities[usize::from(value > 0.0)] += 1;
            } else {
                sum.add(value);
                squares.add_square(value);
            }
        }
    }
}

#[cfg(test)]
mod tests;
