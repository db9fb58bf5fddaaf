//! SIMD dispatch: the only module that knows about instruction sets. Results never depend on them.

/// Runs `work` with newer CPU instructions if available: on x86-64, those of level v3 (2013 and later), detected at run
/// time.
///
/// Only code that is inlined into `work` benefits: pass it as `#[inline(always)] || …`.
#[inline(always)]
pub(crate) fn newest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = fearless_simd::Level::new().as_avx2() {
        use fearless_simd::Simd;
        return v3.vectorize(work);
    }
    work()
}

/// `true` if comparing sixteen bytes takes no more time than comparing eight.
pub(crate) const COMPARES_SIXTEEN: bool = cfg!(target_arch = "x86_64");

/// Compares sixteen bytes; returns one bit per equal byte, the first byte in the lowest bit.
#[inline(always)]
#[cfg_attr(target_arch = "x86_64", expect(clippy::cast_possible_truncation, reason = "there are sixteen bits"))]
pub(crate) fn same_of_sixteen(one: &[u8; 16], other: &[u8; 16]) -> u32 {
    #[cfg(target_arch = "x86_64")]
    if let Some(sse2) = fearless_simd::Level::baseline().as_sse2() {
        use fearless_simd::{Simd, SimdInto};
        let same = sse2.simd_eq_u8x16((*one).simd_into(sse2), (*other).simd_into(sse2));
        return sse2.to_bitmask_mask8x16(same) as u32;
    }
    one.iter().zip(other).rev().fold(0, |bits, (one, other)| bits << 1 | u32::from(one == other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_bytes_are_told_from_others() {
        let one: [u8; 16] = std::array::from_fn(|index| index as u8);
        for bits in [0, 1, 0x8000, 0x1234, 0xFFFF_u32] {
            let other = std::array::from_fn(|index| one[index] ^ (0x80 * u8::from(bits >> index & 1 == 0)));
            assert_eq!(same_of_sixteen(&one, &other), bits);
        }
    }

    #[test]
    fn work_is_done_once() {
        let mut times = 0;
        assert_eq!(newest(|| std::mem::replace(&mut times, 1)), 0);
        assert_eq!(times, 1);
    }
}
