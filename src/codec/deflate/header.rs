//! The header of a dynamic block: two codes, given by the code lengths of their symbols (RFC 1951 section 3.2.7).

use super::bits::{BitWriter, Code, Rest, SLACK};
use super::huffman;
use super::symbols::{DISTANCES, LITERALS};

/// The order of the lengths of the code-length code.
const ORDER: [usize; 19] = [16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15];
/// Extra bits of the repeat symbols.
const REPEAT_BITS: [u32; 3] = [2, 3, 7];

/// Code lengths of a block.
#[derive(Debug, Clone)]
pub(super) struct Lengths {
    /// Literals, end of block, and match lengths.
    pub(super) literals: [u8; LITERALS],
    /// Distances.
    pub(super) distances: [u8; DISTANCES],
}

impl Default for Lengths {
    fn default() -> Self {
        Self { literals: [0; LITERALS], distances: [0; DISTANCES] }
    }
}

/// A header ready to be written.
#[derive(Debug, Clone, Default)]
pub(super) struct Header {
    literals: usize,
    distances: usize,
    told: usize,
    lengths: [u8; 19],
    codes: [Code; 19],
    /// Symbols of the code-length code, with their extra bits above.
    symbols: Vec<u16>,
    /// Bits of the header after the three that start every block.
    pub(super) bits: u64,
}

impl Header {
    /// Prepares the header for `lengths`.
    pub(super) fn plan(&mut self, lengths: &Lengths) {
        let used = |lengths: &[u8]| lengths.iter().rposition(|&length| length > 0).map_or(0, |last| last + 1);
        self.literals = used(&lengths.literals).max(257);
        self.distances = used(&lengths.distances).max(1);
        let mut all = [0u8; LITERALS + DISTANCES];
        all[..self.literals].copy_from_slice(&lengths.literals[..self.literals]);
        all[self.literals..][..self.distances].copy_from_slice(&lengths.distances[..self.distances]);
        self.symbols.clear();
        repeat(&all[..self.literals + self.distances], &mut self.symbols);
        let mut counts = [0u32; 19];
        for symbol in &self.symbols {
            counts[usize::from(symbol & 31)] += 1;
        }
        huffman::code_lengths(&counts, 7, &mut self.lengths);
        huffman::codes(&self.lengths, &mut self.codes);
        self.told = ORDER.iter().rposition(|&symbol| self.lengths[symbol] > 0).map_or(4, |last| (last + 1).max(4));
        let spent =
            |symbol: usize| u32::from(self.lengths[symbol]) + if symbol < 16 { 0 } else { REPEAT_BITS[symbol - 16] };
        let symbols: u32 = counts.iter().enumerate().map(|(symbol, count)| count * spent(symbol)).sum();
        self.bits = 14 + 3 * self.told as u64 + u64::from(symbols);
    }

    /// Writes the three bits that start a block, then the header.
    pub(super) fn write(&self, last: bool, writer: &mut BitWriter<'_>) {
        writer.put(u64::from(last) | 2 << 1, 3);
        writer.put(self.literals as u64 - 257, 5);
        writer.put(self.distances as u64 - 1, 5);
        writer.put(self.told as u64 - 4, 4);
        writer.flush();
        for &symbol in &ORDER[..self.told] {
            writer.put(self.lengths[symbol].into(), 3);
            writer.flush();
        }
        for &entry in &self.symbols {
            let symbol = usize::from(entry & 31);
            let code = self.codes[symbol];
            writer.code(code);
            if symbol >= 16 {
                writer.put(u64::from(entry >> 5), REPEAT_BITS[symbol - 16]);
            }
            writer.flush();
        }
    }
}

/// A header as packed bits, for many blocks with the same codes.
#[derive(Default)]
pub(super) struct Packed {
    /// The bits after the last-block bit, in pieces of 56 bits.
    pieces: Vec<u64>,
    /// Bits in the last piece.
    rest: u32,
}

impl Packed {
    /// Packs a header.
    pub(super) fn set(&mut self, header: &Header) {
        let bits = header.bits as usize + 2;
        let mut bytes = vec![0; bits.div_ceil(8) + 2 * SLACK];
        // Seven bits come before the first one, so that the bits after it start at a byte boundary.
        let mut writer = BitWriter::new(&mut bytes, Rest::default());
        writer.put(0, 7);
        header.write(false, &mut writer);
        writer.finish();
        self.pieces.clear();
        self.pieces.extend(bytes[1..][..bits.div_ceil(8)].chunks(7).map(|piece| {
            let mut eight = [0; 8];
            eight[..piece.len()].copy_from_slice(piece);
            u64::from_le_bytes(eight)
        }));
        self.rest = (bits - 56 * (self.pieces.len() - 1)) as u32;
    }

    /// Writes the three bits that start a block, then the header.
    pub(super) fn write(&self, last: bool, writer: &mut BitWriter<'_>) {
        writer.put(last.into(), 1);
        writer.flush();
        if let Some((&end, pieces)) = self.pieces.split_last() {
            for &piece in pieces {
                writer.put(piece, 56);
                writer.flush();
            }
            writer.put(end, self.rest);
            writer.flush();
        }
    }
}

/// Converts lengths to symbols: 0 to 15; 16 repeats the last length 3 to 6 times; 17 and 18 are 3 to 10 and 11 to 138
/// zeros.
fn repeat(lengths: &[u8], symbols: &mut Vec<u16>) {
    let mut at = 0;
    while at < lengths.len() {
        let length = lengths[at];
        let same = lengths[at..].iter().take_while(|&&other| other == length).count();
        let mut left = same;
        at += same;
        if length == 0 {
            while left >= 3 {
                let run = left.min(138);
                symbols.push(if run < 11 { 17 | (run as u16 - 3) << 5 } else { 18 | (run as u16 - 11) << 5 });
                left -= run;
            }
        } else {
            symbols.push(length.into());
            left -= 1;
            while left >= 3 {
                let run = left.min(6);
                symbols.push(16 | (run as u16 - 3) << 5);
                left -= run;
            }
        }
        symbols.extend(std::iter::repeat_n(u16::from(length), left));
    }
}
