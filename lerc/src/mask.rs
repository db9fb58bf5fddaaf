//! Masks of valid pixels: from bytes and NaN to bits, and their run-length encoding.

use crate::sample::Sample;
use crate::simd::newest;

/// The shortest run that is encoded as one.
const MIN_RUN: usize = 5;

/// The longest run or literal of the encoding.
const MAX_COUNT: usize = 32_767;

/// Ends the encoding.
const END: i16 = i16::MIN;

/// NaN among the samples of valid pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Nan {
    /// There is none.
    None,
    /// All samples of some valid pixels, and none of the others.
    Pixels,
    /// Some samples of a valid pixel, and not the others.
    Mixed,
}

/// Sets `valid` to 1 for valid pixels and to 0 for others, among them those with NaN only; returns where NaN is.
///
/// If it is [`Nan::Mixed`], `valid` follows from the mask alone.
pub(crate) fn find_valid<T: Sample>(samples: &[T], depth: usize, mask: Option<&[u8]>, valid: &mut Vec<u8>) -> Nan {
    valid.clear();
    match mask {
        Some(mask) => valid.extend(mask.iter().map(|&mask| u8::from(mask != 0))),
        None => valid.resize(samples.len() / depth, 1),
    }
    if !T::IS_FLOAT || !has_nan(samples) {
        return Nan::None;
    }
    let mut found = Nan::None;
    for (pixel, _) in samples.chunks_exact(depth).zip(valid.iter()).filter(|(_, valid)| **valid != 0) {
        let count = pixel.iter().filter(|value| is_nan(**value)).count();
        if count > 0 && count < depth {
            return Nan::Mixed;
        }
        if count > 0 {
            found = Nan::Pixels;
        }
    }
    if found == Nan::Pixels {
        for (pixel, valid) in samples.chunks_exact(depth).zip(valid) {
            *valid &= u8::from(!is_nan(pixel[0]));
        }
    }
    found
}

/// Sets the bytes to 0 where the sample of a one-band image is NaN.
pub(crate) fn exclude_nan<T: Sample>(samples: &[T], valid: &mut [u8]) {
    for (sample, valid) in samples.iter().zip(valid) {
        *valid &= u8::from(!is_nan(*sample));
    }
}

#[inline(always)]
#[expect(clippy::eq_op, reason = "NaN is the only value that differs from itself")]
fn is_nan<T: Sample>(value: T) -> bool {
    value != value
}

fn has_nan<T: Sample>(samples: &[T]) -> bool {
    newest(
        #[inline(always)]
        || samples.chunks(4096).any(|samples| samples.iter().fold(false, |found, value| found | is_nan(*value))),
    )
}

/// Returns the number of valid pixels.
pub(crate) fn count(valid: &[u8]) -> usize {
    newest(
        #[inline(always)]
        || valid.chunks(255).map(|valid| usize::from(valid.iter().sum::<u8>())).sum(),
    )
}

/// Appends the run-length encoded bits of a mask of 0 and 1, highest bit first. Bits after the last pixel are set.
pub(crate) fn write(valid: &[u8], bits: &mut Vec<u8>, out: &mut Vec<u8>) {
    bits.clear();
    let (groups, rest) = valid.as_chunks::<8>();
    bits.extend(groups.iter().map(bits_of));
    if !rest.is_empty() {
        let mut last = [1; 8];
        last[..rest.len()].copy_from_slice(rest);
        bits.push(bits_of(&last));
    }
    write_runs(bits, out);
}

/// Gathers eight bytes of 0 or 1 to one, the first in the highest bit.
fn bits_of(valid: &[u8; 8]) -> u8 {
    // Byte `n` is multiplied into bit `63 - n`; no two products meet.
    (u64::from_le_bytes(*valid).wrapping_mul(0x8040_2010_0804_0201) >> 56) as u8
}

/// Appends `bytes` as runs of at least [`MIN_RUN`] equal bytes and literals in between, each after its count, which is
/// negative for runs.
fn write_runs(bytes: &[u8], out: &mut Vec<u8>) {
    let mut start = 0;
    let mut position = 0;
    while position < bytes.len() {
        let rest = &bytes[position..];
        // A run that reaches the last byte needs one byte more, as in libLerc.
        let is_run = rest.len() > MIN_RUN && rest[1..MIN_RUN].iter().all(|&byte| byte == rest[0]);
        if !is_run {
            position += 1;
            if position - start == MAX_COUNT && position < bytes.len() {
                write_literal(&bytes[start..position], out);
                start = position;
            }
            continue;
        }
        write_literal(&bytes[start..position], out);
        let run = rest.iter().take_while(|&&byte| byte == rest[0]).count();
        position += run;
        start = position;
        write_run(rest[0], run, out);
    }
    write_literal(&bytes[start..], out);
    out.extend_from_slice(&END.to_le_bytes());
}

fn write_literal(bytes: &[u8], out: &mut Vec<u8>) {
    if !bytes.is_empty() {
        out.extend_from_slice(&(bytes.len() as i16).to_le_bytes());
        out.extend_from_slice(bytes);
    }
}

fn write_run(byte: u8, mut len: usize, out: &mut Vec<u8>) {
    while len > 0 {
        let count = len.min(MAX_COUNT);
        out.extend_from_slice(&(-(count as i16)).to_le_bytes());
        out.push(byte);
        len -= count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        write_runs(bytes, &mut out);
        out
    }

    fn decoded(mut runs: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        loop {
            let count = i16::from_le_bytes([runs[0], runs[1]]);
            runs = &runs[2..];
            let used = match count {
                END => break,
                -32_767..0 => {
                    out.extend(std::iter::repeat_n(runs[0], usize::from(count.unsigned_abs())));
                    1
                }
                _ => {
                    out.extend_from_slice(&runs[..count as usize]);
                    count as usize
                }
            };
            runs = &runs[used..];
        }
        assert!(runs.is_empty());
        out
    }

    #[test]
    fn runs_begin_at_five_bytes() {
        assert_eq!(encoded(&[7; 6]), [0xFA, 0xFF, 7, 0, 0x80]);
        assert_eq!(encoded(&[7; 5]), [5, 0, 7, 7, 7, 7, 7, 0, 0x80]);
        assert_eq!(encoded(&[1, 7, 7, 7, 7, 7, 2]), [1, 0, 1, 0xFB, 0xFF, 7, 1, 0, 2, 0, 0x80]);
    }

    #[test]
    fn long_runs_and_literals_are_split() {
        for len in [1, 2, 32_766, 32_767, 32_768, 65_534, 65_535] {
            let run = vec![9; len];
            let literal: Vec<u8> = (0..len).map(|index| index as u8).collect();
            let both = [&run[..], &literal, &run].concat();
            for bytes in [run, literal, both] {
                assert_eq!(decoded(&encoded(&bytes)), bytes, "{len}");
            }
        }
    }

    #[test]
    fn bits_after_the_last_pixel_are_set() {
        let mut out = Vec::new();
        write(&[1, 0, 0, 0, 0, 0, 1, 0, 0, 1, 0], &mut Vec::new(), &mut out);
        assert_eq!(out, [2, 0, 0b1000_0010, 0b0101_1111, 0, 0x80]);
    }

    #[test]
    fn nan_is_found_where_it_counts() {
        let nan = f32::NAN;
        let mut valid = Vec::new();
        assert_eq!(find_valid(&[1.0, nan], 1, Some(&[7, 0]), &mut valid), Nan::None);
        assert_eq!(valid, [1, 0]);
        assert_eq!(find_valid(&[1.0, 2.0, nan, nan], 2, None, &mut valid), Nan::Pixels);
        assert_eq!(valid, [1, 0]);
        assert_eq!(find_valid(&[1.0, nan, nan, nan], 2, None, &mut valid), Nan::Mixed);
        assert_eq!(valid, [1, 1]);
        assert_eq!(count(&[1; 1000]), 1000);
    }
}
