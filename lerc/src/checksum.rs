//! Checksum of a blob: Fletcher-32 over big-endian words, folded every 359 words.
//!
//! The sums are folded, not reduced modulo 65535, and a last odd byte is added after the folding. Both representations of
//! a remainder can therefore occur, so the folds happen exactly where libLerc has them.

use crate::simd::newest;

/// Words that can be added before the second sum could exceed 32 bits.
const CHUNK: usize = 359;

/// Returns the checksum of the bytes after a blob's checksum field.
pub(crate) fn fletcher32(bytes: &[u8]) -> u32 {
    newest(
        #[inline(always)]
        || sums(bytes),
    )
}

#[inline(always)]
fn sums(bytes: &[u8]) -> u32 {
    let (mut sum1, mut sum2) = (0xFFFF_u32, 0xFFFF_u32);
    for chunk in bytes.chunks(CHUNK * 2) {
        let words = chunk.len() / 2;
        // Each word enters the second sum once for itself and once for each word after it. The sums of eight lanes differ
        // from those in order only in how they are grouped.
        let (mut plain, mut weighted) = ([0_u32; 8], [0_u32; 8]);
        let mut weight: [u32; 8] = std::array::from_fn(|lane| (words as u32).wrapping_sub(lane as u32));
        let mut groups = chunk.chunks_exact(16);
        for group in &mut groups {
            for lane in 0..8 {
                let word = u32::from(group[lane * 2]) << 8 | u32::from(group[lane * 2 + 1]);
                plain[lane] += word;
                weighted[lane] += word * weight[lane];
                weight[lane] = weight[lane].wrapping_sub(8);
            }
        }
        let mut added = plain.iter().sum::<u32>();
        let mut twice = weighted.iter().sum::<u32>();
        let rest = groups.remainder().chunks_exact(2);
        let odd = rest.remainder();
        let count = rest.len() as u32;
        for (word, weight) in rest.zip((1..=count).rev()) {
            let word = u32::from(word[0]) << 8 | u32::from(word[1]);
            added += word;
            twice += word * weight;
        }
        sum2 += sum1 * words as u32 + twice;
        sum1 += added;
        if words > 0 {
            (sum1, sum2) = (fold(sum1), fold(sum2));
        }
        if let [last] = odd {
            sum1 += u32::from(*last) << 8;
            sum2 += sum1;
        }
    }
    fold(sum2) << 16 | fold(sum1)
}

#[inline(always)]
const fn fold(sum: u32) -> u32 {
    (sum & 0xFFFF) + (sum >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Word by word, as the specification states it.
    fn plain(bytes: &[u8]) -> u32 {
        let (mut sum1, mut sum2) = (0xFFFF_u32, 0xFFFF_u32);
        let (words, odd) = bytes.as_chunks::<2>();
        for chunk in words.chunks(CHUNK) {
            for word in chunk {
                sum1 += u32::from(u16::from_be_bytes(*word));
                sum2 += sum1;
            }
            (sum1, sum2) = (fold(sum1), fold(sum2));
        }
        for last in odd {
            sum1 += u32::from(*last) << 8;
            sum2 += sum1;
        }
        fold(sum2) << 16 | fold(sum1)
    }

    #[test]
    fn sums_of_any_length_equal_those_word_by_word() {
        for fill in [0, 1, 0x80, 0xFF, 2] {
            let bytes: Vec<u8> = (0..5000_u32)
                .map(|index| if fill == 2 { (index.wrapping_mul(2_654_435_761) >> 24) as u8 } else { fill })
                .collect();
            for len in (0..1500).chain([2154, 2155, 4999, 5000]) {
                assert_eq!(fletcher32(&bytes[..len]), plain(&bytes[..len]), "{len} bytes of {fill}");
            }
        }
    }
}
