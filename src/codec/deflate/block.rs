//! Block writer: encodes literals and matches in the block type that takes the fewest bits.

use crate::processor::newest;

use super::bits::{BitWriter, Code, Rest, SLACK};
use super::costs;
use super::header::{Header, Lengths};
use super::huffman;
use super::symbols::{
    Counts, DISTANCES, END_OF_BLOCK, LENGTH_BASE, LENGTH_CODE, LENGTH_EXTRA, LITERALS, MAX_MATCH, MIN_MATCH, Match,
    distance_base, distance_code, distance_extra, length_symbol,
};

/// Maximum length of literal and length codes, so that four literals fit between two flushes.
pub(super) const LONGEST_CODE: usize = 14;
/// Maximum length of distance codes; the format allows no more.
const LONGEST_DISTANCE_CODE: usize = 15;
/// Maximum number of bytes in a stored block.
const STORED: usize = 65535;

/// The stream after the zlib header: whole bytes in a vector, and the bits that do not fill a byte yet.
pub(super) struct Stream<'a> {
    pub(super) out: &'a mut Vec<u8>,
    pub(super) rest: Rest,
}

impl Stream<'_> {
    /// Lets `write` write up to `bits` bits.
    pub(super) fn write(&mut self, bits: u64, write: impl FnOnce(&mut BitWriter<'_>)) {
        let start = self.out.len();
        self.out.resize(start + (bits / 8) as usize + 2 * SLACK, 0);
        let mut writer = BitWriter::new(&mut self.out[start..], self.rest);
        write(&mut writer);
        let (left, rest) = writer.finish();
        assert!(left >= SLACK, "a block takes more bits than were counted");
        self.out.truncate(self.out.len() - left);
        self.rest = rest;
    }

    /// Writes bytes as stored blocks, the last of which may end the stream; writes no block for no bytes unless it is
    /// the last.
    pub(super) fn stored(&mut self, bytes: &[u8], last: bool) {
        let mut chunks = bytes.chunks(STORED).peekable();
        let empty = (bytes.is_empty() && last).then_some(&bytes[..0]);
        let mut next = chunks.next().or(empty);
        while let Some(chunk) = next {
            next = chunks.next();
            self.write(8 * 6, |writer| {
                writer.put(u64::from(last && next.is_none()), 3);
                writer.align();
                let length = chunk.len() as u64;
                writer.put(length | (length ^ 0xFFFF) << 16, 32);
            });
            // The block header has ended at a byte boundary.
            self.out.extend_from_slice(chunk);
        }
    }

    /// Returns the number of bits that `stored` writes.
    pub(super) fn stored_bits(&self, length: usize) -> u64 {
        let first = 3 + u64::from((8 - (self.rest.count() + 3) % 8) % 8) + 32;
        first + 8 * length as u64 + (length.max(1).div_ceil(STORED) as u64 - 1) * 40
    }

    /// Completes the last byte.
    pub(super) fn finish(&mut self) {
        self.write(8, |writer| writer.align());
    }
}

/// The codes of a block, ready for writing.
pub(super) struct Codes {
    literals: [Code; LITERALS],
    /// The code and extra bits of each length.
    lengths: [Code; MAX_MATCH + 1],
    distances: [Code; DISTANCES],
}

impl Default for Codes {
    fn default() -> Self {
        let none = Code::default();
        Self { literals: [none; LITERALS], lengths: [none; MAX_MATCH + 1], distances: [none; DISTANCES] }
    }
}

impl Codes {
    /// Builds the codes for `lengths`.
    pub(super) fn set(&mut self, lengths: &Lengths) {
        huffman::codes(&lengths.literals, &mut self.literals);
        huffman::codes(&lengths.distances, &mut self.distances);
        for (length, target) in self.lengths.iter_mut().enumerate().skip(MIN_MATCH) {
            let code = self.literals[length_symbol(length)];
            let index = LENGTH_CODE[length] as usize;
            let extra = (length - LENGTH_BASE[index] as usize) as u32;
            *target = Code::new(code.bits() | extra << code.count(), code.count() + u32::from(LENGTH_EXTRA[index]));
        }
    }

    /// Writes literals.
    #[inline(always)]
    fn literals(&self, bytes: &[u8], writer: &mut BitWriter<'_>) {
        /// From this length on, a call with all registers to itself pays.
        const MANY: usize = 16;
        if bytes.len() < MANY { self.each(bytes, writer) } else { self.many(bytes, writer) }
    }

    /// Writes many literals.
    #[inline(never)]
    fn many(&self, bytes: &[u8], writer: &mut BitWriter<'_>) {
        // A local writer stays in registers.
        let mut own = writer.take();
        newest(
            #[inline(always)]
            || self.each(bytes, &mut own),
        );
        *writer = own;
    }

    /// Writes literals, inlined into the caller.
    #[inline(always)]
    fn each(&self, bytes: &[u8], writer: &mut BitWriter<'_>) {
        let (fours, rest) = bytes.as_chunks::<4>();
        for four in fours {
            writer.four_codes(four.map(|byte| self.literals[byte as usize]));
            writer.flush();
        }
        for &byte in rest {
            writer.code(self.literals[byte as usize]);
        }
        writer.flush();
    }

    /// Writes a chunk of `input` and the end of the block.
    pub(super) fn write(&self, input: &[u8], matches: &[Match], writer: &mut BitWriter<'_>) {
        newest(
            #[inline(always)]
            || self.all(input, matches, writer),
        );
    }

    /// The inlined body of [`write`](Self::write).
    #[inline(always)]
    fn all(&self, input: &[u8], matches: &[Match], writer: &mut BitWriter<'_>) {
        let mut at = 0;
        for found in matches {
            let literals = found.literals as usize;
            self.literals(&input[at..][..literals], writer);
            writer.code(self.lengths[usize::from(found.length) % (MAX_MATCH + 1)]);
            let distance = usize::from(found.distance);
            let index = distance_code(distance);
            writer.code(self.distances[index % DISTANCES]);
            writer.put((distance - distance_base(index)) as u64, distance_extra(index));
            writer.flush();
            at += literals + usize::from(found.length);
        }
        self.literals(&input[at..], writer);
        writer.code(self.literals[END_OF_BLOCK]);
        writer.flush();
    }
}

/// Computes the lengths of the best codes for `counts`.
pub(super) fn lengths(counts: &Counts, lengths: &mut Lengths) {
    // The fixed code has four more symbols.
    lengths.literals[286..].fill(0);
    lengths.distances[30..].fill(0);
    huffman::code_lengths(&counts.literals[..286], LONGEST_CODE, &mut lengths.literals[..286]);
    huffman::code_lengths(&counts.distances[..30], LONGEST_DISTANCE_CODE, &mut lengths.distances[..30]);
}

/// Returns the bits of all symbols.
pub(super) fn body_bits(counts: &Counts, lengths: &Lengths) -> u64 {
    let sum = |counts: &[u32], lengths: &[u8]| -> u64 {
        counts.iter().zip(lengths).map(|(&count, &length)| u64::from(count) * u64::from(length)).sum()
    };
    sum(&counts.literals, &lengths.literals)
        + sum(&counts.distances, &lengths.distances)
        + u64::from(costs::extra_bits(counts))
}

/// Returns the lengths of the fixed codes, which need no header (RFC 1951 section 3.2.6).
pub(super) fn fixed_lengths() -> Lengths {
    let mut lengths = Lengths { literals: [8; LITERALS], distances: [5; DISTANCES] };
    lengths.literals[144..256].fill(9);
    lengths.literals[256..280].fill(7);
    lengths
}

/// Removes matches that cost more than their bytes as literals, and updates `counts`. Returns the number removed.
pub(super) fn drop_dear(input: &[u8], matches: &mut Vec<Match>, counts: &mut Counts, lengths: &Lengths) -> usize {
    /// Matches of at least this length always pay.
    const LONG: usize = 32;
    let before = matches.len();
    if before == 0 {
        return 0;
    }
    let literal_costs: [u32; 256] = std::array::from_fn(|byte| absent(lengths.literals[byte]));
    let mut at = 0;
    let mut carried = 0;
    matches.retain_mut(|found| {
        at += found.literals as usize;
        found.literals += carried;
        carried = 0;
        let length = usize::from(found.length);
        let bytes = &input[at..][..length];
        at += length;
        if length >= LONG {
            return true;
        }
        let code = distance_code(found.distance.into());
        let cost = u32::from(lengths.literals[length_symbol(length)])
            + u32::from(LENGTH_EXTRA[LENGTH_CODE[length] as usize])
            + u32::from(lengths.distances[code])
            + distance_extra(code);
        let pays = if found.distance == 1 {
            4 * cost < length as u32 * (4 * literal_costs[bytes[0] as usize] + 1)
        } else {
            // Every literal costs at least one bit, so the first comparison accepts most matches.
            cost < length as u32 || cost < bytes.iter().map(|&byte| literal_costs[byte as usize]).sum()
        };
        if !pays {
            counts.remove(*found);
            counts.literals(bytes);
            carried = found.literals + length as u32;
        }
        pays
    });
    before - matches.len()
}

/// Returns the cost of a literal; one without a code costs as much as the longest code.
fn absent(length: u8) -> u32 {
    if length == 0 { LONGEST_CODE as u32 } else { length.into() }
}

/// Writes blocks; reuses its memory across blocks.
#[derive(Default)]
pub(super) struct BlockWriter {
    lengths: Lengths,
    header: Header,
    codes: Codes,
}

impl BlockWriter {
    /// Writes `input` as a block. With `weighs_again`, matches that do not pay under the final codes are dropped.
    pub(super) fn block(
        &mut self,
        input: &[u8],
        (matches, counts): (&mut Vec<Match>, &mut Counts),
        weighs_again: bool,
        last: bool,
        stream: &mut Stream<'_>,
    ) {
        counts.literals[END_OF_BLOCK] = 1;
        lengths(counts, &mut self.lengths);
        if weighs_again && drop_dear(input, matches, counts, &self.lengths) > 0 {
            lengths(counts, &mut self.lengths);
        }
        self.header.plan(&self.lengths);
        let dynamic = self.header.bits + body_bits(counts, &self.lengths);
        let stored = stream.stored_bits(input.len());
        let fixed = if dynamic < 8000 { body_bits(counts, &fixed_lengths()) } else { u64::MAX };
        if stored <= dynamic.min(fixed) {
            return stream.stored(input, last);
        }
        if fixed <= dynamic {
            self.lengths = fixed_lengths();
        }
        self.codes.set(&self.lengths);
        stream.write(3 + dynamic.min(fixed), |writer| {
            if fixed <= dynamic {
                writer.put(u64::from(last) | 1 << 1, 3);
            } else {
                self.header.write(last, writer);
            }
            self.codes.write(input, matches, writer);
        });
    }
}
