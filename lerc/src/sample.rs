//! Sample types: their codes, limits, and the arithmetic that depends on them.

use bytemuck::Pod;

/// A type of samples that LERC has: `i8`, `u8`, `i16`, `u16`, `i32`, `u32`, `f32`, or `f64`.
pub trait Sample: Kernel {}

/// The first value of a block, in the narrowest type that holds it exactly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Offset {
    /// Code of the narrower type: bits 6 and 7 of the block's first byte.
    pub code: u8,
    /// The number of bytes.
    pub len: usize,
    /// The value in little-endian order, in the first `len` bytes.
    pub bytes: [u8; 8],
}

impl Offset {
    fn new<const LEN: usize>(code: u8, value: [u8; LEN]) -> Self {
        let mut bytes = [0; 8];
        bytes[..LEN].copy_from_slice(&value);
        Self { code, len: LEN, bytes }
    }
}

/// The arithmetic of [`Sample`].
pub trait Kernel: Pod + PartialOrd + Default {
    /// The type's code in the header.
    const CODE: i32;
    /// Bytes of a sample.
    const SIZE: usize = size_of::<Self>();
    /// `true` for `f32` and `f64`.
    const IS_FLOAT: bool = false;
    /// The largest quantized value. A block that would exceed it is stored as it is.
    const MAX_QUANTIZED: f64;
    /// Added to an 8-bit value to get its bin in a histogram.
    const BIN_OFFSET: u8 = 0;

    /// Converts without loss.
    fn to_f64(self) -> f64;

    /// Returns `self - min` for integers whose difference is at most [`MAX_QUANTIZED`](Self::MAX_QUANTIZED).
    fn minus(self, min: Self) -> u32;

    /// Returns the difference of 8-bit values, wrapped.
    fn delta(self, before: Self) -> Self;

    /// Returns the value's bin in a histogram of 8-bit values.
    fn bin(self) -> u8;

    /// Returns `self` in the narrowest type that the format allows for it.
    fn offset(self) -> Offset;

    /// Writes values in little-endian order to `out`, which has `SIZE` bytes for each.
    fn write(values: &[Self], out: &mut [u8]);

    /// Appends a value, converted from `f64` without loss, in little-endian order.
    fn push(value: f64, out: &mut Vec<u8>);
}

macro_rules! sample {
    ($type:ident, $code:literal, $max_quantized:literal, $offset:expr, { $($special:tt)* }) => {
        impl Sample for $type {}

        impl Kernel for $type {
            const CODE: i32 = $code;
            const MAX_QUANTIZED: f64 = $max_quantized as f64;
            $($special)*

            #[inline(always)]
            fn to_f64(self) -> f64 {
                self.into()
            }

            #[inline(always)]
            fn offset(self) -> Offset {
                let offset: fn($type) -> Offset = $offset;
                offset(self)
            }

            #[inline(always)]
            fn write(values: &[Self], out: &mut [u8]) {
                for (value, out) in values.iter().zip(out.as_chunks_mut().0) {
                    *out = value.to_le_bytes();
                }
            }

            fn push(value: f64, out: &mut Vec<u8>) {
                out.extend_from_slice(&(value as $type).to_le_bytes());
            }
        }
    };
}

/// Methods that matter for 8-bit types only.
macro_rules! eight_bits {
    ($offset:literal) => {
        const BIN_OFFSET: u8 = $offset;

        #[inline(always)]
        fn minus(self, min: Self) -> u32 {
            (i32::from(self) - i32::from(min)) as u32
        }

        #[inline(always)]
        fn delta(self, before: Self) -> Self {
            self.wrapping_sub(before)
        }

        #[inline(always)]
        fn bin(self) -> u8 {
            (self as u8).wrapping_add(Self::BIN_OFFSET)
        }
    };
}

/// Methods of wider types, which have no histograms.
macro_rules! no_bins {
    () => {
        #[inline(always)]
        fn delta(self, _: Self) -> Self {
            self
        }

        #[inline(always)]
        fn bin(self) -> u8 {
            0
        }
    };
}

macro_rules! wide_integer {
    () => {
        #[inline(always)]
        fn minus(self, min: Self) -> u32 {
            self.wrapping_sub(min) as u32
        }

        no_bins! {}
    };
}

macro_rules! float {
    () => {
        const IS_FLOAT: bool = true;

        #[inline(always)]
        fn minus(self, min: Self) -> u32 {
            (self - min) as u32
        }

        no_bins! {}
    };
}

/// Returns the narrower value if it is equal to the wider one. A negative zero equals zero.
macro_rules! narrowed {
    ($value:ident, $($narrow:ident => $code:literal),*) => {{
        $(
            let narrow = $value as $narrow;
            if narrow as f64 == f64::from($value) {
                return Offset::new($code, narrow.to_le_bytes());
            }
        )*
        Offset::new(0, $value.to_le_bytes())
    }};
}

// The limits are those of 15 and 30 bits. Codes and order of the narrower types follow the specification.
sample!(i8, 0, 0x7FFF, |value| Offset::new(0, value.to_le_bytes()), {
    eight_bits! { 128 }
});
sample!(u8, 1, 0x7FFF, |value| Offset::new(0, value.to_le_bytes()), {
    eight_bits! { 0 }
});
sample!(i16, 2, 0x7FFF, |value| narrowed!(value, i8 => 2, u8 => 1), {
    wide_integer! {}
});
sample!(u16, 3, 0x7FFF, |value| narrowed!(value, u8 => 1), {
    wide_integer! {}
});
sample!(i32, 4, 0x3FFF_FFFF, |value| narrowed!(value, u8 => 3, i16 => 2, u16 => 1), {
    wide_integer! {}
});
sample!(u32, 5, 0x3FFF_FFFF, |value| narrowed!(value, u8 => 2, u16 => 1), {
    wide_integer! {}
});
sample!(f32, 6, 0x3FFF_FFFF, |value| narrowed!(value, u8 => 2, i16 => 1), {
    float! {}
});
sample!(f64, 7, 0x3FFF_FFFF, wide_offset, {
    float! {}
});

/// Infinity is not narrowed, although an `f32` could hold it.
#[inline(always)]
fn wide_offset(value: f64) -> Offset {
    if value.is_infinite() {
        return Offset::new(0, value.to_le_bytes());
    }
    narrowed!(value, i16 => 3, i32 => 2, f32 => 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offset<T: Sample>(value: T) -> (u8, usize) {
        let offset = value.offset();
        (offset.code, offset.len)
    }

    #[test]
    fn offsets_take_the_narrowest_type() {
        assert_eq!([offset(-5_i8), offset(200_u8)], [(0, 1), (0, 1)]);
        assert_eq!(
            [-128, 127, 128, 255, 256, -129].map(offset::<i16>),
            [(2, 1), (2, 1), (1, 1), (1, 1), (0, 2), (0, 2)]
        );
        assert_eq!([0, 255, 256].map(offset::<u16>), [(1, 1), (1, 1), (0, 2)]);
        assert_eq!([0, 255, -1, 256, 40_000].map(offset::<i32>), [(3, 1), (3, 1), (2, 2), (2, 2), (1, 2)]);
        assert_eq!([-40_000, 70_000].map(offset::<i32>), [(0, 4), (0, 4)]);
        assert_eq!([255, 256, 65_536].map(offset::<u32>), [(2, 1), (1, 2), (0, 4)]);
        assert_eq!([-0.0, 255.0, -1.0, 0.5].map(offset::<f32>), [(2, 1), (2, 1), (1, 2), (0, 4)]);
        assert_eq!([-0.0, 255.0, 40_000.0, 0.5, 0.1].map(offset::<f64>), [(3, 2), (3, 2), (2, 4), (1, 4), (0, 8)]);
        assert_eq!(offset(f64::INFINITY), (0, 8));
        assert_eq!(offset(f32::NEG_INFINITY), (0, 4));
    }

    #[test]
    fn wrapped_differences_have_bins() {
        assert_eq!((3_u8.delta(5).bin(), (-1_i8).delta(0).bin(), 127_i8.delta(-128).bin()), (254, 127, 127));
    }
}
