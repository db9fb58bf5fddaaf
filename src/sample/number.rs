//! Real numbers as samples: rounding to a type, and steps away from nodata.

use half::f16;

use super::{NodataRange, Value};

/// A real sample that results of arithmetic are converted to.
pub(crate) trait Number: Value + PartialOrd {
    /// Rounds to nearest, with halves of integers away from zero, and clamps to the type.
    fn from_f64(value: f64) -> Self;

    /// Does the same from single precision, where the half is also added in single precision.
    fn from_f32(value: f32) -> Self;

    /// Returns the largest value that fits in this many bits.
    fn largest(bits: u16) -> Self;

    /// Returns the nearest value to a result that happens to equal nodata, the larger one of two.
    fn off_nodata(self, nodata: NodataRange<Self>, largest: Self) -> Self;
}

/// Rounds to an integer, halves away from zero; `as` then clamps to the type.
///
/// For u8 and u16, does so in a form that compilers vectorize: adding `$shift` (2 to the number of digits, minus one)
/// moves the integer part, rounded to even, into the low bits; if it exceeds the value, it is one too large.
macro_rules! whole {
    ($value:expr, $shift:expr) => {{
        let value = $value;
        if Self::MIN == 0 && Self::BITS <= 16 {
            let most = Self::MAX as _;
            let value = if value > 0.0 { value } else { 0.0 };
            let value = (if value < most { value } else { most }) + 0.5;
            let shifted = value + $shift;
            let above = shifted - $shift > value;
            #[expect(clippy::allow_attributes, reason = "some types of the macro need no cast")]
            #[allow(
                clippy::cast_possible_truncation,
                clippy::cast_possible_wrap,
                reason = "the low bits are the number"
            )]
            return (shifted.to_bits() as u32).wrapping_sub(u32::from(above)) as Self;
        }
        #[expect(clippy::allow_attributes, reason = "some types of the macro need no cast")]
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "`as` clamps, which is meant")]
        let whole = (if value < 0.0 { value - 0.5 } else { value + 0.5 }) as Self;
        whole
    }};
}

/// Added to a number of at most 23 bits, it moves the integer part, rounded to even, into the low bits.
const WHOLE_IN_LOW_BITS: f32 = 8_388_608.0;

macro_rules! integers {
    ($($type:ident),*) => {
        $(impl Number for $type {
            fn from_f64(value: f64) -> Self {
                whole!(value, 4_503_599_627_370_496.0)
            }

            fn from_f32(value: f32) -> Self {
                whole!(value, WHOLE_IN_LOW_BITS)
            }

            fn largest(bits: u16) -> Self {
                // Only unsigned samples can have fewer bits in a file than their type.
                if u32::from(bits) < Self::BITS && Self::MIN == 0 {
                    Self::MAX >> (Self::BITS - u32::from(bits))
                } else {
                    Self::MAX
                }
            }

            fn off_nodata(self, _nodata: NodataRange<Self>, largest: Self) -> Self {
                if self >= largest { largest - 1 } else { self + 1 }
            }
        })*
    };
}

integers!(u8, i8, u16, i16, u32, i32, u64, i64);

macro_rules! float {
    ($next_up:expr, $next_down:expr) => {
        fn largest(_bits: u16) -> Self {
            Self::INFINITY
        }

        fn off_nodata(self, nodata: NodataRange<Self>, _largest: Self) -> Self {
            let (low, high) = nodata.bounds();
            let (below, above) = ($next_down(low), $next_up(high));
            let nearer_below = Value::to_f64(self) - Value::to_f64(below) < Value::to_f64(above) - Value::to_f64(self);
            if above.is_finite() && !(nearer_below && below.is_finite()) { above } else { below }
        }
    };
}

impl Number for f32 {
    float!(f32::next_up, f32::next_down);

    #[expect(clippy::cast_possible_truncation, reason = "rounds to single precision, which is meant")]
    fn from_f64(value: f64) -> Self {
        value as Self
    }

    fn from_f32(value: f32) -> Self {
        value
    }
}

impl Number for f64 {
    float!(f64::next_up, f64::next_down);

    fn from_f64(value: f64) -> Self {
        value
    }

    fn from_f32(value: f32) -> Self {
        value.into()
    }
}

/// Returns the next larger half-precision number, ignoring infinity and NaN.
fn next_half(value: f16) -> f16 {
    f16::from_bits(match value.to_bits() {
        0x8000 => 0x0001,
        negative if negative & 0x8000 != 0 => negative - 1,
        positive => positive + 1,
    })
}

impl Number for f16 {
    float!(next_half, |value: f16| -next_half(-value));

    fn from_f64(value: f64) -> Self {
        Self::from_f64(value)
    }

    fn from_f32(value: f32) -> Self {
        Self::from_f32(value)
    }
}
