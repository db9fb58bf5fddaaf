//! The alphabets of DEFLATE (RFC 1951 section 3.2.5) and histograms of their symbols.

/// Literals, the end-of-block symbol, and 29 length codes; the fixed code has two more that never occur.
pub(super) const LITERALS: usize = 288;
/// Distance codes; the fixed code has two more that never occur.
pub(super) const DISTANCES: usize = 32;
/// The symbol that ends a block.
pub(super) const END_OF_BLOCK: usize = 256;
/// The minimum match length.
pub(super) const MIN_MATCH: usize = 3;
/// The maximum match length.
pub(super) const MAX_MATCH: usize = 258;
/// The maximum distance of a match.
pub(super) const WINDOW: usize = 32768;

/// Extra bits of the length codes.
pub(super) const LENGTH_EXTRA: [u8; 29] =
    [0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 0];

/// The shortest length of each length code.
pub(super) const LENGTH_BASE: [u16; 29] =
    [3, 4, 5, 6, 7, 8, 9, 10, 11, 13, 15, 17, 19, 23, 27, 31, 35, 43, 51, 59, 67, 83, 99, 115, 131, 163, 195, 227, 258];

/// The code of each length, relative to the first length code.
pub(super) const LENGTH_CODE: [u8; MAX_MATCH + 1] = {
    let mut codes = [0; MAX_MATCH + 1];
    let mut length = MIN_MATCH;
    let mut code = 0;
    while length <= MAX_MATCH {
        while code + 1 < LENGTH_BASE.len() && LENGTH_BASE[code + 1] as usize <= length {
            code += 1;
        }
        codes[length] = code as u8;
        length += 1;
    }
    codes
};

/// Returns the symbol of a length.
#[inline(always)]
pub(super) fn length_symbol(length: usize) -> usize {
    END_OF_BLOCK + 1 + LENGTH_CODE[length] as usize
}

/// Returns the code of a distance.
#[inline(always)]
pub(super) fn distance_code(distance: usize) -> usize {
    let below = (distance - 1) as u32;
    if below < 2 {
        return below as usize;
    }
    // There are two codes for each power of two.
    let log = 31 - below.leading_zeros();
    (2 * log + (below >> (log - 1) & 1)) as usize
}

/// Returns the number of extra bits of a distance code.
#[inline(always)]
pub(super) const fn distance_extra(code: usize) -> u32 {
    if code < 4 { 0 } else { (code / 2 - 1) as u32 }
}

/// Returns the shortest distance of a distance code.
#[inline(always)]
pub(super) const fn distance_base(code: usize) -> usize {
    if code < 4 { code + 1 } else { ((2 + (code & 1)) << (code / 2 - 1)) + 1 }
}

/// A match, and the literals before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Match {
    /// Literals between the previous match and this one.
    pub(super) literals: u32,
    /// 3 to 258.
    pub(super) length: u16,
    /// 1 to 32768.
    pub(super) distance: u16,
}

/// Symbol histogram.
#[derive(Debug, Clone)]
pub(super) struct Counts {
    /// Literals, end of block, and match lengths.
    pub(super) literals: [u32; LITERALS],
    /// Distances.
    pub(super) distances: [u32; DISTANCES],
}

impl Default for Counts {
    fn default() -> Self {
        Self { literals: [0; LITERALS], distances: [0; DISTANCES] }
    }
}

impl Counts {
    /// Counts literals.
    pub(super) fn literals(&mut self, bytes: &[u8]) {
        if bytes.len() < 64 {
            for &byte in bytes {
                self.literals[byte as usize] += 1;
            }
            return;
        }
        // Four tables, so that equal bytes in a row do not wait for each other.
        let mut tables = [[0u32; 256]; 4];
        let (chunks, rest) = bytes.as_chunks::<8>();
        for chunk in chunks {
            for half in 0..2 {
                for table in 0..4 {
                    tables[table][chunk[half * 4 + table] as usize] += 1;
                }
            }
        }
        for &byte in rest {
            tables[0][byte as usize] += 1;
        }
        for (symbol, count) in self.literals[..256].iter_mut().enumerate() {
            *count += tables.iter().map(|table| table[symbol]).sum::<u32>();
        }
    }

    /// Counts a match.
    #[inline]
    pub(super) fn add(&mut self, found: Match) {
        self.literals[length_symbol(found.length as usize)] += 1;
        self.distances[distance_code(found.distance as usize)] += 1;
    }

    /// Removes a match from the counts.
    pub(super) fn remove(&mut self, found: Match) {
        self.literals[length_symbol(found.length as usize)] -= 1;
        self.distances[distance_code(found.distance as usize)] -= 1;
    }

    /// Adds the counts of another histogram.
    pub(super) fn merge(&mut self, other: &Self) {
        for (count, more) in self.literals.iter_mut().zip(&other.literals) {
            *count += more;
        }
        for (count, more) in self.distances.iter_mut().zip(&other.distances) {
            *count += more;
        }
    }
}

/// Counts the symbols of chunks, one after the other.
pub(super) struct Tally {
    counts: Counts,
    /// Literal counts. Spans of literals are short where there are many matches, so all spans share the tables. There
    /// are four, so that equal bytes in a row do not wait for each other.
    tables: [[u32; 256]; 4],
}

impl Default for Tally {
    fn default() -> Self {
        Self { counts: Counts::default(), tables: [[0; 256]; 4] }
    }
}

impl Tally {
    /// Counts the literals and matches of a chunk of the input.
    pub(super) fn piece(&mut self, piece: &[u8], matches: &[Match]) {
        let mut at = 0;
        for found in matches {
            let literals = found.literals as usize;
            self.literals(&piece[at..][..literals]);
            self.counts.add(*found);
            at += literals + found.length as usize;
        }
        self.literals(&piece[at..]);
    }

    #[inline(always)]
    fn literals(&mut self, literals: &[u8]) {
        let (chunks, rest) = literals.as_chunks::<4>();
        for chunk in chunks {
            for (table, &byte) in self.tables.iter_mut().zip(chunk) {
                table[byte as usize] += 1;
            }
        }
        for (table, &byte) in self.tables.iter_mut().zip(rest) {
            table[byte as usize] += 1;
        }
    }

    /// Returns the counts.
    pub(super) fn counts(mut self) -> Counts {
        for (symbol, count) in self.counts.literals[..256].iter_mut().enumerate() {
            *count += self.tables.iter().map(|table| table[symbol]).sum::<u32>();
        }
        self.counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_distances_are_those_of_the_rfc() {
        let mut code = 0;
        for distance in 1..=WINDOW {
            while code < 29 && distance_base(code + 1) <= distance {
                code += 1;
            }
            assert_eq!(distance_code(distance), code, "{distance}");
            assert!(distance - distance_base(code) < 1 << distance_extra(code));
        }
        assert_eq!(distance_base(29), 24577);
    }

    #[test]
    fn codes_of_lengths_are_those_of_the_rfc() {
        for (length, &code) in LENGTH_CODE.iter().enumerate().skip(MIN_MATCH) {
            let code = usize::from(code);
            let above = length - LENGTH_BASE[code] as usize;
            assert!(above < 1 << LENGTH_EXTRA[code], "{length}");
        }
        assert_eq!(LENGTH_CODE[257], 27);
        assert_eq!(LENGTH_CODE[258], 28);
    }
}
