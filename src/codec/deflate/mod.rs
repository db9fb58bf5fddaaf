//! A DEFLATE encoder made for rasters (RFC 1950, RFC 1951): bytes in, a zlib stream out.

mod bits;
mod block;
mod chains;
mod costs;
mod fast;
mod header;
mod huffman;
mod symbols;

use bits::Rest;
use block::{BlockWriter, Stream};
use chains::{Chains, Effort};
use costs::Costs;
use symbols::{Counts, Match};

/// What is known of the bytes: it directs the search and never decides what can be encoded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Layout {
    /// Bytes of a row, 0 where there are no rows.
    pub row_bytes: usize,
    /// Bytes of a sample, 0 where there are no samples.
    pub sample_bytes: usize,
}

/// Encodes zlib streams. Keeps memory from stream to stream, nothing else.
pub struct Encoder {
    level: u8,
    matches: Vec<Match>,
    chains: Chains,
    writer: BlockWriter,
}

const UNIT: usize = 32 << 10;

/// A block takes in units until it has so many literals and matches.
const MOST_SYMBOLS: u32 = 1 << 18;

/// A block that units may still be added to.
#[derive(Default)]
struct Pending {
    start: usize,
    end: usize,
    matches: Vec<Match>,
    tail: usize,
    counts: Counts,
    bits: u64,
}

impl Pending {
    fn append(&mut self, matches: &[Match], length: usize) {
        let mut covered = 0;
        for (index, found) in matches.iter().enumerate() {
            let mut found = *found;
            covered += found.literals as usize + found.length as usize;
            if index == 0 {
                found.literals += self.tail as u32;
                self.tail = 0;
            }
            self.matches.push(found);
        }
        self.tail += length - covered;
        self.end += length;
    }
}

impl Encoder {
    /// An encoder with an effort of 1 to 9; `None` for other numbers.
    pub fn new(level: u8) -> Option<Self> {
        (1..=9).contains(&level).then(|| Self { level, matches: Vec::new(), chains: Chains::default(), writer: BlockWriter::default() })
    }

    /// Appends `input` as a zlib stream to `out`.
    pub fn zlib(&mut self, input: &[u8], layout: Layout, out: &mut Vec<u8>) {
        let _ = self.level;
        out.extend([0x78, 0x9C]);
        let env = |name: &str, default: usize| std::env::var(name).map_or(default, |v| v.parse().unwrap());
        let unit = env("UNIT", UNIT);
        let mode = env("MODE", 0);
        let effort = Effort { depth: env("DEPTH", 6) as u32, nice: env("NICE", 64), lazy: env("LAZY", 32) };
        let mut stream = Stream { out, rest: Rest::default() };
        let mut at = 0;
        let mut costs = Costs::guess(&input[..input.len().min(unit)]);
        let mut pending = Pending::default();
        if mode == 1 { self.chains.reset(); }
        while at < input.len() {
            let end = input.len().min(at + unit);
            self.matches.clear();
            if mode == 0 {
                fast::find(input, at, end, layout.row_bytes, &costs, &mut self.matches);
            } else {
                self.chains.find(input, (at, end), layout.row_bytes, effort, &costs, &mut self.matches);
            }
            let counts = { let mut c = Counts::default(); c.piece(&input[at..end], &self.matches); c };
            costs = Costs::new(&counts);
            let bits = costs::block_bits(&counts);
            let mut merged = pending.counts.clone();
            merged.merge(&counts);
            let merged_bits = costs::block_bits(&merged);
            let apart = pending.bits + bits + costs::header_bits(&counts);
            if at == 0 || (merged_bits <= apart && merged.literals.iter().sum::<u32>() < MOST_SYMBOLS) {
                pending.bits = merged_bits;
                pending.counts = merged;
            } else {
                self.writer.block(&input[pending.start..at], &mut pending.matches, &mut pending.counts, false, &mut stream);
                pending = Pending { start: at, end: at, counts, bits, ..Pending::default() };
            }
            pending.append(&self.matches, end - at);
            at = end;
        }
        self.writer.block(&input[pending.start..], &mut pending.matches, &mut pending.counts, true, &mut stream);
        stream.finish();
        out.extend(simd_adler32::adler32(&input).to_be_bytes());
    }
}
