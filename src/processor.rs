//! What processors can do beyond plain code: the only module that knows of instruction sets. Results never depend on them.

/// Does `work` with the instructions of newer processors where there are any: on x86-64 those of the level v3 (2013 and
/// later), asked for when the program runs.
///
/// Only what is inlined in `work` gains from it: give it as `#[inline(always)] || …`.
#[inline(always)]
pub(crate) fn newest<R>(work: impl FnOnce() -> R) -> R {
    #[cfg(target_arch = "x86_64")]
    if let Some(v3) = fearless_simd::Level::new().as_avx2() {
        use fearless_simd::Simd;
        return v3.vectorize(work);
    }
    work()
}

/// Whether comparing sixteen bytes takes no longer than comparing eight.
pub(crate) const COMPARES_SIXTEEN: bool = cfg!(target_arch = "x86_64");

/// Which of sixteen bytes are equal: a bit each, the first lowest.
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
