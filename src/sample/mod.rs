//! Sample types: the run-time [`DataType`], the compile-time [`Sample`], and the dispatch between them; [`Nodata`] and
//! the samples that equal it.

mod nodata;
mod number;

use crate::error::{Error, OptionField, Result};

pub use nodata::Nodata;
pub(crate) use nodata::{NodataRange, Value};
pub(crate) use number::Number;

/// The type of one sample (one band of one pixel).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
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

/// Kind of number in a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
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
    /// All data types, integers first.
    pub const ALL: &'static [Self] = &[
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

    /// Returns the bytes per sample, including both parts of a complex one.
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

    /// Returns the bits per sample, including both parts of a complex one.
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

    /// Returns the kind of number.
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

    /// Returns whether a sample has a real and an imaginary part.
    #[must_use]
    pub const fn is_complex(self) -> bool {
        matches!(self.kind(), SampleKind::ComplexInteger | SampleKind::ComplexFloat)
    }

    /// Returns whether a sample is a real floating-point number.
    #[must_use]
    pub const fn is_float(self) -> bool {
        matches!(self.kind(), SampleKind::Float)
    }

    /// Returns the name, such as `u16` or `cf32`.
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

/// Other names of data types, those of NumPy and GDAL.
const OTHER_NAMES: [(&str, DataType); 26] = [
    ("uint8", DataType::U8),
    ("byte", DataType::U8),
    ("int8", DataType::I8),
    ("sbyte", DataType::I8),
    ("uint16", DataType::U16),
    ("int16", DataType::I16),
    ("uint32", DataType::U32),
    ("int32", DataType::I32),
    ("uint64", DataType::U64),
    ("int64", DataType::I64),
    ("float16", DataType::F16),
    ("half", DataType::F16),
    ("float32", DataType::F32),
    ("float", DataType::F32),
    ("single", DataType::F32),
    ("float64", DataType::F64),
    ("double", DataType::F64),
    ("cint16", DataType::CI16),
    ("complex_int16", DataType::CI16),
    ("cint32", DataType::CI32),
    ("complex_int32", DataType::CI32),
    ("cfloat32", DataType::CF32),
    ("complex64", DataType::CF32),
    ("complex", DataType::CF64),
    ("cfloat64", DataType::CF64),
    ("complex128", DataType::CF64),
];

/// Parses a name in either case: `u8`, NumPy's `uint8`, or GDAL's `Byte`.
impl std::str::FromStr for DataType {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let own = Self::ALL.iter().copied().map(|data_type| (data_type.name(), data_type));
        let found = own.chain(OTHER_NAMES).find(|(name, _)| name.eq_ignore_ascii_case(text));
        found.map(|(_, data_type)| data_type).ok_or_else(|| {
            let names = Self::ALL.iter().map(|one| one.name()).collect::<Vec<_>>().join(", ");
            Error::option(OptionField::DataType, format!("'{text}' is not one of {names}"))
        })
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

/// A Rust type for samples. Sealed: these are the types that TIFF can hold.
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

/// Runs an expression with a type parameter bound to the Rust type of a real [`DataType`].
/// `None` for complex types.
macro_rules! real {
    ($data_type:expr, $parameter:ident => $body:expr) => {
        real!($data_type, $parameter => $body,
            U8 u8, I8 i8, U16 u16, I16 i16, U32 u32, I32 i32, U64 u64, I64 i64, F16 half::f16, F32 f32, F64 f64)
    };
    ($data_type:expr, $parameter:ident => $body:expr, $($name:ident $type:ty),*) => {{
        use $crate::sample::DataType;
        match $data_type {
            $(DataType::$name => {
                type $parameter = $type;
                $body
            })*
            DataType::CI16 | DataType::CI32 | DataType::CF32 | DataType::CF64 => None,
        }
    }};
}
pub(crate) use real;
