//! The nodata value, and the only rule that decides which samples equal it.

use std::ops::RangeInclusive;

use half::f16;
use num_complex::Complex;

use super::{DataType, Sample, SampleKind, dispatch};
use crate::error::{Error, OptionField, Result};

/// A sample that can be compared with nodata.
pub(crate) trait Value: Sample {
    /// Zero.
    const ZERO: Self;
    /// `true` if the type has NaN and negative zero.
    const MAY_BE_NAN: bool = true;
    /// The smallest and the largest finite sample; of complex samples, of their real part.
    const LIMITS: [Nodata; 2];

    /// Returns whether the value is NaN, in either part.
    fn is_nan(self) -> bool;

    /// Returns the sample closest to a nodata value. `None` for integers that cannot hold it; floats out of range
    /// become infinite, as in GDAL.
    fn from_nodata(nodata: &Nodata) -> Option<Self>;

    /// Returns the nearest double; for complex samples, that of the real part.
    fn to_f64(self) -> f64;

    /// Returns the smallest and the largest sample that equal this one if it is nodata.
    fn nodata_bounds(self) -> (Self, Self) {
        (self, self)
    }

    /// Returns whether the sample is within such bounds.
    fn is_within(self, low: Self, _high: Self) -> bool {
        self == low
    }
}

/// The samples that equal a nodata value; the only code that compares the two.
///
/// Integers are compared exactly. Floats follow GDAL's `ARE_REAL_EQUAL` (`gcore/gdal_priv.h`). Its tolerance is
/// relative, so the samples that equal a value form a range; with its ends computed once, the test takes two
/// comparisons. NaN is in no range; callers that skip NaN use [`Value::is_nan`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct NodataRange<T> {
    value: T,
    low: T,
    high: T,
}

impl<T: Value> NodataRange<T> {
    /// Returns the range of a nodata value; `None` if no sample of the type can equal it.
    pub(crate) fn of(nodata: &Nodata) -> Option<Self> {
        T::from_nodata(nodata).map(Self::around)
    }

    /// Returns the range of a nodata value of the sample type.
    pub(crate) fn around(value: T) -> Self {
        let (low, high) = value.nodata_bounds();
        Self { value, low, high }
    }

    /// Returns the nodata value.
    pub(crate) fn value(&self) -> T {
        self.value
    }

    /// Returns the smallest and the largest sample in the range.
    pub(crate) fn bounds(&self) -> (T, T) {
        (self.low, self.high)
    }

    /// Returns whether a sample equals nodata.
    #[inline(always)]
    pub(crate) fn contains(&self, sample: T) -> bool {
        sample.is_within(self.low, self.high)
    }
}

/// A nodata value, exact for every sample type.
///
/// GDAL writes it as text in tag 42113 (`GDAL_NODATA`): 64-bit integers as integers, everything else as a double.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Nodata {
    /// An integer, with room for every 64-bit integer, signed or unsigned.
    Integer(i128),
    /// Any other number, including infinities and NaN.
    Float(f64),
}

impl Nodata {
    /// Returns the value as a double; 64-bit integers beyond 2^53 are rounded.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match *self {
            #[expect(clippy::cast_precision_loss, reason = "documented: rounds beyond 2^53")]
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// Returns the range of samples of a type that equal this value, as doubles: for integers the value itself, for
    /// floats those within GDAL's tolerance. `None` if no sample equals it, as with NaN.
    ///
    /// Bounds of 64-bit integers beyond 2^53 are rounded. Complex samples equal nodata if the real part is in the range
    /// and the imaginary part is 0.
    ///
    /// ```
    /// use cogsmith::{DataType, Nodata};
    /// let esri = Nodata::from(-3.402823e38);
    /// assert!(esri.equal_samples(DataType::F32).is_some_and(|samples| samples.contains(&f64::from(f32::MIN))));
    /// assert!(Nodata::from(-9999i64).equal_samples(DataType::U8).is_none());
    /// ```
    #[must_use]
    pub fn equal_samples(&self, data_type: DataType) -> Option<RangeInclusive<f64>> {
        let (low, high) = dispatch!(data_type, T => {
            let (low, high) = NodataRange::<T>::of(self)?.bounds();
            (low.to_f64(), high.to_f64())
        });
        (low <= high).then_some(low..=high)
    }

    /// Returns the value as the type holds it: rounded for floats, unchanged for integers.
    pub(crate) fn rounded_to(&self, data_type: DataType) -> f64 {
        match data_type.kind() {
            SampleKind::Float | SampleKind::ComplexFloat => {
                dispatch!(data_type, T => T::from_nodata(self).map_or(f64::NAN, Value::to_f64))
            }
            _ => self.as_f64(),
        }
    }

    /// Checks that a sample of the type can hold the value, apart from rounding of floats.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidOption`](crate::ErrorKind::InvalidOption) for a fraction among integers, and a value that is
    /// out of range.
    pub fn check(&self, data_type: DataType) -> Result<()> {
        self.misfit(data_type).map_or(Ok(()), |reason| Err(Error::option(OptionField::Nodata, reason)))
    }

    /// Returns why no sample of the type can hold the value; `None` if one can, apart from rounding of floats.
    pub(crate) fn misfit(&self, data_type: DataType) -> Option<String> {
        let is_held = dispatch!(data_type, T => T::from_nodata(self).is_some())
            && self.as_f64().is_finite() == self.rounded_to(data_type).is_finite();
        let digits = |value| match value {
            Self::Integer(value) => value.to_string(),
            Self::Float(value) => format!("{value:?}"),
        };
        let [low, high] = dispatch!(data_type, T => T::LIMITS).map(digits);
        let has_fraction = matches!(*self, Self::Float(value) if value.is_nan() || (value % 1.0).abs() > 0.0);
        let is_integral = !matches!(data_type.kind(), SampleKind::Float | SampleKind::ComplexFloat);
        let problem = if has_fraction && is_integral {
            format!("is not an integer, as {data_type} requires")
        } else {
            format!("is out of range for {data_type}")
        };
        (!is_held).then(|| format!("nodata value {} {problem} ({low} to {high})", digits(*self)))
    }

    /// Parses the text of a `GDAL_NODATA` tag or of an option: integers exactly, everything else as a double.
    ///
    /// Returns `None` for text that is not a number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        if let Ok(value) = text.parse::<i128>()
            && (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value)
        {
            // Keep the sign of negative zero.
            return Some(if value == 0 && text.starts_with('-') { Self::Float(-0.0) } else { Self::Integer(value) });
        }
        let lower = text.to_ascii_lowercase();
        match lower.trim_start_matches(['+', '-']) {
            // NaN as printed by the C libraries of the systems that GDAL runs on.
            "nan" | "nan(ind)" | "1.#qnan" | "1.#ind" => return Some(Self::Float(f64::NAN)),
            "inf" | "infinity" | "1.#inf" => {
                return Some(Self::Float(if lower.starts_with('-') { f64::NEG_INFINITY } else { f64::INFINITY }));
            }
            _ => {}
        }
        text.parse::<f64>().ok().map(Self::from)
    }
}

impl From<f64> for Nodata {
    fn from(value: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, reason = "only taken where the value is whole and in range")]
        if value.fract() == 0.0 && value.abs() < 9e15 && !(value == 0.0 && value.is_sign_negative()) {
            return Self::Integer(value as i128);
        }
        Self::Float(value)
    }
}

impl From<i64> for Nodata {
    fn from(value: i64) -> Self {
        Self::Integer(i128::from(value))
    }
}

impl From<u64> for Nodata {
    fn from(value: u64) -> Self {
        Self::Integer(i128::from(value))
    }
}

macro_rules! integer_values {
    ($($type:ty),*) => {
        $(impl Value for $type {
            const ZERO: Self = 0;
            const MAY_BE_NAN: bool = false;
            const LIMITS: [Nodata; 2] = [Nodata::Integer(Self::MIN as i128), Nodata::Integer(Self::MAX as i128)];

            fn is_nan(self) -> bool {
                false
            }

            #[expect(clippy::allow_attributes, reason = "some types of the macro lose nothing")]
            #[allow(clippy::cast_lossless, clippy::cast_precision_loss, reason = "documented: the nearest double")]
            fn to_f64(self) -> f64 {
                self as f64
            }

            fn from_nodata(nodata: &Nodata) -> Option<Self> {
                match *nodata {
                    Nodata::Integer(value) => Self::try_from(value).ok(),
                    // Every integral double up to 2^126 fits in 128 bits; larger ones and fractions fit no sample.
                    #[expect(clippy::cast_possible_truncation, reason = "whole and in range")]
                    Nodata::Float(value) if value.fract() == 0.0 && value.abs() < 2f64.powi(126) => {
                        Self::try_from(value as i128).ok()
                    }
                    Nodata::Float(_) => None,
                }
            }
        })*
    };
}

integer_values!(u8, i8, u16, i16, u32, i32, u64, i64);

/// GDAL's `ARE_REAL_EQUAL`, for single and double precision with the epsilon of single precision.
macro_rules! bounds_of_equal {
    ($type:ty) => {
        fn nodata_bounds(self) -> (Self, Self) {
            let size = self.abs();
            if size == 0.0 || !size.is_finite() {
                return (self, self);
            }
            // A sum out of range is infinite, and so is the tolerance, as in GDAL. For values up to half of the range,
            // this adds a second range of equal samples at the end, which is ignored here.
            let equal = |bits| {
                let other = Self::from_bits(bits);
                other == size || (other - size).abs() < <$type>::from(f32::EPSILON) * (other + size).abs() * 2.0
            };
            let beyond = (<$type>::MAX - size).next_down().min(size * 2.0);
            let is_apart = beyond > size && !equal(beyond.to_bits());
            let beyond = if is_apart { beyond } else { Self::INFINITY };
            // Bits of positive floats have the order of their values. Neither 0 nor infinity equals the value.
            let (mut low, mut high) = (size.to_bits(), size.to_bits());
            for (inside, mut outside) in [(&mut low, 0), (&mut high, beyond.to_bits())] {
                while outside.abs_diff(*inside) > 1 {
                    let middle = inside.midpoint(outside);
                    if equal(middle) { *inside = middle } else { outside = middle }
                }
            }
            let (low, high) = (Self::from_bits(low), Self::from_bits(high));
            if self < 0.0 { (-high, -low) } else { (low, high) }
        }

        #[inline(always)]
        fn is_within(self, low: Self, high: Self) -> bool {
            (low <= self) & (self <= high)
        }
    };
}

impl Value for f32 {
    const ZERO: Self = 0.0;
    const LIMITS: [Nodata; 2] = [Nodata::Float(Self::MIN as f64), Nodata::Float(Self::MAX as f64)];

    fn is_nan(self) -> bool {
        self.is_nan()
    }

    #[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest, which is meant")]
    fn from_nodata(nodata: &Nodata) -> Option<Self> {
        Some(nodata.as_f64() as Self)
    }

    fn to_f64(self) -> f64 {
        self.into()
    }

    bounds_of_equal!(f32);
}

impl Value for f64 {
    const ZERO: Self = 0.0;
    const LIMITS: [Nodata; 2] = [Nodata::Float(Self::MIN), Nodata::Float(Self::MAX)];

    fn is_nan(self) -> bool {
        self.is_nan()
    }

    fn from_nodata(nodata: &Nodata) -> Option<Self> {
        Some(nodata.as_f64())
    }

    fn to_f64(self) -> f64 {
        self
    }

    bounds_of_equal!(f64);
}

/// GDAL compares half precision as single precision, whose tolerance is smaller than the distance between any two
/// samples.
impl Value for f16 {
    const ZERO: Self = f16::ZERO;
    const LIMITS: [Nodata; 2] = [Nodata::Integer(-65504), Nodata::Integer(65504)];

    fn is_nan(self) -> bool {
        self.is_nan()
    }

    fn from_nodata(nodata: &Nodata) -> Option<Self> {
        Some(Self::from_f64(nodata.as_f64()))
    }

    fn to_f64(self) -> f64 {
        self.into()
    }
}

impl<T: Value> Value for Complex<T>
where
    Self: Sample,
{
    const ZERO: Self = Self { re: T::ZERO, im: T::ZERO };
    const LIMITS: [Nodata; 2] = T::LIMITS;

    fn is_nan(self) -> bool {
        self.re.is_nan() || self.im.is_nan()
    }

    /// Nodata values are real: a complex sample equals one if its imaginary part is zero.
    fn from_nodata(nodata: &Nodata) -> Option<Self> {
        Some(Self { re: T::from_nodata(nodata)?, im: T::ZERO })
    }

    fn to_f64(self) -> f64 {
        self.re.to_f64()
    }

    fn nodata_bounds(self) -> (Self, Self) {
        let (low, high) = self.re.nodata_bounds();
        (Self { re: low, ..self }, Self { re: high, ..self })
    }

    fn is_within(self, low: Self, high: Self) -> bool {
        self.re.is_within(low.re, high.re) && self.im == T::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodata_text_is_exact() {
        assert_eq!(Nodata::parse("-9007199254740993"), Some(Nodata::Integer(-9_007_199_254_740_993)));
        assert_eq!(Nodata::parse("18446744073709551615\0"), Some(Nodata::Integer(i128::from(u64::MAX))));
        assert_eq!(Nodata::parse("0.5"), Some(Nodata::Float(0.5)));
        assert!(matches!(Nodata::parse(" nan "), Some(Nodata::Float(value)) if value.is_nan()));
        assert_eq!(Nodata::parse("-inf"), Some(Nodata::Float(f64::NEG_INFINITY)));
        assert!(matches!(Nodata::parse("-0"), Some(Nodata::Float(value)) if value.is_sign_negative()));
        assert_eq!(u8::from_nodata(&Nodata::Float(-0.0)), Some(0));
        assert_eq!(Nodata::parse("1e+16").as_ref().and_then(i64::from_nodata), Some(10_000_000_000_000_000));
        assert_eq!(i64::from_nodata(&Nodata::Float(1e19)), None);
        assert_eq!(Nodata::parse("seven"), None);
    }

    #[test]
    fn nodata_out_of_range_equals_no_sample() {
        assert_eq!(u8::from_nodata(&Nodata::Integer(256)), None);
        assert_eq!(u8::from_nodata(&Nodata::Float(f64::NAN)), None);
        assert_eq!(f32::from_nodata(&Nodata::Float(1e300)), Some(f32::INFINITY));
        assert_eq!(f32::from_nodata(&Nodata::Float(f64::INFINITY)), Some(f32::INFINITY));
        assert_eq!(u64::from_nodata(&Nodata::Integer(i128::from(u64::MAX))), Some(u64::MAX));
    }

    #[test]
    fn nodata_that_a_type_cannot_hold_is_explained() {
        let nan = f64::NAN;
        for (nodata, data_type, expected) in [
            (Nodata::Integer(-9999), DataType::U8, "nodata value -9999 is out of range for u8 (0 to 255)"),
            (
                Nodata::Integer(1 << 63),
                DataType::I64,
                "9223372036854775808 is out of range for i64 (-9223372036854775808 to",
            ),
            (Nodata::Float(f64::INFINITY), DataType::I16, "nodata value inf is out of range for i16 (-32768 to 32767)"),
            (Nodata::Float(1e300), DataType::CI16, "nodata value 1e300 is out of range for ci16 (-32768 to 32767)"),
            (Nodata::Float(0.5), DataType::U8, "nodata value 0.5 is not an integer, as u8 requires (0 to 255)"),
            (
                Nodata::Float(nan),
                DataType::I16,
                "nodata value NaN is not an integer, as i16 requires (-32768 to 32767)",
            ),
            (Nodata::Float(7e4), DataType::F16, "nodata value 70000.0 is out of range for f16 (-65504 to 65504)"),
            (Nodata::Float(-1e300), DataType::F32, "nodata value -1e300 is out of range for f32 (-3.402"),
            (Nodata::Float(65536.5), DataType::F16, "nodata value 65536.5 is out of range for f16"),
        ] {
            let reason = nodata.misfit(data_type).unwrap_or_default();
            assert!(reason.contains(expected), "{reason}");
        }
        for (nodata, data_type) in [
            (Nodata::Integer(255), DataType::U8),
            (Nodata::Float(-0.0), DataType::U8),
            (Nodata::Float(f64::INFINITY), DataType::F32),
            (Nodata::Float(nan), DataType::CF32),
            (Nodata::Float(0.1), DataType::F16),
        ] {
            assert_eq!(nodata.misfit(data_type), None, "{nodata:?} {data_type}");
        }
    }

    /// Checks GDAL's formula, and that no value near or far beyond the bounds equals the value.
    macro_rules! bounds_are_those_of_the_formula {
        ($type:ty, $bits:ty) => {{
            let equal =
                |a: $type, b: $type| a == b || (a - b).abs() < <$type>::from(f32::EPSILON) * (a + b).abs() * 2.0;
            let (smallest, largest) = (1, <$type>::MAX.to_bits());
            let normal = <$type>::MIN_POSITIVE.to_bits();
            let ends = (0..200).flat_map(|step| [smallest + step, normal - step, normal + step, largest - step]);
            let mut state: $bits = 0x9E37_79B9;
            let others = std::iter::repeat_with(|| {
                state = state.wrapping_mul(0x0D1C_A5E5).wrapping_add(0x0F37_7951).rotate_left(11);
                state % (largest + 1)
            });
            // Around 1e-38 and 1e-45, the tolerance is a denormal as well.
            let small = (0..2000).map(|step| normal / 7 + 31_337 * step);
            for bits in ends.chain(others.take(5000)).chain(small) {
                for value in [<$type>::from_bits(bits), -<$type>::from_bits(bits)] {
                    let range = NodataRange::around(value);
                    let (low, high) = range.bounds();
                    let edges = [low, high, value].map(|edge| edge.to_bits());
                    let near = edges.iter().flat_map(|edge| {
                        (0..40).flat_map(move |step| [edge.saturating_add(step), edge.saturating_sub(step)])
                    });
                    let far =
                        [0.0, 1.0, -value, value / 2.0, value * 2.0, <$type>::MAX, <$type>::MIN, <$type>::INFINITY];
                    for other in near.map(<$type>::from_bits).chain(far).filter(|other| !other.is_nan()) {
                        // Below half of the range, infinite sums are ignored.
                        let left_out = value.abs() <= <$type>::MAX / 2.0 && (value + other).is_infinite();
                        let expected = equal(other, value) && (!left_out || other == value);
                        assert_eq!(range.contains(other), expected, "{other:e} and {value:e}");
                    }
                }
            }
        }};
    }

    #[test]
    fn floats_equal_nodata_by_the_formula_of_gdal() {
        bounds_are_those_of_the_formula!(f32, u32);
        bounds_are_those_of_the_formula!(f64, u64);
        let esri = Nodata::parse("-3.402823e+38").as_ref().and_then(NodataRange::<f32>::of).unwrap();
        assert!(esri.contains(f32::MIN) && !esri.contains(f32::NEG_INFINITY) && !esri.contains(-9999.0));
        for value in [0.0, f32::INFINITY, f32::NEG_INFINITY] {
            assert_eq!(NodataRange::around(value).bounds(), (value, value));
        }
        assert!(!NodataRange::around(f32::NAN).contains(f32::NAN));
        assert!(NodataRange::around(0.0f64).contains(-0.0));
    }

    #[test]
    fn halves_and_complex_samples_equal_nodata() {
        let tenth = NodataRange::<f16>::of(&Nodata::Float(0.1)).unwrap();
        assert!(tenth.contains(f16::from_f64(0.1)) && !tenth.contains(f16::from_f64(0.1001)));
        let range = NodataRange::<Complex<f32>>::of(&Nodata::Float(0.1)).unwrap();
        assert!(range.contains(Complex::new(0.1f32.next_up(), 0.0)));
        assert!(!range.contains(Complex::new(0.1, 1e-30)));
        assert_eq!(Nodata::Integer(5).equal_samples(DataType::U8), Some(5.0..=5.0));
        assert_eq!(Nodata::Float(f64::NAN).equal_samples(DataType::F64), None);
    }
}
