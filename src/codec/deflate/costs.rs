//! Cost model: costs of symbols before there is a code. Logarithms are integers, so results are the same on every
//! machine.

use super::symbols::{
    Counts, DISTANCES, END_OF_BLOCK, LENGTH_CODE, LENGTH_EXTRA, LITERALS, MAX_MATCH, MIN_MATCH, distance_extra,
};

/// Costs are in units of 1/256 bit.
pub(super) const BIT: u32 = 256;

/// log2(1 + index / 256), in fractions of a bit.
const LOGARITHMS: [u8; 256] = {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        // Squaring a number between 1 and 2 doubles its logarithm, so each squaring yields one binary digit.
        let mut value = (256 + index as u64) << 22;
        let mut digits = 0u32;
        let mut digit = 0;
        while digit < 9 {
            value = (value * value) >> 30;
            digits <<= 1;
            if value >= 2 << 30 {
                value >>= 1;
                digits |= 1;
            }
            digit += 1;
        }
        let rounded = (digits + 1) >> 1;
        table[index] = if rounded > 255 { 255 } else { rounded as u8 };
        index += 1;
    }
    table
};

/// Returns log2 of a number above 0, in fractions of a bit.
#[inline(always)]
pub(super) fn logarithm(value: u32) -> u32 {
    let whole = 31 - value.leading_zeros();
    let fraction = (value << (31 - whole)) >> 23 & 0xFF;
    whole * BIT + u32::from(LOGARITHMS[fraction as usize])
}

/// The cost of each symbol.
#[derive(Debug, Clone)]
pub(super) struct Costs {
    /// Costs of literals.
    pub(super) literals: [u32; 256],
    /// Costs of matches by length, extra bits included.
    pub(super) lengths: [u32; MAX_MATCH + 1],
    /// Costs of distance codes, extra bits included.
    pub(super) distances: [u32; DISTANCES],
}

impl Costs {
    /// Derives costs from symbol counts; a symbol that never occurred costs a little more than one that occurred once.
    pub(super) fn new(counts: &Counts) -> Self {
        let literals: u32 = counts.literals.iter().sum();
        let distances: u32 = counts.distances.iter().sum();
        // A Huffman code has at least one bit.
        let cost = |count: u32, all: u32| (logarithm(all * 4 + 4) - logarithm(count * 4 + 1)).clamp(BIT, 14 * BIT);
        let mut costs = Self { literals: [0; 256], lengths: [0; MAX_MATCH + 1], distances: [0; DISTANCES] };
        for (target, &count) in costs.literals.iter_mut().zip(&counts.literals) {
            *target = cost(count, literals);
        }
        let mut codes = [0; 29];
        for (code, target) in codes.iter_mut().enumerate() {
            let count = counts.literals[END_OF_BLOCK + 1 + code];
            *target = cost(count, literals) + u32::from(LENGTH_EXTRA[code]) * BIT;
        }
        for length in MIN_MATCH..=MAX_MATCH {
            costs.lengths[length] = codes[LENGTH_CODE[length] as usize];
        }
        for (code, target) in costs.distances.iter_mut().enumerate() {
            *target = cost(counts.distances[code], distances) + distance_extra(code) * BIT;
        }
        costs
    }

    /// Guesses costs, including those of matches, from the bytes alone.
    pub(super) fn guess(bytes: &[u8]) -> Self {
        let mut counts = Counts::default();
        counts.literals(bytes);
        // About one match per 16 literals, with short and near ones more often.
        let matches = (bytes.len() / 16) as u32;
        for code in 0..29 {
            counts.literals[END_OF_BLOCK + 1 + code] = matches / (4 + code as u32);
        }
        for code in 0..30 {
            counts.distances[code] = matches / (4 + code as u32 / 2);
        }
        Self::new(&counts)
    }
}

/// Estimates the bits of a block with these symbols, without its header, in fractions of a bit.
pub(super) fn block_bits(counts: &Counts) -> u64 {
    let alphabet = |counts: &[u32]| -> u64 {
        let all: u32 = counts.iter().sum();
        if all == 0 {
            return 0;
        }
        let whole = logarithm(all);
        // Zero times anything is zero: a branch would be mispredicted half of the time.
        let bits = |count: u32| u64::from(count) * u64::from((whole - logarithm(count.max(1))).max(BIT));
        counts.iter().map(|&count| bits(count)).sum()
    };
    alphabet(&counts.literals) + alphabet(&counts.distances) + u64::from(extra_bits(counts)) * u64::from(BIT)
}

/// Estimates the bits of a block header, in fractions of a bit.
pub(super) fn header_bits(counts: &Counts) -> u64 {
    let used = counts.literals.iter().chain(&counts.distances).filter(|&&count| count > 0).count();
    // 14 bits and the code of the code lengths, then about 3 bits per symbol, and less for gaps.
    u64::from(BIT) * (60 + 3 * used as u64)
}

/// Returns the extra bits of all matches.
pub(super) fn extra_bits(counts: &Counts) -> u32 {
    let lengths = LENGTH_EXTRA.iter().zip(&counts.literals[END_OF_BLOCK + 1..LITERALS]);
    let lengths: u32 = lengths.map(|(&extra, &count)| u32::from(extra) * count).sum();
    let distances: u32 = counts.distances.iter().enumerate().map(|(code, &count)| distance_extra(code) * count).sum();
    lengths + distances
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logarithms_are_close() {
        for value in [1u32, 2, 3, 5, 100, 255, 256, 257, 1000, 65535, 1_000_000, u32::MAX] {
            let exact = f64::from(value).log2() * f64::from(BIT);
            assert!((f64::from(logarithm(value)) - exact).abs() < 2.5, "{value}: {} {exact}", logarithm(value));
        }
    }
}
