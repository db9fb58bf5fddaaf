//! One block: statistics, quantization, and the smallest of its encodings.

use crate::pack::{MAX_LEN, Quantized, SLACK, simple_len, write_smaller};
use crate::sample::Sample;

/// Values that are compared at once. Enough for two vectors of each type that matters.
const LANES: usize = 16;

/// 2 to the power of 52: the mantissa of a sum with it is an integer.
const MANTISSA: f64 = 4_503_599_627_370_496.0;

/// Bits 0 and 1 of a block's first byte.
const RAW: u8 = 0;
const STUFFED: u8 = 1;
const ZERO: u8 = 2;
const CONSTANT: u8 = 3;

/// A range of no value.
const NOTHING: (f64, f64) = (f64::INFINITY, f64::NEG_INFINITY);

/// Error bound of all blocks of an image.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bound {
    /// The maximum error; at least 0.5 for integers.
    pub(crate) max_z_error: f64,
    /// One over twice the maximum error. The decoder multiplies by the inverse.
    scale: f64,
    /// Quantized values are plain differences.
    is_lossless_integer: bool,
    /// Blocks with a value from the first to the second of these are stored without loss.
    exact: (f64, f64),
}

impl Bound {
    pub(crate) fn new<T: Sample>(max_z_error: f64) -> Self {
        let is_lossless_integer = !T::IS_FLOAT && max_z_error == 0.5;
        Self { max_z_error, scale: 1.0 / (2.0 * max_z_error), is_lossless_integer, exact: NOTHING }
    }

    /// Returns the bound that loses nothing of blocks with a value from `exact.0` to `exact.1`.
    pub(crate) fn with_exact(self, exact: Option<(f64, f64)>) -> Self {
        Self { exact: exact.unwrap_or(NOTHING), ..self }
    }

    /// Returns whether values of this range have to be stored without loss.
    #[inline(always)]
    fn is_exact<T: Sample>(self, values: &[T], min: f64, max: f64) -> bool {
        let (low, high) = self.exact;
        low <= max && high >= min && values.iter().any(|value| (low..=high).contains(&value.to_f64()))
    }

    /// Returns the quantized value of `value`, if it is `min` or more and not too far from it.
    #[inline(always)]
    fn quantized(self, value: f64, min: f64) -> u32 {
        let rounded = ((value - min) * self.scale + 0.5).floor();
        // In range by `T::MAX_QUANTIZED`, so the integer is in the lowest bits of the mantissa. Unlike a cast, which has to
        // look for values out of range, this is two instructions for a whole vector.
        (rounded + MANTISSA).to_bits() as u32
    }
}

/// The smallest and largest value of a block.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Range<T> {
    pub(crate) min: T,
    pub(crate) max: T,
}

impl<T: Sample> Range<T> {
    /// Compares all values, of which there is at least one. The sign of a zero is any that occurs.
    #[inline(always)]
    fn of(values: &[T]) -> Self {
        if !T::IS_FLOAT {
            return values.iter().fold(Self { min: values[0], max: values[0] }, |range, &value| range.with(value));
        }
        let (groups, rest) = values.as_chunks::<LANES>();
        let (mut min, mut max) = (values[0], values[0]);
        if let Some((first, groups)) = groups.split_first() {
            let (mut mins, mut maxs) = (*first, *first);
            for group in groups {
                for lane in 0..LANES {
                    mins[lane] = if group[lane] < mins[lane] { group[lane] } else { mins[lane] };
                    maxs[lane] = if group[lane] > maxs[lane] { group[lane] } else { maxs[lane] };
                }
            }
            let mut half = LANES / 2;
            while half > 0 {
                for lane in 0..half {
                    let (min, max) = (mins[lane + half], maxs[lane + half]);
                    mins[lane] = if min < mins[lane] { min } else { mins[lane] };
                    maxs[lane] = if max > maxs[lane] { max } else { maxs[lane] };
                }
                half /= 2;
            }
            (min, max) = (mins[0], maxs[0]);
        }
        rest.iter().fold(Self { min, max }, |range, &value| range.with(value))
    }

    #[inline(always)]
    fn with(self, value: T) -> Self {
        Self {
            min: if value < self.min { value } else { self.min },
            max: if value > self.max { value } else { self.max },
        }
    }
}

/// Returns how many values equal the one before. The first is compared with zero if `first_counts`.
#[inline(always)]
fn repeats<T: Sample>(values: &[T], first_counts: bool) -> usize {
    let first = first_counts && values[0] == T::default();
    let pairs = values.iter().zip(&values[1..]);
    usize::from(first) + pairs.map(|(one, next)| u32::from(one == next)).sum::<u32>() as usize
}

/// Quantizes values that are not too far from the smallest one.
#[inline(always)]
fn quantize<T: Sample>(values: &[T], min: T, bound: Bound, out: &mut Quantized) {
    let (used, rest) = out.0[..values.len().next_multiple_of(8)].split_at_mut(values.len());
    if !T::IS_FLOAT && bound.is_lossless_integer {
        used.iter_mut().zip(values).for_each(|(out, value)| *out = value.minus(min));
    } else {
        let min = min.to_f64();
        used.iter_mut().zip(values).for_each(|(out, value)| *out = bound.quantized(value.to_f64(), min));
    }
    rest.fill(0);
}

/// Writes a block to the start of `out`, which has room for [`max_len`] bytes; returns the number of bytes and the range
/// of the values, which is `None` if there are none.
///
/// `check` are bits 2 to 5 of the first byte, by which decoders notice that they lost their place. A block of an image
/// without mask counts its first value as repeated if it is zero (`first_counts`): that makes no sense, but decides with
/// libLerc whether a table is tried.
#[inline(always)]
pub(crate) fn write<T: Sample>(
    values: &[T],
    check: u8,
    bound: Bound,
    first_counts: bool,
    quantized: &mut Quantized,
    out: &mut [u8],
) -> (usize, Option<Range<T>>) {
    if values.is_empty() {
        out[0] = check | ZERO;
        return (1, None);
    }
    let range = Range::of(values);
    let (min, max) = (range.min.to_f64(), range.max.to_f64());
    if min == 0.0 && max == 0.0 {
        out[0] = check | ZERO;
        return (1, Some(range));
    }
    let len = values.len();
    let raw_len = 1 + len * T::SIZE;
    let max_value = if bound.max_z_error > 0.0 { (max - min) * bound.scale } else { 0.0 };
    let is_raw = max > min && (bound.max_z_error == 0.0 || bound.is_exact(values, min, max));
    let is_raw = is_raw || max_value > T::MAX_QUANTIZED;
    // NaN, of infinities, becomes 0.
    let max_element = if is_raw { 0 } else { (max_value + 0.5) as u32 };
    let offset = range.min.offset();
    let head = 1 + offset.len;

    if max_element == 0 {
        if is_raw || head >= raw_len {
            return (write_raw(values, check, out), Some(range));
        }
        out[0] = check | CONSTANT | offset.code << 6;
        out[1..head].copy_from_slice(&offset.bytes[..offset.len]);
        return (head, Some(range));
    }

    let may_repeat = len > 4 && max > min + 3.0 * bound.max_z_error && 2 * repeats(values, first_counts) > len;
    if !may_repeat && head + simple_len(len, max_element) >= raw_len {
        return (write_raw(values, check, out), Some(range));
    }
    quantize(values, range.min, bound, quantized);
    let packed = write_smaller(quantized, len, max_element, may_repeat, raw_len - head, &mut out[head..]);
    if packed == 0 {
        return (write_raw(values, check, out), Some(range));
    }
    out[0] = check | STUFFED | offset.code << 6;
    out[1..head].copy_from_slice(&offset.bytes[..offset.len]);
    (head + packed, Some(range))
}

#[inline(always)]
fn write_raw<T: Sample>(values: &[T], check: u8, out: &mut [u8]) -> usize {
    let len = 1 + values.len() * T::SIZE;
    out[0] = check | RAW;
    T::write(values, &mut out[1..len]);
    len
}

/// Returns the number of bytes that [`write`] needs at most: raw values, an encoding that turns out to be larger, and what
/// packing may overwrite.
pub(crate) const fn max_len<T: Sample>() -> usize {
    MAX_LEN * T::SIZE + 16 + SLACK
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encode<T: Sample>(values: &[T], max_z_error: f64) -> Vec<u8> {
        let mut out = vec![0xAA; max_len::<T>()];
        let (len, _) = write(values, 0, Bound::new::<T>(max_z_error), true, &mut Quantized::default(), &mut out);
        out.truncate(len);
        out
    }

    #[test]
    fn blocks_take_the_smallest_encoding() {
        assert_eq!(encode::<u8>(&[], 0.5), [2]);
        assert_eq!(encode(&[0.0_f32, -0.0], 0.1), [2]);
        assert_eq!(encode(&[7_u16; 64], 0.5), [3 | 1 << 6, 7]);
        // One byte is not smaller than one byte.
        assert_eq!(encode(&[7_u8], 0.5), [0, 7]);
        assert_eq!(encode(&[1_u8, 2, 1, 2], 0.5), [0, 1, 2, 1, 2]);
        // Within the bound of each other.
        assert_eq!(encode(&[5.0_f32, 5.01], 0.5), [3 | 2 << 6, 5]);
        assert_eq!(encode(&[-1_i16, 0, 1, 2, 2, 1, 0, -1], 0.5), [1 | 2 << 6, 0xFF, 2 | 2 << 6, 8, 0xE4, 0x1B]);
        // Differences of more than 15 bits.
        assert_eq!(encode(&[0_u16, 0x8000], 0.5), [0, 0, 0, 0, 0x80]);
        assert_eq!(encode(&[f32::INFINITY; 2], 0.5)[0], 3);
        assert_eq!(encode(&[1.0_f32, f32::INFINITY], 0.5)[0], 0);
    }

    #[test]
    fn blocks_with_an_exact_value_are_raw_or_constant() {
        let encode = |values: &[f32]| {
            let mut out = vec![0; max_len::<f32>()];
            let bound = Bound::new::<f32>(10.0).with_exact(Some((4.0, 6.0)));
            let (len, _) = write(values, 0, bound, true, &mut Quantized::default(), &mut out);
            out.truncate(len);
            out
        };
        assert_eq!(encode(&[1.0, 3.0, 7.0, 9.0])[0] & 3, CONSTANT);
        assert_eq!(encode(&[5.0; 4])[0] & 3, CONSTANT);
        let values = [1.0f32, 3.0, 5.5, 9.0];
        let raw = encode(&values);
        assert_eq!(raw[0], RAW);
        assert_eq!(raw[1..], values.map(f32::to_le_bytes).concat());
    }

    #[test]
    fn ranges_are_those_of_all_values() {
        for len in 1..100 {
            let values: Vec<f32> = (0..len).map(|index| ((index * 37) % 101) as f32 - 50.0).collect();
            let range = Range::of(&values);
            assert_eq!(range.min, values.iter().copied().fold(f32::INFINITY, f32::min));
            assert_eq!(range.max, values.iter().copied().fold(f32::NEG_INFINITY, f32::max));
        }
    }

    #[test]
    fn repeats_count_a_first_zero_where_liblerc_does() {
        assert_eq!(repeats(&[0, 0, 1, 1, 2], true), 3);
        assert_eq!(repeats(&[0, 0, 1, 1, 2], false), 2);
        assert_eq!(repeats(&[5], true), 0);
    }
}
