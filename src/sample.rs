//! Sample types: the run-time [`DataType`], the compile-time [`Sample`], and the one dispatch between them.

use half::f16;
use num_complex::Complex;

/// The type of one sample (one band of one pixel).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DataType {
    /// Unsigned 8-bit integer.
    U8,
    /// Signed 8-bit integer.
    I8,
    /// Unsigned 16-bit integer.
    U16,
    /// Signed 16-bit integer.
    I16,
    /// Unsigned 32-bit integer.
    U32,
    /// Signed 32-bit integer.
    I32,
    /// Unsigned 64-bit integer.
    U64,
    /// Signed 64-bit integer.
    I64,
    /// IEEE 754 half precision.
    F16,
    /// IEEE 754 single precision.
    F32,
    /// IEEE 754 double precision.
    F64,
    /// Complex of two signed 16-bit integers, real part first.
    CI16,
    /// Complex of two signed 32-bit integers, real part first.
    CI32,
    /// Complex of two single-precision floats, real part first.
    CF32,
    /// Complex of two double-precision floats, real part first.
    CF64,
}

/// What a sample is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SampleKind {
    /// Unsigned integer.
    Unsigned,
    /// Signed integer.
    Signed,
    /// Floating point.
    Float,
    /// Complex of two signed integers.
    ComplexInteger,
    /// Complex of two floats.
    ComplexFloat,
}

impl DataType {
    /// Every data type, integers first.
    pub const ALL: [Self; 15] = [
        Self::U8,
        Self::I8,
        Self::U16,
        Self::I16,
        Self::U32,
        Self::I32,
        Self::U64,
        Self::I64,
        Self::F16,
        Self::F32,
        Self::F64,
        Self::CI16,
        Self::CI32,
        Self::CF32,
        Self::CF64,
    ];

    /// Bytes of one sample, both parts of a complex one included.
    #[must_use]
    pub const fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U16 | Self::I16 | Self::F16 => 2,
            Self::U32 | Self::I32 | Self::F32 | Self::CI16 => 4,
            Self::U64 | Self::I64 | Self::F64 | Self::CI32 | Self::CF32 => 8,
            Self::CF64 => 16,
        }
    }

    /// Bits of one sample, both parts of a complex one included.
    #[must_use]
    pub const fn bits(self) -> u16 {
        match self.size() {
            1 => 8,
            2 => 16,
            4 => 32,
            8 => 64,
            _ => 128,
        }
    }

    /// What a sample is made of.
    #[must_use]
    pub const fn kind(self) -> SampleKind {
        match self {
            Self::U8 | Self::U16 | Self::U32 | Self::U64 => SampleKind::Unsigned,
            Self::I8 | Self::I16 | Self::I32 | Self::I64 => SampleKind::Signed,
            Self::F16 | Self::F32 | Self::F64 => SampleKind::Float,
            Self::CI16 | Self::CI32 => SampleKind::ComplexInteger,
            Self::CF32 | Self::CF64 => SampleKind::ComplexFloat,
        }
    }

    /// Whether a sample has a real and an imaginary part.
    #[must_use]
    pub const fn is_complex(self) -> bool {
        matches!(self.kind(), SampleKind::ComplexInteger | SampleKind::ComplexFloat)
    }

    /// Whether a sample is a real floating-point number.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self.kind(), SampleKind::Float)
    }

    /// The name, such as `u16` or `cf32`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::U8 => "u8",
            Self::I8 => "i8",
            Self::U16 => "u16",
            Self::I16 => "i16",
            Self::U32 => "u32",
            Self::I32 => "i32",
            Self::U64 => "u64",
            Self::I64 => "i64",
            Self::F16 => "f16",
            Self::F32 => "f32",
            Self::F64 => "f64",
            Self::CI16 => "ci16",
            Self::CI32 => "ci32",
            Self::CF32 => "cf32",
            Self::CF64 => "cf64",
        }
    }
}

impl std::fmt::Display for DataType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}

mod sealed {
    pub trait Sealed {}
}

/// A Rust type that can be a sample. Sealed: these are the types that TIFF can hold.
pub trait Sample: sealed::Sealed + bytemuck::Pod + PartialEq + Send + Sync + 'static {
    /// The data type of this sample.
    const DATA_TYPE: DataType;
}

macro_rules! samples {
    ($($type:ty => $name:ident),* $(,)?) => {
        $(
            impl sealed::Sealed for $type {}
            impl Sample for $type {
                const DATA_TYPE: DataType = DataType::$name;
            }
        )*

        /// Runs an expression with a type parameter bound to the Rust type of a [`DataType`].
        macro_rules! dispatch {
            ($data_type:expr, $parameter:ident => $body:expr) => {
                match $data_type {
                    $($crate::sample::DataType::$name => {
                        type $parameter = $type;
                        $body
                    })*
                }
            };
        }
        pub(crate) use dispatch;
    };
}

samples! {
    u8 => U8,
    i8 => I8,
    u16 => U16,
    i16 => I16,
    u32 => U32,
    i32 => I32,
    u64 => U64,
    i64 => I64,
    half::f16 => F16,
    f32 => F32,
    f64 => F64,
    num_complex::Complex<i16> => CI16,
    num_complex::Complex<i32> => CI32,
    num_complex::Complex<f32> => CF32,
    num_complex::Complex<f64> => CF64,
}

/// A sample as the pyramid sees it: comparable with nodata, and convertible where arithmetic is defined.
pub(crate) trait Value: Sample {
    /// Zero.
    const ZERO: Self;
    /// Whether there are values that are no number, and two zeros.
    const MAY_BE_NAN: bool = true;
    /// Whether the value is no number (NaN, or NaN in either part).
    fn is_nan(self) -> bool;
    /// The sample nearest to a nodata value, if the type can hold it.
    fn from_nodata(nodata: &Nodata) -> Option<Self>;
}

/// A nodata value, exact for every sample type.
///
/// GDAL writes it as text in tag 42113 (`GDAL_NODATA`): 64-bit integers as integers, everything else as a double.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Nodata {
    /// A whole number; wide enough for every 64-bit integer, signed or not.
    Integer(i128),
    /// Any other number, infinities and NaN included.
    Float(f64),
}

impl Nodata {
    /// The value as a double, rounded where a 64-bit integer is beyond 2^53.
    #[must_use]
    pub fn as_f64(&self) -> f64 {
        match *self {
            #[expect(clippy::cast_precision_loss, reason = "documented: rounds beyond 2^53")]
            Self::Integer(value) => value as f64,
            Self::Float(value) => value,
        }
    }

    /// Reads the text of a `GDAL_NODATA` tag or of an option: a whole number exactly, anything else as a double.
    ///
    /// Returns `None` for text that is no number.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        if let Ok(value) = text.parse::<i128>()
            && (i128::from(i64::MIN)..=i128::from(u64::MAX)).contains(&value)
        {
            // A negative zero has a sign to keep.
            return Some(if value == 0 && text.starts_with('-') { Self::Float(-0.0) } else { Self::Integer(value) });
        }
        let lower = text.to_ascii_lowercase();
        match lower.trim_start_matches(['+', '-']) {
            // What C libraries print for NaN on the systems GDAL runs on.
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

            fn is_nan(self) -> bool {
                false
            }

            fn from_nodata(nodata: &Nodata) -> Option<Self> {
                match *nodata {
                    Nodata::Integer(value) => Self::try_from(value).ok(),
                    // Every whole double up to 2^126 is an integer of 128 bits; beyond, and with a fraction, none is.
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

#[expect(clippy::cast_possible_truncation, reason = "GDAL compares single-precision pixels with the rounded nodata")]
fn nodata_as_f32(nodata: &Nodata) -> f32 {
    nodata.as_f64() as f32
}

impl Value for f32 {
    const ZERO: Self = 0.0;

    fn is_nan(self) -> bool {
        self.is_nan()
    }

    fn from_nodata(nodata: &Nodata) -> Option<Self> {
        let value = nodata_as_f32(nodata);
        // A finite double beyond the range of single precision equals no pixel.
        (value.is_finite() || !nodata.as_f64().is_finite()).then_some(value)
    }
}

impl Value for f64 {
    const ZERO: Self = 0.0;

    fn is_nan(self) -> bool {
        self.is_nan()
    }

    fn from_nodata(nodata: &Nodata) -> Option<Self> {
        Some(nodata.as_f64())
    }
}

impl Value for f16 {
    const ZERO: Self = f16::ZERO;

    fn is_nan(self) -> bool {
        self.is_nan()
    }

    fn from_nodata(nodata: &Nodata) -> Option<Self> {
        let value = Self::from_f64(nodata.as_f64());
        (value.is_finite() || !nodata.as_f64().is_finite()).then_some(value)
    }
}

impl<T: Value> Value for Complex<T>
where
    Self: Sample,
{
    const ZERO: Self = Self { re: T::ZERO, im: T::ZERO };

    fn is_nan(self) -> bool {
        self.re.is_nan() || self.im.is_nan()
    }

    /// A nodata value is real: a complex sample equals it where the imaginary part is zero.
    fn from_nodata(nodata: &Nodata) -> Option<Self> {
        Some(Self { re: T::from_nodata(nodata)?, im: T::ZERO })
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
        assert_eq!(f32::from_nodata(&Nodata::Float(1e300)), None);
        assert_eq!(f32::from_nodata(&Nodata::Float(f64::INFINITY)), Some(f32::INFINITY));
        assert_eq!(u64::from_nodata(&Nodata::Integer(i128::from(u64::MAX))), Some(u64::MAX));
    }
}
