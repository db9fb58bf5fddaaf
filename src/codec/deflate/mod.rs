//! A DEFLATE encoder made for rasters (RFC 1950, RFC 1951): bytes in, a zlib stream out.

mod bits;
mod block;
mod costs;
mod fast;
mod header;
mod huffman;
mod symbols;

use bits::Rest;
use block::{BlockWriter, Stream};
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
    writer: BlockWriter,
}

const UNIT: usize = 64 << 10;

impl Encoder {
    /// An encoder with an effort of 1 to 9; `None` for other numbers.
    pub fn new(level: u8) -> Option<Self> {
        (1..=9).contains(&level).then(|| Self { level, matches: Vec::new(), writer: BlockWriter::default() })
    }

    /// Appends `input` as a zlib stream to `out`.
    pub fn zlib(&mut self, input: &[u8], layout: Layout, out: &mut Vec<u8>) {
        let _ = self.level;
        out.extend([0x78, 0x9C]);
        let mut stream = Stream { out, rest: Rest::default() };
        let mut at = 0;
        let mut costs = Costs::guess(&input[..input.len().min(UNIT)]);
        while at < input.len() || at == 0 {
            let end = input.len().min(at + UNIT);
            self.matches.clear();
            fast::find(input, at, end, layout.row_bytes, &costs, &mut self.matches);
            let mut counts = Counts::default();
            counts.piece(&input[at..end], &self.matches);
            self.writer.block(&input[at..end], &mut self.matches, &mut counts, end == input.len(), &mut stream);
            costs = Costs::new(&counts);
            at = end;
            if input.is_empty() {
                break;
            }
        }
        stream.finish();
        out.extend(simd_adler32::adler32(&input).to_be_bytes());
    }
}
